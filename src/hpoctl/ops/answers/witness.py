"""What happens to one trial of an experiment that is run again: noted as it happens, with what each decision rests on.

The scheduler itself says what its decisions rest on, see `core.grounds`; it is asked right after each one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from hpoctl.core.entries import Goal, Method, MethodContext
from hpoctl.core.grounds import ModelChoice, Rank, grounds_of
from hpoctl.core.protocols import Action, Decision, Ended, Outcome, Report, Resume, Scheduler, Start
from hpoctl.core.space import Config
from hpoctl.engine.rows import RowLog

MomentKind = Literal[
    "suggested", "promoted", "retried", "continued", "paused", "stopped", "completed", "failed", "ended"
]


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to the trial. Values are those of the metric.

    Attributes:
        time: When, in seconds of the experiment's clock.
        kind: What.
        level: The resource level that it is sent to (suggested, promoted, retried), or that it has reached; None: none.
        value: The value that it has reported there; None: it has reported none.
        reason: The reason that the scheduler gave, or that its training ended for.
        rank: Where it stood; None: nothing was compared.
        model: How a model chose its configuration; None: no model did.
        notes: What else counted, a sentence each.
    """

    time: float
    kind: MomentKind
    level: int | None
    value: float | None
    reason: str
    rank: Rank | None = None
    model: ModelChoice | None = None
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Wait:
    """A time during which the trial was paused, and what free workers did instead.

    Attributes:
        level: The level at which it paused.
        begin: When, in seconds of the experiment's clock.
        end: When it was resumed; None: never.
        ahead: Trials that were ahead of it in its rung and were promoted: when, which, their values.
        other_promotions: How many other trials were promoted.
        new_trials: How many new trials were started.
        rank: Where it stands at the end of the wait; None: the method ranks no trials.
    """

    level: int
    begin: float
    end: float | None = None
    ahead: list[tuple[float, int, float]] = field(default_factory=list)
    other_promotions: int = 0
    new_trials: int = 0
    rank: Rank | None = None


class Witness:
    """A watcher that notes what happens to one trial.

    Args:
        trial_id: The trial.
        goal: What the scheduler makes small.
    """

    def __init__(self, trial_id: int, goal: Goal) -> None:
        self.moments: list[Moment] = []
        self.waits: list[Wait] = []
        self.config: Config | None = None
        self.running = False
        self.last: tuple[int, float] | None = None
        self._trial_id = trial_id
        self._goal = goal
        self._scheduler: Scheduler | None = None
        self._until: int | None = None  # the level that it was sent to

    def follows(self, method: Method) -> Method:
        """The method, with its scheduler known here once it is made."""

        def make(context: MethodContext, options: Any) -> Scheduler:
            self._scheduler = method.make(context, options)
            return self._scheduler

        return replace(method, make=make)

    def close(self) -> None:
        """The experiment is over: see where the trial stands."""
        if self.waits and self.waits[-1].end is None:
            self.waits[-1].rank = self._rank()

    def begins(self, trial_id: int, step: Start | Resume, now: float) -> None:
        """A trial starts or resumes."""
        if trial_id != self._trial_id:
            self._passed_over(trial_id, step, now)
            return
        self.running, self._until = True, step.until
        if isinstance(step, Start):
            self.config = step.config
            self._note(now, "suggested", step.until, None, step.reason)
            return
        if self.waits and self.waits[-1].end is None:
            self.waits[-1].end, self.waits[-1].rank = now, self._rank()
        again = bool(self.moments) and self.moments[-1].kind == "failed"
        self._note(now, "retried" if again else "promoted", step.until, None, step.reason)

    def reports(self, report: Report, decision: Decision, log: RowLog) -> None:  # noqa: ARG002 - a watcher's signature
        """A trial has reported and a decision was taken."""
        if report.trial_id != self._trial_id:
            return
        now, level = float(report.times[-1]), int(report.resources[-1])
        value = self._goal.sign * self._goal.last(report.metrics)
        before, self.last = self._until, (level, value)
        if decision.action is Action.CONTINUE and decision.until in (None, before):
            return  # on its way: nothing was decided
        kinds: Mapping[Action, MomentKind] = {
            Action.CONTINUE: "continued",
            Action.PAUSE: "paused",
            Action.STOP: "stopped",
        }
        self._until = decision.until
        self._note(now, kinds[decision.action], level, value, decision.reason)

    def ends(self, event: Ended) -> None:
        """A trial has left its worker."""
        if event.trial_id != self._trial_id:
            return
        self.running = False
        level, value = self.last or (None, None)
        if event.outcome is Outcome.PAUSED:
            self.waits.append(Wait(level or 0, event.time))
        elif event.outcome is Outcome.FAILED:
            self._note(event.time, "failed", level, value, event.reason)
        elif event.outcome is Outcome.COMPLETED:
            self._completed(event, level, value)
        elif not self.moments or self.moments[-1].kind != "stopped":
            self._note(event.time, "ended", level, value, event.reason)

    def says(self, text: str) -> None:
        """What concerns the whole experiment is not about the trial."""

    def _completed(self, event: Ended, level: int | None, value: float | None) -> None:
        """It has run to its end: what was decided on its last report does not matter any more."""
        if self.moments and self.moments[-1].kind == "stopped":
            last = self.moments.pop()
            self.moments.append(replace(last, kind="completed"))
        else:
            self._note(event.time, "completed", level, value, event.reason)

    def _passed_over(self, trial_id: int, step: Start | Resume, now: float) -> None:
        """Another trial gets a worker."""
        if not self.waits or self.waits[-1].end is not None:
            return
        wait = self.waits[-1]
        if isinstance(step, Start):
            wait.new_trials += 1
            return
        rank, other = self._rank(), grounds_of(self._scheduler, trial_id).rank
        same = rank is not None and other is not None and rank.level == other.level
        value = dict(rank.ahead).get(trial_id) if rank is not None and same else None
        if value is None:
            wait.other_promotions += 1
        else:
            wait.ahead.append((now, trial_id, value))

    def _note(self, now: float, kind: MomentKind, level: int | None, value: float | None, reason: str) -> None:
        found = grounds_of(self._scheduler, self._trial_id)
        first = kind == "suggested"
        rank = None if first or kind in ("failed", "retried", "ended") else self._signed(found.rank)
        self.moments.append(
            Moment(now, kind, level, value, reason, rank, found.model if first else None, found.notes if first else ())
        )

    def _rank(self) -> Rank | None:
        return self._signed(grounds_of(self._scheduler, self._trial_id).rank)

    def _signed(self, rank: Rank | None) -> Rank | None:
        """A rank with values of the metric."""
        if rank is None:
            return None
        sign = self._goal.sign
        return replace(
            rank,
            value=sign * rank.value,
            cutoff=None if rank.cutoff is None else sign * rank.cutoff,
            ahead=tuple((trial, sign * value) for trial, value in rank.ahead),
        )
