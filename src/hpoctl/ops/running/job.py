"""The process of a job on another machine: `python -m hpoctl.ops.running.job JSON`, started by launchers.

The JSON object names `results` (the root), `tag` and `name` (the job, whose manifest is there), and may name `workers`
(experiments at a time), `retries` and `timeout`. It runs the job's experiments with the local launcher's workers,
writes each result as it ends, and says in its report how far it is. Started again, it leaves out what is complete.
"""

import json
import os
import platform
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import FrameType
from typing import Any

from hpoctl.core.errors import FAILED, TERMINATED, HpoctlError, IncompleteError
from hpoctl.core.jobs import Job, JobStatus
from hpoctl.core.places import is_address
from hpoctl.core.storage import Store
from hpoctl.launchers.local import LocalLauncher
from hpoctl.launchers.options import LocalOptions
from hpoctl.ops.tables.shared_tables import fetch_tables
from hpoctl.stores.job_files import JobReport, keep_report, read_manifest
from hpoctl.stores.opening import open_results

RUNNER = ("-P", "-m", "hpoctl.ops.running.job")
"""The arguments of a Python that runs a job here; one more is the JSON object."""

TICK = 0.25
"""Seconds between two looks at the workers, when nothing happens."""

REPORT_EVERY, REPORT_SOON = 10.0, 1.0
"""Seconds between two reports while the job runs: at most, and at least where there is something new."""


def main(argument: str) -> int:
    """Run a job; returns the exit code: 0 if all of its experiments are complete."""
    setup = json.loads(argument)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        os.environ["HPOCTL_JOB"] = f"{setup['tag']}/{setup['name']}"  # claims are the job's, not this process's
        return run_job(setup)
    except HpoctlError as error:
        _say(f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return TERMINATED


def run_job(setup: Mapping[str, Any]) -> int:
    """Run the experiments of a job that are not complete.

    Raises:
        IncompleteError: There is no manifest of the job, or it is damaged.
        HpoctlError: The store failed, or workers cannot start.
    """
    store = open_results(setup["results"]).store
    tag, name = setup["tag"], setup["name"]
    manifest = read_manifest(store, tag, name)
    if manifest is None:
        raise IncompleteError(f"There is no job {name} of tag {tag}.", "Launch the tag again.")
    job = here(manifest.job)
    chosen = {"jobs": setup.get("workers"), "retries": setup.get("retries"), "timeout": setup.get("timeout")}
    launcher = LocalLauncher(LocalOptions(**{key: value for key, value in chosen.items() if value is not None}))
    _say(f"job {name}: {len(job.tasks)} experiments")
    status = JobStatus("running")
    _report(store, job, status, "running")
    if is_address(store.location("")):
        try:
            fetch_tables(store, tag, _say_how_far)
        except HpoctlError as error:
            _report(store, job, status, "failed", str(error))
            raise
    receipts = launcher.submit([job])
    try:
        status = _watch(launcher, receipts, store, job)
    except (KeyboardInterrupt, HpoctlError) as error:
        why = str(error) if isinstance(error, HpoctlError) else "interrupted"
        launcher.cancel(receipts)
        _report(store, job, launcher.poll(receipts, 0.0)[0], "failed", why)
        raise
    finally:
        launcher.cancel(receipts)
    complete = status.state == "done"
    _report(store, job, status, "done" if complete else "failed")
    _say(f"job {name}: {status.done} of {len(job.tasks)} experiments are complete, {len(status.failures)} failed")
    return 0 if complete else FAILED


def here(job: Job) -> Job:
    """The job with the Python of this machine in the command of its workers."""
    words = list(job.command)
    if "-P" in words[1:]:
        words[words.index("-P") - 1] = sys.executable
    return replace(job, command=tuple(words))


def _watch(launcher: LocalLauncher, receipts: Sequence[str], store: Store, job: Job) -> JobStatus:
    status, reported, written = JobStatus("running"), time.monotonic(), JobStatus("running")
    news = False
    while status.live:
        status = launcher.poll(receipts, TICK)[0]
        if (status.done, status.failures) != (written.done, written.failures):
            for failure in status.failures[len(written.failures) :]:
                _say(f"{failure.cell} failed: {failure.error}")
            _say(f"{status.done} of {len(job.tasks)} complete")
            written, news = status, True
        if time.monotonic() - reported >= (REPORT_SOON if news else REPORT_EVERY):
            reported, news = time.monotonic(), False
            _report(store, job, status, "running")
    return status


def _report(store: Store, job: Job, status: JobStatus, state: Any, reason: str = "") -> None:
    keep_report(
        store, job.tag, job.name, JobReport(state, status.done, status.failures, time.time(), platform.node(), reason)
    )


def _say_how_far(what: str, done: int, total: int | None) -> None:
    if done == total:
        _say(f"{what}: {done:,} bytes")


def _say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
    signal.signal(
        signal.SIGTERM, signal.SIG_IGN
    )  # a job may be stopped by signals to all of its processes, and repeatedly
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
