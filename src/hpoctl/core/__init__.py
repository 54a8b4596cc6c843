"""Values and contracts that every other layer builds on. Standard library and numpy only."""
