"""The tuning of a training script inside a task of Ray: the local backend on the node of the task."""

import os
from pathlib import Path

import pytest

import travelling_script
from hpoctl.stores.local import LocalStore
from ray_cluster import RayNodes


@pytest.mark.timeout(300)
def test_a_script_is_tuned_inside_a_task(cluster: RayNodes, tmp_path: Path) -> None:
    environment = {**os.environ, "HPOCTL_PLUGINS": "ray", "HPOCTL_DATA": str(tmp_path / "data")}
    words = ["--on", "ray", "--results", "there"]
    for option in (f"address={cluster.address}", "environment=HPOCTL_DATA", "cpus=0.5", "poll_interval=0.2"):
        words += ["--launcher-option", option]
    answer = travelling_script.launch(tmp_path, words, environment)
    travelling_script.check(LocalStore(tmp_path / "there"), answer, by_a_copy=False)
