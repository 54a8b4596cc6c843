"""The jobs of a launch: which experiments each has, and how long they are expected to take.

A cheap method is one job, an expensive one a job for each seed. Times are measured on this machine where it has run
such experiments, else they come from a model. Measurements lie in `<cache>/costs.json`, by method and benchmark: how
many, and seconds of real time for 3,600 seconds of an experiment's clock. No result depends on them.
"""

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from heapq import heapify, heapreplace
from pathlib import Path
from typing import Literal

from hpoctl.core.cells import job_folder
from hpoctl.core.files import read_regular
from hpoctl.core.jobs import MOST_TRAINING, Task
from hpoctl.core.places import cache_directory
from hpoctl.core.sealed import DamagedError, read_json
from hpoctl.ops.launching.reconcile import Wanted
from hpoctl.stores.ledger import Attempt

Basis = Literal["measured", "modelled"]
HOUR = 3600.0
YEAR = 365 * 24 * HOUR
MODEL: Mapping[str, float] = {"random-search": 0.05, "asha": 0.4, "bayesian-optimization": 0.6, "mobster": 1.2}
"""Seconds for an hour of simulated time, by kind of method: the middle of what docs/explanation/cost.md shows."""

OTHER = 1.0
"""For kinds that the model does not know."""

MEMORY = 50
"""A new measurement has the weight of one in this number."""

LEAST_PATIENCE = 600.0
"""Seconds that every experiment may make no progress: a machine may be busy, and a table large."""

TIMES = 20.0
"""How often its expected time an experiment may make no progress."""


@dataclass(frozen=True, slots=True)
class Expected:
    """How long an experiment is expected to take.

    Attributes:
        seconds: Real seconds on this machine.
        basis: Where that comes from.
    """

    seconds: float
    basis: Basis


@dataclass(frozen=True, slots=True)
class Costs:
    """What is known about the costs of experiments on this machine.

    Attributes:
        measured: For each method and benchmark, how many measurements, and their mean of seconds an hour.
    """

    measured: Mapping[tuple[str, str], tuple[int, float]]

    def expected(self, method: str, kind: str, benchmark: str, budget: float, *, trains: bool = False) -> Expected:
        """How long an experiment is expected to take.

        Args:
            method: The name of the method.
            kind: The kind of the method, for the model.
            benchmark: The name of the benchmark.
            budget: Its budget in seconds of the experiment's clock.
            trains: Whether its trials really train: then it takes its budget.
        """
        known = self.measured.get((method, benchmark))
        if known is not None:
            return Expected(known[1] * budget / HOUR, "measured")
        return Expected(budget if trains else MODEL.get(kind, OTHER) * budget / HOUR, "modelled")

    def with_attempts(self, attempts: Iterable[Attempt], host: str) -> "Costs":
        """These, and what completed attempts on this host took."""
        measured = dict(self.measured)
        for attempt in attempts:
            cell, seconds = attempt.cell, attempt.seconds
            if cell is None or seconds is None or seconds < 0.0 or attempt.budget <= 0.0:
                continue
            if attempt.recorded == "completed" and attempt.host == host:
                key = (cell.method, cell.benchmark)
                count, mean = measured.get(key, (0, 0.0))
                measured[key] = (count + 1, mean + (seconds * HOUR / attempt.budget - mean) / min(count + 1, MEMORY))
        return Costs(measured)


def read_costs() -> Costs:
    """What this machine has measured; nothing, where that cannot be read."""
    try:
        entries = read_json(read_regular(_file()), list[tuple[str, str, int, float]])
    except (OSError, DamagedError):
        return Costs({})
    sound = [entry for entry in entries if entry[2] > 0 and 0.0 <= entry[3] < YEAR]
    return Costs({(method, bench): (count, mean) for method, bench, count, mean in sound})


def write_costs(costs: Costs) -> None:
    """Keep what was measured. Where that fails, later estimates are less exact."""
    entries = [[method, bench, count, mean] for (method, bench), (count, mean) in costs.measured.items()]
    file = _file()
    temporary = file.with_name(f".{file.name}-{secrets.token_hex(8)}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(entries), encoding="utf-8")
        temporary.replace(file)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _file() -> Path:
    return cache_directory() / "costs.json"


def expected_cost(want: Wanted, costs: Costs) -> Expected:
    """How long a wanted experiment is expected to take on this machine."""
    cell, spec = want.cell, want.spec
    trains = spec.benchmark.script is not None
    return costs.expected(cell.method, spec.method.kind, cell.benchmark, spec.max_wallclock_time, trains=trains)


def patience(want: Wanted, cost: Expected) -> float:
    """Seconds without progress after which an experiment is taken for hanging.

    Where trials train that is a report. The experiment's own budget ends it long before; one epoch may take all of it.
    """
    if not want.cores:
        return max(LEAST_PATIENCE, TIMES * cost.seconds)
    return LEAST_PATIENCE + 2.0 * (want.spec.max_wallclock_time + want.spec.settings.stop_timeout)


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
        expensive: For each method, whether each seed is a separate job.
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
    """How long a number of workers take if each starts the longest remaining task next (Graham 1969, LPT)."""
    ends = [0.0] * max(1, workers)
    heapify(ends)
    for each in sorted(seconds, reverse=True):
        heapreplace(ends, ends[0] + each)
    return max(ends)


def launch_seconds(tasks: Sequence[Task], workers: int) -> float:
    """How long a launch is expected to take.

    Args:
        tasks: Its experiments; of those that train, `MOST_TRAINING` run at a time on the machine that launches.
        workers: How many run at a time there; 0: they run elsewhere, each as soon as it is submitted.
    """
    together = makespan([task.seconds for task in tasks], workers or len(tasks))
    training = [task.seconds for task in tasks if task.cores]
    return max(together, makespan(training, MOST_TRAINING)) if workers else together


def seconds_left(total: int, ended: int, elapsed: float, expected: float) -> float:
    """How long a launch still takes: at first what was expected, later what its experiments have taken.

    Args:
        total: How many experiments it has.
        ended: How many of them have ended.
        elapsed: Seconds since it began.
        expected: Seconds that it was expected to take.
    """
    share = min(1.0, ended / max(1, total))
    # The longest run first, so early observations are too large.
    seen = elapsed / share if ended else expected
    return max(0.0, (1.0 - share) * (share * seen + (1.0 - share) * expected))
