"""Trials as training jobs, on a model of SageMaker and a real S3: the contract of backends, and what a script sees."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from hpoctl.testing import check_backend, check_failures, check_recovery
from sagemaker_model import SagemakerModel, environment_of, running
from services.seaweedfs import Server
from trial_jobs import CONFIG, backend


@pytest.fixture
def sagemaker(seaweedfs: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[SagemakerModel]:
    with running(seaweedfs.environment, policy="trials") as model:
        for name, value in environment_of(model).items():
            monkeypatch.setenv(name, value)
        yield model


@pytest.mark.timeout(600)
def test_contract(sagemaker: SagemakerModel, tmp_path: Path) -> None:
    numbers = count()
    check_backend(lambda: backend(tmp_path / str(next(numbers))), CONFIG, 9)
    check_recovery(lambda: backend(tmp_path / "recovery"), CONFIG, 9)
    check_failures(lambda: backend(tmp_path / "failures", "sys.exit(1)"), CONFIG)
    assert all(job.ended.is_set() for job in sagemaker.jobs.values())
