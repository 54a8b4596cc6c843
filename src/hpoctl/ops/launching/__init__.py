"""Many experiments: planned, launched, stopped and monitored."""
