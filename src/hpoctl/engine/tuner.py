"""The tuning loop: a free worker gets what the scheduler suggests, a report gets the scheduler's decision."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from hpoctl.core.clock import Clock
from hpoctl.core.protocols import (
    Action,
    Decision,
    Ended,
    Outcome,
    Report,
    Resume,
    RungState,
    Scheduler,
    Start,
    TrialBackend,
)
from hpoctl.engine.failures import check_failures, check_rows
from hpoctl.engine.rows import ExtraColumns, RowLog
from hpoctl.engine.trial_log import TrialLog


@dataclass(frozen=True, slots=True)
class Limits:
    """When an experiment is over; the backend itself ends it when its time is over.

    Attributes:
        n_workers: How many trials run at a time.
        max_num_evaluations: How many rows are enough; None: any number.
        max_num_trials: How many trials are enough; None: any number. When the scheduler wants one more, it is not asked
            again: what runs continues until it pauses, is stopped or completes.
        max_failures: How many trials may fail, as a number or as a share of those that were started; None: any number.
        trial_retries: How often a trial that fails is started again, from its last checkpoint where it keeps one.
    """

    n_workers: int
    max_num_evaluations: int | None = None
    max_num_trials: int | None = None
    max_failures: float | None = None
    trial_retries: int = 0


class Watcher(Protocol):
    """Somebody who watches an experiment run."""

    def begins(self, trial_id: int, step: Start | Resume, now: float) -> None:
        """A trial starts or resumes."""
        ...

    def reports(self, report: Report, decision: Decision, log: RowLog) -> None:
        """A trial has reported and a decision was taken."""
        ...

    def ends(self, event: Ended) -> None:
        """A trial has left its worker."""
        ...

    def says(self, text: str) -> None:
        """Something happened that concerns the whole experiment, such as a full disk."""
        ...


@dataclass(frozen=True, slots=True)
class RunningExperiment:
    """The read-only view that extra-result composers get; see `ExperimentView`."""

    method: str
    benchmark: str
    seed: int
    _clock: Clock
    _scheduler: Scheduler
    _log: RowLog

    @property
    def now(self) -> float:
        """Seconds of the experiment's clock."""
        return self._clock.now()

    @property
    def num_trials(self) -> int:
        """How many trials have been started."""
        return len(self._log.configs)

    def rungs(self) -> tuple[RungState, ...]:
        """The rungs of the scheduler from the largest level down."""
        return tuple(self._scheduler.rungs())


@dataclass(frozen=True, slots=True)
class Parts:
    """What the loop connects.

    Attributes:
        scheduler: Decides.
        backend: Executes.
        clock: Seconds of the experiment.
        suggest: Asks the scheduler for the next step, and charges the experiment's clock for the time it takes.
        log: Takes in rows and configurations.
        extra: Takes in extra columns.
        watcher: Watches.
        trials: Takes in what becomes of trials.
        in_force: The limits that hold now. An experiment that continues replays those that held then.
    """

    scheduler: Scheduler
    backend: TrialBackend
    clock: Clock
    suggest: Callable[[int], Start | Resume | None]
    log: RowLog
    extra: ExtraColumns
    watcher: Watcher
    trials: TrialLog = field(default_factory=TrialLog)
    in_force: Callable[[Limits], Limits] = field(default=lambda limits: limits)


@dataclass(slots=True)
class _Busy:
    """What a trial on a worker is about: the resource of its next question, and whether it was told to leave."""

    until: int | None
    leaves: bool = False


@dataclass(slots=True)
class _State:
    """Where the loop is.

    Attributes:
        busy: The trials on workers.
        reached: The last resource of each trial that has reported.
        held: A trial that the scheduler has suggested beyond those that may be; it is not asked for another.
    """

    busy: dict[int, _Busy] = field(default_factory=dict)
    reached: dict[int, int] = field(default_factory=dict)
    held: Start | None = None


