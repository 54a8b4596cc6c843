"""Trials as training jobs, on a model of SageMaker and a real S3: the contract of backends, and what a script sees."""

import signal
import uuid
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from hpoctl.testing import check_backend, check_failures, check_recovery
from sagemaker_model import SagemakerModel, environment_of, running
from services.seaweedfs import BUCKET, Server
from trial_jobs import CONFIG, backend
from trial_rehearsal import PRICE, rehearse


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


@pytest.mark.timeout(600)
def test_a_rehearsal(seaweedfs: Server, tmp_path: Path) -> None:
    with running(seaweedfs.environment, quota=4, policy="trials") as model:
        model.stop_delay = 1.0
        found = rehearse(model, tmp_path, f"s3://{BUCKET}/{uuid.uuid4().hex}", trials=8, kill_after=6)
    assert found.first == -signal.SIGKILL
    assert found.interruptions == 2
    assert len({trial for trial, _ in found.rows}) == 8
    assert set(found.rows.values()) == {1}
    assert found.missing == []
    # One job for each start that was not refused, none twice, and each billed to the second.
    assert [row["outcome"] for row in found.starts].count("Failed") == 1
    assert {key: seconds for key, (seconds, _) in found.table.items()} == found.billed
    assert all(cost == seconds * PRICE / 3600.0 for seconds, cost in found.table.values())
    assert len(found.jobs) == len(found.starts) - 1
