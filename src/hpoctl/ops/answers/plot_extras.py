"""Extra results over time, such as the sizes of rungs: one panel a method and benchmark, one line a column."""

from collections.abc import Mapping, Sequence

import numpy as np

from hpoctl.analysis.aggregate import times_up_to
from hpoctl.analysis.comparison_figure import ComparisonPicture, Panel
from hpoctl.core.errors import IncompleteError
from hpoctl.core.protocols import FloatArray
from hpoctl.ops.answers.plot_panels import series_of
from hpoctl.ops.answers.plot_request import PlotRequest, few, line_words
from hpoctl.ops.answers.plotted_setups import Setup, Summary, band_over_seeds, missing_seeds
from hpoctl.ops.reading.load_extras import Extras
from hpoctl.ops.reading.load_traces import Loaded

LEVEL = "num_at_level"
SIZES = "trials that have reached the level"
WIDEST = 3
"""How many panels stand side by side at most."""


def extra_setups(loaded: Loaded[Extras], summary: Summary) -> tuple[Setup, ...]:
    """Each extra result of each method and benchmark in numbers; `Setup.metric` is its column.

    Raises:
        IncompleteError: No value is finite.
    """
    groups: dict[tuple[str, str], list[Extras]] = {}
    for extras in loaded.traces:
        groups.setdefault((extras.method, extras.benchmark), []).append(extras)
    missing = missing_seeds(loaded.skipped)
    setups = []
    for (name, benchmark), every in groups.items():
        seeds = {extras.seed for extras in every}
        absent = tuple(sorted(missing.get((name, benchmark), set()) - seeds))
        for column in dict.fromkeys(column for extras in every for column in extras.values):
            with_values = [each for each in every if column in each.values and np.isfinite(each.values[column][-1])]
            known = {each.seed: each for each in sorted(with_values, key=lambda each: each.seed)}
            if not known:
                continue
            times = times_up_to(min(extras.budget for extras in known.values()))
            band = band_over_seeds(np.stack([_at(each, column, times) for each in known.values()]), times, summary)
            finals = {seed: float(each.values[column][-1]) for seed, each in known.items()}
            without = tuple(sorted(seeds - known.keys()))
            setups.append(Setup(name, benchmark, column, None, band, finals, absent, without))
    if not setups:
        raise IncompleteError("No extra result has a finite value.", "Name another one with --extra.")
    return tuple(setups)


def without_extras(loaded: Loaded[Extras], setups: Sequence[Setup]) -> list[str]:
    """Which methods have nothing to draw, in words."""
    drawn = {setup.name for setup in setups}
    names = dict.fromkeys(extras.method for extras in loaded.traces if extras.method not in drawn)
    return [f"Without such results, and so not drawn: {', '.join(names)}."] if names else []


def extras_panels(setups: Sequence[Setup]) -> dict[str, tuple[str, ...]]:
    """The methods, each with its columns."""
    panels: dict[str, tuple[str, ...]] = {}
    for setup in setups:
        panels[setup.name] = tuple(dict.fromkeys([*panels.get(setup.name, ()), setup.metric]))
    return panels


def extras_picture(request: PlotRequest, setups: Sequence[Setup], notes: Sequence[str]) -> ComparisonPicture:
    """The figure of extra results over time."""
    columns = list(dict.fromkeys(setup.metric for setup in setups))
    labels = _labels(columns)
    groups: dict[tuple[str, str], list[Setup]] = {}
    for setup in sorted(setups, key=lambda setup: columns.index(setup.metric)):
        groups.setdefault((setup.benchmark, setup.name), []).append(setup)
    benchmarks = list(dict.fromkeys(setup.benchmark for setup in setups))
    methods = list(dict.fromkeys(setup.name for setup in setups))
    panels = []
    for benchmark in benchmarks:
        for method in methods:
            own = groups.get((benchmark, method))
            if own is not None:
                series = [series_of(setup, labels[setup.metric], columns.index(setup.metric)) for setup in own]
                heading = method if len(benchmarks) == 1 else f"{benchmark}: {method}"
                panels.append(Panel(heading, benchmark, _quantity(columns), None, series))
    one = len(benchmarks) == 1
    where = f"{', '.join(request.load.tags)}, {benchmarks[0]}" if one else ", ".join(request.load.tags)
    what = "sizes of rungs" if request.kind == "rungs" else "extra results"
    rows = -(-len(methods) // WIDEST)  # of each benchmark, so that none shares a row with the next one
    side_by_side = -(-len(methods) // rows)
    return ComparisonPicture(
        title=f"{where}: {what}",
        panels=panels,
        columns=min(side_by_side, len(panels)),
        footnotes=[line_words(request), *few(notes)],
        beside=len(columns) > 1,
    )


def _at(extras: Extras, column: str, times: FloatArray) -> FloatArray:
    """The values of a column at these times, of which none is after its own budget, shape (t,)."""
    own = times_up_to(extras.budget)
    places = np.searchsorted(own, times, side="right") - 1
    return np.asarray(np.append(extras.values[column], np.nan)[places])


def _labels(columns: Sequence[str]) -> Mapping[str, str]:
    rungs = all(column.startswith(LEVEL) for column in columns)
    return {column: f"level {column.removeprefix(LEVEL)}" if rungs else column for column in columns}


def _quantity(columns: Sequence[str]) -> str:
    if all(column.startswith(LEVEL) for column in columns):
        return SIZES
    return columns[0] if len(columns) == 1 else "extra result"
