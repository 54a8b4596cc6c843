"""Schedulers decide which trials start, pause, resume and stop; searchers pick their configurations."""
