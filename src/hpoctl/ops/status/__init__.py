"""How tags and their experiments stand, and what they wrote."""
