"""Methods compared on one benchmark, pair by pair: the model that every output of a comparison shows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from hpoctl.analysis.aggregate import band, interquartile_mean
from hpoctl.analysis.comparison_model import (
    FRACTIONS,
    TURNED,
    BenchmarkComparison,
    CompareOptions,
    Failed,
    MethodLine,
    Moment,
    PairLine,
    Traces,
    Verdict,
)
from hpoctl.analysis.curves import is_wide
from hpoctl.analysis.equivalence import equivalence_p, margin_on
from hpoctl.analysis.paired import (
    LEVEL,
    Interval,
    compare_pairs,
    hodges_lehmann,
    holm,
    paired_differences,
    ratio_interval,
    worst_value,
)
from hpoctl.analysis.power import FEWEST, predict_power
from hpoctl.analysis.run_times import TARGETS, run_times, speed, targets_of
from hpoctl.analysis.scores import mean_height
from hpoctl.analysis.sequential import wealth
from hpoctl.analysis.traces import Trace
from hpoctl.core.errors import UsageError
from hpoctl.core.protocols import FloatArray, Mode


def by_benchmark(traces: Iterable[Trace]) -> dict[str, dict[str, dict[int, Trace]]]:
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


def compare_benchmark(
    benchmark: str, traces: Traces, options: CompareOptions | None = None, failed: Failed | None = None
) -> BenchmarkComparison:
    """All methods of one benchmark compared at a share of the budget; `with_verdicts` adjusts p values.

    Args:
        benchmark: The benchmark.
        traces: Its traces by method and seed, all of one metric; at least one.
        options: How to compare.
        failed: Seeds that failed: where only one method of a pair has them, the pair gets no verdict.
    """
    options = options or CompareOptions()
    every = [trace for seeds in traces.values() for trace in seeds.values()]
    budget = budget_of(traces)
    time, log = options.at * budget, uses_ratios(traces, options.at)
    margin = None
    if options.margin is not None:
        margin = margin_on(options.margin, np.array([trace.at(np.array([time]))[0] for trace in every]), log=log)
    pairs = [
        _pair(traces, names, options, (budget, margin), log=log, failed=failed or {})
        for names in combinations(traces, 2)
        if set(traces[names[0]]) & set(traces[names[1]])
    ]
    targets = options.targets or targets_of(every, TARGETS, time)
    return BenchmarkComparison(
        benchmark=benchmark,
        metric=every[0].metric,
        mode=every[0].mode,
        log=log,
        budget=budget,
        time=time,
        margin=None if margin is None else float(np.exp(margin)) if log else margin,
        methods=_method_lines(traces, time, log=log),
        pairs=tuple(pairs),
        targets=targets,
        run_times=run_times(traces, time, options.targets),
        smallest_p=None,
        notes=tuple(_notes(benchmark, traces, pairs)),
    )


def with_verdicts(family: Sequence[BenchmarkComparison], level: float = LEVEL) -> tuple[BenchmarkComparison, ...]:
    """The benchmarks with p values adjusted over all pairs of all of them by Holm's procedure, and with verdicts."""
    pairs = [pair for found in family for pair in found.pairs]
    adjusted = iter(holm([1.0 if pair.p is None else pair.p for pair in pairs]))
    raw = [pair.p_equivalent for pair in pairs]
    equal = iter(holm([1.0 if p is None else p for p in raw]))
    least = min((pair.paired.test.smallest_p for pair in pairs), default=None)
    done = []
    for found in family:
        judged = []
        for pair in found.pairs:
            p, p_equal = next(adjusted), next(equal)
            known = replace(pair, p_holm=p, p_equivalent=None if pair.p_equivalent is None else p_equal)
            judged.append(replace(known, verdict=verdict_of(known, found.mode, level)))
        smallest = None if least is None or not judged else min(len(pairs) * least, 1.0)
        done.append(counted(replace(found, pairs=tuple(judged), smallest_p=smallest)))
    return tuple(done)


def counted(found: BenchmarkComparison) -> BenchmarkComparison:
    """A benchmark whose methods know how many others they are better and worse than."""
    verdicts: dict[str, list[str]] = {line.method: [] for line in found.methods}
    for pair in found.pairs:
        verdicts[pair.first].append(pair.verdict)
        verdicts[pair.second].append(TURNED[pair.verdict])
    lines = []
    for line in found.methods:
        own = verdicts[line.method]
        lines.append(
            replace(
                line,
                better=own.count("better"),
                worse=own.count("worse"),
                undecided=own.count("undecided"),
                equivalent=own.count("equivalent"),
            )
        )
    return replace(found, methods=tuple(lines))


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


