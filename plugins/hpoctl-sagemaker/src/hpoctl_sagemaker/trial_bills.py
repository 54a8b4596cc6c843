"""What the training jobs of an experiment cost: up to now, and the bills of those that have ended."""

import time
from collections.abc import Iterable, Sequence

from hpoctl.backends.scripts.workers import StartBill
from hpoctl_sagemaker.trial_job import TrialJob


class Bills:
    """Adds up what jobs cost. A bill is told once; it counts as recorded when the next ones are asked for."""

    def __init__(self) -> None:
        self._spent = 0.0
        self._telling: list[TrialJob] = []
        self._told: list[TrialJob] = []

    def ended(self, job: TrialJob) -> None:
        """A job has ended, and its cost is known."""
        self._spent += job.bill().cost or 0.0
        if not job.billed:
            self._telling.append(job)

    def changed(self, jobs: Iterable[TrialJob]) -> None:
        """Jobs that have ended are billed more than was known."""
        self._telling += jobs

    def cost(self, jobs: Iterable[TrialJob]) -> float:
        """What all jobs that have ended have cost, and those among some that run up to now."""
        now = time.monotonic()
        running = (
            job.hourly * (now - job.since) / 3600.0 for job in jobs if job.live and job.began and job.hourly is not None
        )
        return self._spent + sum(running)

    def take(self) -> Sequence[StartBill]:
        """The bills since the last call."""
        for job in self._told:
            job.billed = True
            job.keep()
        self._told, self._telling = self._telling, []
        return [job.bill() for job in self._told]
