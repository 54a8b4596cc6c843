"""What a journal says of the trials of an experiment: how far they are, which run, what they were told."""

from collections.abc import Mapping
from dataclasses import dataclass

from hpoctl.core.protocols import Ended, Known, Outcome, Report
from hpoctl.core.space import Config


@dataclass(slots=True)
class JournaledTrial:
    """What the journal says of a trial.

    Attributes:
        config: Its configuration.
        until: The resource of the scheduler's next question.
        resource: The last resource that it has reported.
        elapsed: Its seconds of training up to there.
        begin: When its last start began, in seconds of the experiment's clock.
        running: Whether it runs.
        pause: Whether it was told to pause (True) or to stop (False); None: neither.
        starts: How often it was started.
    """

    config: Config
    until: int | None = None
    resource: int = 0
    elapsed: float = 0.0
    begin: float = 0.0
    running: bool = False
    pause: bool | None = None
    starts: int = 0


class JournaledTrials:
    """The trials of an experiment, as far as its journal goes."""

    def __init__(self) -> None:
        self._trials: dict[int, JournaledTrial] = {}
        self._seconds = 0.0  # of training of starts that have ended

    def __contains__(self, trial_id: int) -> bool:
        return trial_id in self._trials

    def __getitem__(self, trial_id: int) -> JournaledTrial:
        return self._trials[trial_id]

    def start(self, trial_id: int, config: Config, until: int | None, now: float) -> None:
        """A trial starts, or continues."""
        trial = self._trials.setdefault(trial_id, JournaledTrial(config))
        trial.starts += 1
        trial.until, trial.running, trial.pause, trial.begin = until, True, None, now

    def noted(self, events: list[Report | Ended]) -> list[Report | Ended]:
        """Take note of events; returns them."""
        for event in events:
            trial = self._trials.get(event.trial_id)
            if trial is None:
                continue
            if isinstance(event, Ended):
                trial.running = False
                self._seconds += max(0.0, event.time - trial.begin)
            elif event.resources[-1] > trial.resource:
                trial.resource, trial.elapsed = int(event.resources[-1]), float(event.elapsed[-1])
        return events

    @property
    def running(self) -> Mapping[int, JournaledTrial]:
        """The trials that run."""
        return {trial_id: trial for trial_id, trial in self._trials.items() if trial.running}

    def spent(self, now: float) -> float:
        """Seconds of training of all trials, those that run included."""
        return self._seconds + sum(now - trial.begin for trial in self.running.values())

    def known(self) -> list[Known]:
        """What a backend that takes over has to know of each trial.

        A trial that runs is started again: that start does not count twice.
        """
        return [
            Known(trial_id, trial.resource, trial.elapsed, trial.starts - (trial.running and trial.pause is None))
            for trial_id, trial in self._trials.items()
        ]

    def left(self, now: float) -> list[Ended]:
        """The ends of trials that run but had been told to leave."""
        return [
            Ended(trial_id, Outcome.PAUSED if trial.pause else Outcome.STOPPED, now)
            for trial_id, trial in self.running.items()
            if trial.pause is not None
        ]
