"""Optuna's samplers as methods of hpoctl."""
