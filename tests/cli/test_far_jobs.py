"""Jobs that outlive their launch: found again, not submitted twice, shown, stopped, read; a plugin's launcher."""

import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from command_line import Answer, CommandLine, hold, release
from hpoctl.ops.running.job import RUNNER

FAR = '''
"""A launcher that starts job processes in separate sessions, which continue when the launch ends."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from hpoctl.core.entries import LauncherEntry
from hpoctl.core.jobs import Estimate, JobStatus
from hpoctl.plugins import hookimpl
from hpoctl.stores.job_files import Manifest, keep_manifest, read_report
from hpoctl.stores.opening import open_results


@dataclass(frozen=True)
class Options:
    jobs: int = 1
    retries: int = 0


# A job's process says itself which one it is, all at once, and only if no other one does: so it is known
# as soon as it is alive, even if the launch that has started it dies.
RECORD = 'echo $$ > "$1.$$"; ln "$1.$$" "$1"; told=$?; rm "$1.$$"; shift; [ $told = 0 ] && exec "$@"'


class Far:
    def __init__(self, options):
        self.options, self.known = options, {}

    def submit(self, jobs):
        for job in jobs:
            self.known[job.name] = job
            keep_manifest(open_results(job.results).store, Manifest.of(job, "far", asdict(self.options), time.time()))
            file = self.pid(job)
            file.parent.mkdir(exist_ok=True)
            words = [sys.executable, *job.runner, json.dumps(job.setup(self.options.jobs, 0, None))]
            words = ["sh", "-c", RECORD, "job", str(file), *words]
            with file.with_suffix(".log").open("ab") as log:
                subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=log, start_new_session=True)
            while not file.exists():
                time.sleep(0.01)
        return [job.name for job in jobs]

    def find(self, jobs):
        self.known |= {job.name: job for job in jobs}
        return [job.name for job in jobs]

    def poll(self, receipts, seconds):
        time.sleep(seconds)
        return [self.status(self.known.get(receipt)) for receipt in receipts]

    def status(self, job):
        if job is None:
            return JobStatus("unknown")
        report = read_report(open_results(job.results).store, job.tag, job.name)
        done, failures = (report.done, report.failures) if report else (0, ())
        if report and report.state == "done":
            return JobStatus("done", done, failures)
        if not self.pid(job).exists():
            return JobStatus("unknown")
        if self.alive(job):
            return JobStatus("running", done, failures)
        return JobStatus("failed", done, failures, report.reason if report else "it vanished")

    def alive(self, job):
        pid = int(self.pid(job).read_text())
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass
        state = Path(f"/proc/{pid}/stat")
        return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"

    def activity(self):
        return ()

    def cancel(self, receipts):
        for job in [self.known[receipt] for receipt in receipts]:
            if self.alive(job):
                os.kill(int(self.pid(job).read_text()), signal.SIGTERM)
        while any(self.alive(self.known[receipt]) for receipt in receipts):
            time.sleep(0.02)

    def log(self, receipt):
        return self.pid(self.known[receipt]).with_suffix(".log").read_text()

    def pid(self, job):
        return Path(job.results) / ".far" / f"{job.name}.pid"


def estimate(options, seconds):
    hours = sum(seconds) / 3600.0
    return Estimate(hours, 2.0 * len(seconds), 3.0 * hours, 6.0 * len(seconds), "prices of a dream, 2026-11-24")


@hookimpl
def hpoctl_launchers():
    return [LauncherEntry("far", "Separate sessions", Far, Options(), outlives=True, estimate=estimate)]
'''

QUICK = (
    "--method",
    "RS",
    "--method",
    "ASHA",
    "--benchmark",
    "toy",
    "--max-wallclock-time",
    "200",
    "--random-seed",
    "5",
)
HELD = ("--method", "RS", "--benchmark", "toy-held", "--num-seeds", "1", "--random-seed", "5")
"""One experiment, which continues when the file `held` is removed."""


@pytest.fixture
def far(cli: CommandLine) -> Iterator[CommandLine]:
    cli.install("hpoctl-far", FAR)
    yield CommandLine(cli.plugins, cli.root, cli.environment | {"HPOCTL_PLUGINS": "toys-plugin,hpoctl-far"})
    release(cli)
    for file in cli.root.glob(".far/*.pid"):  # what a test that failed has left
        subprocess.run(["pkill", "-KILL", "-s", file.read_text()], check=False)


def _launch(far: CommandLine, *words: str) -> Answer:
    return far("launch", "--study", "toys", "--tag", "t", "--on", "far", *words)


def _begin(far: CommandLine, *words: str) -> subprocess.Popen[bytes]:
    """A launch in the background, once a new job has begun an experiment."""
    begun = len(_begun(far))
    command = far.command("launch", "--study", "toys", "--tag", "t", *HELD, *words)
    process = subprocess.Popen(command, cwd=far.root.parent, env=far.environment, stderr=subprocess.DEVNULL)
    _wait(lambda: len(_begun(far)) > begun)
    return process


def _begun(far: CommandLine) -> list[Path]:
    return list(far.root.glob("t/RS/*/metadata.json"))


