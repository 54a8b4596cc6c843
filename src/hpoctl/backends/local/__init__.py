"""Trials that train on this machine: one process group each, looked after by a supervisor that outlives nothing."""
