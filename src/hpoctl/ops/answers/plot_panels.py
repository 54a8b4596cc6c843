"""The panels of a figure: which setups stand in which, by the study or by what a person typed."""

from collections.abc import Mapping, Sequence

import numpy as np

from hpoctl.analysis.comparison_figure import ComparisonPicture, Panel, Series
from hpoctl.analysis.traces import Trace
from hpoctl.core.errors import IncompleteError, UsageError, unknown_name
from hpoctl.ops.answers.plot_request import PlotRequest, few, line_words
from hpoctl.ops.answers.plotted_setups import Setup
from hpoctl.ops.reading.load_traces import Loaded

OTHERS = "others"
LINES = {"strip": "final value of each seed", "best": "best value so far", "profile": "run-time profiles"}


def parse_groups(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The panels that a person typed, such as `tanh=ASHA-TANH,MOBSTER-TANH`.

    Raises:
        UsageError: One is not a title with methods, or a title is given twice.
    """
    groups: dict[str, tuple[str, ...]] = {}
    for text in texts:
        title, sign, names = text.partition("=")
        title = title.strip()
        methods = tuple(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
        if not sign or not title or not methods:
            raise UsageError(
                f"--group cannot be {text[:60]!r}.", "Give a title and methods: --group 'tanh=ASHA-TANH,MOBSTER-TANH'."
            )
        if title in groups:
            raise UsageError(f"--group {title!r} is given twice.", "Name all its methods in one.")
        groups[title] = methods
    return groups


def panels_of(loaded: Loaded[Trace], request: PlotRequest, setups: Sequence[Setup]) -> dict[str, tuple[str, ...]]:
    """The titles of the panels with the names of their setups, so far as there are any.

    Raises:
        UsageError: A group names a method that no tag has.
    """
    names = list(dict.fromkeys(setup.name for setup in setups))
    bare = {trace.method: trace.method.removesuffix(f" ({trace.tag})") for trace in loaded.traces}
    if request.groups is not None:
        for methods in request.groups.values():
            for method in methods:
                if method not in names and method not in bare.values():
                    listing = f"hpoctl status --tag {request.load.tags[0]}"
                    raise unknown_name("method", method, {*names, *bare.values()}, listing)
    wanted = loaded.panels if request.groups is None else request.groups
    panels = {
        title: tuple(name for method in methods for name in names if method in (name, bare[name]))
        for title, methods in wanted.items()
    }
    panels = {title: found for title, found in panels.items() if found}
    placed = {name for found in panels.values() for name in found}
    others = tuple(name for name in names if name not in placed)
    if request.groups is None and panels and others:
        panels[OTHERS] = others
    return panels if len(panels) > 1 or request.groups else {"": tuple(names)}


def best_picture(
    request: PlotRequest,
    setups: Sequence[Setup],
    panels: Mapping[str, tuple[str, ...]],
    resources: Mapping[str, str],
    notes: Sequence[str],
) -> ComparisonPicture:
    """The figure of the best values so far, of the final ones, or of run-time profiles.

    Args:
        request: What a person asked for.
        setups: What is drawn.
        panels: The titles of the panels with the names of their setups.
        resources: What the resource of each benchmark is called.
        notes: What a person should know.

    Raises:
        IncompleteError: No panel has a setup.
    """
    benchmarks = list(dict.fromkeys(setup.benchmark for setup in setups))
    by_name = {(setup.name, setup.benchmark): setup for setup in setups}
    names = list(dict.fromkeys(name for found in panels.values() for name in found))
    drawn = []
    for benchmark in benchmarks:
        for title, members in panels.items():
            own = [by_name[name, benchmark] for name in members if (name, benchmark) in by_name]
            if own:
                heading = benchmark if not title else title if len(benchmarks) == 1 else f"{benchmark}: {title}"
                series = [series_of(setup, setup.name, names.index(setup.name)) for setup in own]
                resource = resources.get(benchmark, "resource")
                drawn.append(Panel(heading, benchmark, own[0].metric, own[0].mode, series, resource))
    if not drawn:
        raise IncompleteError("No group has a complete experiment.", "Name other methods after --group.")
    grouped = len(panels) > 1
    columns = len(panels) if grouped and len(benchmarks) > 1 and len(drawn) == len(panels) * len(benchmarks) else 2
    tags = ", ".join(request.load.tags)
    title = f"{tags}, {benchmarks[0]}" if len(benchmarks) == 1 and grouped else tags
    return ComparisonPicture(
        title=f"{title}: {LINES[request.kind]}",
        panels=drawn,
        columns=min(columns, len(drawn)),
        footnotes=[line_words(request), *few(notes)],
        strip=request.kind == "strip",
        axis="budget" if request.kind == "profile" else request.axis,
    )


def series_of(setup: Setup, name: str, place: int) -> Series:
    """A setup as a line of a panel, by this name and in the colour of this place."""
    return Series(name, place, setup.band, np.array(list(setup.finals.values())), setup.wanted)
