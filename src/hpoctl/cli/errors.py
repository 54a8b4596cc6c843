"""Errors that hpoctl did not raise itself, in the form of all others: those of the parser, and unforeseen ones."""

import os
import sys
import time
import traceback
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import typer

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


def is_help(error: typer.TyperException) -> bool:
    """Whether it is not an error: a command without words has shown its help."""
    return type(error).__name__ == "NoArgsIsHelpError"


def parser_error(error: typer.TyperException) -> UsageError:
    """The error that the parser has raised, with the next thing to type.

    Args:
        error: It may know its context, and close matches of an option.
    """
    context: Any = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "hpoctl"
    help_of = f"`{path} --help` lists what it takes."
    option = getattr(error, "option_name", None)
    if getattr(error, "possibilities", None) is not None and option is not None:
        return UsageError(f"There is no option {option} of `{path}`.", f"{_close(option, context)}{help_of}")
    what = error.format_message().strip()
    return UsageError(what if what.endswith((".", "?")) else f"{what}.", help_of)


def _close(option: str, context: Any) -> str:
    known: Sequence[str] = [] if context is None else [name for each in context.command.params for name in each.opts]
    close = get_close_matches(option, [name for name in known if name.startswith("--")], n=1)
    return f"Did you mean {close[0]}? " if close else ""
