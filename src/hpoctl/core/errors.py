"""The errors that hpoctl shows to a person: one line of what is wrong, one line of what to do.

Exit codes; 0 is: all that was asked is done.

HpoctlError                 exit code 1   something failed
  UsageError                exit code 2   a wrong name, option, file or plugin entry
  IncompleteError           exit code 3   nothing to act on, or incomplete input
  UnforeseenError           exit code 4   a defect of hpoctl or of a plugin
  OutputError               exit code 5   all is done, but what was printed is lost
                            exit code 130 interrupted with Ctrl-C, and the state is saved
                            exit code 143 a job was told to end (SIGTERM), and the state is saved
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar

from hpoctl.core.text import printable

FAILED, WRONG_USAGE, INCOMPLETE, UNFORESEEN, OUTPUT_LOST, INTERRUPTED, TERMINATED = 1, 2, 3, 4, 5, 130, 143


class HpoctlError(Exception):
    """An error with a remedy.

    Args:
        what: One line that says what is wrong.
        fix: One line that says what to do.

    Both may quote a name of a file, which can hold anything: what cannot be printed is shown by its code.
    """

    exit_code: ClassVar[int] = FAILED

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what, fix)
        self.what = printable(what)
        self.fix = printable(fix)

    def __str__(self) -> str:
        return f"{self.what} {self.fix}"


class UsageError(HpoctlError):
    """The person asked for something that does not exist or does not fit."""

    exit_code = WRONG_USAGE


class OffTableError(UsageError):
    """A configuration that a table does not have."""


class IncompleteError(HpoctlError):
    """There is nothing to act on, or the input is incomplete or damaged."""

    exit_code = INCOMPLETE


class UnforeseenError(HpoctlError):
    """Something happened that no part of hpoctl expects: a defect of it, of a plugin, or of the machine."""

    exit_code = UNFORESEEN


class OutputError(HpoctlError):
    """The work is done, but standard output could not be written."""

    exit_code = OUTPUT_LOST


def unknown_name(kind: str, name: str, known: Iterable[str], listing: str) -> UsageError:
    """The error for a mistyped name, with the closest known names.

    Args:
        kind: What the name names, such as `method`.
        name: The name that was given.
        known: All names that would have been accepted.
        listing: The command that lists them, such as `hpoctl methods`.
    """
    folded: dict[str, str] = {candidate.casefold(): candidate for candidate in sorted(known)}
    close = [folded[match] for match in get_close_matches(name.casefold(), folded, n=3, cutoff=0.5)]
    hint = f"Did you mean {' or '.join(close)}? " if close else ""
    return UsageError(f"Unknown {kind} {name!r}.", f"{hint}`{listing}` lists all of them.")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A remedy for a mistyped name: the closest known names, or all of them where none is close."""
    folded = {candidate.casefold(): candidate for candidate in known}
    close = [folded[match] for match in get_close_matches(name.casefold(), folded, n=3, cutoff=0.5)]
    return f"Did you mean {' or '.join(close)}?" if close else f"Use one of: {', '.join(folded.values())}."
