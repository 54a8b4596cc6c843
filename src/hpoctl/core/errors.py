"""The errors that hpoctl shows to a person: one line of what is wrong, one line of what to do.

HpoctlError                 exit code 1   something failed
  UsageError                exit code 2   a wrong name, option, file or plugin entry
  IncompleteError           exit code 3   nothing to act on, or incomplete input
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar


class HpoctlError(Exception):
    """An error with a remedy.

    Args:
        what: One line that says what is wrong.
        fix: One line that says what to do.

    Both may quote a name of a file, which can hold anything: what cannot be printed is shown by its code.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what, fix)
        self.what = _printable(what)
        self.fix = _printable(fix)

    def __str__(self) -> str:
        return f"{self.what} {self.fix}"


class UsageError(HpoctlError):
    """The person asked for something that does not exist or does not fit."""

    exit_code = 2


class IncompleteError(HpoctlError):
    """There is nothing to act on, or the input is incomplete or damaged."""

    exit_code = 3


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


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
