"""Run a plugin's code so that any exception becomes one line of text."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from hpoctl.core.text import one_line

HPOCTL = Path(__file__).parents[1]

ResultT = TypeVar("ResultT")


def attempt(step: str, action: Callable[[], ResultT], failures: list[str]) -> ResultT | None:
    """Run an action of a plugin; its exceptions are added to the failures. Ctrl-C passes.

    What the action prints goes to standard error: standard output belongs to the command.

    Args:
        step: What the action is, the beginning of the failure's line.
        action: The action.
        failures: Where the failure is added.

    Returns:
        The action's result; None after a failure.
    """
    try:
        with redirect_stdout(sys.stderr):
            return action()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a plugin may raise anything, SystemExit included
        failures.append(f"{step}: {describe(error)}")
        return None


@contextmanager
def raw_output_to_stderr() -> Iterator[None]:
    """Send to standard error what code, such as a library in C or a child process, writes to descriptor 1 meanwhile."""
    try:
        sys.stdout.flush()
        kept = os.dup(1)
    except (OSError, ValueError):  # it is closed: nothing to protect
        yield
        return
    try:
        with suppress(OSError):
            os.dup2(2, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def describe(error: BaseException) -> str:
    """An error in one line: its type, its message, and the last line of the plugin's code that it passed."""
    try:
        message = one_line(str(error))
    except Exception:  # noqa: BLE001 - the message is made by the plugin's own code, too
        message = "its message cannot be read"
    place = None if isinstance(error, SyntaxError) else _place(error.__traceback__)
    return type(error).__name__ + (f": {message}" if message else "") + (f" ({place})" if place else "")


def _place(traceback: TracebackType | None) -> str | None:
    """The innermost frame that is neither hpoctl's own nor generated code nor Python's import machinery."""
    place = None
    while traceback is not None:
        path = Path(traceback.tb_frame.f_code.co_filename)
        own = HPOCTL in path.parents or path.name.startswith("<") or not {"importlib", "pluggy"}.isdisjoint(path.parts)
        if not own:
            place = f"{path.name}, line {traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place
