"""Where jobs execute."""
