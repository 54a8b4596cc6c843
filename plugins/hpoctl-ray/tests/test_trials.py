"""Trials on a real Ray cluster: the contract of backends, the death of a node, and that of the controller."""

import os
import signal
import subprocess
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.protocols import Ended, Known, Outcome, Report
from hpoctl.core.script import Script
from hpoctl.testing import check_backend, check_failures, check_recovery
from hpoctl.testing.experiments import epochs_of, missing_epochs, run_and_kill, run_words, write_experiment
from hpoctl.testing.polling import wait_until
from hpoctl.testing.trials import left, levels, to_the_end, until_level
from hpoctl_ray.check import check_trials
from hpoctl_ray.connection import RayCluster
from hpoctl_ray.options import RayTrialOptions
from ray_cluster import RayNodes
from training_scripts import script
from trials_on_ray import CONFIG, backend

PATIENCE = 120.0

HELD = """
for epoch in range(load() + 1, epochs + 1):
    report(epoch=epoch, loss=1 / epoch, devices=os.environ.get("CUDA_VISIBLE_DEVICES", "none"))
    save(epoch)
    while epoch == 4 and not os.path.exists(os.path.join(os.path.dirname(sys.argv[0]), "go")):
        time.sleep(0.02)
"""

OWN = """
import os, sys
import hpoctl
hpoctl.report(epoch=1, loss=0.5, path=hpoctl.__file__, python=sys.executable, secret=os.environ["HPOCTL_TEST_SECRET"])
print('[tune-metric]: {"epoch": 2, "loss": 0.25}')
"""


@pytest.mark.timeout(600)
def test_contract(cluster: RayNodes, tmp_path: Path) -> None:
    numbers = count()
    check_backend(lambda: backend(cluster, tmp_path / str(next(numbers))), CONFIG, 9)
    check_recovery(lambda: backend(cluster, tmp_path / "recovery"), CONFIG, 9)
    check_failures(lambda: backend(cluster, tmp_path / "failures", "sys.exit(1)"), CONFIG)
    assert not left(tmp_path)


