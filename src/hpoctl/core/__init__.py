"""Values and contracts that every other layer builds on. Standard library, numpy and msgspec only."""
