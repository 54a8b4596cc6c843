"""`hpoctl plot`: the figure of one or several tags, and the numbers behind it."""

from collections.abc import Mapping

from hpoctl.analysis import comparison_figure, curves, drawing, horizontal
from hpoctl.analysis.comparison_figure import ComparisonPicture, draw_comparison
from hpoctl.analysis.drawing import figure_format
from hpoctl.analysis.traces import Trace
from hpoctl.ops.answers.plot_extras import extra_setups, extras_panels, extras_picture, without_extras
from hpoctl.ops.answers.plot_panels import best_picture, panels_of
from hpoctl.ops.answers.plot_profiles import not_on_all, profile_setups
from hpoctl.ops.answers.plot_request import (
    METHODS,
    RUNG_SIZES,
    PlotRequest,
    PlottedStudy,
    check_summary,
    interval_words,
)
from hpoctl.ops.answers.plotted_setups import Setup, plotted_setups, remarks
from hpoctl.ops.reading.load_extras import load_extras
from hpoctl.ops.reading.load_traces import Loaded, load_traces
from hpoctl.ops.reading.made_cache import made_before, question_key
from hpoctl.ops.reading.tag_contents import Skipped
from hpoctl.ops.reading.written_files import check_file, write_file


def plot_study(request: PlotRequest) -> PlottedStudy:
    """Draw the figure; the same question about the same results gives the same file.

    Raises:
        UsageError: A tag, filter, group, column, format or folder is wrong, or matplotlib is missing.
        IncompleteError: There is nothing to draw.
        HpoctlError: Results cannot be read, or the file cannot be written.
    """
    check_summary(request.summary)
    kind = None
    if request.output is not None:
        kind = figure_format(request.output)
        check_file(request.output)
    plotted = _extras(request) if request.kind in ("rungs", "extra") else _lines(request)
    if request.output is not None and kind is not None:
        picture = plotted.picture
        write_file(request.output, made_before(_picture_key(picture, kind), lambda: draw_comparison(picture, kind)))
    return plotted


def _extras(request: PlotRequest) -> PlottedStudy:
    loaded = load_extras(request.load, (RUNG_SIZES,) if request.kind == "rungs" else request.extra)
    setups = extra_setups(loaded, request.summary)
    notes = remarks(loaded, setups, without_extras(loaded, setups))
    picture = extras_picture(request, setups, notes)
    return _plotted(request, extras_panels(setups), setups, notes, loaded.skipped, picture)


def _lines(request: PlotRequest) -> PlottedStudy:
    """Best values so far or run-time profiles, in the panels that are asked for."""
    if profiles := request.kind == "profile":
        loaded = load_traces(request.load)
        setups = profile_setups(loaded, request.summary)
    else:
        loaded = load_traces(request.load, request.axis)
        setups = plotted_setups(loaded, request.summary, request.axis)
    panels = panels_of(loaded, request, setups)
    shown = {name for members in panels.values() for name in members}
    setups = tuple(setup for setup in setups if setup.name in shown)
    notes = remarks(loaded, setups, not_on_all(setups) if profiles else _without_values(loaded))
    picture = best_picture(request, setups, panels, loaded.resources, notes)
    return _plotted(request, panels, setups, notes, loaded.skipped, picture)


def _plotted(
    request: PlotRequest,
    panels: Mapping[str, tuple[str, ...]],
    setups: tuple[Setup, ...],
    notes: tuple[str, ...],
    skipped: tuple[Skipped, ...],
    picture: ComparisonPicture,
) -> PlottedStudy:
    return PlottedStudy(
        path=None if request.output is None else str(request.output),
        tags=request.load.tags,
        kind=request.kind,
        axis=picture.axis,
        aggregate=METHODS[request.summary.aggregate],
        interval=interval_words(request.summary, request.axis),
        panels=panels,
        setups=setups,
        notes=notes,
        skipped=skipped,
        picture=picture,
    )


def _without_values(loaded: Loaded[Trace]) -> list[str]:
    known = {(trace.method, trace.benchmark) for trace in loaded.traces if len(trace.times)}
    every = dict.fromkeys((trace.method, trace.benchmark) for trace in loaded.traces)
    return [f"{name} on {benchmark}: no finite value." for name, benchmark in every if (name, benchmark) not in known]


def _picture_key(picture: ComparisonPicture, kind: str) -> str:
    every = [series for panel in picture.panels for series in panel.series]
    panels = [
        [
            [panel.title, panel.benchmark, panel.metric, panel.mode, panel.resource],
            [[series.name, series.place, series.wanted] for series in panel.series],
        ]
        for panel in picture.panels
    ]
    look = [picture.columns, picture.strip, picture.axis, picture.beside]
    question = [kind, picture.title, look, list(picture.footnotes), panels]
    arrays = [part for s in every for part in (s.band.times, s.band.centre, s.band.low, s.band.high, s.finals)]
    return question_key(
        question, arrays, [comparison_figure, curves, drawing, horizontal], ["matplotlib", "numpy", "pillow"]
    )
