"""Results read for whatever is made of them."""
