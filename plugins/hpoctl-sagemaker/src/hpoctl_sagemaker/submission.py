"""When SageMaker is asked for another training job: not while a quota is used up, or while it is busy."""

import time
from collections.abc import Mapping
from typing import Any, Literal

from hpoctl_sagemaker.api import SagemakerApi
from hpoctl_sagemaker.errors import BusyError, QuotaError, ZeroQuotaError

LONGEST_WAIT = 120.0
"""Seconds between two attempts at what does not fit, at most."""

Answer = Literal["taken", "full", "busy"]
"""taken: SageMaker has the job; full: it has not, for a quota; busy: it may have it."""


class Submission:
    """Asks for training jobs, one after another, and waits longer each time that one does not fit.

    Args:
        patience: Seconds before the second attempt at what does not fit; each further wait is twice as long.
    """

    def __init__(self, patience: float) -> None:
        self._first = self._patience = patience
        self._not_before = float("-inf")
        self.why = ""
        """What is waited for; empty: nothing."""

    @property
    def waits(self) -> bool:
        """Whether it is too early for another attempt."""
        return time.monotonic() < self._not_before

    def room(self) -> None:
        """A job has ended: there may be room for another one."""
        self._not_before = float("-inf")

    def ask(self, api: SagemakerApi, request: Mapping[str, Any]) -> Answer:
        """Ask for a job.

        Raises:
            ZeroQuotaError: A quota is zero.
            HpoctlError: SageMaker refuses it.
        """
        try:
            api.create(request)
        except QuotaError as error:
            if error.limit == 0:
                raise ZeroQuotaError(f"The quota {error.name!r} of SageMaker is 0.", error.fix) from error
            limit = "" if error.limit is None else f" of {error.limit}"
            self._wait(f"the quota{limit} for {error.name.removeprefix('for ')} is used up")
            return "full"
        except BusyError as error:
            self._wait(error.what)
            return "busy"
        self.why, self._patience = "", self._first
        return "taken"

    def _wait(self, why: str) -> None:
        self.why = why
        self._not_before = time.monotonic() + self._patience
        self._patience = min(2 * self._patience, max(LONGEST_WAIT, self._first))
