"""The tuning loop, the recording of its rows, and experiments as a whole."""
