"""What goes where: people's text and JSON to standard output, progress, hints and errors to standard error."""

import json
import math
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Literal

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.text import printable

if TYPE_CHECKING:
    from hpoctl.core.entries import Progress
    from hpoctl.ops.studies.listing import Problem

Status = Literal["success", "partial", "error"]
WIDTH_WHEN_PIPED = 160
LAYOUT = "\n\t"
"""Characters that lay text out: kept."""


COMMAND = re.compile(r"`[^`\n]*`")
"""A command in a sentence: kept on one line, so that it can be copied."""

BARE_COMMAND = re.compile(r"(^|\s)(\$ |hpoctl )")
"""A command that is not in backticks: its line is left to the terminal, which copies it as one."""

SPACE = "\0"
NARROW = 40


class LineConsole(Console):
    """A console that breaks lines between words, and shows control characters in texts by their codes.

    A terminal would obey control characters. What is not shown on a terminal keeps its long lines.
    """

    def print(self, *objects: Any, soft_wrap: bool | None = None, **options: Any) -> None:
        """As rich prints it; a line that rich is told to leave to the terminal is broken between words first."""
        if soft_wrap and len(objects) == 1 and self.breaks_lines:
            objects = (self._fitted(objects[0]),)
        super().print(*objects, soft_wrap=soft_wrap, **options)

    @property
    def breaks_lines(self) -> bool:
        """Whether there is a width to fit lines in."""
        return self.is_terminal or "COLUMNS" in os.environ

    def _fitted(self, text: Any) -> Any:
        if isinstance(text, str):
            return "\n".join(fitted(text, self.width))
        if isinstance(text, Text) and not text.spans:
            return Text("\n".join(fitted(text.plain, self.width)), style=text.style)
        return text

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As rich renders it, with unprintable text made printable."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(printable(segment.text, keep=LAYOUT), segment.style)


def fitted(text: str, width: int, *, first: str = "", rest: str | None = None) -> list[str]:
    """The lines of a text in a number of columns.

    Args:
        text: The text; its own line breaks are kept.
        width: The columns; fewer than 40 count as 40.
        first: What the first line begins with.
        rest: What later lines begin with. None: the indentation of the text and two spaces more.
    """
    if first or rest is not None:
        return _wrapped(text, width, first, rest or "")
    lines = []
    for line in text.split("\n"):
        indent = " " * (len(line) - len(line.lstrip(" ")))
        lines += _wrapped(line[len(indent) :], width, indent, f"{indent}  ")
    return lines


def _wrapped(text: str, width: int, first: str, rest: str) -> list[str]:
    whole = COMMAND.sub(lambda found: found[0].replace(" ", SPACE), text)
    if len(first) + len(text) <= width or BARE_COMMAND.search(whole):
        return [first + text]
    lines = wrap(
        whole,
        max(width, NARROW),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(SPACE, " ") for line in lines] or [first]


def out(at_least: int = 0) -> LineConsole:
    """The console for what was asked for: standard output; no colour when piped.

    Args:
        at_least: The columns that it has at least, however narrow the terminal is.
    """
    console = _console(stderr=False)
    console.width = max(console.width, at_least)
    return console


def err() -> LineConsole:
    """The console for progress, hints and errors: standard error; no colour when piped."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> LineConsole:
    stream = sys.stderr if stderr else sys.stdout
    wide = None if stream.isatty() or "COLUMNS" in os.environ else WIDTH_WHEN_PIPED
    return LineConsole(stderr=stderr, highlight=False, width=wide)


def hint(text: str) -> None:
    """One line of what to type next."""
    err().print(text, style="dim", markup=False, soft_wrap=True)


def agreed(what: str, *, as_json: bool) -> bool:
    """Ask whether to continue.

    Raises:
        UsageError: Nobody can be asked: `--yes` has to be given.
    """
    if as_json or not sys.stdin.isatty():
        raise UsageError(what, "Add --yes to confirm; without a terminal there is no prompt.")
    return typer.confirm(f"{what} Go on?", err=True)


def echo(text: str) -> None:
    """Text of logs and tracebacks, as it stands but for control characters."""
    sys.stdout.write(printable(text.rstrip("\n"), keep=LAYOUT) + "\n")


def show_error(error: "HpoctlError | Problem") -> None:
    """One line of what is wrong and one of what to do."""
    console = err()
    console.print(f"error: {error.what}", style="bold red", markup=False, soft_wrap=True)
    console.print(f"  fix: {error.fix}", markup=False, soft_wrap=True)


def emit_json(command: str, status: Status, data: object, errors: Sequence[Mapping[str, str]] = ()) -> None:
    """Print the one JSON object that a script reads."""
    envelope = {
        "format": 1,
        "command": command,
        "status": status,
        "data": plain(data),
        "errors": list(errors),
    }
    sys.stdout.write(json.dumps(envelope, allow_nan=False) + "\n")


def error_json(error: "HpoctlError | Problem") -> dict[str, str]:
    """An error, or what is wrong with a plugin, as an entry of the envelope's `errors`."""
    return {"what": error.what, "fix": error.fix}


def plain(data: object) -> Any:
    """Frozen dataclasses, mappings and sequences as JSON values."""
    if is_dataclass(data) and not isinstance(data, type):
        return plain(asdict(data))
    if isinstance(data, Mapping):
        return {str(key): plain(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [plain(value) for value in data]
    if isinstance(data, float) and not math.isfinite(data):
        return None  # JSON has no NaN and no infinity
    return data


@contextmanager
def bar() -> "Iterator[Progress]":
    """A bar of what is being done, on standard error; nothing when piped."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = err()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task("", total=None)

        def tell(what: str, done: int, total: int | None) -> None:
            shown.update(task, description=what, completed=done, total=total)

        yield tell
