"""How far a job on Slurm is: settled from its own report, and from what Slurm knows of the array elements it is in."""

import time
from collections.abc import Mapping, Sequence

from hpoctl.core.jobs import JobState, JobStatus
from hpoctl.launchers.slurm_arrays import Array
from hpoctl.launchers.slurm_commands import ALL, Element, accounted, queued
from hpoctl.stores.job_files import JobReport

WORDS = {
    "CANCELLED": "it was cancelled",
    "TIMEOUT": "it reached its time limit",
    "OUT_OF_MEMORY": "it needed more memory than it was given",
    "NODE_FAIL": "its node failed",
    "BOOT_FAIL": "its node did not start",
    "PREEMPTED": "it was preempted",
    "DEADLINE": "its deadline passed",
    "REVOKED": "another cluster took it over",
}
"""How an element ended, where that is not up to its process."""

UNKNOWN = JobStatus("unknown")
DAY = 86400.0

Elements = Mapping[tuple[str, int], Sequence[Element]]
"""The elements of each array's name and index, the latest first: an array may have been submitted twice."""


def elements_in_queue(arrays: Sequence[Array]) -> Elements:
    """What waits or runs of some arrays, and what ended a short while ago.

    Raises:
        SlurmUnreachableError: The controller does not answer.
    """
    return _by_place(queued([array.name for array in arrays]))


def elements_in_accounts(arrays: Sequence[Array]) -> Elements:
    """The elements of some arrays that have ended, from the accounting; empty where it is missing or lags behind."""
    if not arrays:
        return {}
    days = int((time.time() - min(array.made for array in arrays)) // DAY) + 1
    found = accounted([array.name for array in arrays], max(1, days)) or []
    return _by_place([element for element in found if not element.live])


def _by_place(elements: Sequence[Element]) -> Elements:
    found: dict[tuple[str, int], list[Element]] = {}
    for element in sorted(elements, key=lambda element: -element.array):
        found.setdefault((element.name, element.index), []).append(element)
    return found


def elements_of(job: str, arrays: Sequence[Array], elements: Elements) -> Sequence[Element]:
    """The elements that a job is or was in."""
    places = [(array.name, array.places()[job]) for array in arrays if job in array.places()]
    return [
        element for name, index in places for element in elements.get((name, index)) or elements.get((name, ALL), ())
    ]


def is_open(report: JobReport | None) -> bool:
    """Whether a job has not reported how it ended."""
    return report is None or report.state == "running"


def judge(report: JobReport | None, elements: Sequence[Element], *, taken_in: bool) -> JobStatus:
    """How far a job is.

    Args:
        report: What it says itself.
        elements: The elements that it is or was in, so far as Slurm knows them.
        taken_in: Whether Slurm is known to have taken it in.
    """
    live = live_element(elements)
    done, failures = (report.done, report.failures) if report else (0, ())
    if report is not None and report.state == "done":
        return JobStatus("done", done, failures)
    if live is not None:
        state: JobState = "running" if live.state != "PENDING" and report is not None else "waiting"
        return JobStatus(state, done, failures, live.reason if live.state == "PENDING" else "")
    if report is None and not elements and not taken_in:
        return UNKNOWN
    return JobStatus("failed", done, failures)


def live_element(elements: Sequence[Element]) -> Element | None:
    """The element that waits or runs."""
    return next((element for element in elements if element.live), None)


def why_failed(report: JobReport | None, elements: Sequence[Element], log: str) -> str:
    """Why a job has failed, in one line; empty: its experiments say it.

    Args:
        report: What it says itself.
        elements: The elements that it was in, so far as Slurm knows them.
        log: What it printed.
    """
    element = next(iter(elements), None)
    if element is not None and element.state in WORDS:
        return WORDS[element.state]
    if report is not None and report.state == "failed":
        return report.reason
    last = next((line.strip() for line in reversed(log.splitlines()) if line.strip()), "")
    why = f": {last}" if last else ""
    if element is None:
        return f"Slurm does not know it any more, and it has not reported its end{why}"
    detail = f" ({element.reason})" if element.reason else ""
    return f"Slurm says {element.state}{detail}, and it has not reported its end{why}"
