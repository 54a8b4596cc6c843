"""Which rungs to trust: whether what a trial shows at a level says how it will stand at the next one.

On some problems the first epochs say nothing about the later ones, and a rung there promotes the wrong trials,
whatever model suggests them. So some trials pass the lowest rungs without a decision, and the rank correlation of their
values at one level and at the next tells whether decisions at that level are worth anything. New trials start at the
lowest level that is trusted.
"""

import math
from collections.abc import Sequence

import numpy as np

from hpoctl.core.protocols import FloatArray, IntArray

ENOUGH = 8
"""How many trials have to show a level and the next one before the correlation is believed."""

SHARE = 0.02
"""Trials that pass a trusted level to watch it, as a share of all trials."""

GROWTH = 1.1
"""The correlation is computed again when there are this many times the pairs of the last time."""


class RungTrust:
    """The rank correlations between values at successive levels, of trials that passed the lower one undecided.

    Args:
        levels: The rung levels, increasing.
        least: A level whose rank correlation with the next one is below this is not trusted.
    """

    def __init__(self, levels: Sequence[int], least: float) -> None:
        self._least = least
        self._levels = tuple(levels)
        self._last = len(levels) - 1
        self._trials = 0
        self._starts: dict[int, int] = {}
        self._values: dict[tuple[int, int], float] = {}
        self._pairs: list[list[tuple[float, float]]] = [[] for _ in levels]
        self._known: list[tuple[int, float]] = [(0, math.nan) for _ in levels]

    def start(self, trial_id: int, *, watch: bool) -> int:
        """The number of the rung at which a new trial is decided on first.

        Args:
            trial_id: The trial.
            watch: Whether the trial may pass one more level than needed, to see whether that level can be trusted.
                Those that a model suggests may not: they are alike.
        """
        place = self._lowest()
        unknown = math.isnan(self._correlation(0))
        if watch and not unknown and place < self._last and len(self._pairs[place]) < ENOUGH + SHARE * self._trials:
            place += 1
        self._trials += 1
        self._starts[trial_id] = place
        return place

    def reported(self, trial_id: int, resources: IntArray, values: FloatArray) -> None:
        """A trial has reported values, to be minimised, at resource levels, shape (k,) each."""
        start = self._starts.get(trial_id, 0)
        if start == 0:
            return
        for place, level in enumerate(self._levels[: start + 1]):
            here = np.searchsorted(resources, level)
            if here < len(resources) and resources[here] == level:
                self._values[trial_id, place] = float(values[here])
                before = self._values.get((trial_id, place - 1))
                if before is not None:
                    self._pairs[place - 1].append((before, float(values[here])))

    def explain(self, trial_id: int) -> str:
        """At which rung a trial is decided on first and why, as far as that is known now; it changes nothing."""
        place = self._starts[trial_id]
        first = f"it is decided on first at level {self._levels[place]}"
        if self._least <= -1.0 or self._last == 0:
            return first
        below = max(place - 1, 0)
        count, correlation = len(self._pairs[below]), self._known[below][1]
        levels = f"levels {self._levels[below]} and {self._levels[below + 1]}"
        if math.isnan(correlation):
            return f"{first}: {count} of {ENOUGH} trials needed show whether {levels} agree"
        return f"{first}: the rank correlation of {levels} is {correlation:.2f}, {self._least:g} is enough"

    def _lowest(self) -> int:
        """The number of the lowest level that is trusted: the lowest of all has to earn it, others have to lose it."""
        if self._least <= -1.0:
            return 0
        for place in range(self._last):
            correlation = self._correlation(place)
            if correlation >= self._least or (math.isnan(correlation) and place > 0):
                return place
        return self._last

    def _correlation(self, place: int) -> float:
        """The rank correlation of a level with the next one; NaN: not known yet."""
        pairs = self._pairs[place]
        if len(pairs) < ENOUGH:
            return math.nan
        count, correlation = self._known[place]
        if len(pairs) >= GROWTH * count:
            correlation = rank_correlation(np.array(pairs))
            self._known[place] = (len(pairs), correlation)
        return correlation


def rank_correlation(pairs: FloatArray) -> float:
    """Spearman's rank correlation of pairs, shape (n, 2); values that are not finite are worst; 1 if all are equal."""
    values = np.where(np.isfinite(pairs), pairs, np.inf)
    first, second = (_mid_ranks(column) for column in values.T)
    spread = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / spread if spread > 0.0 else 1.0


def _mid_ranks(values: FloatArray) -> FloatArray:
    """Ranks around 0, equal values sharing theirs."""
    order = np.sort(values)
    ranks: FloatArray = 0.5 * (np.searchsorted(order, values, "left") + np.searchsorted(order, values, "right"))
    return np.asarray(ranks - ranks.mean())
