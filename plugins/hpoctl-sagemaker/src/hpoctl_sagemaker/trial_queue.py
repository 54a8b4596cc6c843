"""Start of trials that wait until SageMaker takes them: for a quota, for its patience, or for the trial's last job."""

import time
from collections.abc import Sequence

from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl_sagemaker.api import BusyError, QuotaError, SagemakerApi
from hpoctl_sagemaker.trial_job import TrialJob

LONGEST_WAIT = 120.0
"""Seconds between two attempts at what does not fit, at most."""


class TrialQueue:
    """Asks SageMaker for jobs, one after another.

    Args:
        api: SageMaker.
        patience: Seconds before the second attempt at what does not fit; each further wait is twice as long.
    """

    def __init__(self, api: SagemakerApi, patience: float) -> None:
        self._api = api
        self._first = self._patience = patience
        self._not_before = float("-inf")
        self._asked: set[str] = set()
        self.why = ""
        """What is waited for; empty: nothing."""

    def asked(self, job: TrialJob) -> bool:
        """Whether SageMaker may have a job that it has not confirmed."""
        return job.name in self._asked

    def room(self) -> None:
        """A job has ended: there may be room for another one."""
        self._not_before = float("-inf")

    def submit(self, jobs: Sequence[TrialJob], busy: set[str]) -> dict[str, str]:
        """Ask for jobs until one does not fit.

        Args:
            jobs: The jobs that wait, the first one first.
            busy: Trials whose last job has not ended.

        Returns:
            Why jobs were refused, by key.

        Raises:
            UsageError: A quota is zero.
        """
        refused: dict[str, str] = {}
        if not jobs:
            self.why = ""
        if time.monotonic() < self._not_before:
            return refused
        for job in jobs:
            if job.trial in busy:
                continue
            self._asked.add(job.name)
            try:
                self._api.create(job.request)
            except QuotaError as error:
                self._asked.discard(job.name)
                if error.limit == 0:
                    raise UsageError(f"The quota {error.name!r} of SageMaker is 0.", error.fix) from error
                limit = "" if error.limit is None else f" of {error.limit}"
                self._wait(f"the quota{limit} for {error.name.removeprefix('for ')} is used up")
                break
            except BusyError as error:
                self._wait(error.what)
                break
            except HpoctlError as error:
                self._asked.discard(job.name)
                refused[job.key] = f"{error.what} {error.fix}"
                continue
            self._asked.discard(job.name)
            job.phase = "sent"
            self.why, self._patience = "", self._first
        return refused

    def _wait(self, why: str) -> None:
        self.why = why
        self._not_before = time.monotonic() + self._patience
        self._patience = min(2 * self._patience, max(LONGEST_WAIT, self._first))
