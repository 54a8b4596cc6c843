"""The live view of a launch: a bar over all experiments with time left, and a line for each worker."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hpoctl.cli.progress import trials_table
from hpoctl.core.jobs import Activity, Failure
from hpoctl.ops.launching.launch import LaunchProgress

REFRESH = 0.1
"""Seconds between two pictures."""

NEWS = 30.0
"""Seconds between two lines without a live view."""


def duration(seconds: float) -> str:
    """Seconds for people: 9 s, 1:05, 2:03:00."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class LaunchBars:
    """Shows a launch on a terminal; elsewhere a line now and then, and one for each failure.

    Args:
        console: Where to draw.
        tag: The tag.
    """

    def __init__(self, console: Console, tag: str) -> None:
        self._console = console
        self._tag = tag
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        self._told: set[Failure] = set()
        self._drawn = 0.0
        self._said = time.monotonic()

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def begins(self, random_seed: int) -> None:
        """Print the random seed: repeating the study elsewhere needs it."""
        self._console.print(f"random seed {random_seed}", style="dim", markup=False)

    def shows(self, progress: LaunchProgress) -> None:
        """Draw how far it is, ten times a second at most."""
        for failure in progress.failures:
            if failure not in self._told:
                self._told.add(failure)
                line = f"failed {failure.cell}: {failure.error}"
                self._console.print(line, style="red", markup=False, soft_wrap=True)
        now = time.monotonic()
        if self._live and now - self._drawn >= REFRESH:
            self._drawn = now
            self._live.update(_picture(self._tag, progress), refresh=True)
        elif not self._live and now - self._said >= NEWS:
            self._said = now
            self._console.print(_summary(self._tag, progress), markup=False, soft_wrap=True)


def _summary(tag: str, progress: LaunchProgress) -> str:
    ended = progress.done + len(progress.failures)
    parts = [f"{tag}  {ended}/{progress.total}"]
    if progress.failures:
        parts.append(f"{len(progress.failures)} failed")
    if ended:
        parts.append(_rate(ended / max(progress.elapsed, 1e-9)))
    parts.append(f"{duration(progress.left)} left")
    return "  ".join(parts)


def _rate(rate: float) -> str:
    """Experiments in a second, or in the time in which some end: those that train take hours."""
    for seconds, unit in ((1, "s"), (60, "min")):
        if rate * seconds >= 0.1:
            return f"{rate * seconds:.1f}/{unit}"
    return f"{rate * 3600:.1f}/h"


def _picture(tag: str, progress: LaunchProgress) -> Group:
    ended = progress.done + len(progress.failures)
    head = Table.grid(padding=(0, 1))
    head.add_row(
        ProgressBar(total=max(1, progress.total), completed=ended, width=30),
        Text(f"{100 * ended // max(1, progress.total):3d}%"),
        Text(_summary(tag, progress), style="red" if progress.failures else ""),
    )
    parts: list[RenderableType] = [head, _workers(progress.activity)]
    for entry in progress.activity:
        if entry.trials:
            several = sum(bool(other.trials) for other in progress.activity) > 1
            parts += [Text(f"{entry.worker}:", style="dim")] if several else []
            parts.append(Padding(trials_table(entry.trials), (0, 0, 0, 2)))
    return Group(*parts)


def _workers(activity: Sequence[Activity]) -> Table:
    lines = Table.grid(padding=(0, 1))
    for entry in activity:
        share = Text("") if entry.share is None else Text(f"{100 * entry.share:3.0f}%")
        seconds = Text(duration(entry.seconds) if entry.seconds else "", style="dim")
        lines.add_row(Text(f"  {entry.worker}", style="dim"), Text(entry.what), share, seconds)
    return lines
