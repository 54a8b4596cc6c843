"""The model of SageMaker, and the S3 that it works with; what a person has imported is left alone."""

from collections.abc import Iterator

import pytest

from sagemaker_model import SagemakerModel, environment_of, running
from services.fixtures import data_of_tests, s3_root, seaweedfs
from services.seaweedfs import Server

__all__ = ["data_of_tests", "s3_root", "seaweedfs"]


@pytest.fixture
def sagemaker(seaweedfs: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[SagemakerModel]:
    """The model, for a process that may do what trials need; modules about launches have another one."""
    with running(seaweedfs.environment, policy="trials") as model:
        for name, value in environment_of(model).items():
            monkeypatch.setenv(name, value)
        yield model
