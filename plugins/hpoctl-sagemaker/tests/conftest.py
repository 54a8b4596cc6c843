"""The S3 that the model of SageMaker works with; what a person has imported is left alone."""

from services.fixtures import data_of_tests, s3_root, seaweedfs

__all__ = ["data_of_tests", "s3_root", "seaweedfs"]
