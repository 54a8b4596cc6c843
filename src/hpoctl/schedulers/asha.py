"""ASHA, of promotion and of stopping type, with brackets (Li et al. 2020, MLSys, algorithm 2).

With a random searcher it is ASHA, with a multi-fidelity model as its searcher it is MOBSTER (Klein et al. 2020,
arXiv 2003.10865).
"""

from collections.abc import Sequence

import numpy as np

from hpoctl.core.entries import MethodContext
from hpoctl.core.errors import HpoctlError
from hpoctl.core.protocols import Action, Decision, Outcome, Report, Resume, RungState, Start
from hpoctl.schedulers.options import AshaOptions
from hpoctl.schedulers.rungs import bracket_weights, make_rungs, next_level, rung_levels, rung_states
from hpoctl.schedulers.searcher import Searcher

BRACKET_BLOCK = 256


class Asha:
    """Asynchronous successive halving.

    Promotion type: a trial pauses at each rung; whenever a worker is free, rungs are scanned from the top and the
    best paused trial at or below its rung's cut-off is promoted; otherwise a new trial starts. Stopping type: a trial
    that reaches a rung goes on if it is at or below the cut-off, and is stopped otherwise.

    Args:
        searcher: Picks the configurations of new trials.
        context: The goal, the largest resource, and the random streams that brackets are drawn from.
        options: See `AshaOptions`.
    """

    def __init__(self, searcher: Searcher, context: MethodContext, options: AshaOptions) -> None:
        self._searcher = searcher
        self._goal = context.goal
        self._max_resource = context.max_resource
        self._streams = context.streams
        self._stops = options.type == "stopping"
        self._levels = rung_levels(options.grace_period, options.reduction_factor, context.max_resource)
        self._rungs = make_rungs(self._levels, context.max_resource)
        self._by_level = {rung.level: rung for rung in self._rungs}
        self._starts = (*self._levels, context.max_resource)
        weights = np.array(bracket_weights(self._starts, options.brackets))
        self._bracket_edges = np.cumsum(weights / weights.sum())
        self._pauses = {level: Decision(Action.PAUSE, f"waits at level {level}") for level in self._levels}
        self._target: dict[int, int] = {}
        self._paused_at: dict[int, int] = {}

    def suggest(self, trial_id: int) -> Start | Resume | None:
        """Promote the best trial that deserves it, or start a new one; None: neither is possible now."""
        return self._promotion() or self._new_trial(trial_id)

    def on_report(self, report: Report) -> Decision:
        """Decide on a trial that has reached its next rung or the largest resource.

        Raises:
            HpoctlError: The trial skipped the level it was to report at.
        """
        trial_id, resource = report.trial_id, int(report.resources[-1])
        target = self._target[trial_id]
        if resource < target:
            return Decision(Action.CONTINUE, f"on the way to {target}", target)
        if resource > target:
            raise HpoctlError(
                f"Trial {trial_id} reported at {resource}, but not at its rung level {target}.",
                "Report at every resource level from 1 on.",
            )
        value = self._goal.last(report.metrics)
        self._searcher.observe(trial_id, resource, value)
        if resource >= self._max_resource:
            return Decision(Action.STOP, f"reached {resource}")
        rung = self._by_level[resource]
        rung.record(trial_id, value)
        if not self._stops:
            self._paused_at[trial_id] = resource
            return self._pauses[resource]
        rung.left(trial_id)
        if not rung.is_good(value):
            return Decision(Action.STOP, f"above the cut-off at level {resource}")
        return Decision(Action.CONTINUE, f"at or below the cut-off at level {resource}", self._aim(trial_id, resource))

    def on_end(self, trial_id: int, outcome: Outcome) -> None:
        """A paused trial can be promoted from now on; one that failed cannot."""
        self._searcher.ended(trial_id)
        level = self._paused_at.get(trial_id)
        if level is None:
            return
        if outcome is Outcome.PAUSED:
            self._by_level[level].paused(trial_id)
        else:
            self._by_level[level].left(trial_id)

    def rungs(self) -> Sequence[RungState]:
        """The rungs from the largest level down."""
        return rung_states(self._rungs)

    def _promotion(self) -> Resume | None:
        for rung in reversed(self._rungs):
            best = rung.promote_best()
            if best is not None:
                trial_id, value = best
                del self._paused_at[trial_id]
                until = self._aim(trial_id, rung.level)
                cutoff = rung.cutoff()
                return Resume(trial_id, until, f"level {rung.level}: {value:.6g} <= {cutoff:.6g}, {len(rung)} entries")
        return None

    def _new_trial(self, trial_id: int) -> Start | None:
        suggestion = self._searcher.suggest(trial_id)
        if suggestion is None:
            return None
        until = self._starts[self._bracket(trial_id)]
        self._target[trial_id] = until
        self._searcher.pending(trial_id, until)
        return Start(suggestion.config, until, suggestion.origin, suggestion.note)

    def _aim(self, trial_id: int, level: int) -> int:
        """Send a trial to the level after this one."""
        target = next_level(self._levels, level, self._max_resource)
        self._target[trial_id] = target
        self._searcher.pending(trial_id, target)
        return target

    def _bracket(self, trial_id: int) -> int:
        if len(self._bracket_edges) == 1:
            return 0
        block, place = divmod(trial_id, BRACKET_BLOCK)
        draw = self._streams.get("brackets", block).random(BRACKET_BLOCK)[place]
        return int(np.searchsorted(self._bracket_edges[:-1], draw, side="right"))
