"""`hpoctl benchmark check`: one tiny trial that is paused and resumed, and what is wrong with it, in words."""

import math
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hpoctl.backends.scripts.endings import KILLED, LEFT_BEHIND
from hpoctl.backends.scripts.folders import trial_folder
from hpoctl.core.entries import Benchmark
from hpoctl.core.errors import HpoctlError, UsageError, did_you_mean
from hpoctl.core.findings import Finding
from hpoctl.core.protocols import Outcome
from hpoctl.core.script import Script
from hpoctl.core.script_files import script_files, script_hash
from hpoctl.core.trial_call import TrialCall, missing_program, trial_command
from hpoctl.ops.running.tiny_trial import TRIAL, Observed, TinyStart, TinyTrial, run_tiny

REFUSALS = (
    "unrecognized arguments", "arguments are required", "error: argument", "invalid choice", "unrecognized option",
    "no such option", "unknown option", "invalid option", "illegal option", "unexpected argument",
)  # fmt: skip
"""What parsers of arguments say when they refuse them: argparse, click, getopt, clap."""

HOW_TO_REPORT = 'Call hpoctl.report(epoch=..., loss=...), or print a line [tune-metric]: {"epoch": 1, "loss": 0.5}.'


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """How a benchmark is to be checked.

    Attributes:
        levels: Up to which resource level the tiny trial runs before it is resumed.
        timeout: Seconds without a report that are too many.
    """

    levels: int = 2
    timeout: float = 60.0


def check_benchmark(benchmark: Benchmark, request: CheckRequest, folder: Path) -> Iterator[Finding]:
    """Run a tiny trial of a script, pause and resume it, and say what is found.

    Args:
        benchmark: The benchmark.
        request: How to check it.
        folder: An empty folder for the trial's files.

    Raises:
        UsageError: It is a table, or the request makes no sense.
    """
    script = benchmark.script
    if script is None:
        raise UsageError(f"{benchmark.name} is a table.", f"`hpoctl blackbox check {benchmark.name}` checks it.")
    if request.levels < 1 or not 0.0 < request.timeout < math.inf:
        raise UsageError("The check needs at least one level and a positive time.", "Use --levels 2 --timeout 60.")
    missing = missing_program(script)
    if missing is not None:
        yield Finding("script", "problem", missing.what, missing.fix)
        return
    try:
        names, before = script_files(script), script_hash(script)
        yield Finding("script", "ok", f"{shlex.join(script.command)}: {_count(len(names), 'file')}, {before[:12]}")
        yield from _trained(benchmark, script, request, folder)
        after = script_files(script)
        if script_hash(script) != before:
            changed = [name for name in after if name not in names] or ["one of its files"]
            yield Finding(
                "files",
                "warning",
                f"training changed what belongs to the script: {', '.join(changed[:3])}",
                'Name the files that belong to it, as in files = ["*.py"], or let .gitignore leave the others out.',
            )
    except HpoctlError as error:
        yield Finding("script", "problem", error.what, error.fix)


def _trained(benchmark: Benchmark, script: Script, request: CheckRequest, folder: Path) -> Iterator[Finding]:
    largest, attr = benchmark.max_resource, benchmark.max_resource_attr
    config = benchmark.space.middle()
    if largest is None or attr is None:
        start = TinyStart(config, 0, None, pause=False, timeout=request.timeout)
        first = run_tiny(benchmark, start, folder)
        yield from _first(benchmark, script, start, first, folder)
        return
    last = min(request.levels, max(largest - 1, 1))
    start = TinyStart({**config, attr: last}, 0, last, pause=False, timeout=request.timeout)
    first = run_tiny(benchmark, start, folder)
    findings = list(_first(benchmark, script, start, first, folder))
    yield from findings
    if any(finding.verdict == "problem" for finding in findings) or largest == 1:
        return
    yield _pace(benchmark, first)
    kept = any(trial_folder(folder, TRIAL).checkpoints.iterdir())
    if script.checkpoints and not kept:
        text = f"HPOCTL_CHECKPOINT_DIR is empty after {benchmark.resource_attr} {last}: there is no checkpoint"
        yield Finding("checkpoint", "problem", text, "Save one there before each report, or set checkpoints = false.")
        return
    again = TinyStart(config, last, last + 1, pause=True, timeout=request.timeout)
    yield from _second(benchmark, script, again, run_tiny(benchmark, again, folder))