@pytest.mark.timeout(600)
def test_what_a_script_sees(cluster: RayNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HPOCTL_TEST_SECRET", "42")
    (tmp_path / "own.py").write_text(OWN)
    own = Script(tmp_path, ("own.py",), python="python")
    made = backend(cluster, tmp_path, own, options={"environment": "HPOCTL_TEST_SECRET"})
    made.recover([], 0.0)
    made.start(0, {"lr": 0.1}, resume_from=None, until=None)
    found = to_the_end(made)
    made.close()
    assert levels(found) == [1, 2]
    assert isinstance(found[0], Report)
    (said,) = found[0].extra
    assert str(said["path"]).startswith(f"{cluster.folder}/hpoctl-bundles-")  # not what is installed here
    assert said["secret"] == "42"
    with pytest.raises(UsageError, match="names NO_SUCH_VARIABLE, which is not set"):
        backend(cluster, tmp_path, own, options={"environment": "NO_SUCH_VARIABLE"})


@pytest.mark.timeout(600)
def test_a_node_dies_and_its_trial_resumes_elsewhere(cluster: RayNodes, tmp_path: Path) -> None:
    node = cluster.add('--resources={"brief": 1}', "--num-gpus=2")  # it has none: Ray gives numbers away
    made = backend(cluster, tmp_path, script(tmp_path, HELD, gpus=1), options={"resources": "brief=1"})
    made.recover([], 0.0)
    made.start(0, CONFIG, resume_from=None, until=None)
    found = until_level(made, 0, 4)
    devices = {row["devices"] for event in found if isinstance(event, Report) for row in event.extra}
    assert devices in ({"0"}, {"1"})
    made.proceed(0, until=None)
    cluster.kill(node)
    (tmp_path / "go").touch()
    (ended,) = made.wait()
    assert isinstance(ended, Ended)
    assert ended.outcome is Outcome.FAILED
    assert "is lost" in ended.reason
    assert not left(tmp_path)
    made.close()
    other = backend(cluster, tmp_path, HELD)
    other.recover([Known(0, 4, 1.0)], 1.0)
    other.start(0, CONFIG, resume_from=4, until=None)
    found += to_the_end(other)
    other.close()
    assert levels(found) == list(range(1, 10))
    (last,) = [event for event in found if isinstance(event, Ended)]
    assert last.outcome is Outcome.COMPLETED


def test_a_trial_that_no_node_can_run_says_so_and_can_be_stopped(
    cluster: RayNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hpoctl_ray.trial_waiting.LOOK", 0.2)
    said: list[str] = []
    made = backend(cluster, tmp_path, options={"resources": "a100=1"}, say=said.append, limits={"deadline": 2.0})
    made.recover([], 0.0)
    made.start(0, CONFIG, resume_from=None, until=None)
    # The time is over soon; what the trial waits for is said when the cluster has told.
    wait_until(lambda: made.wait() == [] and bool(said), "no word of what the trial waits for", PATIENCE)
    made.stop(0, pause=False)
    made.close()
    assert said == ["1 trials wait for the cluster: each needs 1 CPU, 1 a100, and no node has that"]
    assert not list((tmp_path / "work" / "trials" / "0" / "starts" / "0").iterdir())  # it has not begun


@pytest.mark.timeout(600)
def test_a_worker_that_dies_before_it_runs_is_made_again(
    cluster: RayNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers: list[Any] = []
    make = RayCluster.trial_worker

    def kept(self: RayCluster, *arguments: Any) -> Any:
        workers.append(make(self, *arguments))
        return workers[-1]

    monkeypatch.setattr(RayCluster, "trial_worker", kept)
    made = backend(cluster, tmp_path, options={"resources": "late=1"})
    made.recover([], 0.0)
    made.start(0, CONFIG, resume_from=None, until=None)
    import ray  # the fixture skips where it is missing

    ray.kill(workers[0])
    cluster.add('--resources={"late": 1}')
    found = to_the_end(made)
    made.close()
    assert len(workers) == 2
    assert levels(found) == list(range(1, 10))


@pytest.mark.timeout(600)
def test_the_controller_is_killed(cluster: RayNodes, tmp_path: Path) -> None:
    write_experiment(tmp_path, workers=2, seconds=0.05)
    root = tmp_path / "results"
    more = ["--stop-timeout", "1", "--backend", "ray", "--backend-option", f"address={cluster.address}"]
    words = run_words(root, 5, more)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HPOCTL_")}

    def until(process: "subprocess.Popen[bytes]") -> None:
        wait_until(lambda: process.poll() is not None or reported(root) >= 6, "trials do not report", PATIENCE)

    first = run_and_kill(words, tmp_path, environment, tmp_path / "first.log", until)
    assert first == -signal.SIGKILL, (tmp_path / "first.log").read_text()
    # Nothing keeps running unattended.
    wait_until(lambda: not left(root), "trials outlive their controller", PATIENCE)
    second = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stderr
    epochs = epochs_of(root)
    assert set(epochs.values()) == {1}
    assert len({trial for trial, _ in epochs}) == 5
    assert not missing_epochs(epochs)
    assert not left(root)


def reported(root: Path) -> int:
    """How many reports trials have written."""
    return sum(len(path.read_bytes().splitlines()) for path in root.rglob("reports.jsonl"))


def test_doctor(cluster: RayNodes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = {finding.subject: finding for finding in check_trials(RayTrialOptions(cluster.address))}
    assert {finding.verdict for finding in found.values()} == {"ok"}, found
    assert found["resources"].text == "a trial of one CPU needs 1 CPU, and fits on a node"
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    (finding,) = check_trials(RayTrialOptions())
    assert (finding.verdict, finding.text) == (
        "ok",
        "not looked at: No Ray cluster runs on this machine, and none is named.",
    )


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"address": "10.0.0.5"}, "Option address of ray is 10.0.0.5"),
        ({"resources": "a100"}, "Option resources of ray is a100"),
    ],
)
def test_options_that_are_refused(changes: dict[str, str], what: str) -> None:
    with pytest.raises(HpoctlError) as refused:
        RayTrialOptions(**changes)  # type: ignore[arg-type]
    assert refused.value.what.startswith(what)
