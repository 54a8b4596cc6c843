"""Run times to fixed targets: expected running times, speed-ups, and run-time profiles.

A run that does not reach a target within the budget is censored: its time is longer. Expected running times restart
such a run (Hansen et al. 2021): all time that is spent, divided by how many runs get there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

from hpoctl.analysis.paired import LEVEL, Interval, ratio_interval
from hpoctl.analysis.traces import Trace
from hpoctl.core.protocols import FloatArray

Runs = Mapping[int, Trace]
"""The traces of a method on a benchmark by seed."""

REACHED = (1.0, 0.9)
"""Targets of a pair: what such shares of the runs reach of the method that reaches less. Each run that misses a target
adds the rest of the budget, which says more about restarts than about speed."""

TARGETS = (0.75, 0.5, 0.25)
"""Targets of a benchmark: what such shares of the runs of all methods reach."""

PROFILE = tuple(place / 10.0 for place in range(9, 0, -1))
"""Targets of a run-time profile: what 90 %, 80 %, ..., 10 % of the runs of all methods reach."""

TIMES = (0.1, 0.25, 0.5, 1.0)
"""At which shares of the budget run-time profiles are tabulated."""

CURVE = tuple(float(share) for share in np.round(np.geomspace(0.01, 1.0, 61), 6))
"""At which shares of the budget they are drawn."""

REPEATS = 1000
SEED = 20231


@dataclass(frozen=True, slots=True)
class Speed:
    """The speed-up of a method over another one in reaching targets.

    Attributes:
        targets: The targets, the easiest first.
        reached: How many of the runs of the first reach each.
        reached_other: How many of the second do.
        ratio: The expected running time of the second over that of the first, the geometric mean over targets: 2 says
            that the first is twice as fast; None: one of them never reaches a target.
        interval: Its bootstrap interval over seeds; None: no ratio. An end that the data do not bound is infinite.
    """

    targets: tuple[float, ...]
    reached: tuple[int, ...]
    reached_other: tuple[int, ...]
    ratio: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class RunTimes:
    """The run times of a method on a benchmark.

    Attributes:
        method: The method.
        runs: How many runs there are.
        reached: How many of them reach each target.
        expected: The expected running time to each target in seconds; None: no run reaches it.
        profile: The share of `PROFILE` targets and seeds that are reached by each of `TIMES`.
        curve: The same by each of `CURVE`.
    """

    method: str
    runs: int
    reached: tuple[int, ...]
    expected: tuple[float | None, ...]
    profile: tuple[float, ...]
    curve: tuple[float, ...]


def hit_times(runs: Sequence[Trace], targets: Sequence[float], end: float) -> FloatArray:
    """The time at which each run first reaches each target, in seconds, shape (runs, targets).

    Infinite where it does not within the budget.
    """
    found = np.full((len(runs), len(targets)), np.inf)
    for row, run in enumerate(runs):
        sign = 1.0 if run.mode == "min" else -1.0
        places = np.searchsorted(-sign * run.values, -sign * np.asarray(targets), side="left")
        times = np.append(run.times, np.inf)[places]
        found[row] = np.where(times <= end, times, np.inf)
    return found


def expected_times(times: FloatArray, end: float) -> FloatArray:
    """Expected running times, shape (..., targets): all time spent over how many runs get there; infinite: none does.

    Args:
        times: Hit times, infinite where they are censored, shape (..., runs, targets).
        end: The budget in seconds.
    """
    spent = np.sum(np.minimum(times, end), axis=-2)
    count = np.sum(np.isfinite(times), axis=-2)
    return np.asarray(np.divide(spent, count, out=np.full(spent.shape, np.inf), where=count > 0))


def targets_of(runs: Sequence[Trace], shares: Sequence[float], end: float) -> tuple[float, ...]:
    """The values that such shares of the runs reach by the end, those of runs; the easiest first, each once."""
    final = np.array([run.at(np.array([end]))[0] for run in runs])
    known = final[np.isfinite(final)]
    if not len(known):
        return ()
    mode = runs[0].mode
    ordered = np.sort(known) if mode == "min" else -np.sort(-known)
    places = [int(np.ceil(share * len(final) - 1e-9)) - 1 for share in sorted(shares, reverse=True)]
    return tuple(dict.fromkeys(float(ordered[place]) for place in places if place < len(ordered)))


def speed(first: Runs, second: Runs, end: float, targets: Sequence[float] = (), level: float = LEVEL) -> Speed:
    """The speed-up of the first method over the second in reaching targets.

    Args:
        first: The runs of the method that is judged.
        second: Those of the other one; seeds that both have are drawn together.
        end: The budget in seconds.
        targets: The targets; none: what `REACHED` shares of the runs of either method reach.
        level: One less the confidence.
    """
    one, other = list(first.values()), list(second.values())
    chosen = tuple(targets) or _common_targets(one, other, end)
    here, there = (hit_times(runs, chosen, end) for runs in (one, other))
    counts = [tuple(int(count) for count in np.sum(np.isfinite(times), axis=0)) for times in (here, there)]
    if not chosen or min(min(count) for count in counts) == 0:
        return Speed(chosen, counts[0], counts[1], None, None)
    centre = float(_log_ratio(here, there, end))
    if min(len(one), len(other)) == 1:  # one run bounds nothing
        return Speed(chosen, counts[0], counts[1], float(np.exp(centre)), Interval(-np.inf, np.inf))
    generator = np.random.default_rng(SEED)
    drawn = generator.integers(len(one), size=(REPEATS, len(one)))
    together = list(first) == list(second)
    others = drawn if together else generator.integers(len(other), size=(REPEATS, len(other)))
    ratios = np.sort(_log_ratio(here[drawn], there[others], end))
    low, high = np.quantile(ratios, [level / 2.0, 1.0 - level / 2.0], method="inverted_cdf")
    # Percentiles of few runs are too close together: they are moved out as a t interval is from a normal one.
    fewest = min(len(one), len(other))
    grow = float(stdtrit(fewest - 1.0, 1.0 - level / 2.0) / ndtri(1.0 - level / 2.0))
    grow *= np.sqrt(fewest / (fewest - 1.0))
    ends = [float(centre + (grow * (bound - centre) if bound != centre else 0.0)) for bound in (low, high)]
    interval = ratio_interval(Interval(ends[0], ends[1]))
    return Speed(chosen, counts[0], counts[1], float(np.exp(centre)), interval)


def run_times(traces: Mapping[str, Runs], end: float, given: Sequence[float] = ()) -> tuple[RunTimes, ...]:
    """The run times of all methods of a benchmark to the same targets.

    Args:
        traces: The traces by method and seed.
        end: The budget in seconds.
        given: The targets; none: quantiles of what the runs reach, `TARGETS` for times and `PROFILE` for profiles.
    """
    every = [run for runs in traces.values() for run in runs.values()]
    targets = tuple(given) or targets_of(every, TARGETS, end)
    many = tuple(given) or targets_of(every, PROFILE, end)
    lines = []
    for method, own in traces.items():
        runs = list(own.values())
        times = hit_times(runs, targets, end)
        shares = hit_times(runs, many, end) / end
        lines.append(
            RunTimes(
                method=method,
                runs=len(runs),
                reached=tuple(int(count) for count in np.sum(np.isfinite(times), axis=0)),
                expected=tuple(float(time) if np.isfinite(time) else None for time in expected_times(times, end)),
                profile=tuple(float(share) for share in profile_curve(shares, TIMES)),
                curve=tuple(float(share) for share in profile_curve(shares, CURVE)),
            )
        )
    return tuple(lines)


def profile_curve(times: FloatArray, shares: Sequence[float]) -> FloatArray:
    """The share of hit times, as shares of the budget, at or below each share, shape (shares,)."""
    ordered = np.sort(np.ravel(times))
    return np.searchsorted(ordered, shares, side="right") / max(len(ordered), 1)


def _common_targets(one: Sequence[Trace], other: Sequence[Trace], end: float) -> tuple[float, ...]:
    """For each share what such a share of the runs reach of the method that reaches less."""
    found: dict[float, None] = {}
    for share in REACHED:
        both = [targets_of(runs, [share], end) for runs in (one, other)]
        if all(both):
            values = [targets[0] for targets in both]
            found[max(values) if one[0].mode == "min" else min(values)] = None
    return tuple(found)


def _log_ratio(here: FloatArray, there: FloatArray, end: float) -> FloatArray:
    """The logarithm of the ratio of expected running times, the mean over targets, shape (...); unbounded: infinite."""
    one, other = expected_times(here, end), expected_times(there, end)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.log(other) - np.log(one)
        ratios = np.where(np.isnan(ratios), 0.0, ratios)
        mean = np.mean(ratios, axis=-1)
    return np.asarray(np.where(np.isnan(mean), 0.0, mean))
