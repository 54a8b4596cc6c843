"""Learning curves that the simulator looks up."""
