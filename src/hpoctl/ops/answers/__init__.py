"""Answers from the results of tags: figures, comparisons, reports."""
