"""The trials of an experiment on a script that are on workers now, as a watcher sees them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hpoctl.core.protocols import Decision, Ended, Report, Resume, Start
from hpoctl.core.space import Config
from hpoctl.engine.rows import RowLog
from hpoctl.engine.spec import ExperimentSpec


@dataclass(slots=True)
class TrialInTraining:
    """A trial on a worker.

    Attributes:
        slot: The number of the worker, from 0: the smallest that was free.
        trial_id: The trial.
        config: Its configuration, without fixed values.
        aim: The resource level that it is trained to; None: it ends by itself.
        begun: When it began, in seconds of the watcher's clock.
        begun_at: The resource that it continues from; 0: from nothing.
        resource: The last resource that it has reported; None: nothing yet.
        value: The tuned metric there.
        reported: When that was.
    """

    slot: int
    trial_id: int
    config: Config
    aim: int | None
    begun: float
    begun_at: int = 0
    resource: int | None = None
    value: float | None = None
    reported: float = 0.0

    def left(self, now: float) -> float | None:
        """Seconds until it reaches its aim, at the speed that it has had since it began; None: not known yet."""
        if self.aim is None or self.resource is None or self.resource <= self.begun_at:
            return None
        speed = (self.reported - self.begun) / (self.resource - self.begun_at)
        return max(0.0, (self.aim - self.resource) * speed - (now - self.reported))


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
        self._running: dict[int, TrialInTraining] = {}
        self._configs: dict[int, Config] = {}
        self._reached: dict[int, int] = {}

    @property
    def trials(self) -> Sequence[TrialInTraining]:
        """Those that train now, by worker."""
        return sorted(self._running.values(), key=lambda trial: trial.slot)

    def now(self) -> float:
        """Now, on the clock that `TrialInTraining.left` wants."""
        return self._clock()

    def begins(self, trial_id: int, step: Start | Resume) -> None:
        """A trial starts or resumes."""
        if isinstance(step, Start):
            self._configs[trial_id] = {name: v for name, v in step.config.items() if name not in self._fixed}
        taken = {trial.slot for trial in self._running.values()}
        slot = next(number for number in range(len(taken) + 1) if number not in taken)
        self._running[trial_id] = TrialInTraining(
            slot,
            trial_id,
            self._configs.get(trial_id, {}),
            step.until,
            self._clock(),
            self._reached.get(trial_id, 0),
        )

    def reports(self, report: Report, decision: Decision, log: RowLog) -> None:  # noqa: ARG002 - a watcher's signature
        """A trial has reported."""
        self._reached[report.trial_id] = resource = int(report.resources[-1])
        trial = self._running.get(report.trial_id)
        if trial is not None:
            trial.resource, trial.value = resource, float(report.metrics[-1, self._column])
            trial.reported = self._clock()
            trial.aim = decision.until or trial.aim

    def ends(self, event: Ended) -> None:
        """A trial has left its worker."""
        self._running.pop(event.trial_id, None)

    def summary(self) -> str:
        """All of them in a few words, such as `#7 3/9 0.312, #8 -`; empty: none runs."""
        return ", ".join(f"#{trial.trial_id} {_standing(trial)}" for trial in self.trials)


def _standing(trial: TrialInTraining) -> str:
    if trial.resource is None or trial.value is None:
        return "-"
    aim = "" if trial.aim is None else f"/{trial.aim}"
    return f"{trial.resource}{aim} {trial.value:.4g}"
