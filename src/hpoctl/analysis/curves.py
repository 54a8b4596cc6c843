"""A picture of learning curves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hpoctl.analysis.drawing import figure_bytes, new_figure
from hpoctl.core.protocols import FloatArray, IntArray, Mode

DECADE = 10.0
BEST = "#d55e00"
"""Vermilion of the palette of Okabe and Ito, which people who are blind to some colours can tell from the map."""

COLOURS = "cividis"


@dataclass(frozen=True, slots=True, eq=False)
class CurvesPicture:
    """What is drawn.

    Attributes:
        title: The first line above it.
        subtitle: The second one: what is modelled, how many are shown.
        resource: The name of the resource.
        metric: The name of the metric.
        mode: Whether it is to be minimised or maximised; None: nobody says, so none is the best.
        resources: Resource levels of each curve, shape (r,) each.
        curves: Values of the metric, shape (r,) each.
    """

    title: str
    subtitle: str
    resource: str
    metric: str
    mode: Mode | None
    resources: Sequence[IntArray]
    curves: Sequence[FloatArray]


def draw_curves(picture: CurvesPicture, kind: str) -> bytes:
    """The picture as the bytes of a PNG, SVG or PDF file.

    Curves are coloured by the rank of their last value, the best one is thick, values that are not finite leave gaps.

    Raises:
        UsageError: matplotlib is not installed.
    """
    with new_figure(7.2, 4.5) as figure:
        import matplotlib as mpl  # noqa: PLC0415 - where it is missing, new_figure says so
        from matplotlib.cm import ScalarMappable  # noqa: PLC0415
        from matplotlib.colors import Normalize  # noqa: PLC0415

        axes = figure.subplots()
        order = best_first(picture.curves, picture.mode)
        colours = mpl.colormaps[COLOURS]
        few = len(picture.resources[0]) <= 12
        for rank in range(len(order) - 1, -1, -1):  # the best one last, on top
            place = order[rank]
            share = rank / max(len(order) - 1, 1)
            best = rank == 0 and picture.mode is not None
            values = np.where(np.isfinite(picture.curves[place]), picture.curves[place], np.nan)
            axes.plot(
                picture.resources[place],
                values,
                color=BEST if best else colours(0.92 * share),
                linewidth=2.2 if best else 1.0,
                alpha=1.0 if best else 0.8,
                marker="o" if few else None,
                markersize=3,
                label="best at the end" if best else None,
            )
        if picture.mode != "max" and is_wide(picture.curves):  # of an accuracy the upper end is of interest
            axes.set_yscale("log")
        axes.set_xlabel(picture.resource)
        axes.set_ylabel(picture.metric)
        figure.suptitle(picture.title, fontsize=11)
        axes.set_title(picture.subtitle, fontsize=9, color="#444444")
        if picture.mode is not None:
            axes.legend(loc="best", frameon=False)
        if len(order) > 2:
            scale = ScalarMappable(Normalize(1, len(order)), colours.resampled(256))
            bar = figure.colorbar(scale, ax=axes, pad=0.02, ticks=[1, len(order)])
            bar.set_label("rank at the end")
            bar.ax.invert_yaxis()
        return figure_bytes(figure, kind)


def best_first(curves: Sequence[FloatArray], mode: Mode | None) -> list[int]:
    """The places of the curves in the order of their last values, the best or lowest first; not finite is last."""
    sign = -1.0 if mode == "max" else 1.0
    last = [sign * float(curve[-1]) for curve in curves]
    return sorted(range(len(curves)), key=lambda place: last[place] if np.isfinite(last[place]) else np.inf)


def is_wide(curves: Sequence[FloatArray]) -> bool:
    """Whether finite values are positive and span more than a decade: then a logarithmic scale shows more."""
    values = np.concatenate(curves)
    values = values[np.isfinite(values)]
    return bool(len(values) and values.min() > 0.0 and values.max() > DECADE * values.min())
