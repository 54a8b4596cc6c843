"""What became of trials: one run for each start or resume, from worker to outcome."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from hpoctl.core.protocols import Ended, Outcome


@dataclass(slots=True)
class Run:
    """One start or resume of a trial.

    Attributes:
        trial_id: The trial.
        begin: When it began, in seconds of the experiment's clock.
        resource_from: The resource that was known when it began; 0: none.
        resource_to: The resource that it has reached.
        end: When it left its worker; None: it runs.
        outcome: How it ended; None: it runs.
        reason: Why, in one line.
        exit_status: The exit status of its process, if it has one.
        signal: The signal that ended its process, if one did.
        slot: The worker that it ran on, if workers have numbers.
        devices: The devices that it had.
        dropped: Rows that came again or too late, and were not recorded.
    """

    trial_id: int
    begin: float
    resource_from: int
    resource_to: int
    end: float | None = None
    outcome: Outcome | None = None
    reason: str = ""
    exit_status: int | None = None
    signal: int | None = None
    slot: int | None = None
    devices: str = ""
    dropped: int = 0

    @property
    def seconds(self) -> float:
        """How long it took; 0 while it runs."""
        return 0.0 if self.end is None else self.end - self.begin


@dataclass(slots=True)
class TrialLog:
    """All runs in the order of their begin.

    Attributes:
        runs: The runs.
        failures: Trials that failed for good, and why.
        late: Rows of trials that no worker has.
    """

    runs: list[Run] = field(default_factory=list)
    failures: dict[int, str] = field(default_factory=dict)
    late: int = 0
    _current: dict[int, Run] = field(default_factory=dict)
    _last: dict[int, Outcome] = field(default_factory=dict)
    _retries: Counter[int] = field(default_factory=Counter)

    def begins(self, trial_id: int, now: float, resource: int) -> None:
        """A trial starts or resumes after a resource."""
        run = Run(trial_id, now, resource, resource)
        self.runs.append(run)
        self._current[trial_id] = run

    def reached(self, trial_id: int, resource: int) -> None:
        """A trial has reached a resource."""
        self._current[trial_id].resource_to = resource

    def dropped(self, trial_id: int, rows: int) -> None:
        """Rows of a trial were not recorded."""
        run = self._current.get(trial_id)
        if run is None:
            self.late += rows
        else:
            run.dropped += rows

    def ends(self, event: Ended) -> None:
        """A trial has left its worker."""
        run = self._current.pop(event.trial_id)
        # A backend may learn of an end after the fact; a run never ends before it began.
        run.end = max(event.time, run.begin)
        run.outcome, run.reason = event.outcome, event.reason
        run.exit_status, run.signal = event.exit_status, event.signal
        run.slot, run.devices = event.slot, event.devices
        self._last[event.trial_id] = event.outcome

    def retries(self, trial_id: int) -> int:
        """Count another try at a trial; returns how many there have been, this one included."""
        self._retries[trial_id] += 1
        return self._retries[trial_id]

    def tried_again(self, trial_id: int) -> int:
        """How often a trial was tried again."""
        return self._retries[trial_id]

    def fails(self, trial_id: int, reason: str) -> None:
        """A trial has failed for good."""
        self.failures[trial_id] = reason

    @property
    def started(self) -> int:
        """How many trials were started."""
        return len(self._last.keys() | self._current.keys())

    @property
    def seconds(self) -> float:
        """Seconds of training of all runs that have ended."""
        return sum(run.seconds for run in self.runs)

    def running(self) -> Sequence[Run]:
        """The runs that have not ended."""
        return list(self._current.values())

    def counts(self) -> dict[str, int]:
        """How many trials stand how, by outcome in lower case, and `running`; without zeros."""
        found = Counter(outcome.value.lower() for trial, outcome in self._last.items() if trial not in self._current)
        if self._current:
            found["running"] = len(self._current)
        return dict(sorted(found.items()))
