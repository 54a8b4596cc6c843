"""How long a study still takes, from what its experiments took so far.

It needs no plugins: methods and benchmarks are names here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hpoctl.core.cells import Cell
from hpoctl.ops.launching.costs import HOUR, Costs, makespan, seconds_left
from hpoctl.ops.launching.launches import Launch
from hpoctl.ops.studies.tags import TagPlan
from hpoctl.stores.ledger import Attempt, Standing


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """How long the experiments that are not done take.

    Attributes:
        seconds: Real seconds, without the experiments of unknown cost; None: most costs are unknown.
        workers: How many experiments run at a time.
        from_tag: How many costs come from experiments of the same method and benchmark in this tag.
        from_machine: How many come from experiments of other tags on this machine.
        unknown: How many are unknown.
        paced: Whether a launch that runs says it: as its own progress bar does.
    """

    seconds: float | None
    workers: int
    from_tag: int
    from_machine: int
    unknown: int
    paced: bool = False


def time_left(
    stands: Iterable[Standing],
    attempts: Sequence[Attempt],
    wanted: Mapping[Cell, TagPlan],
    costs: Costs,
    now: float,
    workers: int,
    launches: Sequence[Launch] = (),
) -> TimeLeft | None:
    """How long the given experiments take; None if the list is empty.

    Args:
        stands: The experiments that are not done.
        attempts: All attempts of the tag.
        wanted: What the tag wants, and by which plan.
        costs: What experiments cost elsewhere on this machine.
        now: Now, in seconds since 1970.
        workers: How many experiments run at a time.
        launches: The launches that run these experiments.
    """
    means, budgets = _measured(attempts)
    left: list[float] = []
    from_tag = from_machine = unknown = 0
    for stand in stands:
        cell = stand.cell
        key = (cell.method, cell.benchmark)
        budget = _budget(wanted.get(cell)) or budgets.get(cell.benchmark)
        if key in means:
            seconds = means[key]
            from_tag += 1
        elif key in costs.measured and budget:
            seconds = costs.measured[key][1] * budget / HOUR
            from_machine += 1
        else:
            unknown += 1
            continue
        left.append(seconds - _spent(stand, now, seconds))
    if not left and not unknown:
        return None
    paces = [
        seconds_left(
            launch.total, _ended_since(attempts, launch.started), max(0.0, now - launch.started), launch.expected
        )
        for launch in launches
        if launch.total
    ]
    if paces:
        return TimeLeft(max(paces), workers, from_tag, from_machine, unknown, paced=True)
    enough = len(left) >= unknown  # a sum over less than half of the work would be no estimate
    return TimeLeft(makespan(left, workers) if left and enough else None, workers, from_tag, from_machine, unknown)


def _ended_since(attempts: Iterable[Attempt], moment: float) -> int:
    """How many experiments have ended whose attempts began after a moment, in seconds since 1970."""
    ended = {"completed", "failed"}
    return len({attempt.cell for attempt in attempts if attempt.recorded in ended and attempt.started >= moment})


def _measured(attempts: Iterable[Attempt]) -> tuple[dict[tuple[str, str], float], dict[str, float]]:
    """The mean of real seconds by method and benchmark, and a budget for each benchmark."""
    taken: dict[tuple[str, str], list[float]] = {}
    budgets: dict[str, float] = {}
    for attempt in attempts:
        if attempt.cell is None:
            continue
        budgets[attempt.cell.benchmark] = attempt.budget
        if attempt.recorded == "completed" and attempt.seconds is not None:
            taken.setdefault((attempt.cell.method, attempt.cell.benchmark), []).append(attempt.seconds)
    return {key: sum(seconds) / len(seconds) for key, seconds in taken.items()}, budgets


def _budget(plan: TagPlan | None) -> float | None:
    return None if plan is None else plan.study.experiment.seconds()


def _spent(stand: Standing, now: float, seconds: float) -> float:
    """How much of its time a running experiment has had already; clocks of other machines may be wrong."""
    if stand.state != "running" or stand.current is None:
        return 0.0
    return min(max(0.0, now - stand.current.started), seconds)
