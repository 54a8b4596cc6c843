"""How long experiments are expected to take on this machine.

That is measured where it has run such experiments, else it comes from a model. Measurements lie in
`<cache>/costs.json`, by method and benchmark: how many, and seconds of real time for 3,600 seconds of an experiment's
clock. No result depends on them.
"""

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from heapq import heapify, heapreplace
from pathlib import Path
from typing import Literal

from hpoctl.core.files import read_regular
from hpoctl.core.places import cache_directory
from hpoctl.core.sealed import DamagedError, read_json
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


def makespan(seconds: Sequence[float], workers: int) -> float:
    """How long a number of workers take if each starts the longest remaining task next (Graham 1969, LPT)."""
    ends = [0.0] * max(1, workers)
    heapify(ends)
    for each in sorted(seconds, reverse=True):
        heapreplace(ends, ends[0] + each)
    return max(ends)


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
