"""Where trials execute."""
