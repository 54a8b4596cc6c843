"""The tuning of a training script inside a job of SageMaker: the local backend on the machine of the job."""

import os
from pathlib import Path

import pytest

import travelling_script
from hpoctl.stores.opening import open_results
from sagemaker_model import ROLE, environment_of, running
from services.seaweedfs import Server


def test_a_script_is_tuned_inside_a_job(
    seaweedfs: Server, s3_root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(seaweedfs.environment) as model:
        for name, value in environment_of(model).items():
            monkeypatch.setenv(name, value)
        environment = {**os.environ, "HPOCTL_PLUGINS": "sagemaker", "HPOCTL_DATA": str(tmp_path / "data")}
        words = ["--on", "sagemaker", "--results", s3_root]
        for option in (f"role={ROLE}", "image=python", "poll_interval=0.5"):
            words += ["--launcher-option", option]
        answer = travelling_script.launch(tmp_path, words, environment, lambda: bool(model.created))
    travelling_script.check(open_results(s3_root).store, answer, by_a_copy=True)
