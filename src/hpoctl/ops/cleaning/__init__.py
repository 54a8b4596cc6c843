"""Results moved to the trash and back."""
