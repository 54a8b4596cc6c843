"""The tuning loop: a free worker gets what the scheduler suggests, a report gets the scheduler's decision."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from hpoctl.core.clock import Clock
from hpoctl.core.protocols import (
    Action,
    Decision,
    Ended,
    Report,
    Resume,
    RungState,
    Scheduler,
    Start,
    TrialBackend,
)
from hpoctl.engine.rows import ExtraColumns, RowLog


@dataclass(frozen=True, slots=True)
class Limits:
    """When an experiment is over; the backend itself ends it when its time is over.

    Attributes:
        n_workers: How many trials run at a time.
        max_num_evaluations: How many rows are enough; None: any number.
    """

    n_workers: int
    max_num_evaluations: int | None = None


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
    """

    scheduler: Scheduler
    backend: TrialBackend
    clock: Clock
    suggest: Callable[[int], Start | Resume | None]
    log: RowLog
    extra: ExtraColumns
    watcher: Watcher


def tune(parts: Parts, limits: Limits) -> None:
    """Run until the time is over, enough rows are there, or nothing is left to try."""
    busy: set[int] = set()
    paused_at: dict[int, int] = {}
    enough = limits.max_num_evaluations
    while enough is None or parts.log.count < enough:
        _fill_workers(parts, limits.n_workers, busy, paused_at)
        if not busy:
            break
        events = parts.backend.wait()
        if not events:
            break
        for event in events:
            if isinstance(event, Ended):
                busy.discard(event.trial_id)
                parts.scheduler.on_end(event.trial_id, event.outcome)
                parts.watcher.ends(event)
            elif _handle(parts, event) is Action.PAUSE:
                paused_at[event.trial_id] = int(event.resources[-1])
    for report in parts.backend.close():
        parts.log.add(report, Action.CONTINUE)


def _fill_workers(parts: Parts, n_workers: int, busy: set[int], paused_at: dict[int, int]) -> None:
    while len(busy) < n_workers:
        new_id = len(parts.log.configs)
        step = parts.suggest(new_id)
        if step is None:
            return
        if isinstance(step, Resume):
            trial_id, level = step.trial_id, paused_at.pop(step.trial_id)
        else:
            trial_id, level = new_id, None
            parts.log.configs.append(step.config)
        parts.watcher.begins(trial_id, step, parts.clock.now())
        parts.backend.start(trial_id, parts.log.configs[trial_id], resume_from=level, until=step.until)
        busy.add(trial_id)


def _handle(parts: Parts, report: Report) -> Action:
    decision = parts.scheduler.on_report(report)
    parts.log.add(report, decision.action)
    parts.extra.update(float(report.times[-1]))
    if decision.action is Action.CONTINUE:
        parts.backend.proceed(report.trial_id, until=decision.until)
    else:
        parts.backend.stop(report.trial_id, pause=decision.action is Action.PAUSE)
    parts.watcher.reports(report, decision, parts.log)
    return decision.action
