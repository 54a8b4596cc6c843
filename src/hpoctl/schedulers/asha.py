"""ASHA, of promotion and of stopping type, with brackets (Li et al. 2020, MLSys, algorithm 2).

With a random searcher it is ASHA, with a multi-fidelity model as its searcher it is MOBSTER (Klein et al. 2020,
arXiv 2003.10865).
"""

from collections.abc import Sequence

import numpy as np

from hpoctl.core.entries import MethodContext
from hpoctl.core.grounds import Grounds, grounds_of
from hpoctl.core.protocols import Action, Decision, Outcome, Report, Resume, RungState, Start
from hpoctl.schedulers.options import AshaOptions
from hpoctl.schedulers.rung_trust import RungTrust
from hpoctl.schedulers.rungs import (
    Rung,
    bracket_weights,
    make_rungs,
    next_level,
    on_the_way,
    rung_levels,
    rung_states,
)
from hpoctl.schedulers.searcher import Searcher

BRACKET_BLOCK = 256


class Asha:
    """Asynchronous successive halving.

    Promotion type: a trial pauses at each rung; whenever a worker is free, rungs are scanned from the top and the
    best paused trial at or below its rung's cut-off is promoted; otherwise a new trial starts. Stopping type: a trial
    that reaches a rung continues if it is at or below the cut-off, and is stopped otherwise.

    Args:
        searcher: Picks the configurations of new trials.
        context: The goal, the largest resource, and the random streams that brackets are drawn from.
        options: See `AshaOptions`.
        trust: Says at which rung a new trial is decided on first; None: at the lowest of its bracket.
    """

    def __init__(
        self, searcher: Searcher, context: MethodContext, options: AshaOptions, trust: RungTrust | None = None
    ) -> None:
        self._searcher = searcher
        self._trust = trust
        self._goal = context.goal
        self._max_resource = context.largest
        self._streams = context.streams
        self._stops = options.type == "stopping"
        self._levels = rung_levels(options.grace_period, options.reduction_factor, context.largest)
        self._rungs = make_rungs(self._levels, context.largest)
        self._by_level = {rung.level: rung for rung in self._rungs}
        self._starts = (*self._levels, context.largest)
        weights = np.array(bracket_weights(self._starts, options.brackets))
        self._bracket_edges = np.cumsum(weights / weights.sum())
        # Reasons speak of the metric, not of what is minimised.
        self._good, self._bad = ("below", "above") if self._goal.sign > 0 else ("above", "below")
        self._pauses = {level: Decision(Action.PAUSE, f"waits at level {level}") for level in self._levels}
        self._target: dict[int, int] = {}
        self._paused_at: dict[int, tuple[int, int]] = {}  # the rung and the resource
        self._entered: dict[int, int] = {}  # the level of the last rung that each trial has entered

    def suggest(self, trial_id: int) -> Start | Resume | None:
        """Promote the best trial that deserves it, or start a new one; None: neither is possible now."""
        return self._promotion() or self._new_trial(trial_id)

    def on_report(self, report: Report) -> Decision:
        """Decide on a trial that has reached or passed its next rung or the largest resource.

        A trial that has passed its rung enters it with the value it has now.
        """
        trial_id, resource = report.trial_id, min(int(report.resources[-1]), self._max_resource)
        if self._trust:
            self._trust.reported(trial_id, report.resources, self._goal.values(report.metrics))
        level = self._target[trial_id]
        early = on_the_way(resource, level)
        if early is not None:
            return early
        value = self._goal.last(report.metrics)
        self._searcher.observe(trial_id, resource, value)
        if resource >= self._max_resource:
            return Decision(Action.STOP, f"reached {resource}")
        rung = self._by_level[level]
        rung.record(trial_id, value)
        self._entered[trial_id] = level
        if not self._stops:
            self._paused_at[trial_id] = (level, resource)
            return self._pauses[level]
        rung.left(trial_id)
        if not rung.is_good(value):
            return Decision(Action.STOP, f"{self._bad} the cut-off at level {level}")
        reason = f"at or {self._good} the cut-off at level {level}"
        return Decision(Action.CONTINUE, reason, self._aim(trial_id, resource))

    def on_end(self, trial_id: int, outcome: Outcome) -> None:
        """A paused trial can be promoted from now on; one that failed cannot."""
        self._searcher.ended(trial_id)
        paused = self._paused_at.get(trial_id)
        if paused is None:
            return
        level, _ = paused
        if outcome is Outcome.PAUSED:
            self._by_level[level].paused(trial_id)
        else:
            self._by_level[level].left(trial_id)

    def rungs(self) -> Sequence[RungState]:
        """The rungs from the largest level down."""
        return rung_states(self._rungs)

    def explain(self, trial_id: int) -> Grounds:
        """Where a trial stands at the last rung that it has entered, and how its configuration was chosen."""
        level = self._entered.get(trial_id)
        rank = None if level is None else self._by_level[level].rank(trial_id)
        of_searcher = grounds_of(self._searcher, trial_id)
        notes = (*of_searcher.notes, *((self._trust.explain(trial_id),) if self._trust else ()))
        return Grounds(rank, of_searcher.model, notes)

    def _promotion(self) -> Resume | None:
        for rung in reversed(self._rungs):
            best = rung.promote_best()
            if best is not None:
                trial_id, value = best
                _, resource = self._paused_at.pop(trial_id)
                until = self._aim(trial_id, resource)
                return Resume(trial_id, until, self._why(rung, value))
        return None

    def _why(self, rung: Rung, value: float) -> str:
        sign = self._goal.sign
        shown = [f"{sign * number:.6g}" for number in (value, rung.cutoff()) if number is not None]
        return f"level {rung.level}: {(' <= ' if sign > 0 else ' >= ').join(shown)}, {len(rung)} entries"

    def _new_trial(self, trial_id: int) -> Start | None:
        suggestion = self._searcher.suggest(trial_id)
        if suggestion is None:
            return None
        start = self._bracket(trial_id)
        if self._trust:
            start = max(start, self._trust.start(trial_id, watch=suggestion.origin != "model"))
        until = self._starts[start]
        self._target[trial_id] = until
        self._searcher.pending(trial_id, until)
        return Start(suggestion.config, until, suggestion.origin, suggestion.note)

    def _aim(self, trial_id: int, resource: int) -> int:
        """Send a trial to the first level above a resource."""
        target = next_level(self._levels, resource, self._max_resource)
        self._target[trial_id] = target
        self._searcher.pending(trial_id, target)
        return target

    def _bracket(self, trial_id: int) -> int:
        if len(self._bracket_edges) == 1:
            return 0
        block, place = divmod(trial_id, BRACKET_BLOCK)
        draw = self._streams.get("brackets", block).random(BRACKET_BLOCK)[place]
        return int(np.searchsorted(self._bracket_edges[:-1], draw, side="right"))
