"""The local launcher: what a worker does to itself costs its experiment one attempt, and nothing else."""

import json
import os
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from hpoctl.core.cells import Cell
from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.jobs import Job, JobStatus, Task
from hpoctl.core.sealed import seal, unseal
from hpoctl.launchers.local import LocalLauncher
from hpoctl.launchers.options import LocalOptions
from hpoctl.stores.ledger import Attempt
from hpoctl.testing import ContractError, ToyJobs, check_launcher
from hpoctl.testing.polling import STOPS, finish, wait_until


@pytest.fixture
def toys(tmp_path: Path) -> ToyJobs:
    return ToyJobs(tmp_path)


@contextmanager
def launching(options: LocalOptions, jobs: Sequence[Job]) -> Iterator[tuple[LocalLauncher, Sequence[str]]]:
    launcher = LocalLauncher(options)
    receipts = launcher.submit(jobs)
    try:
        yield launcher, receipts
    finally:
        launcher.cancel(receipts)


def run(options: LocalOptions, jobs: Sequence[Job]) -> list[JobStatus]:
    with launching(options, jobs) as (launcher, receipts):
        statuses = list(finish(launcher, receipts))
        assert launcher.activity() == []
    return statuses


def attempts_at(toys: ToyJobs, cell: Cell) -> list[Attempt]:
    return sorted((one for one in toys.attempts() if one.cell == cell), key=lambda attempt: attempt.started)


def metadata(toys: ToyJobs, attempt: Attempt) -> dict[str, Any]:
    return unseal(toys.store.get(f"{attempt.directory}/metadata.json"))


def log(toys: ToyJobs, attempt: Attempt) -> bytes:
    return toys.store.get(f"{attempt.directory}/log.txt")


def test_contract() -> None:
    check_launcher(lambda: LocalLauncher(LocalOptions(jobs=2)))


class HidesFailures(LocalLauncher):
    def poll(self, receipts: Sequence[str], seconds: float) -> Sequence[JobStatus]:
        return [replace(status, failures=()) for status in super().poll(receipts, seconds)]


class HoldsForDone(LocalLauncher):
    def _wait_for(self, entry: Any) -> None:
        self._jobs[entry.job.name].done += 1


class KnowsAll(LocalLauncher):
    def poll(self, receipts: Sequence[str], seconds: float) -> Sequence[JobStatus]:
        return [JobStatus("done") for _ in receipts]


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (HidesFailures, "failures do not name what failed"),
        (HoldsForDone, "is done that another launcher still runs"),
        (KnowsAll, "unknown"),
    ],
)
def test_the_contract_finds_launchers_that_break_it(broken: type[LocalLauncher], what: str) -> None:
    with pytest.raises(ContractError, match=what):
        check_launcher(lambda: broken(LocalOptions(jobs=4)))


@dataclass(frozen=True)
class Grief:
    fate: str
    reason: str
    beside: str
    """What stands beside the experiment, in its metadata or its log."""


GRIEFS = {
    "exception": Grief("fail", "RuntimeError: tripped over a wire", "in _fail"),
    "SystemExit": Grief("leave", "SystemExit: 3", "in _leave"),
    "os._exit": Grief("exit", "its process exited with code 3", "its process exited"),
    "SIGSEGV": Grief("crash", "its process was killed by SIGSEGV", "in _crash"),
    "SIGKILL": Grief("kill", "its process was killed by SIGKILL (out of memory", "SIGKILL"),
    "MemoryError": Grief("memory", "MemoryError", "in _exhaust_memory"),
    "recursion": Grief("recurse", "RecursionError", "in _recurse"),
}


@pytest.fixture(scope="module")
def griefs(tmp_path_factory: pytest.TempPathFactory) -> tuple[ToyJobs, Mapping[str, Cell], list[JobStatus]]:
    """A study in which an experiment comes to each grief, one in the opening of its table, and some to none."""
    toys = ToyJobs(tmp_path_factory.mktemp("griefs"), seeds=4)
    cells = [cell for cell in toys.standings() if cell.benchmark == "toy-1"]
    struck = dict(zip(GRIEFS, cells, strict=False))
    for name, cell in struck.items():
        toys.set_wire(cell, GRIEFS[name].fate)
    toys.set_wire("open toy-2", "once exit")
    return toys, struck, run(LocalOptions(jobs=2), toys.jobs())


