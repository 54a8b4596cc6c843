"""Results copied to other stores, exported and imported."""
