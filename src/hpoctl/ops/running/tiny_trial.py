"""One short start of a trial on this machine, and all that it reports and prints."""

import math
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from hpoctl.backends.local.workers import local_backend
from hpoctl.backends.scripts.backend import ScriptBackend
from hpoctl.backends.scripts.files import bounded_text, output_of
from hpoctl.backends.scripts.folders import TrialFolder, trial_folder
from hpoctl.core.clock import RealClock
from hpoctl.core.entries import Benchmark
from hpoctl.core.protocols import Ended, Report
from hpoctl.core.report_lines import Parsed, ReportLines
from hpoctl.core.rng import Streams
from hpoctl.core.space import Config
from hpoctl.core.trial_backends import BackendContext, TrialLimits
from hpoctl.core.trial_rows import TrialRow, TrialRows

TRIAL = 0
GRACE = 10.0
"""Seconds that the trial gets to leave when it is paused, as in experiments."""


@dataclass(frozen=True, slots=True)
class TinyStart:
    """What one start is to do.

    Attributes:
        config: The configuration.
        known: The resource level that is known already; 0: none.
        until: The level that ends it; None: it ends by itself.
        pause: Whether it is paused there; otherwise it is expected to end by itself.
        timeout: Seconds without a report after which it is ended.
    """

    config: Config
    known: int
    until: int | None
    pause: bool
    timeout: float


@dataclass
class Observed:
    """What a start has reported and printed, from its files.

    Attributes:
        names: The names of all values that it reported.
        rows: Its rows, those of known levels as well.
        problems: What is wrong with its reports, a line each.
        output: The end of its standard error, or of its standard output if that is empty.
    """

    names: dict[str, None] = field(default_factory=dict)
    rows: list[TrialRow] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    output: str = ""

    def take(self, parsed: Parsed, rows: TrialRows) -> None:
        """Take in reports and problems."""
        reports, problems = parsed
        self.problems += map(str, problems)
        for report in reports:
            self.names |= dict.fromkeys(report.values)
            made = rows.add(report)
            if isinstance(made, TrialRow):
                self.rows.append(made)
            elif made is not None:
                self.problems.append(made)


@dataclass(frozen=True, slots=True)
class TinyTrial:
    """What became of one start.

    Attributes:
        observed: What it has reported and printed.
        ended: How it ended; None: it was still running when its time was over.
        seconds: How long it ran until the level that ends it, or until its end.
        pace: The first and the last level that it reported, with the seconds of training behind each; None: nothing.
        leaving: How long it took to leave after that.
    """

    observed: Observed
    ended: Ended | None
    seconds: float
    pace: tuple[tuple[int, float], tuple[int, float]] | None
    leaving: float


def run_tiny(benchmark: Benchmark, start: TinyStart, folder: Path) -> TinyTrial:
    """Run one start of a trial.

    Args:
        benchmark: A benchmark with a script.
        start: What it is to do.
        folder: Where its files are; the starts of one trial share it.

    Raises:
        HpoctlError: The machine has not what the benchmark asks for.
    """
    context = BackendContext(
        name=benchmark.name,
        metrics=benchmark.metrics,
        metric=benchmark.metric,
        resource_attr=benchmark.resource_attr,
        max_resource=benchmark.max_resource if start.pause else start.until,
        n_workers=1,
        limits=TrialLimits(
            deadline=math.inf if start.until is not None else start.timeout,
            report_timeout=start.timeout,
            grace_period=GRACE,
        ),
        clock=RealClock(),
        streams=Streams(0, 0),
        script=benchmark.script,
        folder=folder,
    )
    trial = trial_folder(folder, TRIAL)
    trial.config.unlink(missing_ok=True)
    backend = local_backend(context)
    began = time.monotonic()
    reached = None
    ended = None
    reports: list[Report] = []
    try:
        backend.start(TRIAL, start.config, resume_from=start.known or None, until=start.until)
        while ended is None:
            events = backend.wait()
            if not events:
                break
            for event in events:
                if isinstance(event, Ended):
                    ended = event
                    continue
                reports.append(event)
                if reached is None and _answer(backend, event, start):
                    reached = time.monotonic()
        observed = _observed(trial, benchmark)  # before the backend tidies up
    finally:
        backend.close()
    now = time.monotonic()
    return TinyTrial(observed, ended, (reached or now) - began, _pace(reports), now - (reached or now))


def _pace(reports: Sequence[Report]) -> tuple[tuple[int, float], tuple[int, float]] | None:
    if not reports:
        return None
    first, last = reports[0], reports[-1]
    return (int(first.resources[0]), float(first.elapsed[0])), (int(last.resources[-1]), float(last.elapsed[-1]))


def _answer(backend: ScriptBackend, report: Report, start: TinyStart) -> bool:
    """Continue the trial, or end it at its last level; returns whether it has ended."""
    if start.until is None or int(report.resources[-1]) < start.until:
        backend.proceed(TRIAL, until=start.until)
        return False
    backend.stop(TRIAL, pause=start.pause)
    return True


def _observed(trial: TrialFolder, benchmark: Benchmark) -> Observed:
    observed = Observed()
    for start in trial.starts()[-1:]:  # none: the script has removed its folder
        observed.output = _end_of([start.err, start.out])
        output = output_of(start)
        for file, marked in ((output.reports, False), (output.out, True)):
            lines = ReportLines(marked=marked)
            rows = TrialRows(benchmark.metrics, benchmark.metric, benchmark.resource_attr)
            with suppress(OSError), closing(file):  # the trial has failed because of it
                while data := file.read():
                    observed.take(lines.feed(data), rows)
            observed.take(lines.close(), rows)
    return observed


def _end_of(paths: Sequence[Path]) -> str:
    """The last lines of the first of some files that has any."""
    for path in paths:
        with suppress(OSError):
            text = bounded_text(path)[-20_000:].decode(errors="replace").strip()
            if text:
                return "\n".join(text.splitlines()[-20:])
    return ""
