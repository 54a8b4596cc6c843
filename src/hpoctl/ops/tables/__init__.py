"""The tables of benchmarks: listed, imported, fetched, checked, shared."""