def verdict_of(pair: PairLine, mode: Mode, level: float = LEVEL) -> Verdict:
    """Whether the first of a pair is better, worse or equivalent: only where an adjusted p value says so.

    Equivalence comes first: a difference that is smaller than the margin does not count, even if there is one.
    """
    if pair.refused is not None:
        return "undecided"
    if pair.p_equivalent is not None and pair.p_equivalent <= level:
        return "equivalent"
    lead = pair.paired.test.lead
    if pair.p_holm is None or pair.p_holm > level or lead == 0:
        return "undecided"
    return "better" if (lead < 0) == (mode == "min") else "worse"


def values_of(runs: Sequence[Trace], time: float) -> FloatArray:
    """The value of each run at a time, shape (n,); a run without a value gets the worst one."""
    values = np.array([float(run.at(np.array([time]))[0]) for run in runs])
    return np.where(np.isfinite(values), values, worst_value(runs[0].mode)) if len(values) else values


def _pair(
    traces: Traces,
    names: tuple[str, str],
    options: CompareOptions,
    scale: tuple[float, float | None],
    *,
    log: bool,
    failed: Failed,
) -> PairLine:
    """One pair, not yet adjusted for the others; `scale` has the budget and the margin."""
    first, second = names
    one, other = traces[first], traces[second]
    budget, margin = scale
    level, time = options.level, options.at * budget
    seeds = sorted(set(one) & set(other))
    here, there = ([runs[seed] for seed in seeds] for runs in (one, other))
    values = values_of(here, time), values_of(there, time)
    differences = paired_differences(*values, log=log)
    paired = compare_pairs(*values, log=log, mode=here[0].mode, level=level)
    lost = tuple(
        tuple(seed for seed, value in zip(seeds, column, strict=True) if not np.isfinite(value)) for column in values
    )
    common = [{seed: runs[seed] for seed in seeds} for runs in (one, other)]
    return PairLine(
        first=first,
        second=second,
        seeds=tuple(seeds),
        unpaired=tuple(sorted(set(one) ^ set(other))),
        lost=(lost[0], lost[1]),
        paired=paired,
        p=paired.test.p,
        p_holm=None,
        p_equivalent=None if not margin else equivalence_p(differences, margin),
        verdict="undecided",
        refused=refusal(names, (set(one), set(other)), failed),
        moments=tuple(_moment(here, there, fraction, budget, log=log, level=level) for fraction in FRACTIONS),
        speed=speed(common[0], common[1], time, options.targets, level),
        more=predict_power(differences, level=level) if len(seeds) >= FEWEST else None,
        evidence=float(np.max(wealth(differences))),
    )


def refusal(names: tuple[str, str], seeds: tuple[set[int], set[int]], failed: Failed) -> str | None:
    """Why a pair gets no verdict: a method failed on seeds that the other one completed."""
    for name, others in zip(names, reversed(seeds), strict=True):
        count = len(others & set(failed.get(name, ())))
        if count:
            return f"{name} failed on {count} of {len(others)} seeds: survivors alone give no verdict"
    return None


def _moment(
    here: Sequence[Trace], there: Sequence[Trace], fraction: float, budget: float, *, log: bool, level: float
) -> Moment:
    values = values_of(here, fraction * budget), values_of(there, fraction * budget)
    if not np.any(np.isfinite(values)):
        return Moment(fraction, len(here), None, None)
    shift, interval = hodges_lehmann(paired_differences(*values, log=log), level)
    if log:
        shift, interval = float(np.exp(shift)), ratio_interval(interval)
    return Moment(fraction, len(here), shift, interval)


def _method_lines(traces: Traces, time: float, *, log: bool) -> tuple[MethodLine, ...]:
    starts = [trace.times[0] for seeds in traces.values() for trace in seeds.values() if len(trace.times)]
    start = float(max(starts, default=np.inf))
    return tuple(_method_line(method, seeds, start, time, log=log) for method, seeds in traces.items())


def _method_line(method: str, seeds: Mapping[int, Trace], start: float, time: float, *, log: bool) -> MethodLine:
    column = values_of(list(seeds.values()), time)
    lost = tuple(seed for seed, value in zip(seeds, column, strict=True) if not np.isfinite(value))
    heights = [mean_height(run, start, time, log=log) for run in seeds.values()] if start < time and not lost else []
    interval = None
    if len(column) > 1 and not lost:
        ordered = np.array([value for _, value in sorted(zip(seeds, column, strict=True))])
        line = band(ordered[:, None], np.array([time]), "iqm_bootstrap")
        interval = Interval(float(line.low[0]), float(line.high[0]))
    return MethodLine(
        method=method,
        n=len(column),
        without_value=tuple(sorted(lost)),
        median=float(np.median(column)),
        interquartile_mean=float(interquartile_mean(column)),
        interquartile_interval=interval,
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
        f"{first} and {second} have no seed in common on {benchmark}"
        for first, second in combinations(traces, 2)
        if (first, second) not in have
    ]
    return notes
