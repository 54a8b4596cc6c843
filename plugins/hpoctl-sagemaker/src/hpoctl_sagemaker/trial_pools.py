"""Warm pools: machines that SageMaker keeps, and bills, after a trial for the next one."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from hpoctl_sagemaker.api import SagemakerApi, Training
from hpoctl_sagemaker.errors import BusyError
from hpoctl_sagemaker.trial_job import TrialJob

PATIENCE = 600.0
"""Seconds that machines get to end."""


def end_pools(api: SagemakerApi, mark: str, jobs: Mapping[str, TrialJob], interval: float) -> Sequence[TrialJob]:
    """End the machines that are kept; returns the jobs that are billed more than was known.

    Args:
        api: SageMaker.
        mark: How the names of the jobs begin.
        jobs: Ended jobs by name.
        interval: Seconds between two questions.
    """
    end = time.monotonic() + PATIENCE
    listed: Mapping[str, Training] = {}
    while time.monotonic() < end:
        with suppress(BusyError):
            listed = api.trainings(mark, 0.0)
            kept = [name for name in jobs if name in listed and listed[name].kept in ("Available", "InUse")]
            for name in kept:
                api.let_go(name)
            if not kept:
                break
        time.sleep(interval)
    changed = []
    for name, job in jobs.items():
        if name in listed and listed[name].kept_seconds != job.kept_seconds:
            job.kept_seconds, job.billed = listed[name].kept_seconds, False
            job.keep()
            changed.append(job)
    return changed
