"""`hpoctl plot`: the figure of one or several tags, and the numbers behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from hpoctl.analysis import comparison_figure, curves, drawing
from hpoctl.analysis.aggregate import RESAMPLES, Aggregate
from hpoctl.analysis.comparison_figure import ComparisonPicture, Panel, Series, draw_comparison
from hpoctl.analysis.drawing import figure_format
from hpoctl.core.errors import IncompleteError, UsageError, unknown_name
from hpoctl.ops.load_traces import Loaded, LoadRequest, Skipped, load_traces
from hpoctl.ops.made_cache import made_before, question_key
from hpoctl.ops.plotted_setups import Setup, plotted_setups, remarks
from hpoctl.ops.written_files import check_folder, write_file

Kind = Literal["time", "strip"]
MOST_NOTES = 6
OTHERS = "others"
METHODS: Mapping[Aggregate, str] = {
    "iqm_bootstrap": "interquartile mean over seeds",
    "mean": "mean over seeds",
    "median": "median over seeds",
}


@dataclass(frozen=True)
class PlotRequest:
    """What a person asked `hpoctl plot` for.

    Attributes:
        load: Which results.
        output: The file; its suffix says the format; None: no file.
        kind: Best value so far against time, or the final value of each seed.
        groups: Titles of panels with their setups; None: those of the study; empty: one panel for each benchmark.
        aggregate: How seeds become a line and a band.
        simultaneous: Whether the band is to hold whole lines.
        seed: The seed of the bootstrap.
    """

    load: LoadRequest
    output: Path | None
    kind: Kind = "time"
    groups: Mapping[str, Sequence[str]] | None = None
    aggregate: Aggregate = "iqm_bootstrap"
    simultaneous: bool = False
    seed: int = 0


@dataclass(frozen=True, eq=False)
class PlottedStudy:
    """What was drawn.

    Attributes:
        path: The file; None: none was asked for.
        tags: The tags.
        kind: What kind of figure it is.
        aggregate: What a line is, in words.
        interval: What a band is, in words.
        panels: The titles of the panels with their setups, in one benchmark like in the others.
        setups: All setups.
        notes: What a person should know: missing seeds, modelled data, seeds that cannot be paired.
        skipped: What was not read.
        picture: What is drawn.
    """

    path: str | None
    tags: tuple[str, ...]
    kind: Kind
    aggregate: str
    interval: str
    panels: Mapping[str, tuple[str, ...]]
    setups: tuple[Setup, ...]
    notes: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    picture: ComparisonPicture = field(repr=False)


def plot_study(request: PlotRequest) -> PlottedStudy:
    """Draw the figure; the same question about the same results gives the same file.

    Raises:
        UsageError: A tag, filter, group, format or folder is wrong, or matplotlib is missing.
        IncompleteError: There is nothing to draw.
        HpoctlError: Results cannot be read, or the file cannot be written.
    """
    kind = None
    if request.simultaneous and request.aggregate == "median":
        raise UsageError(
            "The quartiles around a median are no interval, so none can be simultaneous.",
            "Leave --simultaneous out, or use --aggregate iqm_bootstrap.",
        )
    if request.output is not None:
        kind = figure_format(request.output)
        check_folder(request.output)
    loaded = load_traces(request.load)
    setups = plotted_setups(loaded, request.aggregate, simultaneous=request.simultaneous, seed=request.seed)
    panels = _panels(loaded, request, setups)
    shown = {name for members in panels.values() for name in members}
    setups = tuple(setup for setup in setups if setup.name in shown)
    interval = interval_words(request)
    notes = remarks(loaded, setups)
    picture = _picture(request, setups, panels, interval, notes)
    if request.output is not None and kind is not None:
        write_file(request.output, made_before(_picture_key(picture, kind), lambda: draw_comparison(picture, kind)))
    return PlottedStudy(
        path=None if request.output is None else str(request.output),
        tags=request.load.tags,
        kind=request.kind,
        aggregate=METHODS[request.aggregate],
        interval=interval,
        panels=panels,
        setups=setups,
        notes=notes,
        skipped=loaded.skipped,
        picture=picture,
    )


def parse_groups(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The panels that a person typed, such as `tanh=ASHA-TANH,MOBSTER-TANH`.

    Raises:
        UsageError: One is no title with methods, or a title is given twice.
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


def interval_words(request: PlotRequest) -> str:
    """What a band is."""
    if request.aggregate == "median":
        return "quartiles over seeds"
    how = f"bootstrap over seeds, {RESAMPLES:,} resamples, seed {request.seed}"
    if request.simultaneous:
        return f"95 % simultaneous band of the whole line (sup-t; {how})"
    if request.aggregate == "mean":
        return "95 % interval at each time (Student's t)"
    return f"95 % interval at each time ({how})"


def _picture_key(picture: ComparisonPicture, kind: str) -> str:
    every = [series for panel in picture.panels for series in panel.series]
    panels = [
        [panel.title, panel.benchmark, panel.metric, panel.mode, [[s.name, s.place, s.wanted] for s in panel.series]]
        for panel in picture.panels
    ]
    question = [kind, picture.title, picture.columns, list(picture.footnotes), picture.strip, panels]
    arrays = [part for s in every for part in (s.band.times, s.band.centre, s.band.low, s.band.high, s.finals)]
    return question_key(question, arrays, [comparison_figure, curves, drawing], ["matplotlib", "numpy"])


def _panels(loaded: Loaded, request: PlotRequest, setups: Sequence[Setup]) -> dict[str, tuple[str, ...]]:
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


def _picture(
    request: PlotRequest,
    setups: Sequence[Setup],
    panels: Mapping[str, tuple[str, ...]],
    interval: str,
    notes: Sequence[str],
) -> ComparisonPicture:
    benchmarks = list(dict.fromkeys(setup.benchmark for setup in setups))
    by_name = {(setup.name, setup.benchmark): setup for setup in setups}
    names = list(dict.fromkeys(name for found in panels.values() for name in found))
    drawn = []
    for benchmark in benchmarks:
        for title, members in panels.items():
            own = [by_name[name, benchmark] for name in members if (name, benchmark) in by_name]
            if own:
                heading = benchmark if not title else title if len(benchmarks) == 1 else f"{benchmark}: {title}"
                series = [_series(setup, names.index(setup.name)) for setup in own]
                drawn.append(Panel(heading, benchmark, own[0].metric, own[0].mode, series))
    if not drawn:
        raise IncompleteError("No group has a complete experiment.", "Name other methods after --group.")
    grouped = len(panels) > 1
    columns = len(panels) if grouped and len(benchmarks) > 1 and len(drawn) == len(panels) * len(benchmarks) else 2
    line = "final value of each seed" if request.kind == "strip" else "best value so far"
    title = f"{', '.join(request.load.tags)}: {line}"
    if len(benchmarks) == 1 and grouped:
        title = f"{', '.join(request.load.tags)}, {benchmarks[0]}: {line}"
    shown = METHODS[request.aggregate]
    how = f"Bar: {shown}." if request.kind == "strip" else f"Line: {shown}. Band: {interval}."
    return ComparisonPicture(title, drawn, min(columns, len(drawn)), [how, *_few(notes)], request.kind == "strip")


def _series(setup: Setup, place: int) -> Series:
    return Series(setup.name, place, setup.band, np.array(list(setup.finals.values())), setup.wanted)


def _few(notes: Sequence[str]) -> list[str]:
    if len(notes) <= MOST_NOTES:
        return list(notes)
    return [*notes[: MOST_NOTES - 1], f"And {len(notes) - MOST_NOTES + 1} more remarks, which the command prints."]
