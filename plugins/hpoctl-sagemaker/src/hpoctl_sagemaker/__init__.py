"""Training jobs of Amazon SageMaker as jobs of hpoctl."""
