"""The best value so far of an experiment as a step function: what plots and comparisons are made of."""

from dataclasses import dataclass

import numpy as np

from hpoctl.core.protocols import FloatArray, Mode


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """The best value so far of one experiment: a step function of time, or of the resource or trials that it spent.

    Attributes:
        tag: The tag of its study.
        method: Its method.
        benchmark: Its benchmark.
        seed: Its seed.
        identity: Its identity.
        metric: The metric.
        mode: Whether the metric is minimised or maximised.
        budget: Where it ends: the budget in seconds of the experiment's clock, or all the resource or trials it spent.
        times: When the best value changed, in the unit of the budget, not decreasing, shape (k,); empty if no value was
            finite.
        values: The best value from then on, in the metric's own unit, shape (k,).
    """

    tag: str
    method: str
    benchmark: str
    seed: int
    identity: str
    metric: str
    mode: Mode
    budget: float
    times: FloatArray
    values: FloatArray

    def at(self, times: FloatArray) -> FloatArray:
        """The best value at times in the unit of the budget, shape (n,); NaN before the first value."""
        places = np.searchsorted(self.times, times, side="right") - 1
        known = np.append(self.values, np.nan)  # place -1 is the last entry
        return np.asarray(known[places])


def best_so_far(times: FloatArray, values: FloatArray, mode: Mode) -> tuple[FloatArray, FloatArray]:
    """The times at which the best value changed, and the new values, shape (k,) each.

    Args:
        times: When each row arrived, in seconds, increasing, shape (n,).
        values: The metric of each row, shape (n,); values that are not finite count for nothing.
        mode: Whether the metric is minimised or maximised.
    """
    losses = np.where(np.isfinite(values), values if mode == "min" else -values, np.inf)
    best = np.minimum.accumulate(losses)
    better = np.flatnonzero(best < np.concatenate([[np.inf], best[:-1]])[: len(best)])
    return times[better], values[better]
