"""Asynchronous Hyperband: several brackets of ASHA side by side (Li et al. 2018, JMLR 18; Li et al. 2020, MLSys).

Halving early is cheap, and wrong where early values mislead. Hyperband hedges: bracket b is ASHA whose trials start at
rung b, the last bracket is random search, and all of them get the same share of the resource.
"""

from collections.abc import Sequence
from dataclasses import replace

from hpoctl.core.entries import MethodContext
from hpoctl.core.grounds import Grounds, grounds_of
from hpoctl.core.protocols import Decision, Outcome, Report, Resume, RungState, Scheduler, Start
from hpoctl.schedulers.asha import Asha
from hpoctl.schedulers.options import AshaOptions, HyperbandOptions
from hpoctl.schedulers.rungs import bracket_starts
from hpoctl.schedulers.searcher import Searcher
from hpoctl.schedulers.single_fidelity import SingleFidelity


class Hyperband:
    """Gives each free worker to the bracket that was granted the least resource so far.

    A trial belongs to the bracket that started it and is compared with trials of that bracket only. This is where it
    differs from ASHA with the option `brackets`, whose brackets share their rungs.

    Args:
        searcher: Picks the configurations of new trials, for all brackets.
        context: The goal, the largest resource.
        options: See `HyperbandOptions`.

    Raises:
        UsageError: There is no level below the largest resource.
    """

    def __init__(self, searcher: Searcher, context: MethodContext, options: HyperbandOptions) -> None:
        starts = bracket_starts(options.grace_period, options.reduction_factor, context.largest)
        self._starts = starts[: options.brackets]
        self._brackets = [_bracket(searcher, context, options, start) for start in self._starts]
        self._granted = [0] * len(self._brackets)
        self._bracket_of: dict[int, int] = {}
        self._sent_to: dict[int, int] = {}

    def suggest(self, trial_id: int) -> Start | Resume | None:
        """What the bracket that is behind does next; among equals the most aggressive one is asked first."""
        for number in sorted(range(len(self._brackets)), key=self._granted.__getitem__):
            step = self._brackets[number].suggest(trial_id)
            if isinstance(step, Start):
                self._bracket_of[trial_id] = number
                self._grant(trial_id, step.until)
                return replace(step, reason=f"{step.reason}, bracket {number}")
            if step is not None:
                self._grant(step.trial_id, step.until)
                return replace(step, reason=f"bracket {number}, {step.reason}")
        return None

    def on_report(self, report: Report) -> Decision:
        """What the trial's bracket decides."""
        decision = self._brackets[self._bracket_of[report.trial_id]].on_report(report)
        self._grant(report.trial_id, decision.until)
        return decision

    def on_end(self, trial_id: int, outcome: Outcome) -> None:
        """Tell the trial's bracket."""
        self._brackets[self._bracket_of[trial_id]].on_end(trial_id, outcome)

    def explain(self, trial_id: int) -> Grounds:
        """What the trial's bracket says of it, and what the brackets were granted so far."""
        number = self._bracket_of[trial_id]
        found = grounds_of(self._brackets[number], trial_id)
        granted = ", ".join(f"{bracket}: {resource:,}" for bracket, resource in enumerate(self._granted))
        place = f"it belongs to bracket {number}, whose trials start at level {self._starts[number]}"
        return replace(found, notes=(*found.notes, f"{place}; resource granted to each bracket so far: {granted}"))

    def rungs(self) -> Sequence[RungState]:
        """The rungs from the largest level down, entries of all brackets together."""
        found: dict[int, RungState] = {}
        for bracket in self._brackets:
            for rung in bracket.rungs():
                before = found.get(rung.level)
                found[rung.level] = replace(rung, entries=rung.entries + before.entries) if before else rung
        return tuple(found[level] for level in sorted(found, reverse=True))

    def _grant(self, trial_id: int, until: int | None) -> None:
        """Book the resource that a trial may use from now on."""
        if until is not None:
            self._granted[self._bracket_of[trial_id]] += until - self._sent_to.get(trial_id, 0)
            self._sent_to[trial_id] = until


def _bracket(searcher: Searcher, context: MethodContext, options: HyperbandOptions, start: int) -> Scheduler:
    if start == context.largest:
        return SingleFidelity(searcher, context)
    halving = AshaOptions(type=options.type, grace_period=start, reduction_factor=options.reduction_factor)
    return Asha(searcher, context, halving)