@pytest.mark.parametrize("name", GRIEFS)
def test_grief_costs_an_experiment_one_attempt_and_says_why_beside_it(
    griefs: tuple[ToyJobs, Mapping[str, Cell], list[JobStatus]], name: str
) -> None:
    toys, struck, statuses = griefs
    (attempt,) = attempts_at(toys, struck[name])
    told = {failure.cell: failure.error for status in statuses for failure in status.failures}
    assert attempt.recorded == "failed"
    assert GRIEFS[name].reason in attempt.reason
    assert GRIEFS[name].reason in told[struck[name]]
    known = metadata(toys, attempt)["error"]
    with_log = f"{attempt.directory}/log.txt" in toys.store.list(attempt.directory)
    assert GRIEFS[name].beside in known + (log(toys, attempt).decode() if with_log else "")


def test_grief_costs_the_others_nothing(griefs: tuple[ToyJobs, Mapping[str, Cell], list[JobStatus]]) -> None:
    toys, struck, statuses = griefs
    assert len(toys.attempts()) == len(toys.standings())
    failed = {cell for cell, standing in toys.standings().items() if standing.state == "failed"}
    (unopened,) = failed - set(struck.values())
    assert unopened.benchmark == "toy-2"
    assert toys.standings()[unopened].reason == "its process exited with code 3"
    assert set(struck.values()) < failed
    assert all(standing.state in {"done", "failed"} for standing in toys.standings().values())
    assert {failure.cell for status in statuses for failure in status.failures} == failed
    assert sum(status.done for status in statuses) == len(toys.standings()) - len(failed)


def test_what_takes_longest_begins_first(toys: ToyJobs) -> None:
    seconds = {cell: float((5 * place) % 8) for place, cell in enumerate(toys.standings())}
    jobs = [
        replace(job, tasks=tuple(replace(task, seconds=seconds[task.cell]) for task in job.tasks))
        for job in toys.jobs()
    ]
    run(LocalOptions(jobs=1), jobs)
    started = [one.cell for one in sorted(toys.attempts(), key=lambda attempt: attempt.started)]
    assert started == sorted(seconds, key=lambda cell: -seconds[cell])


def test_what_fails_is_tried_again_and_its_attempts_are_kept(toys: ToyJobs) -> None:
    raises, dies, always, never = toys.cells("RS")
    toys.set_wire(raises, "once fail")
    toys.set_wire(dies, "once exit")
    toys.set_wire(always, "fail")
    (status,) = run(LocalOptions(jobs=2, retries=1), toys.jobs(toys.cells("RS")))
    assert (status.state, status.done) == ("failed", 3)
    assert [failure.cell for failure in status.failures] == [always]
    recorded = {cell: [one.recorded for one in attempts_at(toys, cell)] for cell in toys.cells("RS")}
    assert recorded == {
        raises: ["failed", "completed"],
        dies: ["failed", "completed"],
        always: ["failed", "failed"],
        never: ["completed"],
    }


def test_what_takes_too_long_is_ended_and_says_so(toys: ToyJobs) -> None:
    stuck, *others = toys.cells("RS")
    toys.set_wire(stuck, "ignore signals, wait")
    (status,) = run(LocalOptions(jobs=1, timeout=1.5), toys.jobs(toys.cells("RS")))
    assert [failure.error for failure in status.failures] == ["it took longer than --timeout 1.5 s"]
    (attempt,) = attempts_at(toys, stuck)
    assert (attempt.recorded, attempt.reason) == ("failed", "it took longer than --timeout 1.5 s")
    assert {toys.standings()[cell].state for cell in others} == {"done"}


SAYS = """
        say(event="began", directory="t/x")
        for step in range(8):
            say(event="progress", share={share})
            time.sleep(0.5)
        say(event="ended", outcome="done", error="")
"""


def impatient(jobs: Sequence[Job], patience: float) -> list[Job]:
    return [replace(job, tasks=tuple(replace(task, patience=patience) for task in job.tasks)) for job in jobs]


@pytest.mark.parametrize("body", ["while True: pass", SAYS.format(share="0.5"), "time.sleep(100)"])
def test_a_worker_without_progress_is_ended_and_says_so(tmp_path: Path, body: str) -> None:
    (status,) = run(LocalOptions(jobs=1), impatient(jobs_of(tmp_path, worker(body)), 1.0))
    assert (status.state, status.done) == ("failed", 0)
    assert [failure.error for failure in status.failures] == ["it made no progress for 1 s"]


