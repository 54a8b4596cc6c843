"""Every number on a report's page, by a key that says which one it is, computed from the report's data alone.

The page shows a number beside its key; `report_page/statistics.js` computes the same keys in the browser.

    b0.m2.iqm            benchmark 0, method 2: what its line is at the end
    b0.p1-3.shift        benchmark 0, method 1 beside method 3
    all.m2.rank          method 2 over all benchmarks
"""

from collections.abc import Mapping

import numpy as np

from hpoctl.analysis.across import Overall, compare_overall
from hpoctl.analysis.aggregate import band
from hpoctl.analysis.comparison import (
    BenchmarkComparison,
    PairLine,
    Traces,
    budget_of,
    by_benchmark,
    compare_benchmark,
)
from hpoctl.analysis.paired import Interval
from hpoctl.analysis.report_data import Experiment, ReportData
from hpoctl.analysis.time_to_target import TimeRatio

Numbers = Mapping[str, float]
VERDICTS = {"better": 1.0, "worse": -1.0, "undecided": 0.0}
COSTS = ("trials", "rows", "decision", "cpu", "wall")


def report_numbers(data: ReportData) -> dict[str, float]:
    """All numbers of a report.

    Raises:
        UsageError: A benchmark has several metrics, or an experiment is there twice.
    """
    grouped = by_benchmark([each.trace for each in data.experiments])
    found: dict[str, float] = {}
    for place, benchmark in enumerate(data.benchmarks):
        found |= _coverage(data, place)
        found |= _costs(data, place)
        found |= _rungs(data, place)
        traces = with_values(grouped.get(benchmark, {}))
        if traces:
            comparison = compare_benchmark(benchmark, traces)
            found |= _methods(data, place, traces, comparison)
            found |= _pairs(data, place, comparison)
    known = {name: kept for name, traces in grouped.items() if (kept := with_values(traces))}
    overall = compare_overall(known)
    if overall is not None:
        found |= _overall(data, overall)
    return found | _totals(data, found)


def with_values(traces: Traces) -> Traces:
    """Methods that have a finite value for a seed at least."""
    return {method: seeds for method, seeds in traces.items() if any(len(trace.times) for trace in seeds.values())}


