"""The figure of a study: lines with bands, or the final value of each seed, setup by setup."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, Literal

import numpy as np

from hpoctl.analysis.aggregate import Band
from hpoctl.analysis.curves import is_wide
from hpoctl.analysis.drawing import figure_bytes, logarithmic, new_figure
from hpoctl.analysis.horizontal import Horizontal, horizontal
from hpoctl.analysis.spending import Against
from hpoctl.core.protocols import FloatArray, Mode

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#56b4e9", "#e69f00", "#7f7f7f")
"""The palette of Okabe and Ito, which people who are blind to some colours can tell apart; grey in place of yellow."""

DASHES = ("-", "--", ":", "-.")
MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")
PANEL_WIDTH, PANEL_HEIGHT = 3.7, 2.9
LETTERS_PER_INCH = 16.5
MOST_INSIDE = 4
"""How many setups a legend inside a panel may have; a longer one stands beside all panels, once."""

EARLY = 0.05
"""On a linear scale the first part of the time is left out of the vertical range: it would dwarf the rest."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A setup in a panel.

    Attributes:
        name: Its name.
        place: Its place among all setups of the figure: its colour.
        band: Its line.
        finals: The value of each seed at the end, shape (n,).
        wanted: How many seeds it should have.
    """

    name: str
    place: int
    band: Band
    finals: FloatArray
    wanted: int

    @property
    def label(self) -> str:
        """Its name, and how many of how many seeds it has."""
        of = "" if self.band.seeds == self.wanted else f" of {self.wanted}"
        return f"{self.name} (n = {self.band.seeds}{of})"


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One pair of axes.

    Attributes:
        title: What stands above it.
        benchmark: The benchmark: panels of one benchmark share their vertical axis.
        metric: The name of the metric.
        mode: Whether it is minimised or maximised; None: neither, it is a number such as the size of a rung.
        series: The setups.
        resource: What the resource is called.
    """

    title: str
    benchmark: str
    metric: str
    mode: Mode | None
    series: Sequence[Series]
    resource: str = "resource"


@dataclass(frozen=True, slots=True, eq=False)
class ComparisonPicture:
    """What is drawn.

    Attributes:
        title: The line above all.
        panels: The panels, in reading order.
        columns: How many of them stand side by side.
        footnotes: What stands below: how lines and bands are made, what is missing.
        strip: Whether the final value of each seed is drawn, instead of lines.
        axis: What lines are against.
        beside: Whether one legend stands beside all panels, also where there is room for one in each.
    """

    title: str
    panels: Sequence[Panel]
    columns: int
    footnotes: Sequence[str]
    strip: bool = False
    axis: Against = "time"
    beside: bool = False


