"""The command line: parse options, call a use case, render its result. No logic."""
