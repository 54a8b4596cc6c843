"""The Slurm launcher: jobs in the elements of job arrays, which outlive their launch; later launches find them.

Where states differ, the results win: a job that has reported `done` is done, even if Slurm differs, and one that Slurm
has forgotten is what its report says. Before anything is submitted, Slurm is asked for an array of the same name: an
answer that was lost costs nothing.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from hpoctl.core.errors import UsageError
from hpoctl.core.jobs import Activity, Job, JobStatus, running_jobs
from hpoctl.core.options import option_values
from hpoctl.launchers.slurm_arrays import (
    Array,
    array_script,
    array_words,
    keep_answer,
    keep_array,
    make_log_folder,
    pack,
    printed,
    read_arrays,
)
from hpoctl.launchers.slurm_commands import (
    Element,
    SlurmFullError,
    SlurmUnreachableError,
    cancel_elements,
    submit_array,
)
from hpoctl.launchers.slurm_options import SlurmOptions
from hpoctl.launchers.slurm_states import (
    UNKNOWN,
    Elements,
    elements_in_accounts,
    elements_in_queue,
    elements_of,
    is_open,
    judge,
    live_element,
    why_failed,
)
from hpoctl.stores.job_files import JobReport, Manifest, keep_manifest, read_report
from hpoctl.stores.opening import Opened, open_results

FIRST_PATIENCE = 10.0
"""Seconds for which Slurm may be out of reach when nothing is known of its jobs yet."""


@dataclass(slots=True)
class _Tag:
    """A tag of a root of results, and its arrays."""

    root: str
    tag: str
    opened: Opened
    arrays: dict[str, Array] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _TrackedJob:
    """A job."""

    job: Job
    tag: _Tag
    manifest: Manifest | None = None
    """Set while it waits for its submission."""
    status: JobStatus = UNKNOWN
    doubted: bool = False
    """Whether it seems to have ended, and another query has to confirm it."""
    element: Element | None = None


class SlurmLauncher:
    """Runs jobs on a cluster.

    Args:
        options: Where, and with what limits.
    """

    def __init__(self, options: SlurmOptions) -> None:
        self._options = options
        self._tags: dict[tuple[str, str], _Tag] = {}
        self._jobs: dict[str, _TrackedJob] = {}
        self._looked: float | None = None
        self._trouble: tuple[float, str] | None = None
        self._full = ""

    def submit(self, jobs: Sequence[Job]) -> Sequence[str]:
        """Submit jobs that are new. What Slurm cannot take now is submitted by later calls of `poll`."""
        for job in jobs:
            entry = self._entry(job)
            entry.job = job  # one that was found has no runner
            if entry.manifest is None and not entry.status.ended:
                manifest = Manifest.of(job, "slurm", option_values(self._options), time.time())
                entry.manifest = keep_manifest(entry.tag.opened.store, manifest)
        try:
            self._submit_waiting()
        except SlurmUnreachableError as error:
            self._tolerate(error)
        return [job.name for job in jobs]

    def find(self, jobs: Sequence[Job]) -> Sequence[str]:
        """The receipts of jobs that any process may have submitted."""
        for job in jobs:
            self._entry(job)
        self._looked = None
        return [job.name for job in jobs]

    def poll(self, receipts: Sequence[str], seconds: float) -> Sequence[JobStatus]:
        """How far jobs are. Slurm is asked every few seconds only.

        Raises:
            HpoctlError: Slurm refuses jobs, or was out of reach for too long.
        """
        time.sleep(seconds)
        if self._looked is None or time.monotonic() - self._looked >= self._options.poll_interval:
            try:
                self._look_patiently()
                self._submit_waiting()
                self._trouble = None
            except SlurmUnreachableError as error:
                self._tolerate(error)
        return [self._status(receipt) for receipt in receipts]

    def activity(self) -> Sequence[Activity]:
        """A line for all jobs that run, and one for those that wait."""
        waiting = [entry for entry in self._jobs.values() if entry.status.state == "waiting" or entry.manifest]
        lines = running_jobs("slurm", ((entry.job, entry.status) for entry in self._jobs.values()))
        if waiting:
            reasons = sorted({entry.status.reason for entry in waiting} - {""})
            why = self._trouble[1] if self._trouble else self._full or ", ".join(reasons[:2])
            lines.append(Activity("slurm", f"{len(waiting)} jobs wait{f': {why}' if why else ''}", None, 0.0))
        return lines

    def cancel(self, receipts: Sequence[str]) -> None:
        """Cancel jobs. Jobs that share an array element with one of them are cancelled with it.

        Raises:
            HpoctlError: Slurm is out of reach.
        """
        entries = [entry for entry in map(self._jobs.get, receipts) if entry is not None and not entry.status.ended]
        for entry in entries:
            entry.manifest = None
        if entries:
            self._look_patiently()
            cancel_elements(entry.element for entry in entries if entry.element is not None and entry.element.live)
            self._looked = None

    def log(self, receipt: str) -> str:
        """What a job has printed; where that is nothing, what its array element has."""
        entry = self._jobs.get(receipt)
        return "" if entry is None else _printed(entry)

    def _entry(self, job: Job) -> _TrackedJob:
        known = self._jobs.get(job.name)
        if known is None:
            place = (job.results, job.tag)
            if place not in self._tags:
                self._tags[place] = _Tag(job.results, job.tag, open_results(job.results))
            known = self._jobs[job.name] = _TrackedJob(job, self._tags[place])
        return known

    def _status(self, receipt: str) -> JobStatus:
        entry = self._jobs.get(receipt)
        if entry is None:
            return UNKNOWN
        if entry.manifest is not None:
            return JobStatus("waiting", reason=self._full or "it is to be submitted")
        return entry.status

    def _tolerate(self, error: SlurmUnreachableError) -> None:
        """Slurm is out of reach: use the last known states, for a limited time."""
        now = time.monotonic()
        self._looked = now
        since = self._trouble[0] if self._trouble else now
        self._trouble = (since, error.what)
        if now - since > self._options.patience:
            raise error

    def _look_patiently(self) -> None:
        """Look; try again for a while where nothing is known of the jobs yet."""
        end = time.monotonic() + min(FIRST_PATIENCE, self._options.patience)
        while True:
            try:
                self._look(self._jobs.values())
            except SlurmUnreachableError:
                known = all(entry.manifest or entry.status is not UNKNOWN for entry in self._jobs.values())
                if known or time.monotonic() > end:
                    raise
                time.sleep(0.5)
            else:
                return

    def _look(self, entries: Iterable[_TrackedJob]) -> None:
        """Ask Slurm first and the store afterwards: a job that ends in between has reported by then."""
        wanted = [entry for entry in entries if not entry.status.ended]
        for tag in self._tags.values():
            of_tag = [entry for entry in wanted if entry.tag is tag]
            if of_tag:
                self._look_at(tag, of_tag)
        self._looked = time.monotonic()

    def _look_at(self, tag: _Tag, entries: Sequence[_TrackedJob]) -> None:
        store = tag.opened.store
        tag.arrays, tag.answered = read_arrays(store, tag.tag, tag.arrays)
        names = {entry.job.name for entry in entries}
        arrays = [array for array in tag.arrays.values() if names & array.places().keys()]
        elements = elements_in_queue(arrays)
        for array in arrays:
            self._adopt(tag, array, elements)
        reports = {name: read_report(store, tag.tag, name) for name in names} if arrays else {}
        found = {name: elements_of(name, arrays, elements) for name in names}
        lost = {name for name in names if not found[name] and is_open(reports.get(name))}
        searched = [array for array in arrays if lost & array.places().keys()]
        past = elements_in_accounts(searched)
        found |= {name: elements_of(name, searched, past) for name in lost}
        answered = {job for array in arrays if array.digest in tag.answered for job in array.places()}
        for entry in entries:
            name = entry.job.name
            self._judge(entry, reports.get(name), found[name], taken_in=name in answered)

    def _adopt(self, tag: _Tag, array: Array, elements: Elements) -> None:
        """Write down the number of an array whose answer was lost; cancel one that was submitted a second time."""
        here = [element for (name, _), some in elements.items() if name == array.name for element in some]
        if not here:
            return
        first = min(element.array for element in here)
        if array.digest not in tag.answered:
            keep_answer(tag.opened.store, array, first)
            tag.answered.add(array.digest)
        live = [element for element in here if element.live]
        if any(element.array == first for element in live):
            cancel_elements(element for element in live if element.array != first)

    def _judge(
        self, entry: _TrackedJob, report: JobReport | None, elements: Sequence[Element], *, taken_in: bool
    ) -> None:
        status = judge(report, elements, taken_in=taken_in)
        entry.element = live_element(elements)
        if status.state == "failed" and entry.status.live and not entry.doubted:
            entry.doubted = True  # it may be about to be queued again, or its report is on its way
            return
        if status.state == "failed":
            status = replace(status, reason=why_failed(report, elements, _printed(entry)))
        entry.doubted = False
        entry.status = status
        if status.state != "unknown":
            entry.manifest = None

    def _submit_waiting(self) -> None:
        """Submit what waits for it, unless another process is at it, or has done it."""
        for tag in self._tags.values():
            entries = [entry for entry in self._jobs.values() if entry.tag is tag and entry.manifest is not None]
            turn = f"{tag.tag}/slurm"
            if entries and tag.opened.claims.take(turn):
                try:
                    self._submit(tag, entries)
                finally:
                    tag.opened.claims.release(turn)

    def _submit(self, tag: _Tag, entries: Sequence[_TrackedJob]) -> None:
        self._look(entries)
        waiting = {entry.job.name: entry for entry in entries if entry.manifest is not None}
        manifests = [entry.manifest for entry in waiting.values() if entry.manifest is not None]
        submitted = {name: entry.job for name, entry in waiting.items()}
        store = tag.opened.store
        if manifests:
            make_log_folder(store, tag.root, tag.tag)
        for array in pack(manifests, self._options):
            keep_array(store, array)
            try:
                number = submit_array(
                    array_words(array, tag.root, store, self._options),
                    array_script(array, submitted, tag.root, store, self._options),
                )
            except SlurmFullError as error:
                self._wait_for_room(error)
                return
            keep_answer(store, array, number)
            self._full = ""
            for name in array.places():
                waiting[name].manifest = None
                waiting[name].status = JobStatus("waiting")
            self._looked = None

    def _wait_for_room(self, error: SlurmFullError) -> None:
        """Wait until a job of ours ends; without any, waiting would never end."""
        self._full = error.what
        if not any(entry.status.live for entry in self._jobs.values()):
            raise UsageError(error.what, "Use fewer array elements: --launcher-option elements=20.")


def _printed(entry: _TrackedJob) -> str:
    tag = entry.tag
    return printed(tag.opened.store, tag.root, tag.tag, entry.job.name, tag.arrays.values())
