"""When failed trials make their experiment fail."""

from collections.abc import Mapping

from hpoctl.core.errors import HpoctlError
from hpoctl.engine.trial_log import TrialLog

FEW_FAILURES = 3
"""Failed trials that an experiment tolerates, for any allowed share."""


class TooManyFailuresError(HpoctlError):
    """More trials have failed than may, or all of them before they reported anything."""


def check_failures(trials: TrialLog, allowed: float | None) -> None:
    """End an experiment of which more trials have failed than may.

    Args:
        trials: What became of its trials.
        allowed: How many may fail, as a number or as a share of those that were started; None: any number.

    Raises:
        TooManyFailuresError: More have failed.
    """
    failed = len(trials.failures)
    if allowed is None or failed <= most_failures(allowed, trials.started):
        return
    shown = f"{allowed:.0%} of trials" if 0 < allowed < 1 else str(allowed)
    raise TooManyFailuresError(
        f"{failed} of {trials.started} trials failed, and --max-failures is {shown}. {_last(trials.failures)}",
        "Mend the cause and run the command again, or allow more with --max-failures.",
    )


def check_rows(trials: TrialLog, rows: int) -> None:
    """End an experiment without a result: all its trials failed before a report, however many were allowed to.

    Args:
        trials: What became of its trials.
        rows: How many rows they have reported.

    Raises:
        TooManyFailuresError: It has no row, and no trial that did not fail.
    """
    failures = trials.failures
    if rows == 0 and failures and len(failures) == trials.started:
        count = "The only trial" if len(failures) == 1 else f"All {len(failures)} trials"
        raise TooManyFailuresError(
            f"{count} failed before the first report. {_last(failures)}", "Mend the cause and run the command again."
        )


def most_failures(allowed: float, started: int) -> int:
    """How many failed trials an experiment survives.

    Args:
        allowed: A whole number, or a share (between 0 and 1) of the trials that were started. Of the first trials one
            would be a large share, so at least `FEW_FAILURES` are allowed.
        started: How many trials were started.
    """
    return max(FEW_FAILURES, int(allowed * started)) if 0 < allowed < 1 else int(allowed)


def _last(failures: Mapping[int, str]) -> str:
    trial_id, reason = list(failures.items())[-1]
    return f"The last one: trial {trial_id}: {reason or 'it failed'}."
