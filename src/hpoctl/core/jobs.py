"""The contract of launchers: jobs and their experiments, how far they are, and who runs them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from hpoctl.core.cells import Cell
from hpoctl.core.records import EMBEDDED

MOST_TRAINING = 1
"""How many experiments whose trials train run at a time on the machine that launches; a trial counts on its cores."""


@dataclass(frozen=True, slots=True)
class Task:
    """One experiment for a worker.

    Attributes:
        plan: The tag's plan that says what determines the experiment.
        cell: The experiment.
        seconds: How long it is expected to take.
        cores: The cores that its trials need where it runs; 0: it is simulated, and takes a process of one core.
        patience: Seconds without progress after which its worker is ended; None: any number.
    """

    plan: str
    cell: Cell = field(metadata=EMBEDDED)
    seconds: float
    cores: int = 0
    patience: float | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """What a launcher submits: experiments that run one after another, or side by side where the launcher can.

    Attributes:
        name: The job's name, unique within a tag: another set of experiments, or another try at them, has another.
        tag: The tag.
        results: The root of results: a path or an address such as s3://bucket/prefix.
        command: The command of a worker. It reads tasks from its standard input, a line each, and answers there too.
        tasks: Its experiments.
        runner: The arguments of a Python that runs the whole job on another machine; the launcher adds `setup` as JSON.
            Empty in a job that was read from its manifest: such a job is not submitted.
    """

    name: str
    tag: str
    results: str
    command: tuple[str, ...]
    tasks: tuple[Task, ...]
    runner: tuple[str, ...] = ()

    def setup(self, workers: int | None, retries: int, timeout: float | None) -> dict[str, Any]:
        """What the runner is told, as a JSON object.

        Args:
            workers: Experiments at a time; None: one for each core of the other machine.
            retries: How often an experiment that fails is tried again at once.
            timeout: Seconds of real time after which an experiment is stopped; None: its own patience decides.
        """
        limits = {"workers": workers, "retries": retries, "timeout": timeout}
        known = {name: value for name, value in limits.items() if value is not None}
        return {"results": self.results, "tag": self.tag, "name": self.name, **known}


JobState = Literal["waiting", "running", "done", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Failure:
    """An experiment that failed.

    Attributes:
        cell: The experiment.
        error: Why, in one line.
    """

    cell: Cell = field(metadata=EMBEDDED)
    error: str


@dataclass(frozen=True, slots=True)
class JobStatus:
    """How far a job is.

    Attributes:
        state: Its state; `failed`: it has ended, and not all of its experiments are complete.
        done: How many of its experiments are complete.
        failures: Those that failed, so far as the launcher knows.
        reason: Why the job itself failed or waits, in one line; empty: nothing to say.
    """

    state: JobState
    done: int = 0
    failures: tuple[Failure, ...] = ()
    reason: str = ""

    @property
    def live(self) -> bool:
        """Whether it runs or waits."""
        return self.state in {"waiting", "running"}

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in {"done", "failed"}


@dataclass(frozen=True, slots=True)
class TrialActivity:
    """A trial that trains now.

    Attributes:
        slot: The number of its slot, from 0.
        trial_id: The trial.
        config: Its configuration, without fixed values.
        aim: The resource level that it is trained to; None: it ends by itself.
        resource: The last resource that it has reported; None: nothing yet.
        value: The tuned metric there.
        left: Seconds until it reaches its aim; None: not known yet.
    """

    slot: int
    trial_id: int
    config: Mapping[str, bool | int | float | str]
    aim: int | None
    resource: int | None
    value: float | None
    left: float | None


@dataclass(frozen=True, slots=True)
class Activity:
    """What a worker is doing.

    Attributes:
        worker: The worker's name.
        what: What it is doing, in a few words.
        share: How much of it is done, from 0 to 1; None: unknown.
        seconds: For how long.
        trials: The trials that train in its experiment; none: it is simulated, or they are not known.
    """

    worker: str
    what: str
    share: float | None
    seconds: float
    trials: tuple[TrialActivity, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimate:
    """What jobs are expected to take of machines that cost something.

    Attributes:
        hours: Expected hours of machines, all jobs together.
        capped_hours: The most that they can take: each job until its time limit.
        dollars: What the expected hours cost; None: nothing, or nobody knows.
        capped_dollars: What the capped hours cost.
        note: Where prices come from and what is left out, in one line.
    """

    hours: float
    capped_hours: float
    dollars: float | None
    capped_dollars: float | None
    note: str


def running_jobs(launcher: str, jobs: Iterable[tuple[Job, JobStatus]]) -> list[Activity]:
    """A line for all of the jobs that run; none: no job runs."""
    running = [(job, status) for job, status in jobs if status.state == "running"]
    if not running:
        return []
    total = sum(len(job.tasks) for job, _ in running)
    ended = sum(status.done + len(status.failures) for _, status in running)
    return [Activity(launcher, f"{len(running)} jobs run", ended / max(1, total), 0.0)]


class Launcher(Protocol):
    """Where jobs execute."""

    def submit(self, jobs: Sequence[Job]) -> Sequence[str]:
        """Take jobs in; returns a receipt for each. Submitting a job twice does not run it twice, and does not wait.

        Raises:
            UsageError: A job cannot be run with these options; none is submitted.
        """
        ...

    def find(self, jobs: Sequence[Job]) -> Sequence[str]:
        """The receipts of jobs that may have been submitted before, by another process as well; submits nothing."""
        ...

    def poll(self, receipts: Sequence[str], seconds: float) -> Sequence[JobStatus]:
        """The states of submitted jobs. Waits at most `seconds` for a change."""
        ...

    def activity(self) -> Sequence[Activity]:
        """What is being done now, for people; empty where the launcher cannot tell."""
        ...

    def cancel(self, receipts: Sequence[str]) -> None:
        """Cancel jobs: within two seconds none of their processes runs here. An ended job is not an error."""
        ...

    def log(self, receipt: str) -> str:
        """What a job has printed, as far as the launcher can tell; empty: nothing, or it cannot."""
        ...
