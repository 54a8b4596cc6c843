"""Who watches an experiment run: a progress bar, or a line for each thing that happens."""

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from hpoctl.core.jobs import TrialActivity
from hpoctl.core.protocols import Action, Decision, Ended, Outcome, Report, Resume, Start
from hpoctl.core.text import printable
from hpoctl.engine.finished import Finished
from hpoctl.engine.rows import RowLog
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.ops.running.training_view import TrainingView

REFRESH = 0.1
"""Seconds between two updates of the bar."""


def config_text(config: Mapping[str, object]) -> str:
    """A configuration on one line, in the order of the space."""
    return " ".join(f"{name}={_short(value)}" for name, value in config.items())


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


class TrialProgress(Progress):
    """Bars, and below them the trials that train now."""

    view: TrainingView | None = None

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bars, and a line for each trial."""
        yield from super().get_renderables()
        trials = [] if self.view is None else self.view.trials
        if trials:
            yield trials_table(trials)


TRIAL_COLUMNS = {"slot": True, "trial": True, "resource": True, "value": True, "left": True, "configuration": False}
"""The columns of `trials_table`, and whether they are numbers."""


def trials_table(trials: Sequence[TrialActivity]) -> Table:
    """The trials that train now: slot, number, resource, last value, time left, and a configuration that may wrap."""
    table = Table.grid(padding=(0, 2))
    for right in TRIAL_COLUMNS.values():
        table.add_column(justify="right" if right else "left", no_wrap=right, overflow="fold")
    table.add_row(*(Text(title, style="dim") for title in TRIAL_COLUMNS))
    for trial in trials:
        resource = "-" if trial.resource is None else str(trial.resource)
        table.add_row(
            Text(str(trial.slot)),
            Text(str(trial.trial_id)),
            Text(resource if trial.aim is None else f"{resource}/{trial.aim}"),
            Text("-" if trial.value is None else f"{trial.value:.6g}"),
            Text("-" if trial.left is None else f"{trial.left:,.0f} s"),
            Text(config_text(trial.config)),
        )
    return table


class Bars:
    """A bar for each experiment over its simulated time, and one for all; nothing when piped.

    Args:
        console: Where to draw.
        total: How many experiments there are.
    """

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._progress = TrialProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[detail]}", markup=False),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._all = self._progress.add_task("all", total=total, detail="", visible=total > 1)
        self._current: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def watch(self, spec: ExperimentSpec) -> "BarWatcher":
        """The watcher of the next experiment."""
        if self._current is not None:
            self._progress.remove_task(self._current)
        trains = spec.benchmark.script is not None
        # A table is expanded into its cache when it is opened for the first time: that may take seconds.
        detail = "" if trains else f"opening the table of {spec.benchmark.name}"
        self._current = self._progress.add_task(spec.name, total=spec.max_wallclock_time, detail=detail)
        self._progress.view = TrainingView(spec) if trains else None
        return BarWatcher(self._progress, self._current)

    def finished(self, result: Finished) -> None:
        """An experiment is complete."""
        self._progress.advance(self._all)
        best = f"best {result.best.value:.6g}" if result.best else "no finite value"
        self._console.print(
            f"done {result.name}: {result.trials} trials, {result.rows} rows, {best}, {result.wall_seconds:.1f} s",
            markup=False,
            style="dim",
        )


class BarWatcher:
    """Moves the bar of one experiment, ten times a second at most."""

    def __init__(self, progress: TrialProgress, task: TaskID) -> None:
        self._progress = progress
        self._view = progress.view
        self._task = task
        self._began = self._drawn = time.monotonic()

    def begins(self, trial_id: int, step: Start | Resume, now: float) -> None:
        """Show a trial that trains; simulated ones are too many."""
        if self._view is not None:
            self._view.begins(trial_id, step, now)

    def reports(self, report: Report, decision: Decision, log: RowLog) -> None:
        """Show the progress of the experiment."""
        if self._view is not None:
            self._view.reports(report, decision, log)
        now = time.monotonic()
        if now - self._drawn < REFRESH:
            return
        self._drawn = now
        speed = log.count / max(now - self._began, 1e-9)
        detail = f"{len(log.configs)} trials  best {log.best_value():.6g}  {speed:,.0f} rows/s"
        self._progress.update(self._task, completed=float(report.times[-1]), detail=detail)

    def ends(self, event: Ended) -> None:
        """A trial has left its worker."""
        if self._view is not None:
            self._view.ends(event)

    def says(self, text: str) -> None:
        """What concerns the whole experiment stands above the bar."""
        self._progress.console.print(text, markup=False, style="yellow", soft_wrap=True)


class VerboseLines:
    """A line for each start, promotion, pause, stop and model fit.

    Args:
        to_stderr: Write to standard error, because standard output carries JSON.
    """

    def __init__(self, *, to_stderr: bool) -> None:
        self._stream = sys.stderr if to_stderr else sys.stdout

    def watch(self, spec: ExperimentSpec) -> "VerboseWatcher":
        """The watcher of the next experiment."""
        self._write(f"== {spec.name}, random seed {spec.random_seed}")
        return VerboseWatcher(self._write, spec)

    def finished(self, result: Finished) -> None:
        """An experiment is complete."""
        self._write(f"== {result.name}: done, {result.trials} trials, {result.rows} rows")

    def _write(self, line: str) -> None:
        # Flushed, so that a reader of a pipe sees things when they happen.
        print(printable(line), file=self._stream, flush=True)


class VerboseWatcher:
    """Writes what happens in one experiment, with its simulated time."""

    def __init__(self, write: Callable[[str], None], spec: ExperimentSpec) -> None:
        self._write = write
        self._metric = spec.benchmark.metric
        self._column = spec.benchmark.goal.column

    def begins(self, trial_id: int, step: Start | Resume, now: float) -> None:
        """A start with its configuration, or a promotion with its reason."""
        until = "" if step.until is None else f" to {step.until}"
        if isinstance(step, Resume):
            self._line(now, "promote", f"trial {trial_id}{until}: {step.reason}")
            return
        if step.note:
            self._line(now, "fit", step.note)
        self._line(now, "start", f"trial {trial_id}{until}: {step.reason} {config_text(step.config)}")

    def reports(self, report: Report, decision: Decision, log: RowLog) -> None:
        """A pause or a stop; going on is not worth a line."""
        if decision.action is not Action.CONTINUE:
            value = float(report.metrics[-1, self._column])
            what = f"trial {report.trial_id} at {report.resources[-1]}: {self._metric}={value:.6g}, {decision.reason}"
            self._line(float(report.times[-1]), decision.action.value.lower(), what)

    def ends(self, event: Ended) -> None:
        """A trial that failed, and why; other ends were told with the last report."""
        if event.outcome is Outcome.FAILED:
            self._line(event.time, "failed", f"trial {event.trial_id}: {event.reason}")

    def says(self, text: str) -> None:
        """What concerns the whole experiment."""
        self._write(f"{'':13} note    {text}")

    def _line(self, now: float, word: str, what: str) -> None:
        self._write(f"[{now:9.2f} s] {word:<7} {what}")
