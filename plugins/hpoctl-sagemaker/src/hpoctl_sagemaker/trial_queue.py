"""Start of trials that wait until SageMaker takes them: for a quota, for its patience, or for the trial's last job."""

from collections.abc import Sequence

from hpoctl.core.errors import HpoctlError
from hpoctl_sagemaker.api import SagemakerApi
from hpoctl_sagemaker.errors import ZeroQuotaError
from hpoctl_sagemaker.submission import Submission
from hpoctl_sagemaker.trial_job import TrialJob


class TrialQueue:
    """Asks SageMaker for jobs, one after another.

    Args:
        api: SageMaker.
        patience: Seconds before the second attempt at what does not fit; each further wait is twice as long.
    """

    def __init__(self, api: SagemakerApi, patience: float) -> None:
        self._api = api
        self._submission = Submission(patience)
        self._asked: set[str] = set()

    @property
    def why(self) -> str:
        """What is waited for; empty: nothing."""
        return self._submission.why

    def asked(self, job: TrialJob) -> bool:
        """Whether SageMaker may have a job that it has not confirmed."""
        return job.name in self._asked

    def room(self) -> None:
        """A job has ended: there may be room for another one."""
        self._submission.room()

    def submit(self, jobs: Sequence[TrialJob], busy: set[str]) -> dict[str, str]:
        """Ask for jobs until one does not fit.

        Args:
            jobs: The jobs that wait, the first one first.
            busy: Trials whose last job has not ended.

        Returns:
            Why jobs were refused, by key.

        Raises:
            ZeroQuotaError: A quota is zero.
        """
        refused: dict[str, str] = {}
        if not jobs:
            self._submission.why = ""
        if self._submission.waits:
            return refused
        for job in jobs:
            if job.trial in busy:
                continue
            self._asked.add(job.name)
            try:
                answer = self._submission.ask(self._api, job.request)
            except ZeroQuotaError:
                raise
            except HpoctlError as error:
                self._asked.discard(job.name)
                refused[job.key] = f"{error.what} {error.fix}"
                continue
            if answer != "busy":  # then SageMaker may have it
                self._asked.discard(job.name)
            if answer != "taken":
                break
            job.phase = "sent"
        return refused
