"""The critical-difference diagram: mean ranks of methods on a line, bars over groups that do not differ."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from hpoctl.analysis.drawing import figure_bytes, new_figure
from hpoctl.analysis.ranks import Ranks, together

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AXIS = 4.4
"""Inches from the first rank to the last one."""

LETTER = 0.085
ROW = 0.24
"""Inches between two lines of text."""

TOP, FOOT = 1.0, 0.22
LETTERS_PER_INCH = 15.5
GREY = "#444444"
BAR = "#0072b2"


@dataclass(frozen=True, slots=True)
class RanksPicture:
    """What is drawn.

    Attributes:
        title: The line above all.
        methods: The methods, in the order of their ranks.
        ranks: Their mean ranks with the tests.
        notes: What stands below: what the test can show, how ranks are made, what is left out.
    """

    title: str
    methods: Sequence[str]
    ranks: Ranks
    notes: Sequence[str]


def draw_ranks(picture: RanksPicture, kind: str) -> bytes:
    """The picture as the bytes of a PNG, SVG or PDF file; equal pictures give equal bytes.

    Raises:
        UsageError: matplotlib is not installed.
    """
    ranks, most = picture.ranks, len(picture.methods)
    bars = together(ranks.mean_ranks, ranks.critical_difference)
    margin = 1.1 + LETTER * max(len(name) for name in picture.methods)
    width = AXIS + 2.0 * margin
    notes = "\n".join(fill(note, int(width * LETTERS_PER_INCH), break_on_hyphens=False) for note in picture.notes)
    body = ROW * ((most + 1) // 2 + 0.7) + 0.13 * len(bars)
    with new_figure(width, TOP + body + FOOT + 0.15 * (notes.count("\n") + 1)) as figure:
        axes = figure.subplots()
        axes.set_axis_off()
        # One unit is an inch, on both axes, so that lines of text never meet.
        axes.set_xlim(-margin, AXIS + margin)
        axes.set_ylim(-body, TOP - 0.35)
        _axis(axes, most)
        _difference(axes, ranks.critical_difference, most)
        depth = 0.14
        for first, last in bars:
            ends = [_x(ranks.mean_ranks[first], most) - 0.06, _x(ranks.mean_ranks[last], most) + 0.06]
            axes.plot(ends, [-depth] * 2, color=BAR, linewidth=3.5)
            depth += 0.13
        _names(axes, picture, depth + 0.5 * ROW)
        figure.suptitle(picture.title, fontsize=11)
        figure.supxlabel(notes, x=0.01, ha="left", fontsize=8, color=GREY)
        return figure_bytes(figure, kind)


def ordered(methods: Sequence[str], ranks: Ranks) -> tuple[list[str], Ranks]:
    """Methods and their ranks, the best first; equal ones in the order given."""
    order = np.argsort(ranks.mean_ranks, kind="stable")
    by_rank = tuple(ranks.mean_ranks[place] for place in order)
    return [methods[place] for place in order], replace(ranks, mean_ranks=by_rank)


def _x(rank: float, most: int) -> float:
    return AXIS * (rank - 1.0) / (most - 1.0)


def _axis(axes: "Axes", most: int) -> None:
    axes.plot([0.0, AXIS], [0.0, 0.0], color="black", linewidth=1.2)
    for rank in range(1, most + 1):
        axes.plot([_x(rank, most)] * 2, [0.0, 0.07], color="black", linewidth=1.2)
        axes.text(_x(rank, most), 0.1, str(rank), ha="center", va="bottom", fontsize=9)


def _difference(axes: "Axes", difference: float, most: int) -> None:
    """The critical difference as a length, from rank 1 on; one that is far longer than the axis has no right end."""
    end = min(_x(1.0 + difference, most), AXIS + 0.8)
    longer = _x(1.0 + difference, most) > end
    axes.plot([0.0, end], [0.4, 0.4], color=GREY, linewidth=1.5)
    for place in [0.0] if longer else [0.0, end]:
        axes.plot([place, place], [0.36, 0.44], color=GREY, linewidth=1.5)
    if longer:
        axes.plot([end], [0.4], ">", color=GREY, markersize=5)
    text = f"critical difference {difference:.2f}"
    axes.text(end / 2.0, 0.44, text, ha="center", va="bottom", fontsize=8, color=GREY)


def _names(axes: "Axes", picture: RanksPicture, top: float) -> None:
    """The better half of the methods at the left, the other one at the right, each joined to its rank."""
    most = len(picture.methods)
    half = (most + 1) // 2
    for place, (name, rank) in enumerate(zip(picture.methods, picture.ranks.mean_ranks, strict=True)):
        left = place < half
        edge, align = (-0.25, "right") if left else (AXIS + 0.25, "left")
        depth = top + ROW * (place if left else most - 1 - place)
        axes.plot([_x(rank, most)] * 2 + [edge], [0.0, -depth, -depth], color="black", linewidth=0.8)
        label = f"{name}  {rank:.2f}" if left else f"{rank:.2f}  {name}"
        axes.text(edge, -depth, f" {label} ", ha=align, va="center", fontsize=9)
