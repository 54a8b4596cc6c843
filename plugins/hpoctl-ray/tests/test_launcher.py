"""The Ray launcher on a real cluster: a study where things go wrong, S3, and what people are told."""

import os
import socket
import subprocess
import sys
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from hpoctl.core.cells import Cell
from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.jobs import Failure
from hpoctl.stores.job_files import JobReport
from hpoctl.testing import ToyJobs
from hpoctl.testing.polling import finish, poll_until, states, wait_until
from hpoctl_ray.addresses import find_address
from hpoctl_ray.check import check
from hpoctl_ray.connection import fits
from hpoctl_ray.launcher import RayLauncher
from hpoctl_ray.options import RayOptions
from hpoctl_ray.states import LOST, status_of
from ray_cluster import HOST, RayNodes, end_processes_below
from ray_rehearsal import rehearse
from services.seaweedfs import BUCKET, Server

STUDY = """
methods = ["RS", "RS-EACH"]
benchmarks = ["toy-1", "toy-2"]
num_seeds = 2
extra_results = ["trip-wire"]
"""
SPOT = '--resources={"spot": 1}'


@pytest.fixture
def options(cluster: RayNodes, monkeypatch: pytest.MonkeyPatch) -> RayOptions:
    monkeypatch.setenv("HPOCTL_PLUGINS", "")
    return RayOptions(address=cluster.address, cpus=0.5, poll_interval=0.2)


@pytest.mark.timeout(900)
def test_a_study_whose_node_dies_and_whose_launch_is_killed(cluster: RayNodes, tmp_path: Path) -> None:
    held = Cell("RS-EACH", "toy-2", 1)
    cluster.add(SPOT)  # all jobs run there: the head of a cluster cannot be killed
    found = rehearse(cluster, tmp_path, STUDY, "", held, [SPOT], ["resources=spot=0.5", "cpus=0.5"])
    assert found.second[0] == 0, found.second[1]
    assert found.first == -9
    assert found.jobs == 3
    assert len(found.results_here) == 8
    assert found.results == found.results_here
    assert found.completed() == dict.fromkeys(found.results_here, 1)
    assert found.held["completed"] == 1
    assert found.held.total() == 2
    others = [one for one in found.attempts if one.cell != held and one.recorded != "completed"]
    assert len(others) <= 1, others  # of each job that ran on the node, one experiment is lost at most
    log = (tmp_path / "there" / "rehearsal" / ".hpoctl" / "jobs").glob("*/log.txt")
    logs = [path.read_text() for path in log]
    assert logs
    bundles = f"hpoctl from {cluster.folder}/hpoctl-bundles-"
    assert all(bundles in text for text in logs)  # not what is installed here


