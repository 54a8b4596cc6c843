"""How far a job on Ray is, from what it reports itself and whether its actor exists."""

from hpoctl.core.jobs import JobStatus
from hpoctl.stores.job_files import JobReport

LOST = "Ray has ended it, and it has not reported how far it got"


def status_of(report: JobReport | None, *, alive: bool, created: bool) -> JobStatus:
    """How far a job is.

    Args:
        report: What the job has reported last.
        alive: Whether its actor waits or runs.
        created: Whether this process has created the actor.
    """
    done, failures = (report.done, report.failures) if report else (0, ())
    if alive:
        # One that has reported its end still copies its log. One whose node has died waits to start elsewhere.
        return JobStatus("running" if report is not None and report.state != "failed" else "waiting", done, failures)
    if report is None:
        return JobStatus("failed" if created else "unknown")
    if report.state == "done":
        return JobStatus("done", done, failures)
    return JobStatus("failed", done, failures, report.reason if report.state == "failed" else LOST)
