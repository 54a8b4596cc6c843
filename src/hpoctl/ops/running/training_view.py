"""What a worker tells of its experiment: how far it is, and which trials of a script are on workers now."""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hpoctl.core.jobs import TrialActivity
from hpoctl.core.protocols import Decision, Ended, Report, Resume, Start
from hpoctl.core.space import Config
from hpoctl.engine.rows import RowLog
from hpoctl.engine.spec import ExperimentSpec

PULSE = 0.25
"""Seconds between two signs of life of an experiment."""

Answer = Callable[[Mapping[str, Any]], None]
"""Takes in what a worker tells its launcher."""


@dataclass(slots=True)
class _Training:
    """A trial on a worker: where it began and what it has reported, in seconds of the experiment's clock.

    `last_report` is the time of its last report on the watcher's own clock.
    """

    slot: int
    trial_id: int
    config: Config
    aim: int | None
    begun: float
    begun_at: int
    resource: int | None
    value: float | None
    reported: float = 0.0
    last_report: float = 0.0

    def left(self, now: float) -> float | None:
        """Seconds until it reaches its aim, at the speed that it has had since it began; None: not known yet."""
        if self.aim is None or self.resource is None or self.resource <= self.begun_at:
            return None
        speed = (self.reported - self.begun) / (self.resource - self.begun_at)
        return max(0.0, (self.aim - self.resource) * speed - (now - self.last_report))


class TrainingView:
    """Keeps track of the trials on workers. It is told what a watcher is told.

    Args:
        spec: The experiment.
        clock: Seconds of real time.
    """

    def __init__(self, spec: ExperimentSpec, clock: Callable[[], float] = time.monotonic) -> None:
        self._fixed = frozenset(spec.space().fixed)
        self._column = spec.benchmark.goal.column
        self._clock = clock
        self._running: dict[int, _Training] = {}
        self._configs: dict[int, Config] = {}
        self._reached: dict[int, tuple[int, float]] = {}

    @property
    def trials(self) -> list[TrialActivity]:
        """Those that train now, by slot."""
        now = self._clock()
        return [
            TrialActivity(
                slot=trial.slot,
                trial_id=trial.trial_id,
                config=trial.config,
                aim=trial.aim,
                resource=trial.resource,
                value=trial.value,
                left=trial.left(now),
            )
            for trial in sorted(self._running.values(), key=lambda trial: trial.slot)
        ]

    def begins(self, trial_id: int, step: Start | Resume, now: float) -> None:
        """A trial starts or resumes."""
        if isinstance(step, Start):
            self._configs[trial_id] = {name: v for name, v in step.config.items() if name not in self._fixed}
        taken = {trial.slot for trial in self._running.values()}
        slot = next(number for number in range(len(taken) + 1) if number not in taken)
        config, (resource, value) = self._configs.get(trial_id, {}), self._reached.get(trial_id, (None, None))
        self._running[trial_id] = _Training(slot, trial_id, config, step.until, now, resource or 0, resource, value)

    def reports(self, report: Report, decision: Decision, log: RowLog) -> None:  # noqa: ARG002 - a watcher's signature
        """A trial has reported."""
        resource, value = int(report.resources[-1]), float(report.metrics[-1, self._column])
        self._reached[report.trial_id] = (resource, value)
        trial = self._running.get(report.trial_id)
        if trial is not None:
            trial.resource, trial.value = resource, value
            trial.reported, trial.last_report = float(report.times[-1]), self._clock()
            trial.aim = decision.until or trial.aim

    def ends(self, event: Ended) -> None:
        """A trial has left its worker."""
        self._running.pop(event.trial_id, None)


class Pulse:
    """A watcher that says how far an experiment is, a few times a second at most."""

    def __init__(self, answer: Answer, spec: ExperimentSpec) -> None:
        self._answer = answer
        self._budget = spec.max_wallclock_time
        self._view = None if spec.benchmark.script is None else TrainingView(spec)
        self._last = time.monotonic()

    def begins(self, trial_id: int, step: Start | Resume, now: float) -> None:
        """Tell of a trial that trains: it may be long until it reports."""
        if self._view is not None:
            self._view.begins(trial_id, step, now)
            self._tell(now)

    def reports(self, report: Report, decision: Decision, log: RowLog) -> None:
        """Tell the share of the budget that is used, and which trials train."""
        if self._view is not None:
            self._view.reports(report, decision, log)
        now = time.monotonic()
        if now - self._last >= PULSE:
            self._last = now
            self._tell(float(report.times[-1]))

    def ends(self, event: Ended) -> None:
        """A trial has left its worker."""
        if self._view is not None:
            self._view.ends(event)
            self._tell(event.time)

    def says(self, text: str) -> None:
        """What concerns the whole experiment goes to its log."""
        sys.stderr.write(f"{text}\n")

    def _tell(self, now: float) -> None:
        trials = {} if self._view is None else {"trials": [asdict(trial) for trial in self._view.trials]}
        self._answer({"event": "progress", "share": min(1.0, now / self._budget), **trials})
