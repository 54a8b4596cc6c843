"""An unforeseen error: two lines, and its traceback in a file."""

import os
import sys
import time
import traceback
from pathlib import Path

from hpoctl.core.credentials import command_text, concealed
from hpoctl.core.errors import HpoctlError, UnforeseenError, UsageError
from hpoctl.core.files import write_durably
from hpoctl.core.places import cache_directory

LONGEST = 200
"""Characters of a message that are shown."""


def unforeseen(error: Exception) -> HpoctlError:
    """The error that a person sees: what happened, and the file that has the traceback."""
    if isinstance(error, MemoryError):
        what = "There is not enough memory."
    else:
        message = " ".join(f"{type(error).__name__}: {_message(error)}".split()).rstrip(".: ")
        what = f"Unforeseen {message[:LONGEST]}{'...' if len(message) > LONGEST else ''}."
    wrapped = UnforeseenError(what, _fix(error))
    wrapped.__cause__ = error
    return wrapped


def _message(error: Exception) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the message is made by the error's own code
        return "its message cannot be read"


def _fix(error: Exception) -> str:
    try:
        path = cache_directory() / "errors" / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    except UsageError as failed:
        return f"Repeat the command with --debug for its traceback, which has no folder: {failed.what}"
    try:
        _write(path, error)
    except OSError as failed:
        return f"Repeat the command with --debug for its traceback ({path} cannot be written: {failed.strerror})."
    return f"The traceback is in {path}; report it with that file. Nothing that was complete is lost."


def _write(path: Path, error: Exception) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    trace = concealed("".join(traceback.format_exception(error)))
    text = f"{command_text(['hpoctl', *sys.argv[1:]])}\n\n{trace}"
    write_durably(path, text.encode(errors="backslashreplace"), private=True)
