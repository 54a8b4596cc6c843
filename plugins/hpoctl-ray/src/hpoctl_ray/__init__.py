"""Jobs of hpoctl on a Ray cluster."""
