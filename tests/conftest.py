"""Settings of all tests: how long an example takes is not what is tested; what a person has imported is left alone."""

from hypothesis import settings

from services.fixtures import data_of_tests, s3_root, seaweedfs

__all__ = ["data_of_tests", "s3_root", "seaweedfs"]

settings.register_profile("hpoctl", deadline=None)
settings.load_profile("hpoctl")
