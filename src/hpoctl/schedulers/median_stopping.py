"""The median stopping rule (Golovin et al. 2017, "Google Vizier", KDD, section 3.2.2): the lower half is stopped."""

import math
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hpoctl.core.entries import MethodContext
from hpoctl.core.grounds import Grounds, Rank, grounds_of
from hpoctl.core.protocols import Action, Decision, FloatArray, Outcome, Report, Resume, RungState, Start
from hpoctl.schedulers.options import MedianOptions
from hpoctl.schedulers.rungs import next_level, on_the_way, rung_levels
from hpoctl.schedulers.searcher import Searcher


@dataclass(slots=True)
class _Course:
    """What a running trial has reported, to be minimised; NaN and infinite values count as infinite."""

    best: float = math.inf
    total: float = 0.0
    count: int = 0

    def add(self, values: FloatArray) -> None:
        values = np.where(np.isfinite(values), values, np.inf)
        self.best = min(self.best, float(values.min()))
        self.total += float(values.sum())
        self.count += len(values)


class MedianStopping:
    """Stops a trial whose best value so far is worse than the median of the others' running averages.

    The running average at a level is the mean of all values up to that level. The others are all trials that have
    reached the level, whether they were stopped later or not: in the paper they are the completed ones, of which there
    are few while trials are being stopped. A trial is also stopped when its value is NaN or infinite.

    Trials are judged at levels g, g k, g k^2, ..., not at every report: running averages move with the logarithm of the
    resource, so little is lost, and an experiment costs a fifth.

    Args:
        searcher: Picks the configurations of new trials.
        context: The goal, the largest resource.
        options: See `MedianOptions`.

    Raises:
        UsageError: There is no level below the largest resource.
    """

    def __init__(self, searcher: Searcher, context: MethodContext, options: MedianOptions) -> None:
        self._searcher = searcher
        self._goal = context.goal
        self._max_resource = context.largest
        self._min_trials = options.min_trials
        self._levels = rung_levels(options.grace_period, options.level_factor, context.largest)
        self._averages: dict[int, list[float]] = {level: [] for level in self._levels}
        self._courses: dict[int, _Course] = {}
        self._target: dict[int, int] = {}
        self._judged: dict[int, tuple[int, float, int, float | None]] = {}  # level, best value, others, their median

    def suggest(self, trial_id: int) -> Start | Resume | None:
        """A new trial, or None: the space is exhausted."""
        suggestion = self._searcher.suggest(trial_id)
        if suggestion is None:
            return None
        self._courses[trial_id] = _Course()
        return Start(suggestion.config, self._aim(trial_id, 0), suggestion.origin, suggestion.note)

    def on_report(self, report: Report) -> Decision:
        """Judge a trial that has reached or passed its next level."""
        trial_id, resource = report.trial_id, min(int(report.resources[-1]), self._max_resource)
        course = self._courses[trial_id]
        course.add(self._goal.values(report.metrics))
        level = self._target[trial_id]
        early = on_the_way(resource, level)
        if early is not None:
            return early
        value = self._goal.last(report.metrics)
        self._searcher.observe(trial_id, resource, value)
        if resource >= self._max_resource:
            return Decision(Action.STOP, f"reached {resource}")
        bad = self._verdict(trial_id, level, course)
        insort(self._averages[level], course.total / course.count)
        if not math.isfinite(value):
            return Decision(Action.STOP, f"diverged at level {level}")
        if bad:
            return Decision(Action.STOP, f"level {level}: {bad}")
        return Decision(Action.CONTINUE, f"passes level {level}", self._aim(trial_id, resource))

    def on_end(self, trial_id: int, outcome: Outcome) -> None:  # noqa: ARG002 - however it ended
        """A trial has left its worker; what it reported stays."""
        self._searcher.ended(trial_id)
        self._courses.pop(trial_id, None)

    def explain(self, trial_id: int) -> Grounds:
        """How a trial compared with the others when it was judged last, and how its configuration was chosen."""
        found = grounds_of(self._searcher, trial_id)
        if trial_id not in self._judged:
            return found
        level, best, others, median = self._judged[trial_id]
        rule = f"its best value must not exceed the median of the others' running averages at level {level}"
        if median is None:
            rule = f"too few others to judge: {others} of {self._min_trials}"
        return replace(found, rank=Rank(level, best, others + 1, rule, cutoff=median))

    def rungs(self) -> Sequence[RungState]:
        """The levels of judgement from the largest down; about half of the trials continue."""
        return tuple(RungState(level, len(self._averages[level]), 0.5) for level in reversed(self._levels))

    def _verdict(self, trial_id: int, level: int, course: _Course) -> str:
        """Why a trial is worse than the others; empty: it is not, or they are too few."""
        others = self._averages[level]
        if len(others) < self._min_trials:
            self._judged[trial_id] = (level, course.best, len(others), None)
            return ""
        middle = len(others) // 2
        median = others[middle] if len(others) % 2 else (others[middle - 1] + others[middle]) / 2
        self._judged[trial_id] = (level, course.best, len(others), median)
        if course.best <= median:
            return ""
        best, bound = (f"{self._goal.sign * number:.6g}" for number in (course.best, median))
        return f"best {best}, median {bound} of {len(others)} others"

    def _aim(self, trial_id: int, resource: int) -> int:
        """Send a trial to the first level above a resource."""
        target = next_level(self._levels, resource, self._max_resource)
        self._target[trial_id] = target
        self._searcher.pending(trial_id, target)
        return target
