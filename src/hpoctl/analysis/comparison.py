"""Methods compared on each benchmark, pair by pair: what `hpoctl compare` shows, computed from traces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np

from hpoctl.analysis.aggregate import interquartile_mean
from hpoctl.analysis.curves import is_wide
from hpoctl.analysis.paired import LEVEL, Interval, Paired, compare_pairs, holm, paired_differences
from hpoctl.analysis.power import FEWEST, MoreSeeds, more_seeds
from hpoctl.analysis.scores import mean_height
from hpoctl.analysis.sequential import wealth
from hpoctl.analysis.time_to_target import TimeRatio, time_to_target
from hpoctl.analysis.traces import Trace
from hpoctl.core.errors import UsageError
from hpoctl.core.protocols import FloatArray, Mode

Verdict = Literal["better", "worse", "undecided"]
Traces = Mapping[str, Mapping[int, Trace]]
"""The traces of one benchmark by method and seed."""

FRACTIONS = (0.25, 0.5, 0.75, 1.0)
RANDOM_SEED = 20231


@dataclass(frozen=True, slots=True)
class MethodLine:
    """One method on one benchmark.

    Attributes:
        method: The method.
        n: Seeds with a value.
        seeds: Which.
        without_value: Seeds whose experiment has no finite value by then.
        median: The median over seeds.
        interquartile_mean: The mean of the middle half of the seeds.
        mean_height: The area under the best-so-far curve, as its mean over time: the median over seeds; None: a curve
            begins too late.
    """

    method: str
    n: int
    seeds: tuple[int, ...]
    without_value: tuple[int, ...]
    median: float
    interquartile_mean: float
    mean_height: float | None


@dataclass(frozen=True, slots=True)
class Moment:
    """The shift at a share of the budget.

    Attributes:
        fraction: The share.
        n: How many pairs have values by then.
        shift: The shift of Hodges and Lehmann; None: there are no pairs.
        interval: Its interval.
    """

    fraction: float
    n: int
    shift: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class PairLine:
    """A method beside another one.

    Attributes:
        first: The one that is judged.
        second: The one it is judged by.
        seeds: The seeds that both have.
        unpaired: Seeds that only one of them has.
        paired: What the pairs say.
        p_holm: The p value, adjusted for all pairs of the benchmark.
        verdict: Whether the first is better or worse than the second, or whether that is not decided.
        moments: The shift at shares of the budget.
        reaches: How long the first takes to the second's last values.
        reached: How long the second takes to the first's.
        more: What the seeds can detect, and how many more would decide; None: fewer than six pairs.
        evidence: The largest wealth of a gambler on the signs, seed after seed: 1 / level decides, however often one
            looks.
    """

    first: str
    second: str
    seeds: tuple[int, ...]
    unpaired: tuple[int, ...]
    paired: Paired
    p_holm: float
    verdict: Verdict
    moments: tuple[Moment, ...]
    reaches: TimeRatio
    reached: TimeRatio
    more: MoreSeeds | None
    evidence: float


@dataclass(frozen=True, slots=True)
class BenchmarkComparison:
    """The methods on one benchmark.

    Attributes:
        benchmark: The benchmark.
        metric: The metric.
        mode: Whether it is minimised or maximised.
        log: Whether values are compared by their ratios; otherwise by their differences.
        budget: The budget in seconds.
        time: The time of the comparison in seconds.
        methods: The methods.
        pairs: All pairs that have a seed in common.
        smallest_p: The smallest adjusted p value that a pair of it can have; None: there is no pair.
        notes: What else has to be known, a sentence each.
    """

    benchmark: str
    metric: str
    mode: Mode
    log: bool
    budget: float
    time: float
    methods: tuple[MethodLine, ...]
    pairs: tuple[PairLine, ...]
    smallest_p: float | None
    notes: tuple[str, ...]


def by_benchmark(traces: Sequence[Trace]) -> dict[str, dict[str, dict[int, Trace]]]:
    """Traces by benchmark, method and seed, in the order given.

    Raises:
        UsageError: An experiment is there twice, or a benchmark has several metrics.
    """
    found: dict[str, dict[str, dict[int, Trace]]] = {}
    for trace in traces:
        seeds = found.setdefault(trace.benchmark, {}).setdefault(trace.method, {})
        if trace.seed in seeds:
            raise UsageError(
                f"There are two results of {trace.method} on {trace.benchmark}, seed {trace.seed}.",
                "Name one tag only.",
            )
        seeds[trace.seed] = trace
    for benchmark, methods in found.items():
        metrics = {(trace.metric, trace.mode) for seeds in methods.values() for trace in seeds.values()}
        if len(metrics) > 1:
            named = ", ".join(sorted(f"{metric} ({mode})" for metric, mode in metrics))
            raise UsageError(
                f"Results on {benchmark} have several metrics: {named}.", "Compare those of one metric: name their tag."
            )
    return found


def compare_benchmark(benchmark: str, traces: Traces, at: float = 1.0, level: float = LEVEL) -> BenchmarkComparison:
    """All methods of one benchmark compared with one another at a share of the budget.

    Args:
        benchmark: The benchmark.
        traces: Its traces by method and seed, all of one metric; at least one.
        at: The share of the budget, above 0 and at most 1.
        level: One less the confidence, and the level of the verdicts.
    """
    every = [trace for seeds in traces.values() for trace in seeds.values()]
    metric, mode = every[0].metric, every[0].mode
    budget, time = budget_of(traces), at * budget_of(traces)
    log = uses_ratios(traces, at)
    lines = [
        line
        for first, second in combinations(traces, 2)
        if (line := _pair(traces, first, second, (budget, time), log=log, level=level)) is not None
    ]
    adjusted = holm([line.paired.test.p for line in lines])
    pairs = tuple(
        replace(line, p_holm=p, verdict=verdict_of(line.paired, p, mode, level))
        for line, p in zip(lines, adjusted, strict=True)
    )
    smallest = [min(len(lines) * line.paired.test.smallest_p, 1.0) for line in lines]
    return BenchmarkComparison(
        benchmark=benchmark,
        metric=metric,
        mode=mode,
        log=log,
        budget=budget,
        time=time,
        methods=_method_lines(traces, time, log=log),
        pairs=pairs,
        smallest_p=min(smallest, default=None),
        notes=tuple(_notes(benchmark, traces, pairs)),
    )


def budget_of(traces: Traces) -> float:
    """The budget that all traces of a benchmark have: the smallest one."""
    return min(trace.budget for seeds in traces.values() for trace in seeds.values())


def uses_ratios(traces: Traces, at: float) -> bool:
    """Whether values are compared by their ratios: they are minimised, positive and span more than a decade.

    All methods and seeds count, at 25, 50, 75 and 100 % of the budget and at the time of the comparison, so that all
    numbers of a benchmark are of one kind.
    """
    times = budget_of(traces) * np.array([*FRACTIONS, at])
    every = [trace for seeds in traces.values() for trace in seeds.values()]
    return every[0].mode == "min" and is_wide([trace.at(times) for trace in every])


def verdict_of(paired: Paired, p: float, mode: Mode, level: float = LEVEL) -> Verdict:
    """Whether the first of a pair is better or worse: only where the adjusted p value says that it is not chance."""
    if p > level or paired.test.lead == 0:
        return "undecided"
    return "better" if (paired.test.lead < 0) == (mode == "min") else "worse"


def _pair(
    traces: Traces, first: str, second: str, times: tuple[float, float], *, log: bool, level: float
) -> PairLine | None:
    """One pair, not yet adjusted for the others; None: no seed has values of both."""
    one, other = traces[first], traces[second]
    budget, time = times
    common = sorted(set(one) & set(other))
    values = _values(one, other, common, time)
    finite = np.all(np.isfinite(values), axis=1)
    if not np.any(finite):
        return None
    seeds = [seed for seed, known in zip(common, finite, strict=True) if known]
    paired = compare_pairs(*values[finite].T, log=log, level=level)
    here, there = [one[seed] for seed in seeds], [other[seed] for seed in seeds]
    differences = paired_differences(*values[finite].T, log=log)
    more = None
    if len(seeds) >= FEWEST:
        more = more_seeds(differences, np.random.default_rng(RANDOM_SEED), level=level)
    return PairLine(
        first=first,
        second=second,
        seeds=tuple(seeds),
        unpaired=tuple(sorted(set(one) ^ set(other))),
        paired=paired,
        p_holm=1.0,
        verdict="undecided",
        moments=tuple(_moment(one, other, common, fraction, budget, log=log, level=level) for fraction in FRACTIONS),
        reaches=time_to_target(here, there, time, level),
        reached=time_to_target(there, here, time, level),
        more=more,
        evidence=float(np.max(wealth(differences))),
    )


def _moment(
    one: Mapping[int, Trace],
    other: Mapping[int, Trace],
    common: Sequence[int],
    fraction: float,
    budget: float,
    *,
    log: bool,
    level: float,
) -> Moment:
    values = _values(one, other, common, fraction * budget)
    finite = values[np.all(np.isfinite(values), axis=1)]
    if not len(finite):
        return Moment(fraction, 0, None, None)
    paired = compare_pairs(*finite.T, log=log, level=level)
    return Moment(fraction, len(finite), paired.shift, paired.shift_interval)


def _values(one: Mapping[int, Trace], other: Mapping[int, Trace], common: Sequence[int], time: float) -> FloatArray:
    """The values of pairs at a time, shape (n, 2)."""
    moment = np.array([time])
    return np.array([[*one[seed].at(moment), *other[seed].at(moment)] for seed in common]).reshape(-1, 2)


def _method_lines(traces: Traces, time: float, *, log: bool) -> tuple[MethodLine, ...]:
    starts = [trace.times[0] for seeds in traces.values() for trace in seeds.values() if len(trace.times)]
    start = float(max(starts, default=np.inf))
    return tuple(
        line
        for method, seeds in traces.items()
        if (line := _method_line(method, seeds, start, time, log=log)) is not None
    )


def _method_line(method: str, seeds: Mapping[int, Trace], start: float, time: float, *, log: bool) -> MethodLine | None:
    values = {seed: float(trace.at(np.array([time]))[0]) for seed, trace in sorted(seeds.items())}
    known = {seed: value for seed, value in values.items() if np.isfinite(value)}
    if not known:
        return None
    column = np.array(list(known.values()))
    heights = [mean_height(seeds[seed], start, time, log=log) for seed in known] if start < time else []
    middle = interquartile_mean(np.log(column) if log else column)
    return MethodLine(
        method=method,
        n=len(known),
        seeds=tuple(known),
        without_value=tuple(seed for seed in values if seed not in known),
        median=float(np.median(column)),
        interquartile_mean=float(np.exp(middle) if log else middle),
        mean_height=float(np.median(heights)) if heights else None,
    )


def _notes(benchmark: str, traces: Traces, pairs: Sequence[PairLine]) -> list[str]:
    notes = []
    budgets = sorted({trace.budget for seeds in traces.values() for trace in seeds.values()})
    if len(budgets) > 1:
        named = ", ".join(f"{budget:g}" for budget in budgets)
        notes.append(f"budgets on {benchmark} differ ({named} s): all are compared within the smallest one")
    have = {(pair.first, pair.second) for pair in pairs}
    notes += [
        f"{first} and {second} have no seed with values of both on {benchmark}"
        for first, second in combinations(traces, 2)
        if (first, second) not in have
    ]
    return notes
