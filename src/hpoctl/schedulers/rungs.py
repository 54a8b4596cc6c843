"""Rungs: the resource levels at which a multi-fidelity scheduler compares trials.

Levels are r_min * eta^j below the largest resource; the quantile at a level is the level divided by the next one, the
last level's next being the largest resource (Li et al. 2020, "A System for Massively Parallel Hyperparameter
Tuning", MLSys, section 3; the quantile of the last level as in the reference semantics).
"""

import math
from bisect import bisect_left, insort
from collections.abc import Iterable
from fractions import Fraction

from hpoctl.core.errors import UsageError
from hpoctl.core.grounds import Rank
from hpoctl.core.protocols import Action, Decision, RungState


def rung_levels(grace_period: int, reduction_factor: int, max_resource: int) -> tuple[int, ...]:
    """The rung levels, increasing; the largest resource is not one of them.

    Raises:
        UsageError: There is no level below the largest resource.
    """
    levels = []
    level = grace_period
    while level < max_resource:
        levels.append(level)
        level *= reduction_factor
    if not levels:
        raise UsageError(
            f"grace_period is {grace_period}, but trials run to {max_resource} at most.",
            f"Use a grace_period below {max_resource}."
            if max_resource > 1
            else "Use a method that needs no rungs: RS, BO.",
        )
    return tuple(levels)


def bracket_starts(grace_period: int, reduction_factor: int, max_resource: int) -> tuple[int, ...]:
    """Where the brackets of Hyperband start: at each rung level that is followed by another, at the largest resource.

    In the notation of Li et al. 2018 they are the brackets s = s_max, ..., 0. The bracket that starts at the largest
    resource is random search. If the reduction factor is larger than the range there are two all the same.

    Raises:
        UsageError: There is no level below the largest resource.
    """
    levels = rung_levels(grace_period, reduction_factor, max_resource)
    followed = tuple(level for level in levels if level * reduction_factor <= max_resource)
    return (*(followed or levels[:1]), max_resource)


def bracket_weights(starts: tuple[int, ...], brackets: int) -> list[float]:
    """How often each bracket is chosen: bracket s with weight K / ((K - s) r_s).

    Hyperband's share of configurations for each bracket (Li et al. 2018, JMLR 18, algorithm 1).

    Args:
        starts: Where brackets may start, r_0 < r_1 < ...: the K - 1 rung levels and the largest resource.
        brackets: How many of them are used.
    """
    count = len(starts)
    return [count / ((count - s) * starts[s]) for s in range(min(brackets, count))]


RungEntry = tuple[float, int, int]
"""The value of a trial, its place in the order of arrival, its id: entries sort by value, then by arrival."""


class Rung:
    """The trials that reached one level.

    Values are to be minimised. NaN and infinite ones count as worst of all and are never promoted.

    Args:
        level: The resource level.
        following: The level after it; the share of trials that may continue is level / following.
    """

    def __init__(self, level: int, following: int) -> None:
        self.level = level
        self._following = following
        self._values: list[float] = []
        self._cutoff: float | None = None
        self._arrived: list[RungEntry] = []
        self._waiting: dict[int, RungEntry] = {}
        self._promotable: list[RungEntry] = []

    def __len__(self) -> int:
        return len(self._values)

    @property
    def quantile(self) -> float:
        """The share of trials that are promoted."""
        return self.level / self._following

    def record(self, trial_id: int, value: float) -> None:
        """Take in the value of a trial that reached this level."""
        value = value if math.isfinite(value) else math.inf
        entry = (value, len(self._values), trial_id)
        self._arrived.append(entry)
        self._waiting[trial_id] = entry
        insort(self._values, value)
        if len(self._values) > 1:
            self._cutoff = self._quantile_of_values()

    def cutoff(self) -> float | None:
        """The quantile of the values, interpolated linearly; None below two entries."""
        return self._cutoff

    def is_good(self, value: float) -> bool:
        """Whether a recorded value is at or below the cut-off; a single entry is."""
        return math.isfinite(value) and (self._cutoff is None or value <= self._cutoff)

    def rank(self, trial_id: int) -> Rank:
        """Where a trial that has reached this level stands now."""
        rule = f"the best {Fraction(self.level, self._following)} of the trials at level {self.level} continue"
        return rank_among(self._arrived, trial_id, self.level, rule, self._cutoff)

    def paused(self, trial_id: int) -> None:
        """A trial has paused at this level: from now on it can be promoted."""
        insort(self._promotable, self._waiting.pop(trial_id))

    def left(self, trial_id: int) -> None:
        """A trial has ended at this level: it cannot be promoted; its value stays."""
        self._waiting.pop(trial_id, None)

    def promote_best(self) -> tuple[int, float] | None:
        """Take the best paused trial off the list, if it is at or below the cut-off; its value stays in the rung.

        Returns:
            The trial and its value, or None. Among equal values the first to arrive is the best.
        """
        if not self._promotable or self._cutoff is None:
            return None
        value, _, trial_id = self._promotable[0]
        if value > self._cutoff or value == math.inf:
            return None
        del self._promotable[0]
        return trial_id, value

    def _quantile_of_values(self) -> float:
        # Whole numbers up to the last step: a quantile that falls on an entry is that entry, to the last bit.
        below, rest = divmod(self.level * (len(self._values) - 1), self._following)
        low = self._values[below]
        high = self._values[below + 1] if rest else low
        return low if low == high else low + (high - low) * (rest / self._following)


def rank_among(entries: Iterable[RungEntry], trial_id: int, level: int, rule: str, cutoff: float | None = None) -> Rank:
    """Where a trial stands among the entries of a level, its own included; see `Rank`."""
    ordered = sorted((value if math.isfinite(value) else math.inf, order, trial) for value, order, trial in entries)
    place = next(number for number, entry in enumerate(ordered, 1) if entry[2] == trial_id)
    ahead = tuple((trial, value) for value, _, trial in ordered[: place - 1])
    return Rank(level, ordered[place - 1][0], len(ordered), rule, place, cutoff, ahead)


def make_rungs(levels: tuple[int, ...], max_resource: int) -> list[Rung]:
    """One empty rung for each level, from the lowest up."""
    following = (*levels[1:], max_resource)
    return [Rung(level, after) for level, after in zip(levels, following, strict=True)]


def rung_states(rungs: list[Rung]) -> tuple[RungState, ...]:
    """What a person may know of the rungs, from the largest level down."""
    return tuple(RungState(rung.level, len(rung), rung.quantile) for rung in reversed(rungs))


def next_level(levels: tuple[int, ...], resource: int, max_resource: int) -> int:
    """The first level above a resource, or the largest resource."""
    place = bisect_left(levels, resource + 1)
    return levels[place] if place < len(levels) else max_resource


def on_the_way(resource: int, target: int) -> Decision | None:
    """The decision on a trial that has not reached the level it was sent to; None: it has reached or passed it."""
    return Decision(Action.CONTINUE, f"on the way to {target}", target) if resource < target else None
