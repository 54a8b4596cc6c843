"""Results read for figures, comparisons, reports and exports."""
