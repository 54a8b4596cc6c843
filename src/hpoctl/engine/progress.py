"""How far an experiment with real trials is, written into its metadata every few seconds: `status` reads it there."""

from contextlib import suppress
from typing import Any

from hpoctl.core.clock import SystemTime
from hpoctl.core.errors import HpoctlError
from hpoctl.core.protocols import Decision, Ended, Report, Resume, Start
from hpoctl.core.storage import Store
from hpoctl.engine.attempts import close_metadata
from hpoctl.engine.replay import Journaled
from hpoctl.engine.rows import RowLog
from hpoctl.engine.trial_log import TrialLog
from hpoctl.engine.tuner import Watcher

EVERY, EVERY_FAR = 5.0, 30.0
"""Seconds between two writes, to a disk and to a store elsewhere."""


class RunProgress:
    """A watcher that passes on what it sees, and writes the progress of the experiment.

    Args:
        store: Where results are.
        directory: The result directory.
        watcher: Whom to pass on to.
        system: Where real time comes from.
    """

    def __init__(self, store: Store, directory: str, watcher: Watcher, system: SystemTime) -> None:
        self._store = store
        self._directory = directory
        self._watcher = watcher
        self._monotonic = system.monotonic
        self._every = EVERY if store.readers == 1 else EVERY_FAR
        self._written = system.monotonic() - self._every + 1.0
        self._trials: TrialLog | None = None
        self._log: RowLog | None = None
        self._journaled: Journaled | None = None

    def follow(self, trials: TrialLog, log: RowLog, journaled: Journaled) -> None:
        """Say what is to be written about."""
        self._trials, self._log, self._journaled = trials, log, journaled

    def begins(self, trial_id: int, step: Start | Resume, now: float) -> None:
        """A trial starts or resumes."""
        self._watcher.begins(trial_id, step, now)

    def reports(self, report: Report, decision: Decision, log: RowLog) -> None:
        """A trial has reported and a decision was taken."""
        self._watcher.reports(report, decision, log)

    def ends(self, event: Ended) -> None:
        """A trial has left its worker."""
        self._watcher.ends(event)

    def says(self, text: str) -> None:
        """Something is to be told of the whole experiment."""
        self._watcher.says(text)

    def idle(self) -> None:
        """Write how far it is, if that is due."""
        now = self._monotonic()
        if self._trials is None or self._journaled is None or now - self._written < self._every:
            return
        self._written = now
        with suppress(HpoctlError):  # on a full disk, or a store that is away for a while: the next one counts
            close_metadata(self._store, self._directory, {"progress": self.facts(self._trials)})

    def facts(self, trials: TrialLog) -> dict[str, Any]:
        """How far it is: trials by outcome, rows, seconds, the best value, failures and why."""
        log, journaled = self._log, self._journaled
        best = log.best_value() if log is not None else float("nan")
        return {
            "trials": trials.started,
            "outcomes": trials.counts(),
            "rows": log.count if log is not None else 0,
            "seconds": journaled.now if journaled is not None else 0.0,
            "best": best if best == best else None,  # noqa: PLR0124 - NaN
            "dropped_rows": trials.late + sum(run.dropped for run in trials.runs),
            "failures": {str(trial): reason for trial, reason in list(trials.failures.items())[-MOST:]},
        }


MOST = 20
"""Failures that are told; the last ones."""
