"""The single-fidelity scheduler: every trial runs to the largest resource, or to the end of its script."""

from collections.abc import Sequence

from hpoctl.core.entries import MethodContext
from hpoctl.core.grounds import Grounds, grounds_of
from hpoctl.core.protocols import Action, Decision, Outcome, Report, Resume, RungState, Start
from hpoctl.schedulers.searcher import Searcher

_GO_ON = Decision(Action.CONTINUE, "runs to the end")


class SingleFidelity:
    """Starts the suggestions of the searcher and lets each run to the end.

    Args:
        searcher: Picks the configurations.
        context: The goal and the largest resource.
    """

    def __init__(self, searcher: Searcher, context: MethodContext) -> None:
        self._searcher = searcher
        self._goal = context.goal
        self._max_resource = context.max_resource
        self._last: dict[int, tuple[int, float]] = {}

    def suggest(self, trial_id: int) -> Start | Resume | None:
        """A new trial, or None: the space is exhausted."""
        suggestion = self._searcher.suggest(trial_id)
        if suggestion is None:
            return None
        self._searcher.pending(trial_id, self._max_resource or 1)  # there is one level; which one does not matter
        return Start(suggestion.config, self._max_resource, suggestion.origin, suggestion.note)

    def on_report(self, report: Report) -> Decision:
        """Tell the searcher values at the largest resource; every trial continues."""
        resource, value = int(report.resources[-1]), self._goal.last(report.metrics)
        if self._max_resource is not None and resource >= self._max_resource:
            self._last.pop(report.trial_id, None)
            self._searcher.observe(report.trial_id, self._max_resource, value)
        else:
            self._last[report.trial_id] = (resource, value)
        return _GO_ON

    def on_end(self, trial_id: int, outcome: Outcome) -> None:
        """A trial is not pending any more; the last value of one that completes early is its final one."""
        last = self._last.pop(trial_id, None)
        if last is not None and outcome is Outcome.COMPLETED:
            self._searcher.observe(trial_id, *last)
        self._searcher.ended(trial_id)

    def explain(self, trial_id: int) -> Grounds:
        """How the configuration of a trial was chosen."""
        return grounds_of(self._searcher, trial_id)

    def rungs(self) -> Sequence[RungState]:
        """None: there is one fidelity."""
        return ()