@pytest.mark.timeout(600)
def test_results_on_s3(options: RayOptions, seaweedfs: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in seaweedfs.environment.items():
        monkeypatch.setenv(name, value)
    toys = ToyJobs(tmp_path, root=f"s3://{BUCKET}/{uuid.uuid4().hex}")
    jobs = toys.jobs(toys.cells("RS-EACH"))[:1]
    launcher = RayLauncher(replace(options, environment=",".join(seaweedfs.environment)))
    receipts = launcher.submit(jobs)
    (status,) = finish(launcher, receipts)
    assert (status.state, status.done) == ("done", 2), status
    complete = "2 of 2 experiments are complete"
    wait_until(lambda: complete in launcher.log(receipts[0]), "the log on S3 stays incomplete")


@pytest.mark.timeout(600)
def test_what_cannot_be_installed_is_said(options: RayOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (tmp_path / "requirements.txt").write_text("no-such-library\n")
    toys = ToyJobs(tmp_path / "toys")
    jobs = toys.jobs(toys.cells("RS-EACH"))[:1]
    launcher = RayLauncher(
        replace(options, requirements=str(tmp_path / "requirements.txt"), environment="PIP_NO_INDEX", restarts=0)
    )
    (status,) = finish(launcher, launcher.submit(jobs))
    assert status.state == "failed"
    assert "pip cannot install what the job needs" in status.reason
    assert "no-such-library" in status.reason
    # Nothing has run: a later launch may submit it again.
    later = RayLauncher(options)
    assert states(later.poll(later.find(jobs), 0.0)) == ["unknown"]
    assert states(finish(later, later.submit(jobs))) == ["done"]


@pytest.mark.timeout(600)
def test_jobs_that_no_node_can_run_say_so_and_can_be_cancelled(options: RayOptions, tmp_path: Path) -> None:
    toys = ToyJobs(tmp_path)
    jobs = toys.jobs(toys.cells("RS-EACH"))[:1]
    launcher = RayLauncher(replace(options, resources="a100=1"))
    receipts = launcher.submit(jobs)
    poll_until(launcher, receipts, lambda: bool(launcher.activity()), "no activity of jobs that wait")
    (status,) = launcher.poll(receipts, 0.3)
    assert (status.state, status.reason) == ("waiting", "no node has the resources of a job")
    launcher.cancel(receipts)
    (status,) = finish(launcher, receipts)
    assert status.state == "failed"
    assert not toys.attempts()


def test_a_variable_that_is_not_set_is_refused_before_anything_is_written(options: RayOptions, tmp_path: Path) -> None:
    toys = ToyJobs(tmp_path)
    jobs = toys.jobs()
    with pytest.raises(UsageError, match="names NO_SUCH_VARIABLE, which is not set"):
        RayLauncher(replace(options, environment="NO_SUCH_VARIABLE")).submit(jobs)
    later = RayLauncher(options)
    assert states(later.poll(later.find(jobs), 0.0)) == ["unknown"] * len(jobs)


def test_doctor(options: RayOptions) -> None:
    found = {finding.subject: finding for finding in check(options)}
    assert {finding.verdict for finding in found.values()} == {"ok"}, found
    assert "nodes" in found["cluster"].text
    found = {finding.subject: finding for finding in check(replace(options, gpus=1.0))}
    assert found["resources"].verdict == "warning"
    assert found["resources"].text == "a job needs 0.5 CPU, 1 GPU, and no node has that"


def test_a_cluster_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    with pytest.raises(UsageError) as none:
        find_address(RayOptions())
    assert none.value.what == "No Ray cluster runs on this machine, and none is named."
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        nowhere = f"{HOST}:{probe.getsockname()[1]}"
    (finding,) = [one for one in check(RayOptions(address=nowhere)) if one.verdict == "problem"]
    assert finding.text == f"The Ray cluster at {nowhere} does not answer: Connection refused."
    toys = ToyJobs(tmp_path / "toys")
    launcher = RayLauncher(RayOptions(address=nowhere))
    with pytest.raises(HpoctlError, match="does not answer"):
        launcher.submit(toys.jobs())
    monkeypatch.setenv("RAY_ADDRESS", nowhere)
    assert find_address(RayOptions()) == nowhere
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text(nowhere)  # it was stopped
    monkeypatch.setenv("RAY_ADDRESS", "auto")
    with pytest.raises(UsageError):
        find_address(RayOptions())


@pytest.mark.timeout(600)
def test_a_cluster_of_this_machine_is_started_on_request(tmp_path: Path) -> None:
    if os.environ.get("RAY_ADDRESS"):
        pytest.skip("RAY_ADDRESS names a cluster")
    folder = Path("/tmp") / f"ray-{uuid.uuid4().hex[:8]}"  # a short path: Ray has sockets below it
    code = (
        "import sys, subprocess\n"
        "from hpoctl_ray.addresses import find_address\n"
        "from hpoctl_ray.connection import RayCluster\n"
        "from hpoctl_ray.options import RayOptions\n"
        "cluster = RayCluster(find_address(RayOptions(start=True)))\n"
        "print(cluster.address, len(cluster.nodes()))\n"
    )
    environment = {**os.environ, "RAY_TMPDIR": str(folder)}
    folder.mkdir()
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, timeout=250
        )
    finally:
        end_processes_below(folder)
    assert done.returncode == 0, done.stderr
    address, nodes = done.stdout.split()
    assert address.startswith(f"{HOST}:")
    assert nodes == "1"


def test_how_far_a_job_is() -> None:
    report = JobReport("running", 1, (), 0.0, "node")
    failed = replace(report, state="failed", failures=(Failure(Cell("RS", "toy", 1), "it tripped"),), reason="why")
    done = replace(report, state="done", done=2)
    assert status_of(None, alive=False, created=False).state == "unknown"
    assert status_of(None, alive=True, created=False).state == "waiting"
    assert status_of(None, alive=False, created=True).state == "failed"
    assert status_of(report, alive=True, created=False).state == "running"
    assert status_of(report, alive=False, created=False).reason == LOST
    assert status_of(failed, alive=False, created=False).reason == "why"
    assert status_of(failed, alive=True, created=False).state == "waiting"  # Ray starts it again elsewhere
    assert status_of(done, alive=True, created=True).state == "running"  # its log is on its way
    assert status_of(done, alive=False, created=False).state == "done"


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"address": "10.0.0.5"}, "Option address of ray is 10.0.0.5"),
        ({"cpus": -1.0}, "Option cpus of ray is -1"),
        ({"gpus": float("nan")}, "Option gpus of ray is nan"),
        ({"resources": "a100"}, "Option resources of ray is a100"),
        ({"resources": "CPU=1"}, "Option resources of ray is CPU=1"),
        ({"resources": "a100=-1"}, "Option resources of ray is a100=-1"),
        ({"restarts": -1}, "Option restarts of ray is -1"),
        ({"poll_interval": 0.0}, "Option poll_interval of ray is 0"),
        ({"patience": float("inf")}, "Option patience of ray is inf"),
        ({"jobs": 0}, "0 experiments at a time cannot be run"),
    ],
)
def test_options_that_are_refused(changes: dict[str, object], what: str) -> None:
    with pytest.raises(UsageError) as refused:
        RayOptions(**changes)  # type: ignore[arg-type]
    assert refused.value.what.startswith(what)


def test_resources() -> None:
    options = RayOptions(cpus=4.0, gpus=0.5, resources="a100=1, fast_disk=0.5")
    assert options.demand == {"CPU": 4.0, "GPU": 0.5, "a100": 1.0, "fast_disk": 0.5}
    assert options.workers == 4
    assert RayOptions(cpus=0.25).workers == 1
    assert not fits(options.demand, [{"CPU": 8.0, "GPU": 1.0}, {"CPU": 2.0, "GPU": 1.0, "a100": 4.0, "fast_disk": 1.0}])
    assert fits(options.demand, [{"CPU": 8.0, "GPU": 1.0, "a100": 4.0, "fast_disk": 1.0}])
