"""A small study on the model of SageMaker with all that may go wrong; benchmarks/sagemaker_study.py is larger."""

from pathlib import Path

import pytest

from hpoctl.core.cells import Cell
from hpoctl.stores.job_files import all_manifests, job_folder_of
from hpoctl.stores.opening import open_results
from sagemaker_model import environment_of, running
from sagemaker_rehearsal import TAG, rehearse
from services.seaweedfs import Server

STUDY = """
methods = ["RS", "RS-EACH"]
benchmarks = ["toy-1", "toy-2"]
num_seeds = 4
extra_results = ["trip-wire"]
"""


def test_study(seaweedfs: Server, s3_root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing, held = [Cell("RS", "toy-2", 3), Cell("RS-EACH", "toy-1", 1)], Cell("RS-EACH", "toy-2", 0)
    with running(seaweedfs.environment, quota=2, page=2) as model:
        for name, value in environment_of(model).items():
            monkeypatch.setenv(name, value)
        found = rehearse(model, tmp_path, s3_root, STUDY, "", failing, held, kill_after=3)
    assert found.second[0] == 0, found.second[1]
    assert (found.first, found.restarts) == (-9, 1)
    # Five jobs, not all of which the killed launch has submitted, and two more for what failed.
    assert 3 <= found.before < 5
    assert len(found.created) == len(set(found.created)) == 7
    assert len(found.results_here) == 16
    assert found.results == found.results_here
    for cell, endings in found.recorded().items():
        extra = {"failed": 1} if cell in failing else {"interrupted": 1} if cell == held else {}
        assert endings == {"completed": 1, **extra}, cell
    # The log of the interrupted job is continued.
    store = open_results(s3_root).store
    [job] = [kept.job.name for kept in all_manifests(store, TAG) if held in {task.cell for task in kept.job.tasks}]
    log = store.get(f"{job_folder_of(TAG, job)}/checkpoints/log.txt").decode()
    assert log.count(f"job {job}: 2 experiments") == 2
    assert "2 of 2 experiments are complete" in log