def _wait(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 300.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _hashes(root: Path) -> dict[str, str]:
    found = {}
    for path in root.glob("t/*/*/metadata.json"):
        metadata = json.loads(path.read_text())
        digest = hashlib.sha256((path.parent / "results.parquet").read_bytes()).hexdigest()
        found[f"{metadata['algorithm']} {metadata['benchmark']} {metadata['seed']}"] = digest
    return found


def _submitted(far: CommandLine) -> list[str]:
    return sorted(path.stem for path in far.root.glob(".far/*.pid"))


def test_the_same_bytes_as_on_this_machine(far: CommandLine, tmp_path: Path) -> None:
    answer = _launch(far, *QUICK, "--num-seeds", "2")
    assert answer.code == 0, answer.err
    assert "4 of 4 experiments are complete" in answer.out
    here = tmp_path / "here"
    words = ("--study", "toys", "--tag", "t", *QUICK, "--num-seeds", "2", "--results", str(here))
    assert far("launch", *words).code == 0
    assert _hashes(far.root) == _hashes(here)
    assert len(_hashes(here)) == 4
    again = far("launch", "--tag", "t")
    assert "nothing to do" in again.err
    names = _submitted(far)
    assert [name.rpartition("-")[0] for name in names] == ["t-ASHA", "t-RS"]

    log = far("logs", "--tag", "t", "--job", names[0])
    assert "2 of 2 experiments are complete, 0 failed" in log.out
    assert far("logs", "--tag", "t", "--job", names[0], "--json").json["data"]["log"] == log.out.rstrip("\n") + "\n"
    unknown = far("logs", "--tag", "t", "--job", names[0][:-1])
    assert unknown.code == 3
    assert f"Did you mean {names[0]}?" in unknown.err
    assert far("logs", "--tag", "t", "--job", names[0], "--all").code == 2


def test_a_killed_launch_loses_no_job_and_submits_none_twice(far: CommandLine) -> None:
    hold(far)
    launch = _begin(far, "--on", "far")
    launch.send_signal(signal.SIGKILL)
    launch.wait()
    first = _submitted(far)
    status = far("status", "--tag", "t")
    assert "jobs on far: 1 running" in status.out
    assert "next: hpoctl launch" not in status.err  # nothing is to be launched: it is all in hand
    dry = far("launch", "--tag", "t", "--dry-run")
    assert "nothing to submit" in dry.out
    here = far("launch", "--tag", "t", "--on", "local", "--dry-run")
    assert "nothing to do" in here.out
    assert "in jobs on far" in here.out
    command = far.command("launch", "--tag", "t")  # on far, as before
    launch = subprocess.Popen(command, cwd=far.root.parent, env=far.environment, stdout=subprocess.PIPE)
    try:
        _wait(lambda: far("status", "--tag", "t", "--json").json["data"]["launches"])
        (running,) = far("status", "--tag", "t", "--json").json["data"]["launches"]
        assert running["expected"] > 0.0  # what it watches takes time, although it has submitted nothing
    finally:
        release(far)
        printed, _ = launch.communicate()
    assert launch.returncode == 0
    assert b"1 of 1 experiments are complete" in printed
    assert _submitted(far) == first
    assert far("status", "--tag", "t", "--json").json["data"]["jobs"][0]["done"] == 1


def test_stopped_jobs_are_run_under_another_name(far: CommandLine) -> None:
    hold(far)
    launch = _begin(far, "--on", "far")
    refused = far("stop", "--tag", "t")
    assert refused.code == 2
    assert "Add --yes" in refused.err
    shown = far("stop", "--tag", "t", "--dry-run")
    assert f"the launch of process {launch.pid}, 1 job on far" in shown.out
    assert len(far("stop", "--tag", "t", "--dry-run", "--json").json["data"]["jobs"]) == 1
    stopped = far("stop", "--tag", "t", "--yes", "--json")
    assert stopped.code == 0, stopped.err
    assert len(stopped.json["data"]["jobs"]) == 1
    assert launch.wait() == 130
    nothing = far("stop", "--tag", "t", "--yes")
    assert nothing.code == 3
    assert "Nothing of tag t runs" in nothing.err
    status = far("status", "--tag", "t")
    assert "jobs on far: 1 failed" in status.out
    assert "failed: interrupted" in status.out
    assert "next: hpoctl launch --tag t" in status.err
    first = _submitted(far)
    again = _begin(far, "--on", "far")
    assert len(_submitted(far)) == 2
    assert set(first) < set(_submitted(far))
    assert far("stop", "--tag", "t", "--yes").code == 0
    assert again.wait() == 130


def test_a_launch_on_this_machine_is_stopped(far: CommandLine) -> None:
    hold(far)
    launch = _begin(far)
    stopped = far("stop", "--tag", "t", "--yes")
    assert stopped.code == 0, stopped.err
    assert f"stopped: the launch of process {launch.pid}; complete experiments are kept" in stopped.out
    assert "continue later: hpoctl launch --tag t" in stopped.err
    assert launch.wait() == 130
    with pytest.raises(ProcessLookupError):
        os.kill(launch.pid, 0)


def test_a_dry_run_says_what_it_costs(far: CommandLine) -> None:
    answer = _launch(far, *QUICK, "--num-seeds", "2", "--dry-run")
    assert "hours expected, 4.0 hours at most" in answer.out
    assert "expected, $12.00 at most" in answer.out
    assert "prices of a dream" in answer.out
    data = _launch(far, *QUICK, "--num-seeds", "2", "--dry-run", "--json").json["data"]
    assert data["estimate"]["capped_dollars"] == 12.0


def test_a_job_without_a_manifest_says_so(far: CommandLine) -> None:
    setup = json.dumps({"results": str(far.root), "tag": "t", "name": "nobody"})
    words = [far.command()[0], *RUNNER, setup]
    done = subprocess.run(words, capture_output=True, text=True, env=far.environment, check=False)
    assert done.returncode == 3
    assert "There is no job nobody of tag t." in done.stderr
