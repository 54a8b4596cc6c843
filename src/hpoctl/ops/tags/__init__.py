"""Where results are, and what is known of the tags there."""
