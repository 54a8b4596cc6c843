"""Launching until a question is decided: the looks and what they say."""