def test_a_worker_that_makes_progress_may_take_any_time(tmp_path: Path) -> None:
    command = worker(SAYS.format(share="step / 8"))
    (status,) = run(LocalOptions(jobs=1), impatient(jobs_of(tmp_path, command), 3.0))
    assert (status.state, status.done) == ("done", 1)


def test_a_time_out_of_a_person_stands_in_place_of_the_patience(tmp_path: Path) -> None:
    command = worker("time.sleep(2.0)\nsay(event='ended', outcome='done', error='')")
    (status,) = run(LocalOptions(jobs=1, timeout=100.0), impatient(jobs_of(tmp_path, command), 0.5))
    assert (status.state, status.done) == ("done", 1)


def test_time_in_which_the_launch_itself_was_stopped_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hpoctl.launchers.local.MOST_AT_ONCE", 0.1)
    command = worker("time.sleep(3.0)\nsay(event='ended', outcome='done', error='')")
    with launching(LocalOptions(jobs=1), impatient(jobs_of(tmp_path, command), 2.0)) as (launcher, receipts):
        wait_until(lambda: launcher.poll(receipts, 0.05)[0].state == "running", "it does not begin")
        time.sleep(2.5)  # as if this process were stopped
        (status,) = finish(launcher, receipts)
    assert status.state == "done"


def test_workers_that_hang_while_they_start_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hpoctl.launchers.local.START_LIMIT", 1.0)
    jobs = jobs_of(tmp_path, ("sh", "-c", "exec sleep 100"), 3)
    with launching(LocalOptions(jobs=2), jobs) as (launcher, receipts), pytest.raises(HpoctlError) as caught:
        finish(launcher, receipts)
    assert "Workers cannot start: it did not start within 1 s" in caught.value.what


def test_what_ignores_the_signal_is_ended_and_recorded_as_interrupted(toys: ToyJobs) -> None:
    obeys, ignores = toys.cells("RS-EACH")[:2]
    toys.set_wire(obeys, "wait")
    toys.set_wire(ignores, "say, ignore signals, wait")
    jobs = toys.jobs([obeys, ignores])
    with launching(LocalOptions(jobs=2), jobs) as (launcher, receipts):

        def both_wait() -> bool:
            launcher.poll(receipts, 0.05)
            waits = {one.cell for one in toys.attempts() if one.identity is None and one.recorded == "running"}
            return waits == {obeys, ignores} and all(seen.seconds > 0.5 for seen in launcher.activity())

        wait_until(both_wait, "they do not begin")
        began = time.monotonic()
        launcher.cancel(receipts)
        assert time.monotonic() - began < STOPS
        launcher.cancel(receipts)
    assert not toys.running()
    assert [one.recorded for one in toys.attempts()] == ["interrupted", "interrupted"]
    assert log(toys, attempts_at(toys, ignores)[0]) == b"a word\n"
    assert {standing.state for standing in toys.standings().values()} == {"missing"}


def test_what_plugins_print_is_kept_and_disturbs_nothing(toys: ToyJobs) -> None:
    floods, says, silent = toys.cells("RS")[:3]
    toys.set_wire(floods, "once flood")
    toys.set_wire(says, "once say")
    jobs = toys.jobs([silent, says, floods])  # of those that take as long as each other the last one is the first
    (status,) = run(LocalOptions(jobs=1), jobs)
    assert (status.state, status.done) == ("done", 3)
    (flooded,), (said,), (nothing,) = (attempts_at(toys, cell) for cell in (floods, says, silent))
    assert flooded.started < said.started
    assert len(log(toys, flooded)) == 1_000_000
    assert log(toys, flooded).endswith(b".\na word from C\n")
    assert log(toys, said) == b"a word\n"
    assert f"{nothing.directory}/log.txt" not in toys.store.list(nothing.directory)


def worker(body: str) -> tuple[str, ...]:
    """The command of a worker of our own that does as it likes with each task."""
    source = """
import json, os, sys, time

def say(**message):
    print(json.dumps(message), flush=True)

say(event="ready")
for line in sys.stdin:
    task = json.loads(line)
"""
    return (sys.executable, "-c", source + textwrap.indent(textwrap.dedent(body), "    "))


