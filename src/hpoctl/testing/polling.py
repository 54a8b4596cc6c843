"""Polling of launchers under test: until jobs have ended, or until something holds."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from hpoctl.core.cells import Cell
from hpoctl.core.jobs import Job, JobStatus, Launcher
from hpoctl.testing.contract import ContractError, require
from hpoctl.testing.toy_jobs import ToyJobs

PATIENCE = 120.0
"""Seconds that a launcher gets for what it should do at once."""

STOPS = 4.0
"""Seconds within which cancelled jobs have stopped: two, and two more for a machine that does other things, too."""


def finish(launcher: Launcher, receipts: Sequence[str], patience: float = PATIENCE) -> Sequence[JobStatus]:
    """Poll until all jobs have ended.

    Raises:
        ContractError: They do not.
    """
    statuses: Sequence[JobStatus] = ()

    def ended() -> bool:
        nonlocal statuses
        statuses = launcher.poll(receipts, 0.1)
        require(len(statuses) == len(receipts), "poll does not give a status for each receipt")
        return all(status.ended for status in statuses)

    wait_until(ended, "jobs do not end", patience)
    return statuses


def wait_until(condition: Callable[[], object], otherwise: str, patience: float = PATIENCE) -> None:
    """Ask again and again until it holds. Asking takes at most half of a core: a store elsewhere costs CPU time.

    Raises:
        ContractError: It does not in time.
    """
    end, before = time.monotonic() + patience, time.thread_time()
    while not condition():
        if time.monotonic() > end:
            raise ContractError(f"{otherwise}, not within {patience:g} seconds")
        time.sleep(max(0.01, time.thread_time() - before))
        before = time.thread_time()


@contextmanager
def launching(make: Callable[[], Launcher], jobs: Sequence[Job]) -> Iterator[tuple[Launcher, list[str]]]:
    """Submit jobs to a new launcher; they are cancelled at the end."""
    launcher = make()
    receipts: list[str] = []
    try:
        receipts.extend(launcher.submit(jobs))
        require(len(receipts) == len(jobs), "submit does not give a receipt for each job")
        yield launcher, receipts
    finally:
        launcher.cancel(receipts)


def poll_until(
    launcher: Launcher, receipts: Sequence[str], condition: Callable[[], object], otherwise: str
) -> Sequence[JobStatus]:
    """Poll until something holds; returns the last answer."""
    statuses: Sequence[JobStatus] = ()

    def polled() -> object:
        nonlocal statuses
        statuses = launcher.poll(receipts, 0.05)
        return condition()

    wait_until(polled, otherwise)
    return statuses


def require_once(toys: ToyJobs, what: str) -> None:
    """Every experiment is complete, and was attempted once."""
    require(len(complete(toys)) == len(toys.standings()), f"an experiment{what} is not complete")
    attempts = toys.attempts()
    require(len(attempts) == len(toys.standings()), f"an experiment{what} is run more than once")


def complete(toys: ToyJobs) -> list[Cell]:
    """The experiments that are complete."""
    return [cell for cell, standing in toys.standings().items() if standing.state == "done"]


def states(statuses: Sequence[JobStatus]) -> list[str]:
    """The states alone."""
    return [status.state for status in statuses]
