"""What is to be run: studies, their files, settings, and what they resolve to."""
