"""What becomes of a tag: its status and logs, and results removed and brought back."""
