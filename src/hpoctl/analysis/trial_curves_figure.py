"""The figure of one experiment: the learning curves of its trials, rung levels, and what was decided at them."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from hpoctl.analysis.curves import BEST, COLOURS, is_wide
from hpoctl.analysis.drawing import figure_bytes, logarithmic, new_figure
from hpoctl.analysis.trial_curves import Mark, TrialCurves, level_counts, mark_counts
from hpoctl.core.protocols import FloatArray, IntArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 7.6, 4.8
LETTERS = 118
MANY = 2000
"""The largest number of trials that a vector file draws as vectors; with more it embeds an image, to stay small."""

SHOWN = 0.8
"""How many trials have to be within the vertical range with the first value they were decided on."""

ROOM = 2.0
"""All values are shown if the outliers take less than this share of the axis."""

SPREAD = 1.22
"""Marks stand off their level by up to this factor: the next level is three times as high."""

GOLDEN = 0.6180339887
LEVELS = (
    "Dashed: levels at which trials were paused or stopped; above each, how many reached it and how many went on. "
    "Marks stand beside their level: left those that went on, right the others."
)
NEAR = 1.6
"""Labels of levels that are nearer than this factor would overlap."""

EARLIEST, LATEST = 0.9, 0.0
"""Places in the map of colours: pale for trials that ended early, dark for those that went far."""

STYLES: dict[Mark, dict[str, Any]] = {
    Mark.PAUSED: {"marker": "o", "facecolors": "none", "edgecolors": "#8a8a8a", "linewidths": 0.7, "zorder": 2.2},
    Mark.STOPPED: {"marker": "x", "color": "#cc79a7", "linewidths": 0.9, "zorder": 2.3},
    Mark.OPEN: {"marker": ">", "facecolors": "none", "edgecolors": "#000000", "linewidths": 0.7, "zorder": 2.4},
    Mark.WENT_ON: {"marker": "^", "color": "#009e73", "linewidths": 0.0, "zorder": 2.5},
    Mark.COMPLETED: {"marker": "s", "color": "#0072b2", "linewidths": 0.0, "zorder": 2.6},
}


@dataclass(frozen=True, slots=True, eq=False)
class TrialCurvesPicture:
    """What is drawn.

    Attributes:
        title: The line above all.
        metric: The name of the metric.
        resource: The name of the resource.
        curves: The rows.
        footnotes: What stands below.
    """

    title: str
    metric: str
    resource: str
    curves: TrialCurves
    footnotes: Sequence[str]


def draw_trial_curves(picture: TrialCurvesPicture, kind: str) -> bytes:
    """The picture as the bytes of a PNG, SVG or PDF file; equal pictures give equal bytes.

    Raises:
        UsageError: matplotlib is not installed.
    """
    curves = picture.curves
    drawable = np.where(np.isfinite(curves.values), curves.values, np.nan)
    low, high = shown_range(curves)
    beyond = int(np.count_nonzero((drawable < low) | (drawable > high)))
    outside = f"{beyond:,} of {len(drawable):,} values lie outside the vertical range."
    words = [*picture.footnotes, *([outside] if beyond else []), *([LEVELS] if curves.levels else [])]
    notes = fill(" ".join(words), LETTERS)
    with new_figure(WIDTH, HEIGHT + 0.16 * (notes.count("\n") + 1)) as figure:
        axes = figure.subplots()
        if curves.mode == "min" and is_wide([drawable[(drawable >= low) & (drawable <= high)]]):
            logarithmic(axes, "y", high / low)
        if curves.levels:
            axes.set_xscale("log")
        _draw_lines(axes, curves, drawable)
        _draw_marks(axes, curves, drawable)
        _draw_best(axes, curves, drawable)
        _draw_levels(axes, curves)
        if low < high:
            margin = 0.04 * (high - low) if axes.get_yscale() == "linear" else 0.0
            axes.set_ylim(low - margin if margin else low * 0.96, high + margin if margin else high * 1.04)
        axes.set_xlabel(picture.resource)
        axes.set_ylabel(picture.metric)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.05), ncols=3, frameon=False, fontsize=8)
        figure.suptitle(picture.title, fontsize=11)
        figure.supxlabel(notes, x=0.01, ha="left", fontsize=8, color="#444444")
        return figure_bytes(figure, kind)


def shown_range(curves: TrialCurves) -> tuple[float, float]:
    """The vertical range: all values but the worst ones, which would leave no room for the rest.

    It ends where the worst fifth of trials begins, by the value that they were first decided on; but all that went on
    is shown, and all values are where that makes the rest not much smaller.
    """
    sign = 1.0 if curves.mode == "min" else -1.0
    losses = sign * curves.values
    finite = np.isfinite(losses)
    decided = finite & (curves.marks != Mark.NONE)
    if not decided.any():
        decided = finite
    if not decided.any():
        return 0.0, 0.0
    _, first = np.unique(curves.trial_ids[decided], return_index=True)
    ends = [float(np.quantile(losses[decided][first], SHOWN))]
    kept = decided & ((curves.marks == Mark.WENT_ON) | (curves.marks == Mark.COMPLETED))
    ends += [float(losses[kept].max())] if kept.any() else []
    best, worst = float(losses[finite].min()), max(ends)
    everything = float(losses[finite].max())
    worst = everything if everything - best < ROOM * (worst - best) else worst
    return (best, worst) if sign > 0 else (-worst, -best)


def _draw_lines(axes: "Axes", curves: TrialCurves, values: FloatArray) -> None:
    import matplotlib as mpl  # noqa: PLC0415 - where it is missing, new_figure says so
    from matplotlib.collections import LineCollection  # noqa: PLC0415

    trials = [rows for rows in curves.trials() if rows.stop - rows.start > 1]
    if not trials:
        return
    trials.sort(key=lambda rows: int(curves.resources[rows.stop - 1]))  # those that went far lie on top
    lasts = np.log([float(curves.resources[rows.stop - 1]) for rows in trials])
    share = (lasts - lasts.min()) / max(float(np.ptp(lasts)), 1e-9)
    lines = LineCollection(
        [np.column_stack([curves.resources[rows], values[rows]]) for rows in trials],
        colors=mpl.colormaps[COLOURS](EARLIEST + (LATEST - EARLIEST) * share),
        linewidths=0.5 + 0.6 * share,
        alpha=min(0.75, max(0.2, 150 / len(trials))),
        zorder=2.0,
        rasterized=curves.count > MANY,
    )
    axes.add_collection(lines)


def _draw_marks(axes: "Axes", curves: TrialCurves, values: FloatArray) -> None:
    size = 14.0 if curves.count <= 200 else 8.0 if curves.count <= MANY else 4.0
    counts = mark_counts(curves)
    for mark, style in STYLES.items():
        if mark in counts:
            here = curves.marks == mark
            axes.scatter(
                curves.resources[here] * (_beside(curves.trial_ids[here], mark) if curves.levels else 1.0),
                values[here],
                s=size,
                label=f"{mark.value} ({counts[mark]:,}{' times' if mark is Mark.WENT_ON else ''})",
                rasterized=curves.count > MANY,
                **style,
            )
    axes.autoscale_view()


def _beside(trial_ids: IntArray, mark: Mark) -> FloatArray:
    """The factor by which marks are offset from their level, so that hundreds stay distinguishable, shape (n,).

    Those that went on stand left of it, others right; how far follows from the trial, so nothing is random.
    """
    if mark is Mark.COMPLETED:
        return np.ones(len(trial_ids))
    side = -1.0 if mark is Mark.WENT_ON else 1.0
    return np.asarray(SPREAD ** (side * (0.1 + 0.9 * (trial_ids * GOLDEN % 1.0))))


def _draw_best(axes: "Axes", curves: TrialCurves, values: FloatArray) -> None:
    place = curves.best()
    if place is None:
        return
    own = np.flatnonzero(curves.trial_ids == curves.trial_ids[place])
    label = f"best: trial {curves.trial_ids[place]},\n{curves.values[place]:.4g} at {curves.resources[place]}"
    axes.plot(curves.resources[own], values[own], color=BEST, linewidth=1.8, zorder=2.8, label=label)
    axes.plot(curves.resources[place], values[place], "*", color=BEST, markersize=9, zorder=2.9)


def _draw_levels(axes: "Axes", curves: TrialCurves) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator  # noqa: PLC0415

    axes.grid(visible=False, axis="x")
    if not curves.levels:
        return
    for count in level_counts(curves):
        axes.axvline(count.level, color="#b0b0b0", linewidth=0.8, linestyle=(0, (4, 3)), zorder=1.0)
        text = f"{count.reached:,}\u2192{count.marks[Mark.WENT_ON]:,}"
        axes.annotate(
            text, (count.level, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 3),
            textcoords="offset points", ha="center", fontsize=7.5, color="#444444",
        )  # fmt: skip
    last = int(curves.resources.max())
    ticks = sorted({*curves.levels, last})
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    labels = axes.set_xticklabels([str(tick) for tick in ticks])
    if len(ticks) > 1 and ticks[-1] < NEAR * ticks[-2]:
        labels[-2].set_horizontalalignment("right")
        labels[-1].set_horizontalalignment("left")
