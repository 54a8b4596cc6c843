"""The tuning of a training script inside a task of Ray: trials on the node of the task, or as actors of the cluster."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import own_script
import travelling_script
from hpoctl.stores.local import LocalStore
from hpoctl.stores.opening import open_results
from hpoctl.testing.polling import wait_until
from ray_cluster import RayNodes
from services.seaweedfs import Server

PATIENCE = 280.0
RARE = '--resources={"rare": 1}'
STUDY = """
methods = ["RS"]
benchmarks = ["own/benchmark.toml"]
num_seeds = 1
max_num_trials = 2
"""


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


@pytest.mark.timeout(900)
def test_a_job_that_is_lost_continues_from_its_copy(
    cluster: RayNodes, tmp_path: Path, s3_root: str, seaweedfs: Server
) -> None:
    node = cluster.add(RARE, apart=True)
    own_script.write(tmp_path)
    (tmp_path / "study.toml").write_text(STUDY)
    go = tmp_path / "go"
    environment = {**os.environ, "HPOCTL_PLUGINS": "ray", "OWN_SCRIPT_GO": str(go)}
    words = ["launch", "--study", "study.toml", "--tag", "t", "--random-seed", "7", "--results", s3_root, "--on", "ray"]
    variables = ",".join(["OWN_SCRIPT_GO", *seaweedfs.environment])
    for option in (f"address={cluster.address}", f"environment={variables}", "cpus=0.5", "resources=rare=1"):
        words += ["--launcher-option", option]
    store = open_results(s3_root).store
    with (tmp_path / "printed").open("wb") as printed:
        launch = subprocess.Popen(
            [sys.executable, "-m", "hpoctl", *words], cwd=tmp_path, env=environment, stdout=printed, stderr=printed
        )
        try:
            wait_until(
                lambda: launch.poll() is not None or own_script.saved(store, "t") == ["2", "2"], "no copy", PATIENCE
            )
            cluster.kill(node)  # with the job, its trials, and the working folder
            shutil.rmtree(cluster.scratch(node))
            go.touch()
            node = cluster.add(RARE, apart=True)
            code = launch.wait(PATIENCE)
        finally:
            launch.kill()
    cluster.kill(node)
    assert code == 0, (tmp_path / "printed").read_text()
    again = {(0, 3): 2, (1, 3): 2}
    assert own_script.loaded(store, "t") == {(trial, epoch): 0 for trial in range(2) for epoch in (1, 2, 3)} | again


@pytest.mark.timeout(600)
def test_the_smoke_test_of_jobs_and_of_trials(cluster: RayNodes, tmp_path: Path) -> None:
    environment = {**os.environ, "HPOCTL_PLUGINS": "ray", "RAY_ADDRESS": cluster.address}
    words = ["doctor", "--smoke", "--on", "ray", "--backend", "ray", "--results", str(tmp_path / "there"), "--json"]
    words += ["--launcher-option", "cpus=0.5", "--launcher-option", "poll_interval=0.2"]
    done = subprocess.run(
        [sys.executable, "-m", "hpoctl", *words], cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    found = {finding["subject"]: finding["verdict"] for finding in json.loads(done.stdout)["data"]["findings"]}
    for subject in ("job on ray", "trials on ray"):
        assert [found.get(f"{subject}{what}") for what in ("", ": pause", ": resume")] == ["ok"] * 3
    assert {path.name for path in (tmp_path / "there").iterdir()} == {".bundles", ".claims"}