def draw_comparison(picture: ComparisonPicture, kind: str) -> bytes:
    """The picture as the bytes of a PNG, SVG or PDF file; equal pictures give equal bytes.

    Raises:
        UsageError: matplotlib is not installed.
    """
    rows = -(-len(picture.panels) // picture.columns)
    inside = not picture.beside and max(len(panel.series) for panel in picture.panels) <= MOST_INSIDE
    width = max(PANEL_WIDTH * picture.columns + (0.6 if inside or picture.strip else 2.0), 5.0)
    notes = "\n".join(fill(note, int(width * LETTERS_PER_INCH)) for note in picture.footnotes)
    with new_figure(width, PANEL_HEIGHT * rows + 0.45 + 0.16 * (notes.count("\n") + 1)) as figure:
        grid = np.ravel(figure.subplots(rows, picture.columns, squeeze=False)).tolist()
        for axes in grid[len(picture.panels) :]:
            axes.remove()
        for place, (axes, panel) in enumerate(zip(grid, picture.panels, strict=False)):
            if picture.strip:
                _draw_strip(axes, panel)
            else:
                peers = [peer for peer in picture.panels if peer.benchmark == panel.benchmark]
                _draw_lines(axes, panel, horizontal_of(peers, picture.axis))
            axes.set_title(panel.title if inside or picture.strip else f"{panel.title}, {counts(panel)}", fontsize=10)
            if place % picture.columns == 0:
                axes.set_ylabel(panel.metric)
            if not picture.strip and inside:
                axes.legend(frameon=False, fontsize=8, handlelength=1.8)
        if not picture.strip and not inside:
            _legend_beside(figure, grid[: len(picture.panels)])
        _share(grid, picture)
        if not picture.strip:
            _label_outermost(grid, picture)
        figure.suptitle(picture.title, fontsize=11)
        figure.supxlabel(notes, x=0.01, ha="left", fontsize=8, color="#444444")
        return figure_bytes(figure, kind)


def counts(panel: Panel) -> str:
    """How many seeds the lines of a panel are of, as in `n = 20`, `n = 17 of 20` or `n = 20, ASHA 17 of 20`."""
    alike = {(series.band.seeds, series.wanted) for series in panel.series}
    if len(alike) == 1 and len(panel.series) > 1:
        return panel.series[0].label.rpartition("(")[2].removesuffix(")")
    whole = sorted({series.band.seeds for series in panel.series if series.band.seeds == series.wanted})
    few = [
        f"{series.name} {series.band.seeds} of {series.wanted}"
        for series in panel.series
        if series.band.seeds != series.wanted
    ]
    shown = few if len(few) <= 2 else [f"{len(few)} setups incomplete"]
    return ", ".join([*(["n = " + " or ".join(map(str, whole))] if whole else []), *shown])


def _label_outermost(grid: Sequence["Axes"], picture: ComparisonPicture) -> None:
    """Leave out what the panel below or at the left says, too: the labels and numbers of an axis that they share."""
    count = len(picture.panels)
    for place, (axes, panel) in enumerate(zip(grid, picture.panels, strict=False)):
        below = place + picture.columns
        if below < count and (axes.get_xlabel(), axes.get_xlim()) == (grid[below].get_xlabel(), grid[below].get_xlim()):
            axes.set_xlabel("")
            axes.tick_params(labelbottom=False)
        if place % picture.columns and picture.panels[place - 1].benchmark == panel.benchmark:
            axes.tick_params(labelleft=False)


def _legend_beside(figure: "Figure", grid: Sequence["Axes"]) -> None:
    """One legend right of all panels, by name alone: how many seeds there are differs from panel to panel."""
    named: dict[str, Artist] = {}
    for axes in grid:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            named.setdefault(label.partition(" (n = ")[0], handle)
    figure.legend(named.values(), named, loc="outside right upper", frameon=False, fontsize=8)


def horizontal_of(panels: Sequence[Panel], axis: Against) -> Horizontal:
    """The horizontal axis that panels of one benchmark share."""
    bands = [series.band for panel in panels for series in panel.series]
    begun = [band.times[np.isfinite(band.centre)][:1] for band in bands]
    first = float(min((places[0] for places in begun if len(places)), default=0.0))
    return horizontal(axis, [float(band.times[-1]) for band in bands], first, panels[0].resource)


def is_logarithmic(panels: Sequence[Panel], *, strip: bool) -> bool:
    """Whether panels of one benchmark are drawn on a logarithmic scale: losses that span more than a decade.

    Numbers that are no losses may be zero: so are the sizes of all rungs at the beginning.
    """
    if panels[0].mode == "max":  # of an accuracy the upper end is of interest
        return False
    every = [series for panel in panels for series in panel.series]
    values = [series.finals if strip else series.band.centre for series in every]
    return is_wide([part[part != 0.0] for part in values] if panels[0].mode is None else values)


def _draw_lines(axes: "Axes", panel: Panel, across: Horizontal) -> None:
    for series in panel.series:
        band, colour = series.band, COLOURS[series.place % len(COLOURS)]
        dash = DASHES[series.place // len(COLOURS) % len(DASHES)]
        times = band.times / across.size
        axes.plot(times, band.centre, dash, color=colour, linewidth=1.8, label=series.label, drawstyle="steps-post")
        if np.isfinite(band.low).any():
            axes.fill_between(times, band.low, band.high, color=colour, alpha=0.18, linewidth=0, step="post")
    axes.set_xlabel(across.label)
    if across.logarithmic:
        logarithmic(axes, "x", across.end / across.start)
    axes.set_xlim(across.start / across.size, across.end / across.size)


def _draw_strip(axes: "Axes", panel: Panel) -> None:
    for row, series in enumerate(panel.series):
        colour = COLOURS[series.place % len(COLOURS)]
        # Seeds beside each other, in the order of their values, so that no two hide one another and nothing is random.
        offsets = 0.26 * (np.arange(len(series.finals)) % 5 - 2) / 2
        mark = MARKS[series.place % len(MARKS)]
        axes.plot(np.sort(series.finals), row + offsets, mark, color=colour, markersize=4, alpha=0.7, markeredgewidth=0)
        axes.plot([series.band.centre[-1]] * 2, [row - 0.38, row + 0.38], color=colour, linewidth=2.2)
    axes.set_yticks(range(len(panel.series)), [series.label for series in panel.series])
    axes.set_ylim(len(panel.series) - 0.4, -0.6)
    axes.set_xlabel(panel.metric)
    axes.set_ylabel("")


def _share(grid: Sequence["Axes"], picture: ComparisonPicture) -> None:
    """One range and one scale for all panels of a benchmark."""
    for benchmark in dict.fromkeys(panel.benchmark for panel in picture.panels):
        own = [(axes, panel) for axes, panel in zip(grid, picture.panels, strict=False) if panel.benchmark == benchmark]
        panels = [panel for _, panel in own]
        over_decades = is_logarithmic(panels, strip=picture.strip)
        early = 0.0 if picture.axis == "budget" else EARLY  # shares begin at 0
        low, high = _range(panels, early, strip=picture.strip, logarithmic=over_decades)
        for axes, panel in own:
            which: Literal["x", "y"] = "x" if picture.strip else "y"
            if over_decades:
                logarithmic(axes, which, high / low)
            else:
                axes.locator_params(axis=which, nbins=4 if picture.strip else 7)
                axes.ticklabel_format(axis=which, scilimits=(-3, 5), useOffset=False)
            if low < high:
                (axes.set_xlim if picture.strip else axes.set_ylim)(low, high)
            if picture.strip:
                axes.set_ylabel("")
                axes.set_xlabel(panel.metric)


def _range(panels: Sequence[Panel], early: float, *, strip: bool, logarithmic: bool) -> tuple[float, float]:
    """What is shown: all of it, but on a linear scale without the first values, which are far from all others."""
    every = [series for panel in panels for series in panel.series]
    if strip:
        values = np.concatenate([series.finals for series in every])
    else:
        bands = [series.band for series in every]
        parts = [band.centre if logarithmic else _after(early, band, band.centre) for band in bands]
        parts += [_after(0.5, band, ends) for band in bands for ends in (band.low, band.high)]
        values = np.concatenate(parts)
    values = values[np.isfinite(values) & ((values > 0.0) | (not logarithmic))]
    if not len(values):
        return 0.0, 0.0
    low, high = float(values.min()), float(values.max())
    if logarithmic:
        margin = (high / low) ** 0.05
        return low / margin, high * margin
    margin = 0.05 * (high - low)
    return low - margin, high + margin


def _after(share: float, band: Band, values: FloatArray) -> FloatArray:
    """The values of a band after a share of its axis."""
    return values[np.searchsorted(band.times, share * band.times[-1], side="right") :]
