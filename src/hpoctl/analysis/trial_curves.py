"""The learning curves of the trials of one experiment, and what was decided on them at which level."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from hpoctl.core.protocols import FloatArray, IntArray, Mode

MOST_LEVELS = 12
"""The largest number of levels that are shown as rungs; a rule with more, such as after every epoch, has no rungs."""


class Mark(Enum):
    """What became of a trial at a row."""

    NONE = ""
    WENT_ON = "went on"
    PAUSED = "paused, never resumed"
    STOPPED = "stopped"
    COMPLETED = "completed"
    OPEN = "without a decision at the end"


@dataclass(frozen=True, slots=True, eq=False)
class TrialCurves:
    """The rows of an experiment, trial by trial.

    Attributes:
        trial_ids: Trials, not decreasing, shape (n,).
        resources: Resource levels, shape (n,).
        values: The metric, shape (n,).
        marks: What became of the trial, shape (n,), entries are of `Mark`.
        levels: The rung levels, increasing: where trials were paused or stopped. Empty: nowhere, or all over the place.
        mode: Whether the metric is minimised or maximised.
    """

    trial_ids: IntArray
    resources: IntArray
    values: FloatArray
    marks: NDArray[np.object_]
    levels: tuple[int, ...]
    mode: Mode

    @property
    def count(self) -> int:
        """How many trials there are."""
        return len(np.unique(self.trial_ids))

    def trials(self) -> Iterator[slice]:
        """The rows of each trial."""
        ends = np.flatnonzero(np.diff(self.trial_ids, append=-1)) + 1
        begin = 0
        for end in ends.tolist():
            yield slice(begin, end)
            begin = end

    def best(self) -> int | None:
        """The row of the best value, the first one among equals; None if no value is finite."""
        losses = np.where(np.isfinite(self.values), self.values if self.mode == "min" else -self.values, np.inf)
        place = int(losses.argmin()) if len(losses) else 0
        return place if len(losses) and np.isfinite(losses[place]) else None


@dataclass(frozen=True, slots=True)
class LevelCount:
    """What happened at a rung level.

    Attributes:
        level: The level.
        reached: How many trials have reached it.
        marks: How many of them went on, were paused, were stopped.
        best: The best value at it; None: none is finite.
    """

    level: int
    reached: int
    marks: Mapping[Mark, int]
    best: float | None


def trial_curves(
    trial_ids: IntArray,
    resources: IntArray,
    values: FloatArray,
    decisions: NDArray[np.object_],
    completed: NDArray[np.bool_],
    mode: Mode,
) -> TrialCurves:
    """The rows of an experiment, put together trial by trial.

    A trial went on where it was paused and has later rows, or where it was let run at a level at which others were
    stopped.

    Args:
        trial_ids: The trial of each row, in time order, shape (n,).
        resources: Its resource level, shape (n,).
        values: The metric, shape (n,).
        decisions: The decision on it: CONTINUE, PAUSE or STOP, shape (n,).
        completed: Whether the trial was complete with it, shape (n,).
        mode: Whether the metric is minimised or maximised.
    """
    order = np.argsort(trial_ids, kind="stable")
    trial_ids, resources, values, completed = trial_ids[order], resources[order], values[order], completed[order]
    paused = (decisions[order] == "PAUSE") & ~completed
    stopped = (decisions[order] == "STOP") & ~completed
    last = np.diff(trial_ids, append=-1) != 0
    levels = np.unique(resources[paused | stopped])
    levels = levels if len(levels) <= MOST_LEVELS else levels[:0]
    marks = np.full(len(order), Mark.NONE, dtype=object)
    marks[paused & ~last] = Mark.WENT_ON
    if not paused.any():
        marks[np.isin(resources, levels) & ~stopped & ~last] = Mark.WENT_ON
    marks[last] = Mark.OPEN
    marks[last & paused], marks[stopped], marks[completed & last] = Mark.PAUSED, Mark.STOPPED, Mark.COMPLETED
    return TrialCurves(trial_ids, resources, values, marks, tuple(levels.tolist()), mode)


def level_counts(curves: TrialCurves) -> tuple[LevelCount, ...]:
    """What happened at each rung level, from the lowest up."""
    counts = []
    for level in curves.levels:
        here = curves.resources == level
        values = curves.values[here & np.isfinite(curves.values)]
        best = None if not len(values) else float(values.min() if curves.mode == "min" else values.max())
        marks = curves.marks[here]
        found = {mark: int(np.count_nonzero(marks == mark)) for mark in (Mark.WENT_ON, Mark.PAUSED, Mark.STOPPED)}
        counts.append(LevelCount(level, int(np.count_nonzero(here)), found, best))
    return tuple(counts)


def mark_counts(curves: TrialCurves) -> dict[Mark, int]:
    """How often each mark is set, marks that never are left out."""
    counts = {mark: int(np.count_nonzero(curves.marks == mark)) for mark in Mark if mark is not Mark.NONE}
    return {mark: count for mark, count in counts.items() if count}
