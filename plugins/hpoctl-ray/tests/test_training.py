"""The tuning of a training script inside a task of Ray: trials on the node of the task, or as actors of the cluster."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import travelling_script
from hpoctl.stores.local import LocalStore
from ray_cluster import RayNodes


@pytest.mark.timeout(600)
@pytest.mark.parametrize("backend", ["local", "ray"])
def test_a_script_is_tuned_inside_a_task(cluster: RayNodes, tmp_path: Path, backend: str) -> None:
    environment = {**os.environ, "HPOCTL_PLUGINS": "ray", "HPOCTL_DATA": str(tmp_path / "data")}
    words = ["--on", "ray", "--results", "there", "--backend", backend]
    words += ["--backend-option", f"address={cluster.address}"] if backend == "ray" else []
    for option in (f"address={cluster.address}", "environment=HPOCTL_DATA", "cpus=0.5", "poll_interval=0.2"):
        words += ["--launcher-option", option]
    answer = travelling_script.launch(tmp_path, words, environment)
    travelling_script.check(LocalStore(tmp_path / "there"), answer, by_a_copy=False)


@pytest.mark.timeout(600)
def test_the_smoke_test_of_trials(cluster: RayNodes, tmp_path: Path) -> None:
    environment = {**os.environ, "HPOCTL_PLUGINS": "ray", "RAY_ADDRESS": cluster.address}
    words = ["doctor", "--smoke", "--backend", "ray", "--results", str(tmp_path / "there"), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "hpoctl", *words], cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    found = {finding["subject"]: finding["verdict"] for finding in json.loads(done.stdout)["data"]["findings"]}
    expected = ["trials on ray", "trials on ray: pause", "trials on ray: resume"]
    assert [found.get(subject) for subject in expected] == ["ok"] * 3
    assert [path.name for path in (tmp_path / "there").iterdir()] == [".claims"]
