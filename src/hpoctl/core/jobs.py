"""The contract of launchers: jobs and their experiments, how far they are, and who runs them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from hpoctl.core.cells import Cell


@dataclass(frozen=True, slots=True)
class Task:
    """One experiment for a worker.

    Attributes:
        plan: The tag's plan that says what determines the experiment.
        cell: The experiment.
        seconds: How long it is expected to take.
    """

    plan: str
    cell: Cell
    seconds: float


@dataclass(frozen=True, slots=True)
class Job:
    """What a launcher submits: experiments that run one after another, or side by side where the launcher can.

    Attributes:
        name: The job's name, unique within a tag.
        results: The root of results.
        command: The command of a worker. It reads tasks from its standard input, a line each, and answers there too.
        tasks: Its experiments.
    """

    name: str
    results: str
    command: tuple[str, ...]
    tasks: tuple[Task, ...]


JobState = Literal["waiting", "running", "done", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Failure:
    """An experiment that failed.

    Attributes:
        cell: The experiment.
        error: Why, in one line.
    """

    cell: Cell
    error: str


@dataclass(frozen=True, slots=True)
class JobStatus:
    """How far a job is.

    Attributes:
        state: Its state; `failed`: it has ended, and not all of its experiments are complete.
        done: How many of its experiments are complete.
        failures: Those that failed, so far as the launcher knows.
    """

    state: JobState
    done: int = 0
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Activity:
    """What a worker is doing.

    Attributes:
        worker: The worker's name.
        what: What it is doing, in a few words.
        share: How much of it is done, from 0 to 1; None: unknown.
        seconds: For how long.
    """

    worker: str
    what: str
    share: float | None
    seconds: float


class Launcher(Protocol):
    """Where jobs execute."""

    def submit(self, jobs: Sequence[Job]) -> Sequence[str]:
        """Submit jobs; returns a receipt for each. Submitting a job twice does not run it twice."""
        ...

    def poll(self, receipts: Sequence[str], seconds: float) -> Sequence[JobStatus]:
        """How far submitted jobs are. Waits so many seconds at most for something to happen."""
        ...

    def activity(self) -> Sequence[Activity]:
        """What is being done now, for people; empty where the launcher cannot tell."""
        ...

    def cancel(self, receipts: Sequence[str]) -> None:
        """Cancel jobs: within two seconds nothing of theirs runs here. Cancelling what has ended is no error."""
        ...
