"""A small chart of letters for the terminal: the lines of a panel, each with its mark."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hpoctl.analysis.comparison_figure import Panel, Series, horizontal_of, is_logarithmic
from hpoctl.analysis.horizontal import Horizontal
from hpoctl.analysis.spending import Against
from hpoctl.core.protocols import FloatArray

MARKS = "●▲■◆○△□◇"
AXIS = 10
"""Columns for the numbers at the left."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the chart.

    Attributes:
        axis: What stands left of it.
        cells: Its letters; blanks where nothing is.
        places: For each letter the place of its setup among all of the figure; -1: none.
    """

    axis: str
    cells: str
    places: tuple[int, ...]


def mark(place: int) -> str:
    """The mark of a setup."""
    return MARKS[place % len(MARKS)]


def chart(panel: Panel, peers: Sequence[Panel], width: int, height: int = 12, axis: Against = "time") -> list[Row]:
    """The lines of a panel, the last row being the horizontal axis.

    The value at the middle of each column is shown; on a linear scale the first twentieth of the columns does not count
    for the range of values, and what is beyond it is cut off.

    Args:
        panel: The panel.
        peers: All panels that share its vertical axis, this one included.
        width: Columns of the terminal.
        height: Rows of the chart.
        axis: What lines are against.
    """
    columns = max(width - AXIS - 1, 10)
    logarithmic = is_logarithmic(peers, strip=False)
    across = horizontal_of(peers, axis)
    every = np.concatenate(
        [
            _columns(series, across, columns, logarithmic=logarithmic)[0 if logarithmic else columns // 20 :]
            for peer in peers
            for series in peer.series
        ]
    )
    every = every[np.isfinite(every)]
    low, high = (float(every.min()), float(every.max())) if len(every) else (0.0, 1.0)
    high = high if high > low else low + max(abs(low), 1.0)
    letters = [[" "] * columns for _ in range(height)]
    places = [[-1] * columns for _ in range(height)]
    for series in panel.series:
        for column, value in enumerate(_columns(series, across, columns, logarithmic=logarithmic)):
            if low <= value <= high:
                row = round((high - value) / (high - low) * (height - 1))
                letters[row][column], places[row][column] = mark(series.place), series.place
    shown = {row: high - (high - low) * row / (height - 1) for row in (0, height // 2, height - 1)}
    rows = []
    for row in range(height):
        value = shown.get(row)
        label = "" if value is None else f"{10**value if logarithmic else value:.4g}"
        rows.append(Row(f"{label:>{AXIS}}", "".join(letters[row]), tuple(places[row])))
    scale = " (logarithmic)" if across.logarithmic else ""
    begin = f"{across.start / across.size:g}"
    end = f"{across.end / across.size:g} {across.unit}{scale}"
    rows.append(Row(" " * AXIS, f"{begin}{end:>{columns - len(begin)}}", (-1,) * columns))
    return rows


def _columns(series: Series, across: Horizontal, columns: int, *, logarithmic: bool) -> FloatArray:
    """The value at the middle of each column, shape (columns,); NaN before the first and after the last place."""
    times, values = series.band.times, series.band.centre
    middles = across.at((np.arange(columns) + 0.5) / columns)
    found = np.append(values, np.nan)[np.searchsorted(times, middles, side="right") - 1]
    found = np.where(middles <= times[-1], found, np.nan)
    if not logarithmic:
        return found
    return np.log10(np.where(found > 0.0, found, np.nan))