def jobs_of(root: Path, command: tuple[str, ...], count: int = 1) -> list[Job]:
    tasks = tuple(Task("0001", Cell("RS", "toy", seed), 1.0) for seed in range(count))
    return [Job("t-RS", "t", str(root), command, tasks)]


def test_a_worker_has_one_thread_for_linear_algebra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    command = worker("""
        import numpy, scipy.linalg, threadpoolctl
        counts = [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]
        say(event="ended", outcome="failed", error=json.dumps(counts))
    """)
    (status,) = run(LocalOptions(jobs=1), jobs_of(tmp_path, command))
    counts = json.loads(status.failures[0].error)
    assert counts
    assert set(counts) == {1}


def test_what_is_complete_stays_so_when_its_worker_dies_before_it_can_say(tmp_path: Path) -> None:
    (tmp_path / "t" / "x").mkdir(parents=True)
    facts = {
        "algorithm": "RS",
        "benchmark": "toy",
        "seed": 0,
        "st_tuner_start_timestamp": 1.0,
        "max_wallclock_time": 9.0,
    }
    complete = seal({**facts, "status": "completed"})
    (tmp_path / "t" / "x" / "metadata.json").write_bytes(complete)
    command = worker("""
        say(event="began", directory="t/x")
        sys.stderr.write("so long")
        sys.stderr.flush()
        os._exit(3)
    """)
    (status,) = run(LocalOptions(jobs=1), jobs_of(tmp_path, command))
    assert (status.state, status.done) == ("done", 1)
    assert (tmp_path / "t" / "x" / "metadata.json").read_bytes() == complete
    assert (tmp_path / "t" / "x" / "log.txt").read_text() == "so long"


def test_a_worker_is_dead_even_if_a_process_that_it_forked_lives_on(tmp_path: Path) -> None:
    command = worker(f"""
        pid = os.fork()
        if pid == 0:
            time.sleep(60)
            os._exit(0)
        with open({str(tmp_path / "pid")!r}, "w") as file:
            file.write(str(pid))
        os._exit(3)
    """)
    try:
        (status,) = run(LocalOptions(jobs=1), jobs_of(tmp_path, command))
    finally:
        os.kill(int((tmp_path / "pid").read_text()), 9)
    assert [failure.error for failure in status.failures] == ["its process exited with code 3"]


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (("/no/such/program",), "A worker cannot be started: No such file or directory"),
        (("false",), "Workers cannot start: its process exited with code 1: it said nothing"),
        (("sh", "-c", "echo why >&2; exit 7"), "Workers cannot start: its process exited with code 7: why"),
        (("sh", "-c", "echo hello; exec sleep 60"), "Workers cannot start: it answered 'hello', as no worker does"),
        (("sh", "-c", "kill -9 $$"), "Workers cannot start: its process was killed by SIGKILL"),
    ],
)
def test_workers_that_cannot_start_are_an_error(tmp_path: Path, command: tuple[str, ...], what: str) -> None:
    with (
        launching(LocalOptions(jobs=2), jobs_of(tmp_path, command, 3)) as (launcher, receipts),
        pytest.raises(HpoctlError) as caught,
    ):
        finish(launcher, receipts)
    assert what in caught.value.what


def test_a_worker_without_the_plugin_says_which(toys: ToyJobs) -> None:
    jobs = [
        replace(job, command=tuple("HPOCTL_PLUGINS=gone" if "PLUGINS" in word else word for word in job.command))
        for job in toys.jobs()
    ]
    with launching(LocalOptions(jobs=1), jobs) as (launcher, receipts), pytest.raises(HpoctlError) as caught:
        finish(launcher, receipts)
    assert "exited with code 2: HPOCTL_PLUGINS names the plugin 'gone'." in caught.value.what


@pytest.mark.parametrize(
    "values", [{"jobs": 0}, {"retries": -1}, {"timeout": 0.0}, {"timeout": float("nan")}, {"timeout": float("inf")}]
)
def test_options_out_of_range_are_refused(values: dict[str, Any]) -> None:
    told = {"jobs": "0 experiments at a time cannot be run"}
    with pytest.raises(UsageError, match=told.get(name := next(iter(values)), f"--{name} is")):
        LocalOptions(**values)