def _first(benchmark: Benchmark, script: Script, start: TinyStart, trial: TinyTrial, folder: Path) -> Iterator[Finding]:
    """What the first start shows: that it starts, reports, and ends where it should."""
    call = TrialCall(TRIAL, 0, start.known, *_files(folder))
    command = shlex.join(trial_command(script, start.config, call))
    ended = trial.ended
    reported = bool(trial.observed.rows)
    if ended is not None and LEFT_BEHIND in ended.reason:
        wait = "Let the script wait for what it starts: a trial ends with its first process."
        yield Finding("processes", "warning", LEFT_BEHIND, wait)
    if ended is not None and ended.exit_status != 0 and ended.reason:
        yield _failure(trial, command)
        if not reported:
            return
    if not reported:
        yield from _no_rows(benchmark, trial.observed, start)
        return
    yield from _reports(benchmark, trial.observed)
    if start.until is None:
        if ended is None:
            yield Finding("end", "ok", f"it still ran after {start.timeout:g} s and was stopped")
        return
    levels = [row.resource for row in trial.observed.rows]
    attr, resource = benchmark.max_resource_attr, benchmark.resource_attr
    if levels[-1] > start.until:
        yield Finding(
            "resource",
            "warning",
            f"it went on to {resource} {levels[-1]}, although {attr} was {start.until}",
            f"Let it end at {attr}: what comes after the largest resource is not used.",
        )
    elif levels[-1] < start.until:
        yield Finding(
            "resource",
            "warning",
            f"it ended at {resource} {levels[-1]}, although {attr} was {start.until}",
            f"Let it report at {attr}, or check more levels: --levels {5 * start.until}.",
        )


def _failure(trial: TinyTrial, command: str) -> Finding:
    ended, output = trial.ended, trial.observed.output
    reason = ended.reason if ended is not None else ""
    refused = next((line.strip() for line in output.splitlines() if any(sign in line for sign in REFUSALS)), None)
    if refused is not None and not trial.observed.rows:
        return Finding(
            "arguments",
            "problem",
            f"the script's parser refuses its arguments: {refused}",
            f"Let [space] and the script's options agree. It was started with: {command}",
        )
    if reason.startswith("no report"):
        return Finding("reports", "problem", reason, "Report more often, or give it more time, as in --timeout 600.")
    return Finding("exit", "problem", f"the trial failed: {reason}", f"Run it by hand: {command}")


def _no_rows(benchmark: Benchmark, observed: Observed, start: TinyStart) -> Iterator[Finding]:
    """Why there is no row."""
    if observed.problems:
        for problem in observed.problems[:5]:
            yield Finding("reports", "problem", problem, _remedy(problem, benchmark))
        return
    if not observed.names:
        at = "" if start.until is None else f" up to {benchmark.resource_attr} {start.until}"
        yield Finding("reports", "problem", f"the trial reported nothing{at}", HOW_TO_REPORT)
        return
    yield Finding(
        "reports",
        "problem",
        f"its reports have no {benchmark.metric}, but {', '.join(observed.names)}",
        f"Set metric to what it reports. {did_you_mean(benchmark.metric, observed.names)}",
    )


def _reports(benchmark: Benchmark, observed: Observed) -> Iterator[Finding]:
    """What the rows show."""
    for problem in observed.problems[:5]:
        yield Finding("reports", "problem", problem, _remedy(problem, benchmark))
    place = benchmark.metrics.index(benchmark.metric)
    values = [row.metrics[place] for row in observed.rows]
    levels = [row.resource for row in observed.rows]
    extra = sorted({name for row in observed.rows for name in row.extra})
    shown = ", ".join(f"{value:.6g}" for value in values[:5])
    also = f"; also {', '.join(extra)}" if extra else ""
    where = f"{benchmark.resource_attr} {levels[0]}" + (f" to {levels[-1]}" if len(levels) > 1 else "")
    if all(math.isfinite(value) for value in values):
        yield Finding("reports", "ok", f"{where}: {benchmark.metric} {shown}{also}")
    else:
        yield Finding("reports", "warning", f"{where}: {benchmark.metric} {shown}{also}", "Look at why it diverges.")
    for name in benchmark.metrics:
        if name not in observed.names:
            yield Finding("reports", "problem", f"the metric {name} is not reported", "Report it, or remove it.")


