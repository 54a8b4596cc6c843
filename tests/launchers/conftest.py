"""A real Slurm, started when the first test asks for it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.slurm import Slurm, running, why_not


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    """One cluster for all tests of a process."""
    if reason := why_not():
        pytest.skip(reason)
    folder = Path(tmp_path_factory.mktemp("slurm")) / "cluster"
    with running(folder) as slurm:
        yield slurm


@pytest.fixture
def slurm(cluster: Slurm, monkeypatch: pytest.MonkeyPatch) -> Slurm:
    """The cluster, as this process and those that it starts see it."""
    for name in [name for name in os.environ if name.startswith(("SLURM_", "SBATCH_"))]:
        monkeypatch.delenv(name)
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    return cluster
