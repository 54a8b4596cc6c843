"""Errors of the command line's parser in the form of all others: what is wrong, what to do, and JSON if asked for."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import typer

from hpoctl.core.errors import UsageError


def is_help(error: typer.TyperException) -> bool:
    """Whether it is no error: a command without words has shown its help."""
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
