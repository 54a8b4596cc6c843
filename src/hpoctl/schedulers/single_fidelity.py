"""The single-fidelity scheduler: every trial runs to the largest resource."""

from collections.abc import Sequence

from hpoctl.core.entries import MethodContext
from hpoctl.core.protocols import Action, Decision, Outcome, Report, Resume, RungState, Start
from hpoctl.schedulers.searcher import Searcher

_GO_ON = Decision(Action.CONTINUE, "runs to the end")


class SingleFidelity:
    """Starts whatever the searcher suggests and lets it run to the end.

    Args:
        searcher: Picks the configurations.
        context: The goal and the largest resource.
    """

    def __init__(self, searcher: Searcher, context: MethodContext) -> None:
        self._searcher = searcher
        self._goal = context.goal
        self._max_resource = context.max_resource

    def suggest(self, trial_id: int) -> Start | Resume | None:
        """A new trial, or None: the space is exhausted."""
        suggestion = self._searcher.suggest(trial_id)
        if suggestion is None:
            return None
        self._searcher.pending(trial_id, self._max_resource)
        return Start(suggestion.config, self._max_resource, suggestion.origin, suggestion.note)

    def on_report(self, report: Report) -> Decision:
        """Tell the searcher final values; every trial goes on."""
        resource = int(report.resources[-1])
        if resource >= self._max_resource:
            self._searcher.observe(report.trial_id, resource, self._goal.last(report.metrics))
        return _GO_ON

    def on_end(self, trial_id: int, outcome: Outcome) -> None:  # noqa: ARG002 - however it ended
        """Tell the searcher that the trial is not pending any more."""
        self._searcher.ended(trial_id)

    def rungs(self) -> Sequence[RungState]:
        """None: there is one fidelity."""
        return ()
