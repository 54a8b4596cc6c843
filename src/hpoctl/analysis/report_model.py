"""Everything that a report shows, computed once from its data: the comparison, and what experiments took."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from hpoctl.analysis.aggregate import band, times_up_to, values_at
from hpoctl.analysis.comparison import by_benchmark
from hpoctl.analysis.comparison_model import CompareOptions
from hpoctl.analysis.equivalence import parse_margin
from hpoctl.analysis.report_data import Costs, Experiment, ReportData
from hpoctl.analysis.study_comparison import Comparison, compare_study, with_interim_verdicts

DIGITS = 6
"""So many digits of curves are kept: more than a figure can show."""


@dataclass(frozen=True, slots=True)
class Curve:
    """The interquartile mean of the best value so far with its 95 % interval, at times at equal distances.

    Attributes:
        budget: The last time, in seconds.
        seeds: How many seeds it is of.
        centre: The interquartile mean; NaN before every seed has a value.
        low: The lower end; NaN where there is none.
        high: The upper end.
    """

    budget: float
    seeds: int
    centre: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A method on a benchmark: the fields of the report beside those of the comparison.

    Attributes:
        benchmark: The benchmark.
        method: The method.
        complete: How many seeds have a complete result.
        wanted: How many should have one.
        costs: What one experiment took.
        decision_per_trial: Real time of decisions for each trial, in milliseconds, over all seeds together.
        rungs: The median number of trials at each rung level at the end, by level; empty: there are no rungs.
        curve: The curve; None: no seed has a value.
    """

    benchmark: str
    method: str
    complete: int
    wanted: int
    costs: Costs
    decision_per_trial: float | None
    rungs: Mapping[str, float]
    curve: Curve | None


@dataclass(frozen=True, slots=True)
class Totals:
    """What all experiments are together.

    Attributes:
        methods: How many methods there are.
        benchmarks: How many benchmarks.
        seeds: How many different seeds.
        complete: How many experiments are complete.
        partial: How many others count with their rows so far; None: no others do.
        wanted: How many should have one.
        left_out: How many results are not read, and experiments missing.
        costs: What all experiments took together.
    """

    methods: int
    benchmarks: int
    seeds: int
    complete: int
    partial: int | None
    wanted: int
    left_out: int
    costs: Costs


@dataclass(frozen=True, slots=True)
class ReportModel:
    """Everything that a report shows.

    Attributes:
        comparison: The comparison.
        cells: Each method on each benchmark, those of a benchmark together.
        totals: All experiments together.
    """

    comparison: Comparison
    cells: tuple[Cell, ...]
    totals: Totals


def report_model(data: ReportData) -> ReportModel:
    """Compute everything that a report of some data shows.

    Raises:
        UsageError: A benchmark has several metrics, or an experiment is there twice.
    """
    margin = None if data.margin is None else parse_margin(data.margin)
    options = CompareOptions(family=data.family, margin=margin)
    traces = by_benchmark(each.trace for each in data.experiments)
    comparison = compare_study(traces, options, data.failed)
    if data.interim is not None:
        comparison = with_interim_verdicts(comparison, data.interim)
    return ReportModel(comparison, tuple(_cells(data)), _totals(data))


def model_json(value: object) -> Any:
    """A model as JSON values; numbers that are not finite are the texts inf, -inf and nan."""
    if is_dataclass(value) and not isinstance(value, type):
        return {entry.name: model_json(getattr(value, entry.name)) for entry in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): model_json(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [model_json(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _cells(data: ReportData) -> Iterable[Cell]:
    for place, benchmark in enumerate(data.benchmarks):
        for number, method in enumerate(data.methods):
            own = [
                each for each in data.experiments if (each.trace.benchmark, each.trace.method) == (benchmark, method)
            ]
            timed = [each.costs for each in own if each.costs.decision is not None and each.costs.trials]
            seconds = sum(costs.decision or 0.0 for costs in timed)
            yield Cell(
                benchmark=benchmark,
                method=method,
                complete=sum(each.complete for each in own),
                wanted=data.wanted[place][number],
                costs=_costs(own, lambda values: float(np.median(values))),
                decision_per_trial=1000.0 * seconds / sum(costs.trials or 0.0 for costs in timed) if timed else None,
                rungs=_rungs(own),
                curve=_curve(own),
            )


def _costs(own: Iterable[Experiment], summary: Callable[[list[float]], float]) -> Costs:
    found: dict[str, float | None] = {}
    every = list(own)
    for entry in fields(Costs):
        known = [float(value) for each in every if (value := getattr(each.costs, entry.name)) is not None]
        found[entry.name] = summary(known) if known else None
    return Costs(**found)


def _rungs(own: Iterable[Experiment]) -> dict[str, float]:
    sizes: dict[int, list[float]] = {}
    for each in own:
        if each.rungs is not None:
            for level, counts in zip(each.rungs.levels, each.rungs.counts, strict=True):
                sizes.setdefault(level, []).append(float(counts[-1]))
    return {str(level): float(np.median(counts)) for level, counts in sorted(sizes.items())}


def _curve(own: Iterable[Experiment]) -> Curve | None:
    known = sorted((each.trace for each in own if len(each.trace.times)), key=lambda trace: trace.seed)
    if not known:
        return None
    budget = min(trace.budget for trace in known)
    times = times_up_to(budget)
    found = band(values_at(known, times), times, "iqm_bootstrap")
    rows = [tuple(float(f"{value:.{DIGITS}g}") for value in row) for row in (found.centre, found.low, found.high)]
    return Curve(budget, len(known), *rows)


def _totals(data: ReportData) -> Totals:
    return Totals(
        methods=len(data.methods),
        benchmarks=len(data.benchmarks),
        seeds=len({each.trace.seed for each in data.experiments}),
        complete=sum(each.complete for each in data.experiments),
        partial=sum(not each.complete for each in data.experiments) or None,
        wanted=sum(map(sum, data.wanted)),
        left_out=sum(each.count for each in data.left_out),
        costs=_costs(data.experiments, lambda values: float(sum(values))),
    )
