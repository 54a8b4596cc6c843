"""The SageMaker launcher keeps the contract of launchers, on a model of SageMaker and a real S3."""

import uuid
from collections.abc import Iterator

import pytest

from hpoctl.testing import OtherSide, check_launcher
from hpoctl_sagemaker.launcher import SagemakerLauncher
from hpoctl_sagemaker.options import SagemakerOptions
from sagemaker_model import ROLE, SagemakerModel, environment_of, running
from services.seaweedfs import BUCKET, Server

FAST = SagemakerOptions(role=ROLE, image="python", jobs=1, poll_interval=0.2)


@pytest.fixture
def sagemaker(seaweedfs: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[SagemakerModel]:
    with running(seaweedfs.environment) as model:
        for name, value in {**environment_of(model), "HPOCTL_PLUGINS": ""}.items():
            monkeypatch.setenv(name, value)
        yield model


@pytest.mark.timeout(600)  # some twenty containers start, and a loaded machine takes seconds for each
def test_contract(sagemaker: SagemakerModel) -> None:
    def kill(job: str) -> None:
        for training in sagemaker.jobs.values():
            if training.request["HyperParameters"]["job"] == job and not training.ended.is_set():
                sagemaker.kill(training.name)

    other = OtherSide(kill, sagemaker.losing_replies, sagemaker.forget, lambda: len(sagemaker.created))
    check_launcher(lambda: SagemakerLauncher(FAST), other, lambda: f"s3://{BUCKET}/{uuid.uuid4().hex}")
