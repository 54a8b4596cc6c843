"""The Ray launcher: a detached, named actor for each job. Jobs outlive their launch, and a later one finds them.

An actor's name is made of the job's manifest, so that no job is submitted twice. Ray starts an actor again, on another
node, if its node dies; the job then leaves out what is complete. Where accounts differ, the results win: a job that has
reported `done` is done, whatever Ray says.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hpoctl.core.jobs import Activity, Job, JobStatus, running_jobs
from hpoctl.core.options import option_values
from hpoctl.core.places import is_address
from hpoctl.launchers.bundle import bundled_selection, make_bundle, read_requirements, upload
from hpoctl.plugins.loading import SELECTION
from hpoctl.stores.job_files import JobReport, Manifest, keep_manifest, read_log, read_manifest, read_report
from hpoctl.stores.opening import Opened, open_results
from hpoctl_ray.addresses import find_address
from hpoctl_ray.connection import RayCluster, UnreachableError, fits
from hpoctl_ray.node import ENTRY
from hpoctl_ray.options import RayOptions, chosen
from hpoctl_ray.states import status_of

NAME = "ray"
NEEDS = ("hpoctl-ray",)
"""What jobs need besides: their trials may run on the cluster, too."""

SUPERVISOR = Path(__file__).with_name("supervisor.py")
DIGEST = 12
"""Letters of a manifest's hash in the name of an actor."""

UNKNOWN = JobStatus("unknown")


@dataclass(slots=True)
class _TrackedJob:
    """A job.

    Attributes:
        job: The job.
        opened: Where its results go.
        manifest: What was written down when it was first submitted; None: it never was.
        to_submit: Whether it is still to be given to Ray.
        handle: Its actor, if this process has created it.
        seen: Whether this process has seen its actor.
        status: How far it is.
    """

    job: Job
    opened: Opened
    manifest: Manifest | None
    to_submit: bool = False
    handle: Any = None
    seen: bool = False
    status: JobStatus = UNKNOWN

    @property
    def name(self) -> str:
        """The name of its actor; empty: no actor."""
        manifest = self.manifest
        return f"{manifest.job.tag}/{manifest.job.name}-{manifest.digest[:DIGEST]}" if manifest else ""

    def report(self) -> JobReport | None:
        """What the job has reported last."""
        return read_report(self.opened.store, self.job.tag, self.job.name)