def _coverage(data: ReportData, place: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for method in range(len(data.methods)):
        found[f"b{place}.m{method}.wanted"] = float(data.wanted[place][method])
        found[f"b{place}.m{method}.complete"] = float(len(_of(data, place, method)))
    return found


def _of(data: ReportData, benchmark: int, method: int) -> list[Experiment]:
    names = (data.benchmarks[benchmark], data.methods[method])
    return [each for each in data.experiments if (each.trace.benchmark, each.trace.method) == names]


def _costs(data: ReportData, place: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for method in range(len(data.methods)):
        key = f"b{place}.m{method}"
        every = _of(data, place, method)
        for name in COSTS:
            known = [float(value) for each in every if (value := getattr(each, name)) is not None]
            if known:
                found[f"{key}.{name}"] = float(np.median(known))
        both = [each for each in every if each.decision is not None and each.trials]
        if both:
            seconds, trials = sum(each.decision or 0.0 for each in both), sum(each.trials or 0.0 for each in both)
            found[f"{key}.each"] = 1000.0 * seconds / trials
    return found


def _rungs(data: ReportData, place: int) -> dict[str, float]:
    """The median over seeds of how many trials each rung level has at the end."""
    found: dict[str, float] = {}
    for method in range(len(data.methods)):
        sizes: dict[int, list[float]] = {}
        for each in _of(data, place, method):
            if each.rungs is not None:
                for level, counts in zip(each.rungs.levels, each.rungs.counts, strict=True):
                    sizes.setdefault(level, []).append(float(counts[-1]))
        found |= {f"b{place}.m{method}.r{level}": float(np.median(counts)) for level, counts in sizes.items()}
    return found


def _methods(data: ReportData, place: int, traces: Traces, comparison: BenchmarkComparison) -> dict[str, float]:
    found = {f"b{place}.budget": comparison.budget, f"b{place}.log": float(comparison.log)}
    for line in comparison.methods:
        key = f"b{place}.m{data.methods.index(line.method)}"
        found |= {f"{key}.n": float(line.n), f"{key}.median": line.median}
        if line.mean_height is not None:
            found[f"{key}.height"] = line.mean_height
        found |= _line(key, traces, line.method)
    return found


def _line(key: str, traces: Traces, method: str) -> dict[str, float]:
    """The line and the band at the end, of seeds that have a value by then."""
    end = np.array([budget_of(traces)])
    values = np.array([trace.at(end) for _, trace in sorted(traces[method].items())])
    values = values[np.isfinite(values[:, 0])]
    line = band(values, end, "iqm_bootstrap")
    found = {f"{key}.iqm": float(line.centre[0])}
    if len(values) > 1:
        found |= {f"{key}.low": float(line.low[0]), f"{key}.high": float(line.high[0])}
    return found


def _pairs(data: ReportData, place: int, comparison: BenchmarkComparison) -> dict[str, float]:
    found: dict[str, float] = {}
    for pair in comparison.pairs:
        first, second = data.methods.index(pair.first), data.methods.index(pair.second)
        key = f"b{place}.p{first}-{second}"
        found |= _pair(key, pair, comparison.mode == "max")
        found[f"b{place}.p{second}-{first}.verdict"] = -VERDICTS[pair.verdict]
        found |= _ratio(f"{key}.reaches", pair.reaches) | _ratio(f"b{place}.p{second}-{first}.reaches", pair.reached)
    for method in range(len(data.methods)):
        own = [found[key] for key in found if key.startswith(f"b{place}.p{method}-") and key.endswith(".verdict")]
        if own:
            found |= {f"b{place}.m{method}.{word}": float(own.count(sign)) for word, sign in VERDICTS.items()}
            found[f"b{place}.m{method}.others"] = float(len(own))
    return found


def _pair(key: str, pair: PairLine, maximised: bool) -> dict[str, float]:
    paired = pair.paired
    chance, ends = paired.lower, paired.lower_interval
    if maximised:
        chance, ends = 1.0 - chance, Interval(1.0 - ends.high, 1.0 - ends.low)
    found = {
        f"{key}.n": float(paired.n),
        f"{key}.shift": paired.shift,
        **_ends(f"{key}.shift", paired.shift_interval),
        f"{key}.p": paired.test.p,
        f"{key}.holm": pair.p_holm,
        f"{key}.verdict": VERDICTS[pair.verdict],
        f"{key}.chance": chance,
        **_ends(f"{key}.chance", ends),
    }
    for moment in pair.moments:
        if moment.shift is not None and moment.interval is not None and moment.fraction != 1.0:
            at = f"{key}.at{100 * moment.fraction:.0f}"
            found |= {at: moment.shift, **_ends(at, moment.interval)}
    return found


def _ratio(key: str, ratio: TimeRatio) -> dict[str, float]:
    found = {f"{key}.reached": float(ratio.reached), f"{key}.n": float(ratio.n)}
    if ratio.median is not None and ratio.interval is not None:
        found |= {key: ratio.median, **_ends(key, ratio.interval)}
    return found


def _ends(key: str, interval: Interval) -> dict[str, float]:
    return {f"{key}.low": interval.low, f"{key}.high": interval.high}


def _overall(data: ReportData, overall: Overall) -> dict[str, float]:
    found = {"all.critical": overall.ranks.critical_difference, "all.blocks": float(overall.ranks.blocks)}
    if overall.ranks.friedman_p is not None:
        found["all.friedman"] = overall.ranks.friedman_p
    for name, seeds in overall.benchmarks.items():
        found[f"all.b{data.benchmarks.index(name)}"] = float(seeds)
    for line in overall.methods:
        key = f"all.m{data.methods.index(line.method)}"
        found |= {f"{key}.rank": line.mean_rank, f"{key}.seedrank": line.mean_seed_rank, f"{key}.score": line.score}
        found |= _ends(f"{key}.these", line.these) | _ends(f"{key}.such", line.such)
        found |= {f"{key}.profile{place}": share for place, share in enumerate(line.profile)}
    return found


def _totals(data: ReportData, found: Numbers) -> dict[str, float]:
    verdicts = [value for key, value in found.items() if key.endswith(".verdict") and _forward(key)]
    totals = {
        "all.complete": float(len(data.experiments)),
        "all.wanted": float(sum(map(sum, data.wanted))),
        "all.pairs": float(len(verdicts)),
        "all.decided": float(sum(verdict != 0.0 for verdict in verdicts)),
        "all.left": float(sum(each.count for each in data.left_out)),
        "all.methods": float(len(data.methods)),
        "all.benchmarks": float(len(data.benchmarks)),
        "all.seeds": float(len({each.trace.seed for each in data.experiments})),
    }
    for name in COSTS:
        known = [float(value) for each in data.experiments if (value := getattr(each, name)) is not None]
        if known:
            totals[f"all.{name}"] = float(sum(known))
    return totals


def _forward(key: str) -> bool:
    first, second = key.split(".")[1][1:].split("-")
    return int(first) < int(second)
