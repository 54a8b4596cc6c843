"""The contract of a launcher: every experiment is run once, one that fails is named, and what is cancelled stops.

A launcher whose jobs outlive their launch keeps more: see `outliving`.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from hpoctl.core.jobs import Job, Launcher
from hpoctl.testing.contract import require
from hpoctl.testing.outliving import OtherSide, checks_of
from hpoctl.testing.polling import STOPS, complete, finish, launching, poll_until, require_once, states, wait_until
from hpoctl.testing.toy_jobs import ToyJobs


def check_launcher(
    make: Callable[[], Launcher], other: OtherSide | None = None, root: Callable[[], str] | None = None
) -> None:
    """Check a launcher on toy experiments, which it runs; takes some ten seconds on one machine.

    Args:
        make: Makes a launcher. Its workers have to see the temporary folder of this machine.
        other: What can be done to the other side of a launcher whose jobs outlive their launch; None: they do not.
        root: Names a new, empty root of results each time; None: a temporary folder.

    Raises:
        ContractError: What is broken.
    """
    require(states(make().poll(["unknown"], 0.0)) == ["unknown"], "the state of an unknown receipt is not unknown")
    cancel = partial(_check_cancel, stops=other.stops) if other else _check_cancel
    for check in (_check_failures, _check_once, cancel, *(checks_of(other) if other else ())):
        with tempfile.TemporaryDirectory(prefix="hpoctl-") as folder:
            check(make, ToyJobs(Path(folder), root=root() if root else None))


def _check_once(make: Callable[[], Launcher], toys: ToyJobs) -> None:
    jobs = toys.jobs()
    held = toys.cells("RS")[0]
    toys.set_wire(held, "wait")
    with launching(make, jobs) as (one, receipts):
        again = list(one.submit(jobs))
        poll_until(one, receipts, lambda: held in toys.running(), "an experiment does not begin")
        with launching(make, jobs) as (other, others):
            _check_waits(other, others, len(toys.standings()) - 1)
            toys.cut_wire(held)
            require(
                set(states(finish(one, [*receipts, *again]))) == {"done"}, "jobs that do nothing wrong are not done"
            )
            statuses = finish(other, others)
            require(states(statuses) == ["done"] * len(jobs), "what another launcher has completed is not done")
        _check_ended(one, receipts, jobs)
    require_once(toys, " that was submitted twice")


def _check_ended(launcher: Launcher, receipts: Sequence[str], jobs: Sequence[Job]) -> None:
    """What has ended says how much is done, and stays so when it is cancelled."""
    counts = [status.done for status in launcher.poll(receipts, 0.0)]
    require(counts == [len(job.tasks) for job in jobs], f"of each job's experiments {counts} are said to be done")
    launcher.activity()
    launcher.cancel(receipts)
    launcher.cancel([*receipts, "unknown"])
    require(states(launcher.poll(receipts, 0.0)) == ["done"] * len(jobs), "cancel of what has ended changes it")


def _check_failures(make: Callable[[], Launcher], toys: ToyJobs) -> None:
    jobs = toys.jobs()
    fates = {toys.cells("RS")[1]: "fail", toys.cells("RS-EACH")[0]: "exit"}
    for cell, fate in fates.items():
        toys.set_wire(cell, fate)
    with launching(make, jobs) as (launcher, receipts):
        statuses = finish(launcher, receipts)
    for job, status in zip(jobs, statuses, strict=True):
        failing = {task.cell for task in job.tasks} & set(fates)
        state = "failed" if failing else "done"
        require(status.state == state, f"a job with {len(failing)} experiments that fail ends as {status.state}")
        require(status.done == len(job.tasks) - len(failing), "a failure costs other experiments of the job, too")
        require({failure.cell for failure in status.failures} == failing, "failures do not name what failed")
        require(all(failure.error.strip() for failure in status.failures), "a failure does not say why")
    for cell, standing in toys.standings().items():
        expected = "failed" if cell in fates else "done"
        require(standing.state == expected, f"an experiment that should be {expected} is {standing.state}")
        require(standing.state == "done" or standing.reason, "nothing beside an experiment says why it failed")


def _check_cancel(make: Callable[[], Launcher], toys: ToyJobs, stops: float = STOPS) -> None:
    cells = toys.cells("RS-EACH")
    jobs = toys.jobs(cells)
    for cell in cells:
        toys.set_wire(cell, "wait")
    with launching(make, jobs) as (launcher, receipts):
        poll_until(launcher, receipts, lambda: _begun(toys), "an experiment does not begin")
        began = time.monotonic()
        launcher.cancel(receipts)
        wait_until(lambda: not toys.running(), "cancelled experiments continue", stops - (time.monotonic() - began))
        launcher.cancel(receipts)
        require(not toys.running() and not complete(toys), "cancelled experiments begin, or end, all the same")
    for cell in cells:
        toys.cut_wire(cell)
    with launching(make, toys.jobs(cells, attempt=1)) as (launcher, receipts):
        statuses = finish(launcher, receipts)
        require(states(statuses) == ["done"] * len(jobs), "what was cancelled cannot be run later")
    require(sorted(complete(toys)) == sorted(cells), "cancelled experiments are not run later")


def _check_waits(launcher: Launcher, receipts: Sequence[str], others: int) -> None:
    """A launcher that has all but one experiment waits for that one, which another launcher runs."""
    done = 0

    def polled() -> bool:
        nonlocal done
        done = sum(status.done for status in launcher.poll(receipts, 0.05))
        return done >= others

    wait_until(polled, "what another launcher has completed is not done")
    for _ in range(10):
        polled()
        require(done == others, "an experiment is done that another launcher still runs")


def _begun(toys: ToyJobs) -> bool:
    return any(attempt.recorded == "running" for attempt in toys.attempts())