def tune(parts: Parts, limits: Limits) -> None:
    """Run until the time is over, enough rows are there, the trials are used up, or nothing is left to try.

    The backend is closed on any exception.

    Raises:
        TooManyFailuresError: Too many trials have failed, or all of them before they reported anything.
        HpoctlError: The backend or the method has failed.
    """
    state = _State()
    try:
        _run(parts, limits, state)
    except BaseException:
        with suppress(Exception):  # the first error is the one to tell
            parts.backend.close()
        raise
    for event in parts.backend.close():
        if isinstance(event, Ended):
            if state.busy.pop(event.trial_id, None):
                parts.trials.ends(event)
        else:
            report = _new_rows(parts, state, event)
            if report is not None:
                parts.log.add(report, Action.CONTINUE)
    check_rows(parts.trials, parts.log.count)


def _run(parts: Parts, limits: Limits, state: _State) -> None:
    enough = limits.max_num_evaluations
    while enough is None or parts.log.count < enough:
        _fill_workers(parts, limits, state)
        if not state.busy:
            return
        events = parts.backend.wait()
        if not events:
            return
        for event in events:
            if isinstance(event, Ended):
                _end(parts, limits, state, event)
            else:
                _report(parts, state, event)


def _fill_workers(parts: Parts, limits: Limits, state: _State) -> None:
    while len(state.busy) < limits.n_workers:
        new_id = len(parts.log.configs)
        full = new_id == parts.in_force(limits).max_num_trials
        if full and state.held is not None:
            return
        step: Start | Resume | None = state.held or parts.suggest(new_id)
        state.held = None
        if step is None:
            return
        if isinstance(step, Resume):
            trial_id = step.trial_id
        elif full:
            state.held = step  # for a larger budget that continues the experiment
            return
        else:
            trial_id = new_id
            parts.log.configs.append(step.config)
        _begin(parts, state, trial_id, step)


def _begin(parts: Parts, state: _State, trial_id: int, step: Start | Resume) -> None:
    level = state.reached.get(trial_id)
    now = parts.clock.now()
    parts.watcher.begins(trial_id, step, now)
    state.busy[trial_id] = _Busy(step.until)
    parts.trials.begins(trial_id, now, level or 0)
    parts.backend.start(trial_id, parts.log.configs[trial_id], resume_from=level, until=step.until)


def _report(parts: Parts, state: _State, told: Report) -> None:
    report = _new_rows(parts, state, told)
    if report is None:
        busy = state.busy.get(told.trial_id)
        if busy and not busy.leaves:
            parts.backend.proceed(told.trial_id, until=busy.until)
        return
    trial_id = report.trial_id
    decision = parts.scheduler.on_report(report)
    parts.log.add(report, decision.action)
    parts.extra.update(float(report.times[-1]))
    busy = state.busy[trial_id]
    if decision.action is Action.CONTINUE:
        busy.until = decision.until
        parts.backend.proceed(trial_id, until=decision.until)
    else:
        busy.leaves = True
        parts.backend.stop(trial_id, pause=decision.action is Action.PAUSE)
    parts.watcher.reports(report, decision, parts.log)


def _new_rows(parts: Parts, state: _State, report: Report) -> Report | None:
    """The rows of a report that count: neither known already, nor of a trial that has left or was told to."""
    trial_id, resources = report.trial_id, report.resources
    busy = state.busy.get(trial_id)
    if busy is None or busy.leaves:
        parts.trials.dropped(trial_id, len(resources))
        return None
    known = state.reached.get(trial_id, 0)
    if resources[0] <= known:
        first = int(resources.searchsorted(known, side="right"))
        parts.trials.dropped(trial_id, first)
        if first == len(resources):
            return None
        report = report.rows(slice(first, None))
    state.reached[trial_id] = last = int(resources[-1])
    parts.trials.reached(trial_id, last)
    return report


def _end(parts: Parts, limits: Limits, state: _State, event: Ended) -> None:
    trial_id = event.trial_id
    busy = state.busy.pop(trial_id, None)
    if busy is None:
        return  # it has left already
    parts.trials.ends(event)
    parts.watcher.ends(event)
    failed = event.outcome is Outcome.FAILED
    retries = parts.in_force(limits).trial_retries
    if failed and not busy.leaves and parts.trials.tried_again(trial_id) < retries:
        tries = f"try {parts.trials.retries(trial_id)} of {retries}"
        _begin(parts, state, trial_id, Resume(trial_id, busy.until, f"{tries} after: {event.reason or 'it failed'}"))
        return
    parts.scheduler.on_end(trial_id, event.outcome)
    if failed:
        parts.trials.fails(trial_id, event.reason)
        check_failures(parts.trials, limits.max_failures)
