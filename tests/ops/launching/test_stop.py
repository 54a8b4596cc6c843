"""Stopping a tag: its launches end first, then all jobs that they have submitted by then."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import pytest

from hpoctl.core.cells import Cell
from hpoctl.core.entries import LauncherEntry
from hpoctl.core.errors import IncompleteError
from hpoctl.core.jobs import Activity, Job, JobStatus, Task
from hpoctl.core.options import NoOptions
from hpoctl.ops.launching.launches import keep_launch
from hpoctl.ops.launching.stop import find_running, stop
from hpoctl.ops.studies.config import Root, open_root
from hpoctl.stores.job_files import Manifest, keep_manifest
from launch_here import toy_registry

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


class Marks:
    """A launcher whose jobs run until they are cancelled, which a file says."""

    def __init__(self, options: NoOptions) -> None:
        self.jobs: dict[str, Job] = {}

    def submit(self, jobs: Sequence[Job]) -> Sequence[str]:
        for job in jobs:
            keep_manifest(open_root(job.results).store, Manifest.of(job, "marks", {}, time.time()))
        return self.find(jobs)

    def find(self, jobs: Sequence[Job]) -> Sequence[str]:
        self.jobs |= {job.name: job for job in jobs}
        return [job.name for job in jobs]

    def poll(self, receipts: Sequence[str], seconds: float) -> Sequence[JobStatus]:
        return [JobStatus("failed" if self._mark(receipt).exists() else "running") for receipt in receipts]

    def activity(self) -> Sequence[Activity]:
        return ()

    def cancel(self, receipts: Sequence[str]) -> None:
        for receipt in receipts:
            self._mark(receipt).touch()

    def log(self, receipt: str) -> str:
        return ""

    def _mark(self, receipt: str) -> Path:
        return Path(self.jobs[receipt].results).parent / f"{receipt} is cancelled"


REGISTRY = toy_registry((), launchers=[LauncherEntry("marks", "Files", Marks, NoOptions(), outlives=True)])


def submit(root: Root, name: str) -> None:
    job = Job(name, "t", root.store.location(""), ("worker",), (Task("plan", Cell("RS", "toy", 0), 1.0),))
    Marks(NoOptions()).submit([job])


@contextmanager
def launched(root: Root, at_the_end: Callable[[], None]) -> Iterator[int]:
    """A process that launches the tag, and does something more when it is told to end."""
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:

        def end(number: int, frame: FrameType | None) -> None:
            at_the_end()
            os._exit(0)

        signal.signal(signal.SIGTERM, end)
        keep_launch(root.store, root.claims, "t", 2, datetime(2026, 1, 2, tzinfo=UTC), "hpoctl launch", "")
        os.write(tell, b"1")
        signal.pause()
        os._exit(1)
    os.close(tell)
    try:
        assert os.read(ready, 1) == b"1"
        yield pid
    finally:
        os.close(ready)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_a_job_that_a_launch_submits_while_it_is_being_stopped_is_cancelled_too(tmp_path: Path) -> None:
    root = open_root(str(tmp_path / "results"))
    submit(root, "first")
    with launched(root, lambda: submit(root, "second")) as pid:
        running = find_running(root, "t", REGISTRY)
        assert [launch.pid for launch in running.launches] == [pid]
        assert [job.manifest.job.name for job in running.jobs] == ["first"]
        stopped = stop(root, running, REGISTRY)
    assert sorted(stopped.jobs) == ["first", "second"]
    assert stopped.left == ()
    with pytest.raises(IncompleteError, match="Nothing of tag t runs"):
        find_running(root, "t", REGISTRY)


def test_a_job_that_has_ended_since_it_was_found_is_not_cancelled(tmp_path: Path) -> None:
    root = open_root(str(tmp_path / "results"))
    submit(root, "first")
    submit(root, "second")
    running = find_running(root, "t", REGISTRY)
    (tmp_path / "first is cancelled").touch()
    assert stop(root, running, REGISTRY).jobs == ("second",)
