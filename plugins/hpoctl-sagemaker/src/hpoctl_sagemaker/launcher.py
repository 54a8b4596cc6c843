"""The SageMaker launcher: a training job for each job. They outlive their launch; later launches find them.

Where states differ, the results win: a job that has reported `done` is done, even if SageMaker reports otherwise. Jobs
beyond a quota wait here, and later calls of `poll` submit them; the name of a training job makes it unique.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpoctl.core.cells import LOG
from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.jobs import Activity, Job, JobStatus, running_jobs
from hpoctl.core.options import option_values
from hpoctl.core.storage import Store
from hpoctl.launchers.bundle import bundled_selection, make_bundle, read_requirements, upload
from hpoctl.stores.job_files import Manifest, job_folder_of, keep_manifest, read_manifest, read_report
from hpoctl.stores.opening import open_results
from hpoctl_sagemaker.api import SagemakerApi, Training
from hpoctl_sagemaker.errors import BusyError
from hpoctl_sagemaker.options import SagemakerOptions
from hpoctl_sagemaker.request import (
    CHECKPOINTS,
    ENTRY,
    Surroundings,
    beginning_of,
    check_training_job,
    image_for,
    name_of,
    training_job,
)
from hpoctl_sagemaker.states import status_of
from hpoctl_sagemaker.submission import Submission

NAME = "sagemaker"
PLUGIN = "hpoctl-sagemaker"
"""What jobs need whose experiments train: their trials may be further training jobs."""

SCRIPT = Path(__file__).with_name("container.py")
"""What a container runs; in the bundle it is called `entry.py`."""

SKEW = 86400.0
"""Seconds by which the clock of this machine may be wrong."""

THREADS = 8
UNKNOWN = JobStatus("unknown")


@dataclass(slots=True)
class _TrackedJob:
    """A job.

    Attributes:
        job: The job.
        store: Where its results go.
        manifest: What was written down when it was first submitted; None: it never was.
        request: What SageMaker is still to be asked for; None: nothing.
        created: Whether this launcher has asked for it, so that SageMaker has it even if it does not list it yet.
        status: How far it is.
    """

    job: Job
    store: Store
    manifest: Manifest | None
    request: Mapping[str, Any] | None = None
    created: bool = False
    status: JobStatus = UNKNOWN

    @property
    def name(self) -> str:
        """The name of its training job; empty: no training job."""
        return name_of(self.manifest) if self.manifest else ""


class SagemakerLauncher:
    """Runs jobs as training jobs of SageMaker.

    Args:
        options: Where, how, and with what limits.
    """

    def __init__(self, options: SagemakerOptions) -> None:
        self._options = options
        self._entries: dict[str, _TrackedJob] = {}
        self._connection: SagemakerApi | None = None
        self._looked = float("-inf")
        self._trouble = ""
        self._submission = Submission(options.poll_interval)

    @property
    def _api(self) -> SagemakerApi:
        if self._connection is None:
            self._connection = SagemakerApi(self._options.region)
        return self._connection

    def submit(self, jobs: Sequence[Job]) -> Sequence[str]:
        """Submit jobs, unless they have been before. Jobs beyond a quota are submitted by later calls of `poll`.

        Raises:
            UsageError: Results are not on S3, an option is wrong, or SageMaker's model refuses a job.
            HpoctlError: A quota is zero, or AWS refuses what is asked.
        """
        new = [job for job in jobs if job.name not in self._entries or not self._is_known(job.name)]
        if new:
            self._prepare(new)
            self._submit_waiting()
            self._looked = float("-inf")
        return [job.name for job in jobs]

    def find(self, jobs: Sequence[Job]) -> Sequence[str]:
        """The receipts of jobs that any process may have submitted."""
        unknown = [job for job in jobs if job.name not in self._entries]
        stores = {root: open_results(root).store for root in {job.results for job in unknown}}

        def entry(job: Job) -> _TrackedJob:
            store = stores[job.results]
            return _TrackedJob(job, store, read_manifest(store, job.tag, job.name))

        with ThreadPoolExecutor(THREADS) as pool:
            self._entries |= {found.job.name: found for found in pool.map(entry, unknown)}
        self._looked = float("-inf")
        return [job.name for job in jobs]

    def poll(self, receipts: Sequence[str], seconds: float) -> Sequence[JobStatus]:
        """How far jobs are. SageMaker and the store are asked every few seconds only.

        Raises:
            HpoctlError: AWS does not let us ask, such as with credentials that have expired, or is out of reach before
                anything is known of jobs that were found. Jobs continue.
        """
        time.sleep(seconds)
        live = [entry for entry in self._entries.values() if not entry.status.ended]
        if live and time.monotonic() - self._looked >= self._options.poll_interval:
            try:
                self._look(live)
                self._submit_waiting()
                self._trouble = ""
            except BusyError as error:
                if any(entry.status is UNKNOWN and entry.manifest for entry in live):
                    raise  # taken for unknown jobs, they would be submitted again
                self._trouble = error.what
            self._looked = time.monotonic()
        return [self._status(receipt) for receipt in receipts]

    def activity(self) -> Sequence[Activity]:
        """A line for all jobs that run, and one for those that wait."""
        lines = running_jobs(NAME, ((entry.job, entry.status) for entry in self._entries.values()))
        starting = [entry for entry in self._entries.values() if entry.status.state == "waiting" and not entry.request]
        queued, full = [entry for entry in self._entries.values() if entry.request], self._submission.why
        if starting:
            lines.append(Activity(NAME, f"{len(starting)} jobs start", None, 0.0))
        if queued:
            lines.append(Activity(NAME, f"{len(queued)} jobs wait{f': {full}' if full else ''}", None, 0.0))
        return [*lines, *([Activity(NAME, self._trouble, None, 0.0)] if self._trouble else [])]

    def cancel(self, receipts: Sequence[str]) -> None:
        """Stop jobs: SageMaker lets them record what they were at, within two minutes.

        Raises:
            HpoctlError: SageMaker cannot be asked; the jobs continue.
        """
        entries = [entry for entry in map(self._entries.get, receipts) if entry is not None and not entry.status.ended]
        for entry in entries:
            if entry.request is not None:
                entry.request = None
                entry.status = JobStatus("failed", reason="it was cancelled before it was submitted")
        # One whose submission was not answered may be there, too.
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(self._api.stop, [entry.name for entry in entries if entry.name]))
        self._looked = float("-inf")

    def log(self, receipt: str) -> str:
        """What a job has printed: according to CloudWatch, else what SageMaker has copied beside the results."""
        entry = self._entries.get(receipt)
        if entry is None or not entry.name:
            return ""
        try:
            text = self._api.log(entry.name)
        except HpoctlError:
            text = ""
        return text or _kept_log(entry)

    def _is_known(self, name: str) -> bool:
        """Whether a job was submitted, as far as this launcher knows."""
        return self._entries[name].status.state != "unknown" or self._entries[name].created

    def _prepare(self, jobs: Sequence[Job]) -> None:
        """Check all jobs, then put the bundle and the manifests where they belong."""
        for job in jobs:
            if not job.results.startswith("s3://"):
                raise UsageError(
                    f"Jobs on SageMaker cannot write results to {job.results}.",
                    "Add --results s3:// (SageMaker's default bucket) or --results s3://BUCKET/PREFIX.",
                )
        options, now = self._options, time.time()
        image = image_for(options, self._api.region, sys.version_info.minor)
        manifests = [Manifest.of(job, NAME, option_values(options), now) for job in jobs]
        needs = ["hpoctl[aws]", *([PLUGIN] if any(task.cores for job in jobs for task in job.tasks) else [])]
        plugins, model, runner = bundled_selection(needs), self._api.model_of_requests(), jobs[0].runner
        for manifest in manifests:
            root = manifest.job.results.rstrip("/")
            around = Surroundings(self._api.region, image, f"{root}/.bundles/{'0' * 32}", plugins, runner)
            check_training_job(training_job(manifest, options, around), model)
        bundle = make_bundle({ENTRY: SCRIPT.read_bytes()}, needs, read_requirements(options.requirements))
        stores = {root: open_results(root).store for root in {job.results for job in jobs}}
        addresses = {root: upload(store, bundle) for root, store in stores.items()}

        def entry(manifest: Manifest) -> _TrackedJob:
            job = manifest.job
            store = stores[job.results]
            kept = keep_manifest(store, manifest)
            around = Surroundings(self._api.region, image, addresses[job.results], plugins, runner)
            return _TrackedJob(job, store, kept, training_job(kept, options, around), status=JobStatus("waiting"))

        with ThreadPoolExecutor(THREADS) as pool:
            self._entries |= {found.job.name: found for found in pool.map(entry, manifests)}

    def _submit_waiting(self) -> None:
        """Submit what waits for it, until a quota is used up."""
        if self._submission.waits:
            return
        waiting = [entry for entry in self._entries.values() if entry.request is not None]
        for entry in waiting:
            if entry.request is None or self._submission.ask(self._api, entry.request) != "taken":
                break
            entry.request, entry.created = None, True
        for entry in waiting:
            if entry.request is not None:
                entry.status = JobStatus("waiting", reason=self._submission.why)

    def _look(self, entries: Sequence[_TrackedJob]) -> None:
        """Ask SageMaker first and the store afterwards: a job that ends in between has reported by then."""
        asked = [entry for entry in entries if entry.request is None]
        listed: dict[str, Training] = {}
        for tag in sorted({entry.job.tag for entry in asked if entry.manifest}):
            since = min(entry.manifest.submitted for entry in asked if entry.manifest and entry.job.tag == tag)
            listed |= self._api.trainings(beginning_of(tag), since - SKEW)

        def settled(entry: _TrackedJob) -> JobStatus:
            training, why = listed.get(entry.name), ""
            if entry.manifest and training is None and entry.created:
                training, why = self._api.describe(entry.name) or (None, "")  # it may not be listed yet
            report = read_report(entry.store, entry.job.tag, entry.job.name)
            if training is not None and training.status == "Failed" and not (report and report.state != "running"):
                why = why or (self._api.describe(entry.name) or (training, ""))[1]
            return status_of(report, training, why)

        with ThreadPoolExecutor(THREADS) as pool:
            statuses = list(pool.map(settled, asked))
        for entry, status in zip(asked, statuses, strict=True):
            if status.ended:
                self._submission.room()
            entry.status = status

    def _status(self, receipt: str) -> JobStatus:
        entry = self._entries.get(receipt)
        return UNKNOWN if entry is None else entry.status


def _kept_log(entry: _TrackedJob) -> str:
    folder = job_folder_of(entry.job.tag, entry.job.name)
    try:
        return entry.store.get(f"{folder}/{CHECKPOINTS}/{LOG}").decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