def _remedy(problem: str, benchmark: Benchmark) -> str:
    if "levels have to increase" in problem:
        return f"Report each {benchmark.resource_attr} once, in order; of several processes let one report."
    if "whole numbers from 1 on" in problem:
        return f"Report {benchmark.resource_attr} + 1: levels count what is done, from 1."
    if problem.endswith("is missing"):
        return f"Report {benchmark.resource_attr} together with {benchmark.metric}, or correct resource_attr."
    if "not a number" in problem:
        return "Report numbers; in Python, float(value)."
    return HOW_TO_REPORT


def _pace(benchmark: Benchmark, trial: TinyTrial) -> Finding:
    """How long a whole trial takes, by the time between two levels where there are two."""
    (low, begin), (high, end) = trial.pace or ((1, trial.seconds), (1, trial.seconds))
    each = (end - begin) / (high - low) if high > low else end / high
    largest = benchmark.max_resource or high
    whole = end + (largest - high) * each
    trials = benchmark.max_wallclock_time * benchmark.n_workers / max(whole, 1e-3)
    return Finding(
        "time",
        "ok" if trials >= 1 else "warning",
        f"{end:.1f} s to {benchmark.resource_attr} {high}, about {whole:,.1f} s to {largest}: "
        f"the budget of {benchmark.max_wallclock_time:,.0f} s has room for about {trials:,.0f} whole trials",
        "" if trials >= 1 else "Raise max_wallclock_time, or lower the largest resource.",
    )


def _second(benchmark: Benchmark, script: Script, start: TinyStart, trial: TinyTrial) -> Iterator[Finding]:
    """What the resumed start shows: where it begins, and how it leaves."""
    resource = benchmark.resource_attr
    if trial.ended is not None and trial.ended.outcome is Outcome.FAILED:
        yield Finding(
            "resume",
            "problem",
            f"resumed after {resource} {start.known}, it failed: {trial.ended.reason}",
            "Let it continue from its checkpoint, or from the start without one.",
        )
        return
    levels = [row.resource for row in trial.observed.rows]
    over = bool(levels) and levels[0] <= start.known
    if not levels:
        text = f"resumed after {resource} {start.known}, it reported nothing"
        yield Finding("resume", "problem", text, "Let it train on to its largest resource.")
    elif over and script.checkpoints:
        yield Finding(
            "resume",
            "problem",
            f"it resumed from the start: it reported {resource} {levels[0]} although {start.known} was done",
            "Load the newest checkpoint of HPOCTL_CHECKPOINT_DIR if there is one, or set checkpoints = false.",
        )
    elif over:
        yield Finding("resume", "ok", f"it starts over ({resource} {levels[0]}), as checkpoints = false says")
    elif not script.checkpoints:
        text = f"it continues at {resource} {levels[0]}, although checkpoints is false"
        yield Finding("resume", "warning", text, "Set checkpoints = true, so that its checkpoints are kept.")
    else:
        yield Finding("resume", "ok", f"it continues at {resource} {levels[0]}")
    if trial.ended is not None and trial.ended.outcome is Outcome.PAUSED:
        if trial.ended.reason.startswith(KILLED):
            yield Finding(
                "pause",
                "warning",
                f"it ignores SIGTERM and was {KILLED}, {trial.leaving:.0f} s",
                "Let it end at SIGTERM: each pause and stop takes that long.",
            )
        else:
            yield Finding("pause", "ok", f"it left {trial.leaving:.1f} s after SIGTERM")


def _files(folder: Path) -> tuple[Path, Path, Path]:
    trial = trial_folder(folder, TRIAL)
    starts = trial.starts()
    return trial.config, trial.checkpoints, starts[-1].reports if starts else trial.path


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
