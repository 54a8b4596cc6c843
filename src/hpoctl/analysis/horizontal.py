"""The horizontal axis of a panel: time of the clock, resource spent or trials started; linear or logarithmic."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hpoctl.analysis.aggregate import POINTS, times_up_to
from hpoctl.analysis.spending import Against, Axis
from hpoctl.core.protocols import FloatArray

DECADE = 10.0


@dataclass(frozen=True, slots=True)
class Horizontal:
    """A horizontal axis.

    Attributes:
        label: What it is called.
        unit: How it is counted, such as `min`.
        size: How many of what lines are against are one of the unit, such as 60 seconds a minute.
        start: Where it starts.
        end: Where it ends.
        logarithmic: Whether its scale is logarithmic.
    """

    label: str
    unit: str
    size: float
    start: float
    end: float
    logarithmic: bool = False

    def at(self, share: FloatArray) -> FloatArray:
        """The places at shares of the axis, 0 at its start and 1 at its end, shape (n,)."""
        if self.logarithmic:
            return np.asarray(self.start * (self.end / self.start) ** share)
        return self.start + share * (self.end - self.start)


def horizontal(axis: Against, ends: Sequence[float], first: float, resource: str) -> Horizontal:
    """The axis of lines that end at these places.

    What is spent gets a logarithmic scale where one line is more than ten times as long as another: a method that
    trains each trial to the end starts few of them, one that stops most of them starts hundreds.

    Args:
        axis: What lines are against.
        ends: Where each line ends.
        first: Where the first line begins.
        resource: What the resource is called.
    """
    end = max(ends)
    if axis == "time":
        unit, size = time_unit(end)
        return Horizontal(f"time of the experiment's clock ({unit})", unit, size, 0.0, end)
    if axis == "budget":
        return Horizontal("share of the budget (%)", "%", 0.01, first, end, logarithmic=True)
    what = "trials started" if axis == "trials" else f"{resource} spent by all trials together"
    wide = end > DECADE * min(ends) and 0.0 < first < end
    unit = "trials" if axis == "trials" else resource
    return Horizontal(what, unit, 1.0, first if wide else 0.0, end, wide)


def places_up_to(end: float, axis: Axis) -> FloatArray:
    """Where a line is known, increasing, the end being the last: at equal distances of time, shape (t,).

    What is spent is counted in whole numbers: half of their places are at equal distances, half at equal ratios.
    """
    if axis == "time":
        return times_up_to(end)
    both = [np.linspace(1.0, end, POINTS // 2), np.geomspace(1.0, end, POINTS // 2)]
    return np.unique(np.round(np.concatenate(both)))


def time_unit(seconds: float) -> tuple[str, float]:
    """The unit for times up to a number of seconds, and its length in seconds."""
    return ("h", 3600.0) if seconds > 4 * 3600.0 else ("min", 60.0) if seconds > 600.0 else ("s", 1.0)
