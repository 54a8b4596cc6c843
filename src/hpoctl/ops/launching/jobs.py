"""From experiments to jobs: a cheap method is one job, an expensive one a job for each seed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace

from hpoctl.core.cells import job_folder
from hpoctl.core.jobs import Task


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """A job that is to be submitted.

    Attributes:
        name: Its name.
        method: The method of its experiments.
        prefix: Where its results go, below the root.
        tasks: Its experiments.
        seconds: How long they are expected to take, one after another.
    """

    name: str
    method: str
    prefix: str
    tasks: tuple[Task, ...]
    seconds: float


def plan_jobs(tag: str, tasks: Iterable[Task], expensive: Mapping[str, bool]) -> tuple[PlannedJob, ...]:
    """The jobs of some experiments, in the order in which they are first met.

    Args:
        tag: The tag.
        tasks: The experiments.
        expensive: For each method, whether each seed gets a job of its own.
    """
    groups: dict[str, list[Task]] = {}
    for task in tasks:
        method, seed = task.cell.method, task.cell.seed
        groups.setdefault(job_folder(tag, method, seed, expensive=expensive[method]), []).append(task)
    return tuple(
        PlannedJob(
            folder.replace("/", "-", 1),
            members[0].cell.method,
            f"{folder}/",
            tuple(members),
            sum(task.seconds for task in members),
        )
        for folder, members in groups.items()
    )


def makespan(seconds: Sequence[float], workers: int) -> float:
    """How long a number of workers take who always do what takes longest next (Graham 1969, LPT)."""
    ends = [0.0] * max(1, workers)
    heapify(ends)
    for each in sorted(seconds, reverse=True):
        heapreplace(ends, ends[0] + each)
    return max(ends)
