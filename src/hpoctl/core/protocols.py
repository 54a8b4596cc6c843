"""The contracts between the parts of hpoctl, and the messages that travel between them.

The engine asks a scheduler what to run, hands it to a trial backend, passes the backend's reports back to the
scheduler, and carries out its decisions. None of the three knows how the others work.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hpoctl.core.space import Config

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.integer]
Mode = Literal["min", "max"]
Plain = bool | int | float | str


class Action(Enum):
    """What becomes of a trial after a report."""

    CONTINUE = "CONTINUE"
    PAUSE = "PAUSE"
    STOP = "STOP"


class Outcome(Enum):
    """How a trial left its worker; the values are the statuses in results."""

    COMPLETED = "Completed"
    STOPPED = "Stopped"
    PAUSED = "Paused"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class Start:
    """Start a new trial.

    Attributes:
        config: The configuration, fixed values included.
        until: The resource at which the scheduler wants to be asked next; None: at every report.
        reason: Why this configuration, in a few words.
        note: What a person watching would like to know about the model behind it; empty where there is none.
    """

    config: Config
    until: int | None
    reason: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Resume:
    """Resume a paused trial.

    Attributes:
        trial_id: The trial to resume.
        until: The resource at which the scheduler wants to be asked next; None: at every report.
        reason: Why this trial, in a few words.
    """

    trial_id: int
    until: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """Rows of one trial after its previous report, to the resource that was asked for or another one.

    Attributes:
        trial_id: The trial.
        resources: Resource levels, strictly increasing, shape (k,), k >= 1.
        metrics: Metric values, shape (k, m), columns in the order of the benchmark's metrics.
        elapsed: Seconds of training behind each row, cumulative over resumes, shape (k,).
        times: When each row arrived, in seconds of the experiment's clock, shape (k,).
        extra: What each row carries besides metrics, by name, k entries; empty: nothing.
    """

    trial_id: int
    resources: IntArray
    metrics: FloatArray
    elapsed: FloatArray
    times: FloatArray
    extra: Sequence[Mapping[str, Plain]] = ()

    def rows(self, chosen: slice) -> "Report":
        """A report of some of the rows."""
        return Report(
            self.trial_id,
            self.resources[chosen],
            self.metrics[chosen],
            self.elapsed[chosen],
            self.times[chosen],
            self.extra[chosen],
        )


@dataclass(frozen=True, slots=True)
class Ended:
    """A trial has left its worker.

    Attributes:
        trial_id: The trial.
        outcome: How it ended.
        time: When, in seconds of the experiment's clock.
        reason: Why, in one line; empty where the outcome says all.
        exit_status: The exit status of its process; None: there is no process, or a signal ended it.
        signal: The signal that ended its process; None: none did.
        slot: The worker that it ran on; None: workers have no numbers.
        devices: The devices that it had, such as `0,1`; empty: none.
    """

    trial_id: int
    outcome: Outcome
    time: float
    reason: str = ""
    exit_status: int | None = None
    signal: int | None = None
    slot: int | None = None
    devices: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a scheduler decides on a report.

    Attributes:
        action: What becomes of the trial.
        reason: Why, in a few words.
        until: With CONTINUE, the resource of the next question; None: at every report.
    """

    action: Action
    reason: str
    until: int | None = None


@dataclass(frozen=True, slots=True)
class RungState:
    """One rung of a multi-fidelity scheduler.

    Attributes:
        level: The resource level.
        entries: How many trials have reached it.
        quantile: The share of them that may continue.
    """

    level: int
    entries: int
    quantile: float


class Scheduler(Protocol):
    """Decides what runs. Deterministic: no clock, no I/O; its state is a fold over the events it receives."""

    def suggest(self, trial_id: int) -> Start | Resume | None:
        """What a free worker does next.

        Args:
            trial_id: The id the trial will have if a new one is started.

        Returns:
            A new trial, a paused trial to resume, or None: nothing now, ask again after the next event. When
            nothing runs any more, None ends the experiment (the space is exhausted).
        """
        ...

    def on_report(self, report: Report) -> Decision:
        """Take in the rows of a report and decide on the trial; the last row is what is decided on.

        A trial that has not reached the resource that was asked for continues; one that has passed it is decided on
        where it is.
        """
        ...

    def on_end(self, trial_id: int, outcome: Outcome) -> None:
        """A trial has left its worker."""
        ...

    def rungs(self) -> Sequence[RungState]:
        """The rungs from the largest level down; empty for a single-fidelity scheduler."""
        ...


class TrialBackend(Protocol):
    """Where trials execute."""

    def start(self, trial_id: int, config: Config, *, resume_from: int | None, until: int | None) -> None:
        """Start a trial, or resume it after the resource level `resume_from`."""
        ...

    def proceed(self, trial_id: int, *, until: int | None) -> None:
        """Continue a running trial after a report, up to the next decision."""
        ...

    def stop(self, trial_id: int, *, pause: bool) -> None:
        """Stop a trial, or pause it so that it can be resumed. `wait` tells when it has left its worker."""
        ...

    def wait(self) -> Sequence[Report | Ended]:
        """Wait for what happens next; empty: nothing runs, or the time is over.

        A trial may report below the resource that was asked for, several times, and may pass it.
        """
        ...

    def close(self) -> Sequence[Report | Ended]:
        """End all trials; returns their rows up to now that were not reported yet. Closing twice is not an error."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a trial that an earlier process has started.

    Attributes:
        trial_id: The trial.
        resource: The last resource that was recorded; 0: none.
        elapsed: Seconds of training behind it.
        starts: How often it was started or resumed, without a start that is about to be taken over.
    """

    trial_id: int
    resource: int
    elapsed: float
    starts: int = 0


@dataclass(frozen=True, slots=True)
class Bill:
    """What a start or resume of a trial is billed. It may be told several times: the last one counts.

    Attributes:
        trial_id: The trial.
        start: Which of its starts and resumes, from 0.
        job: Which job of that start, where there were several.
        seconds: Billed seconds, over all machines of the job.
        cost: What they cost, in money; None: no price is known.
    """

    trial_id: int
    start: int
    job: int
    seconds: float
    cost: float | None


class RecoverableBackend(TrialBackend, Protocol):
    """A backend whose trials outlast the process that started them, or leave something behind that does."""

    def recover(self, trials: Sequence[Known], training_seconds: float) -> None:
        """Take over from an earlier process that died: end its remaining trials, keep their reports.

        Called once, before anything is started. A trial that is started afterwards continues from its last checkpoint
        where it keeps one, and reports rows that it wrote and nobody read.

        Args:
            trials: All trials that the earlier process has started.
            training_seconds: Seconds of training of all of them together.
        """
        ...


@runtime_checkable
class BilledBackend(Protocol):
    """A backend whose trials are billed by another account of time than the experiment's clock."""

    def bills(self) -> Sequence[Bill]:
        """What has become known since the last call. What was told then is recorded by now."""
        ...
