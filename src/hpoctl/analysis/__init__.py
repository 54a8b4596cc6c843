"""Statistics and plots: matplotlib is imported here only, and only when something is drawn."""
