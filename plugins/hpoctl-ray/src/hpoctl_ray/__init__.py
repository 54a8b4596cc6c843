"""Jobs and trials of hpoctl on a Ray cluster."""
