"""Tells a person what trials wait for, each reason once in a while."""

import math
import time
from collections.abc import Callable, Sequence

from hpoctl_sagemaker.trial_job import TrialJob

AGAIN = 300.0
"""Seconds after which a reason is told again."""


class Waiting:
    """Tells what is waited for.

    Args:
        say: Tells a person something.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said: dict[str, float] = {}

    def tell(self, troubles: Sequence[str], queue: str, interrupted: int, jobs: Sequence[TrialJob]) -> None:
        """Tell what is new.

        Args:
            troubles: What does not work.
            queue: Why SageMaker takes no job now; empty: it does.
            interrupted: How many jobs wait for spot capacity again.
            jobs: All jobs that have not ended.
        """
        waiting = [job for job in jobs if job.phase == "queued"]
        held = [job for job in waiting if job.trial in busy_trials(jobs)]
        reasons = {trouble: trouble for trouble in troubles}
        if queue:
            reasons[queue] = f"{_counted(len(waiting) - len(held))} for SageMaker: {queue}"
        if held:
            reasons["stop"] = f"{_counted(len(held))} until the last job of the same trial has stopped"
        if interrupted:
            reasons["spot"] = f"{_counted(interrupted)} for spot capacity after an interruption"
        now = time.monotonic()
        new = {key: text for key, text in reasons.items() if key and now - self._said.get(key, -math.inf) > AGAIN}
        if new:
            self._say("; ".join(new.values()))
            self._said |= dict.fromkeys(new, now)


def busy_trials(jobs: Sequence[TrialJob]) -> set[str]:
    """The trials that have a job which has not ended, or not been read to its end."""
    return {job.trial for job in jobs if job.phase in ("sent", "over")}


def _counted(number: int) -> str:
    return "1 trial waits" if number == 1 else f"{number} trials wait"
