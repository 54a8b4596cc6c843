"""What a person asks `hpoctl plot` for, what comes of it, and what its lines and bands are called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hpoctl.analysis.aggregate import RESAMPLES, Aggregate
from hpoctl.analysis.comparison_figure import ComparisonPicture
from hpoctl.analysis.spending import Against, Axis
from hpoctl.core.errors import UsageError
from hpoctl.ops.answers.plotted_setups import Setup, Summary
from hpoctl.ops.reading.results_of_tags import LoadRequest
from hpoctl.ops.reading.tag_contents import Skipped

FigureKind = Literal["best", "strip", "rungs", "extra", "profile"]
RUNG_SIZES = "num_at_level*"
"""The columns of the composer `rung-levels`."""

METHODS: Mapping[Aggregate, str] = {
    "iqm_bootstrap": "interquartile mean over seeds",
    "mean": "mean over seeds",
    "median": "median over seeds",
}
MOST_NOTES = 6


@dataclass(frozen=True)
class PlotRequest:
    """What a person asked `hpoctl plot` for.

    Attributes:
        load: Which results.
        output: The file; its suffix says the format; None: no file.
        kind: Best value so far, the final value of each seed, the sizes of rungs, other extra results, or run-time
            profiles.
        axis: What the best value so far is drawn against.
        groups: Titles of panels with their setups; None: those of the study; empty: one panel for each benchmark.
        summary: How seeds become a line and a band.
        extra: With the kind `extra`, names of extra results or patterns.
    """

    load: LoadRequest
    output: Path | None
    kind: FigureKind = "best"
    axis: Axis = "time"
    groups: Mapping[str, Sequence[str]] | None = None
    summary: Summary = field(default_factory=Summary)
    extra: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class PlottedStudy:
    """What was drawn.

    Attributes:
        path: The file; None: none was asked for.
        tags: The tags.
        kind: What kind of figure it is.
        axis: What lines are against.
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
    kind: FigureKind
    axis: Against
    aggregate: str
    interval: str
    panels: Mapping[str, tuple[str, ...]]
    setups: tuple[Setup, ...]
    notes: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    picture: ComparisonPicture = field(repr=False)


def check_summary(summary: Summary) -> None:
    """Refuse an undefined band.

    Raises:
        UsageError: A simultaneous band of the median is asked for.
    """
    if summary.simultaneous and summary.aggregate == "median":
        raise UsageError(
            "The quartiles around a median are no interval, so none can be simultaneous.",
            "Leave --simultaneous out, or use --aggregate iqm_bootstrap.",
        )


def interval_words(summary: Summary, axis: Axis) -> str:
    """What a band is."""
    point = "time" if axis == "time" else "point"
    if summary.aggregate == "median":
        return "quartiles over seeds"
    how = f"bootstrap over seeds, {RESAMPLES:,} resamples, seed {summary.seed}"
    if summary.simultaneous:
        return f"95 % simultaneous band of the whole line (sup-t; {how})"
    if summary.aggregate == "mean":
        return f"95 % interval at each {point} (Student's t)"
    return f"95 % interval at each {point} ({how})"


def line_words(request: PlotRequest) -> str:
    """What stands below a figure about its lines and bands."""
    shown = METHODS[request.summary.aggregate]
    if request.kind == "strip":
        return f"Bar: {shown}."
    if request.kind == "profile":
        targets = "Targets of a benchmark: what 90, 80, ..., 10 % of all its runs in this figure reach."
        return f"Line: {shown}. Band: {interval_words(request.summary, 'time')}. {targets}"
    ends = "" if request.axis == "time" else " A line ends where the first of its seeds has spent its budget."
    return f"Line: {shown}. Band: {interval_words(request.summary, request.axis)}.{ends}"


def few(notes: Sequence[str]) -> list[str]:
    """The remarks that a figure has room for."""
    if len(notes) <= MOST_NOTES:
        return list(notes)
    return [*notes[: MOST_NOTES - 1], f"And {len(notes) - MOST_NOTES + 1} more remarks, which the command prints."]
