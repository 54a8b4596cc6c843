"""Experiments run in this process or in a worker process."""
