"""One look at the training jobs of an experiment, in few calls however many there are.

Which jobs run is read from lists, of a hundred jobs a call; only those that have left the lists are looked at by
themselves. Reports are read from the logs of all jobs in one call, and from S3 where they are behind. What does not fit
into a look is left for the next one, which then follows at once.
"""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from hpoctl.core.errors import HpoctlError
from hpoctl.core.storage import Store
from hpoctl_sagemaker.api import Ending, SagemakerApi, Training
from hpoctl_sagemaker.errors import BusyError
from hpoctl_sagemaker.trial_job import TrialJob

DESCRIBES, READS, LOG_PAGES = 5, 8, 2
"""Calls of each kind in one look, at most."""

OVERLAP = 30.0
"""Seconds of logs that are read again: lines arrive late."""

SKEW = 86400.0
"""Seconds by which the clock of this machine may be wrong."""

OBJECT = re.compile(r".*/reports/(?P<key>\d+-\d+)/(?P<run>\d+)\.jsonl")


class TrialPoll:
    """Looks at the jobs of one experiment.

    Args:
        api: SageMaker.
        store: Where reports are on S3.
        folder: The folder of the experiment there.
        mark: How the names of its jobs begin.
        logs: Whether logs are read.
    """

    def __init__(self, api: SagemakerApi, store: Store, folder: str, mark: str, *, logs: bool) -> None:
        self._api, self._store, self._folder, self._mark = api, store, folder, mark
        self._logs = logs
        self._log_since = self._log_begin = time.time() - SKEW
        self._token: str | None = None
        self.more = False
        """Whether the last look has left something out."""
        self.interrupted: set[str] = set()
        """The jobs that wait for spot capacity again."""
        self.trouble = ""
        """Why logs are not read any more; empty: they are, or were not meant to be."""

    def look(self, jobs: Sequence[TrialJob]) -> None:
        """Bring jobs up to date.

        Raises:
            BusyError: SageMaker is busy or out of reach; jobs stay as they are known.
            HpoctlError: AWS refuses what is asked.
        """
        self.more = False
        sent = [job for job in jobs if job.phase == "sent"]
        watched = [job for job in jobs if job.phase in ("sent", "over")]
        if sent:
            self._states(sent)
        if watched:
            if self._logs:
                self._read_logs({job.name: job for job in watched})
            self._read_s3(watched)

    def _states(self, jobs: Sequence[TrialJob]) -> None:
        listed = self._api.trainings(self._mark, 0.0, "InProgress")
        if any(job.left for job in jobs):
            listed |= self._api.trainings(self._mark, 0.0, "Stopping")
        missing = []
        for job in jobs:
            training = listed.get(job.name)
            if training is None:
                missing.append(job)
            else:
                self._runs(job, training)
        missing.sort(key=lambda job: job.looked)  # new jobs that are not listed yet do not keep ended ones waiting
        for job in missing[:DESCRIBES]:
            job.looked = time.monotonic()
            self._look_at(job, self._api.ending(job.name))
        self.more = len(missing) > DESCRIBES

    def _look_at(self, job: TrialJob, found: Ending | None) -> None:
        """Take note of a job that is in no list: it has just been created, or has ended."""
        if found is None:
            job.why = "" if job.left else "SageMaker knows nothing of its job any more"
            job.phase, job.seconds = "over", 0
        elif found.training.live:
            self._runs(job, found.training)
            return
        else:
            job.phase, job.seconds, job.kept_seconds = "over", found.seconds, found.training.kept_seconds
            job.completed = found.training.status == "Completed"
            job.why = "" if job.completed or job.left else found.reason or _ending(found.training)
        job.since = time.monotonic()
        self.interrupted.discard(job.name)

    def _runs(self, job: TrialJob, training: Training) -> None:
        if training.detail == "Interrupted":
            self.interrupted.add(job.name)
        else:
            self.interrupted.discard(job.name)
        if training.detail in ("Training", "Uploading") and not job.began:
            job.began, job.since = True, time.monotonic()

    def _read_logs(self, jobs: Mapping[str, TrialJob]) -> None:
        for _ in range(LOG_PAGES):
            try:
                events, self._token = self._api.logs(self._mark, self._log_begin, self._token)
            except BusyError:
                raise
            except HpoctlError as error:
                self._logs, self.trouble = False, f"{error.what} Reports are read from S3 only. {error.fix}"
                return
            for event in events:
                self._log_since = max(self._log_since, event.time - OVERLAP)
                if job := jobs.get(event.name):
                    job.reports.arrive_in_log(event.text)
            if self._token is None:
                self._log_begin = self._log_since
                return
        self.more = True

    def _read_s3(self, jobs: Sequence[TrialJob]) -> None:
        sizes: dict[str, dict[str, int]] = {}
        for name, size in self._store.list(f"{self._folder}/reports").items():
            if match := OBJECT.fullmatch(name):
                sizes.setdefault(match["key"], {})[match["run"]] = size
        left = READS
        for job in sorted(jobs, key=lambda job: job.phase != "over"):  # those that have ended wait for nothing else
            key = job.key.replace("/", "-")
            found = sizes.get(key, {})
            behind = sorted(run for run, size in found.items() if job.reports.behind(run, size))
            for run in behind[:left]:
                job.reports.arrive_on_s3(run, self._read(f"{self._folder}/reports/{key}/{run}.jsonl"))
            job.reports.settle(found)
            self.more |= len(behind) > left
            if job.phase == "over" and len(behind) <= left:
                self._close(job, found)
            left = max(0, left - len(behind))

    def _read(self, name: str) -> bytes:
        try:
            return self._store.get(name)
        except FileNotFoundError:  # a person has removed it
            return b""

    def _close(self, job: TrialJob, runs: Iterable[str]) -> None:
        """All reports of a job that has ended are read, unless they are only in its log and arrive there late."""
        only_logged = not any(True for _ in runs) and job.began and self._logs
        if only_logged and not job.reports.ended:
            for line in self._api.log(job.name).splitlines():
                job.reports.arrive_in_log(line)
        if only_logged and not job.reports.ended and time.monotonic() - job.since < OVERLAP:
            return
        job.reports.finish()
        job.phase = "closed"


def keep_log(api: SagemakerApi, job: TrialJob) -> None:
    """Keep what a failed job has printed beside its start, so far as CloudWatch has it: `hpoctl logs` shows it."""
    with suppress(HpoctlError):
        lines = api.log(job.name).splitlines()
        text = "".join(f"{line}\n" for line in lines if line.strip() and not line.startswith("[hpoctl-"))
        job.start.err.write_text(text, encoding="utf-8")


def _ending(training: Training) -> str:
    if training.detail == "MaxRuntimeExceeded":
        return "SageMaker stopped it after max_run"
    if training.detail == "MaxWaitTimeExceeded":
        return "spot capacity did not come within max_wait"
    return f"SageMaker says {training.status}"