class RayLauncher:
    """Runs jobs as actors of a Ray cluster.

    Args:
        options: Which cluster, with which resources.
    """

    def __init__(self, options: RayOptions) -> None:
        self._options = options
        self._entries: dict[str, _TrackedJob] = {}
        self._looked = float("-inf")
        self._trouble: tuple[float, str] | None = None

    @cached_property
    def _cluster(self) -> RayCluster:
        return RayCluster(find_address(self._options))

    def submit(self, jobs: Sequence[Job]) -> Sequence[str]:
        """Submit jobs, unless they have been before.

        Raises:
            UsageError: An option is wrong, or there is no cluster.
            HpoctlError: The cluster cannot be reached.
        """
        new = [job for job in jobs if job.name not in self._entries or self._entries[job.name].status == UNKNOWN]
        if new:
            self._prepare(new)
            self._submit_waiting()
            self._looked = float("-inf")
        return [job.name for job in jobs]

    def find(self, jobs: Sequence[Job]) -> Sequence[str]:
        """The receipts of jobs that any process may have submitted."""
        unknown = [job for job in jobs if job.name not in self._entries]
        roots = {root: open_results(root) for root in {job.results for job in unknown}}
        for job in unknown:
            opened = roots[job.results]
            self._entries[job.name] = _TrackedJob(job, opened, read_manifest(opened.store, job.tag, job.name))
        self._looked = float("-inf")
        return [job.name for job in jobs]

    def poll(self, receipts: Sequence[str], seconds: float) -> Sequence[JobStatus]:
        """How far jobs are. Ray and the store are asked once in a while only.

        Raises:
            HpoctlError: The cluster is out of reach for too long, or before anything is known of the jobs.
        """
        time.sleep(seconds)
        if time.monotonic() - self._looked >= self._options.poll_interval:
            try:
                self._look([entry for entry in self._entries.values() if not entry.status.ended])
                self._submit_waiting()
                self._trouble = None
            except UnreachableError as error:
                self._wait_for_cluster(error)
            self._looked = time.monotonic()
        return [self._entries[name].status if name in self._entries else UNKNOWN for name in receipts]

    def activity(self) -> Sequence[Activity]:
        """A line for all jobs that run, and one for those that wait."""
        lines = running_jobs(NAME, ((entry.job, entry.status) for entry in self._entries.values()))
        waiting = [entry for entry in self._entries.values() if entry.status.state == "waiting"]
        if waiting:
            why = next((f": {entry.status.reason}" for entry in waiting if entry.status.reason), "")
            lines.append(Activity(NAME, f"{len(waiting)} jobs wait for resources or start{why}", None, 0.0))
        return [*lines, *([Activity(NAME, self._trouble[1], None, 0.0)] if self._trouble else [])]

    def cancel(self, receipts: Sequence[str]) -> None:
        """End jobs; they record what they were running, within some ten seconds.

        Raises:
            HpoctlError: The cluster cannot be reached; jobs continue.
        """
        entries = [entry for entry in map(self._entries.get, receipts) if entry is not None and not entry.status.ended]
        for entry in entries:
            if entry.to_submit:
                entry.to_submit = False
                entry.status = JobStatus("failed", reason="it was cancelled before it was submitted")
            elif entry.name:
                self._cluster.require_answer()
                self._cluster.kill(entry.name)
        self._looked = float("-inf")

    def log(self, receipt: str) -> str:
        """What a job has printed, until a few seconds ago."""
        entry = self._entries.get(receipt)
        return read_log(entry.opened.store, entry.job.tag, entry.job.name) if entry else ""

    def _prepare(self, jobs: Sequence[Job]) -> None:
        """Look at what the options name, reach the cluster, then put the manifests where they belong."""
        self._environment()
        read_requirements(self._options.requirements)
        address = self._cluster.address
        options = option_values(replace(self._options, address=address, start=False))
        roots = {root: open_results(root) for root in {job.results for job in jobs}}
        for job in jobs:
            opened = roots[job.results]
            manifest = keep_manifest(opened.store, Manifest.of(job, NAME, options, time.time()))
            self._entries[job.name] = _TrackedJob(job, opened, manifest, to_submit=True, status=JobStatus("waiting"))

    def _submit_waiting(self) -> None:
        """Give Ray what waits for it, unless another process does that now, or has done it."""
        waiting = [entry for entry in self._entries.values() if entry.to_submit]
        for turn, entries in _by_turn(waiting).items():
            opened = entries[0].opened
            if not opened.claims.take(turn):
                continue
            try:
                self._look(entries)
                self._create([entry for entry in entries if entry.to_submit], opened)
            finally:
                opened.claims.release(turn)

    def _create(self, entries: Sequence[_TrackedJob], opened: Opened) -> None:
        if not entries:
            return
        remote = is_address(opened.store.location(""))
        extra = read_requirements(self._options.requirements)
        bundle = make_bundle({ENTRY: SUPERVISOR.read_bytes()}, [*NEEDS, *(["hpoctl[aws]"] if remote else [])], extra)
        address = upload(opened.store, bundle)
        for entry in entries:
            spec = {
                "bundle": address,
                "digest": bundle.digest[:32],
                "boto3": f"boto3=={version('boto3')}" if remote else "",
                "environment": self._environment(),
                "setup": self._setup(entry.job),
            }
            entry.handle = self._cluster.create(entry.name, spec, self._options)
            entry.to_submit, entry.seen = False, True

    def _setup(self, job: Job) -> Mapping[str, Any]:
        options = self._options
        return {"runner": job.runner, **job.setup(options.workers, options.retries, options.timeout)}

    def _environment(self) -> dict[str, str]:
        variables = chosen(self._options.environment)
        selection = bundled_selection(NEEDS)
        return variables if selection is None else {**variables, SELECTION: selection}

    def _look(self, entries: Sequence[_TrackedJob]) -> None:
        """Ask Ray first and the store afterwards: a job that ends in between has reported by then."""
        asked = []
        for entry in entries:
            report = entry.report() if entry.manifest else None
            if report is not None and report.state == "done" and not entry.seen:  # Ray has nothing to add
                entry.to_submit, entry.status = False, status_of(report, alive=False, created=False)
            elif entry.manifest:
                asked.append(entry)
        if not asked:
            return
        self._cluster.require_answer()
        names = self._cluster.names()
        for entry in asked:
            entry.seen = entry.seen or entry.name in names
            status = status_of(entry.report(), alive=entry.name in names, created=entry.handle is not None)
            if status == UNKNOWN and entry.to_submit:
                continue
            entry.to_submit = False
            if status.state == "failed" and not status.reason and not status.failures and entry.handle is not None:
                status = replace(status, reason=self._cluster.why(entry.handle))
            if status.state == "waiting" and not fits(self._options.demand, self._cluster.nodes()):
                status = replace(status, reason="no node has the resources of a job")
            entry.status = status

    def _wait_for_cluster(self, error: UnreachableError) -> None:
        """The cluster is out of reach: continue with the last known states, for a while."""
        live = [entry for entry in self._entries.values() if not entry.status.ended]
        if any(entry.status == UNKNOWN and entry.manifest for entry in live):
            raise error
        now = time.monotonic()
        since = self._trouble[0] if self._trouble else now
        self._trouble = (since, error.what)
        if now - since > self._options.patience:
            raise error


def _by_turn(entries: Sequence[_TrackedJob]) -> dict[str, list[_TrackedJob]]:
    """Entries by the claim under which they are submitted."""
    found: dict[str, list[_TrackedJob]] = {}
    for entry in entries:
        found.setdefault(f"{entry.job.tag}/ray", []).append(entry)
    return found
