"""What the end of a trial's processes means: its outcome, and why, in one line."""

import os
import signal
from pathlib import Path

from hpoctl.backends.scripts.training import Training
from hpoctl.backends.scripts.workers import Exit
from hpoctl.core.credentials import concealed
from hpoctl.core.files import open_regular
from hpoctl.core.protocols import Ended, Outcome
from hpoctl.core.text import one_line

LAST = 20_000
"""Bytes of standard error in which its last line is looked for."""

LINE = 200
"""Characters of that line that a reason quotes."""

LEFT_BEHIND = "processes that it had left behind were ended"
"""What is told of a trial whose first process has ended before others: what these would have reported is missing."""

KILLED = "killed after the grace period"
"""Why a trial that was told to leave did not do so by itself."""

HINTS = {signal.SIGKILL: "out of memory, or killed from outside"}


def ended(training: Training, now: float) -> Ended:
    """How a trial has ended, all of whose processes are gone."""
    gone = training.exit or Exit(training.key, None, None)
    outcome, reason = _outcome(training, gone)
    return Ended(
        training.trial_id,
        outcome,
        now,
        reason,
        gone.code,
        gone.signal,
        training.slot.number,
        ",".join(training.slot.devices),
    )


def _outcome(training: Training, gone: Exit) -> tuple[Outcome, str]:
    left_out = training.written.left_out
    if training.finishing:
        after = "" if gone.code == 0 else f"after its last report: {_how(gone)}"
        return Outcome.COMPLETED, _both(after, left_out)
    if training.pause is not None:
        killed = KILLED if gone.killed else ""
        return (Outcome.PAUSED if training.pause else Outcome.STOPPED), _both(killed, left_out)
    failure = training.failing or gone.why or training.written.trouble or _failure(training, gone)
    behind = LEFT_BEHIND if gone.left else ""
    return (Outcome.FAILED, failure) if failure else (Outcome.COMPLETED, _both(behind, left_out))


def _both(one: str, other: str) -> str:
    return "; ".join(part for part in (one, other) if part)


def _failure(training: Training, gone: Exit) -> str:
    """Why a trial that ended by itself has failed; empty: it has not."""
    if gone.code != 0:
        last = last_line(training.folder.err)
        return f"{_how(gone)}: {last}" if last else _how(gone)
    if training.known == 0:
        problem = f": {training.written.first_problem}" if training.written.first_problem else ""
        return _both(f"it ended without a report{problem}", LEFT_BEHIND if gone.left else "")
    return ""


def _how(gone: Exit) -> str:
    if gone.signal is None:
        return f"exit status {gone.code}"
    try:
        named = signal.Signals(gone.signal)
    except ValueError:
        return f"killed by signal {gone.signal}"
    hint = f" ({HINTS[named]})" if named in HINTS and not gone.killed else ""
    return f"killed by {named.name}{hint}"


def last_line(path: Path) -> str:
    """The last line of a text file that says something, so far as it can be printed, without credentials."""
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - LAST))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return one_line(concealed(next((line for line in reversed(lines) if line.strip()), "")), LINE)
