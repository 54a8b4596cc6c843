"""How far a job on SageMaker is, from what it says itself and what SageMaker says of it."""

from hpoctl.core.jobs import JobState, JobStatus
from hpoctl.stores.job_files import JobReport
from hpoctl_sagemaker.api import Training


def status_of(report: JobReport | None, training: Training | None, why: str) -> JobStatus:
    """How far a job is.

    Args:
        report: What the job has reported last.
        training: What SageMaker says of it; None: it knows no such job.
        why: Why it failed, according to SageMaker.
    """
    done, failures = (report.done, report.failures) if report else (0, ())
    if report is not None and report.state == "done":
        return JobStatus("done", done, failures)
    if training is not None and training.live:
        # A job that was interrupted has reported so, and begins again where it was.
        state: JobState = "running" if report is not None and report.state == "running" else "waiting"
        if training.status == "Stopping":
            return JobStatus("running", done, failures, "it is being stopped")
        return JobStatus(state, done, failures, training.detail if state == "waiting" else "")
    if report is not None and report.state == "failed":
        return JobStatus("failed", done, failures, report.reason)
    if training is not None:
        return JobStatus("failed", done, failures, _ending(training, why))
    return JobStatus("unknown", done, failures)


def _ending(training: Training, why: str) -> str:
    if why:
        return why
    if training.detail == "MaxRuntimeExceeded":
        return "SageMaker stopped it after max_run"
    if training.detail == "MaxWaitTimeExceeded":
        return "spot capacity did not come within max_wait"
    return f"SageMaker says {training.status}, and its progress is unknown"
