"""Trials of training scripts, wherever their processes run."""
