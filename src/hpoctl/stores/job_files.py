"""What launchers whose jobs run elsewhere keep beside the results: what a job has to do, and how far it is.

<tag>/.hpoctl/jobs/<name>/manifest.json     its experiments, written before it is submitted
<tag>/.hpoctl/jobs/<name>/report.json       how far it is, written by the job itself
<tag>/.hpoctl/jobs/<name>/log.txt           what it printed, if it could be kept
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import CONTROL, LOG
from hpoctl.core.credentials import concealed_bytes
from hpoctl.core.errors import IncompleteError
from hpoctl.core.jobs import Failure, Job, JobState, Task
from hpoctl.core.sealed import DamagedError, RecordType
from hpoctl.core.storage import Store, read_many

MANIFEST, REPORT = "manifest.json", "report.json"


@dataclass(frozen=True, slots=True)
class JobReport:
    """What a job says of itself.

    Attributes:
        state: `running`, `done`, or `failed`: it has ended, and not all of its experiments are complete.
        done: How many of its experiments are complete.
        failures: Those that failed.
        updated: When it reported that, in seconds since 1970.
        host: The machine that it runs on.
        reason: Why it cannot continue, in one line; empty: nothing is wrong.
    """

    state: JobState
    done: int
    failures: tuple[Failure, ...]
    updated: float
    host: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a job has to do.

    Attributes:
        name: The name of the job.
        tag: Its tag.
        launcher: The name of the launcher that it was made for.
        options: The options of that launcher, so that another process can ask it, or cancel the job.
        submitted: When it was first about to be, in seconds since 1970.
        results: The root of results.
        command: The command of a worker.
        tasks: The experiments.
    """

    name: str
    tag: str
    launcher: str
    options: Mapping[str, bool | int | float | str | None]
    submitted: float
    results: str
    command: tuple[str, ...]
    tasks: tuple[Task, ...]

    @staticmethod
    def of(job: Job, launcher: str, options: Mapping[str, bool | int | float | str | None], now: float) -> "Manifest":
        """The manifest of a job that is about to be submitted."""
        return Manifest(job.name, job.tag, launcher, options, now, job.results, job.command, job.tasks)

    @property
    def job(self) -> Job:
        """The job."""
        return Job(self.name, self.tag, self.results, self.command, self.tasks)

    @property
    def digest(self) -> str:
        """A hash of all of it: jobs of one name that were made at different times, or elsewhere, have others."""
        return content_hash(MANIFESTS.seal(self))


MANIFESTS = RecordType("job manifest", Manifest)
REPORTS = RecordType("job report", JobReport)


def job_names(store: Store, tag: str) -> list[str]:
    """The names of all jobs of a tag that have a manifest or a report, sorted."""
    return list(store.folders(_jobs(tag)))


def keep_manifest(store: Store, manifest: Manifest) -> Manifest:
    """Write down what a job has to do, unless that was done before; returns what counts: what was written first.

    Raises:
        IncompleteError: What was written first is damaged.
    """
    file = f"{job_folder_of(manifest.tag, manifest.name)}/{MANIFEST}"
    try:
        store.put(file, MANIFESTS.seal(manifest), create=True)
    except FileExistsError:
        return read_manifest(store, manifest.tag, manifest.name) or manifest
    return manifest


def read_manifest(store: Store, tag: str, name: str) -> Manifest | None:
    """What a job has to do; None: there is no such job.

    Raises:
        IncompleteError: The manifest is damaged.
    """
    file = f"{job_folder_of(tag, name)}/{MANIFEST}"
    try:
        return MANIFESTS.unseal(store.get(file))
    except FileNotFoundError:
        return None
    except DamagedError as error:
        raise IncompleteError(
            f"{store.location(file)} is damaged: {error}.", "Remove it and launch the tag again."
        ) from error


def keep_report(store: Store, tag: str, name: str, report: JobReport) -> None:
    """Store the progress of a job."""
    store.put(f"{job_folder_of(tag, name)}/{REPORT}", REPORTS.seal(report))


def read_report(store: Store, tag: str, name: str) -> JobReport | None:
    """How far a job reports it is; None: it has reported nothing that can be read."""
    try:
        return REPORTS.unseal(store.get(f"{job_folder_of(tag, name)}/{REPORT}"))
    except (FileNotFoundError, DamagedError):
        return None  # results are the last word: a report only saves looking at them


def keep_log(store: Store, tag: str, name: str, log: bytes) -> None:
    """Keep what a job has printed, without credentials."""
    store.put(f"{job_folder_of(tag, name)}/{LOG}", concealed_bytes(log))


def read_log(store: Store, tag: str, name: str) -> str:
    """What a job has printed; empty: nothing was kept."""
    try:
        return store.get(f"{job_folder_of(tag, name)}/{LOG}").decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def all_manifests(store: Store, tag: str) -> list[Manifest]:
    """The manifests of a tag's jobs, in the order of their names; those that are damaged are left out."""
    files = [f"{job_folder_of(tag, name)}/{MANIFEST}" for name in job_names(store, tag)]
    found = []
    for _, read in read_many(store, {}, files):
        with suppress(FileNotFoundError, DamagedError):
            found.append(MANIFESTS.unseal(read()))
    return found


def job_folder_of(tag: str, name: str) -> str:
    """The folder of a job's own files."""
    return f"{_jobs(tag)}/{name}"


def _jobs(tag: str) -> str:
    return f"{tag}/{CONTROL}/jobs"
