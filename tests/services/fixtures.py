"""Fixtures for tests that need a real S3; a `conftest.py` imports those that its tests use."""

import os
import uuid
from collections.abc import Iterator

import pytest

from services.seaweedfs import BUCKET, Server, running


@pytest.fixture(scope="session", autouse=True)
def data_of_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A folder for imported data, empty, also for the processes that tests start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HPOCTL_DATA", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real S3 server, one for all workers of a run, started when it is first asked for."""
    folder = tmp_path_factory.getbasetemp()
    shared = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    with running(shared / "seaweedfs") as server:
        yield server


@pytest.fixture
def s3_root(seaweedfs: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty root of results on S3, also for the processes that a test starts."""
    for name, value in seaweedfs.environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{uuid.uuid4().hex}"
