"""What launchers whose jobs run elsewhere keep beside the results: what a job has to do, and how far it is.

<tag>/.hpoctl/jobs/<name>/manifest.json     its experiments, written before it is submitted
<tag>/.hpoctl/jobs/<name>/report.json       how far it is, written by the job itself
<tag>/.hpoctl/jobs/<name>/log.txt           what it printed, if it could be kept
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import CONTROL, LOG, Cell
from hpoctl.core.errors import IncompleteError
from hpoctl.core.jobs import Failure, Job, JobState, Task
from hpoctl.core.protocols import Store
from hpoctl.core.sealed import DamagedError, seal, unseal
from hpoctl.stores.many import read_many

MANIFEST, REPORT = "manifest.json", "report.json"


@dataclass(frozen=True, slots=True)
class JobReport:
    """What a job says of itself.

    Attributes:
        state: `running`, `done`, or `failed`: it has ended, and not all of its experiments are complete.
        done: How many of its experiments are complete.
        failures: Those that failed.
        updated: When it said so, in seconds since 1970.
        host: The machine that it runs on.
        reason: Why it cannot go on, in one line; empty: nothing is wrong.
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
        job: The job.
        launcher: The name of the launcher that it was made for.
        options: The options of that launcher, so that another process can ask it, or cancel the job.
        submitted: When it was first about to be, in seconds since 1970.
    """

    job: Job
    launcher: str
    options: Mapping[str, bool | int | float | str | None]
    submitted: float

    @property
    def digest(self) -> str:
        """A hash of all of it: jobs of one name that were made at different times, or elsewhere, have others."""
        return content_hash(_sealed(self))


def job_names(store: Store, tag: str) -> list[str]:
    """The names of all jobs of a tag that have a manifest or a report, sorted."""
    return list(store.folders(_jobs(tag)))


def keep_manifest(store: Store, manifest: Manifest) -> Manifest:
    """Write down what a job has to do, unless that was done before; returns what counts: what was written first.

    Raises:
        IncompleteError: What was written first is damaged.
    """
    file = f"{job_folder_of(manifest.job.tag, manifest.job.name)}/{MANIFEST}"
    try:
        store.put(file, _sealed(manifest), create=True)
    except FileExistsError:
        return read_manifest(store, manifest.job.tag, manifest.job.name) or manifest
    return manifest


def _sealed(manifest: Manifest) -> bytes:
    job = manifest.job
    values = {
        "format": 1,
        "name": job.name,
        "tag": job.tag,
        "launcher": manifest.launcher,
        "options": dict(manifest.options),
        "submitted": manifest.submitted,
        "results": job.results,
        "command": list(job.command),
        "tasks": [{"plan": task.plan, **_cell_json(task.cell), "seconds": task.seconds} for task in job.tasks],
    }
    return seal(values)


def read_manifest(store: Store, tag: str, name: str) -> Manifest | None:
    """What a job has to do; None: there is no such job.

    Raises:
        IncompleteError: The manifest is damaged.
    """
    file = f"{job_folder_of(tag, name)}/{MANIFEST}"
    try:
        return _manifest(store.get(file))
    except FileNotFoundError:
        return None
    except DamagedError as error:
        raise IncompleteError(
            f"{store.location(file)} is damaged: {error}.", "Remove it and launch the tag again."
        ) from error


def _manifest(data: bytes) -> Manifest:
    """What was written.

    Raises:
        DamagedError: It is something else.
    """
    values = unseal(data)
    try:
        tasks = tuple(Task(task["plan"], _cell(task), float(task["seconds"])) for task in values["tasks"])
        job = Job(values["name"], values["tag"], values["results"], tuple(values["command"]), tasks)
        return Manifest(job, values["launcher"], values["options"], float(values["submitted"]))
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedError(f"it has no {error}" if isinstance(error, KeyError) else str(error)) from error


def keep_report(store: Store, tag: str, name: str, report: JobReport) -> None:
    """Store the progress of a job."""
    values = {
        "format": 1,
        "state": report.state,
        "done": report.done,
        "failures": [{**_cell_json(failure.cell), "error": failure.error} for failure in report.failures],
        "updated": report.updated,
        "host": report.host,
        "reason": report.reason,
    }
    store.put(f"{job_folder_of(tag, name)}/{REPORT}", seal(values))


def read_report(store: Store, tag: str, name: str) -> JobReport | None:
    """How far a job says it is; None: it has not said anything that can be read."""
    try:
        values = unseal(store.get(f"{job_folder_of(tag, name)}/{REPORT}"))
        failures = tuple(Failure(_cell(entry), entry["error"]) for entry in values["failures"])
        return JobReport(values["state"], values["done"], failures, values["updated"], values["host"], values["reason"])
    except (FileNotFoundError, DamagedError, KeyError, TypeError, ValueError):
        return None  # results are the last word: a report only saves looking at them


def keep_log(store: Store, tag: str, name: str, log: bytes) -> None:
    """Keep what a job has printed."""
    store.put(f"{job_folder_of(tag, name)}/{LOG}", log)


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
            found.append(_manifest(read()))
    return found


def job_folder_of(tag: str, name: str) -> str:
    """The folder of a job's own files."""
    return f"{_jobs(tag)}/{name}"


def _jobs(tag: str) -> str:
    return f"{tag}/{CONTROL}/jobs"


def _cell_json(cell: Cell) -> dict[str, Any]:
    return {"method": cell.method, "benchmark": cell.benchmark, "seed": cell.seed}


def _cell(values: Mapping[str, Any]) -> Cell:
    return Cell(str(values["method"]), str(values["benchmark"]), int(values["seed"]))
