"""Many experiments: planned, launched, stopped, and looked after."""
