"""hpoctl: run, repeat and compare studies of hyperparameter optimization."""

__version__ = "0.1.0"
