"""What `hpoctl launch` prints and asks before and after: jobs, trust in files, what came of it, the next command."""

import sys
from collections.abc import Iterable
from typing import Any

import typer
from rich.table import Table

from hpoctl.cli.launch_progress import duration
from hpoctl.cli.output import Status, err, hint, out
from hpoctl.core.jobs import Estimate, Failure, Task
from hpoctl.ops.launching.launch import LaunchOutcome
from hpoctl.ops.launching.launch_plan import LaunchPlan
from hpoctl.ops.launching.launchers import FileOptions, not_trusted, trust, untrusted
from hpoctl.ops.launching.reconcile import PlannedJob
from hpoctl.ops.studies.seed_ranges import seeds_text
from hpoctl.plugins import Registry


def print_start(plan: LaunchPlan, registry: Registry) -> None:
    """Say what is about to be run, and what to know before."""
    broken = [f"plugin {plugin.distribution}: {plugin.failures[0]}" for plugin in registry.plugins if plugin.failures]
    _warn((*plan.warnings, *broken))
    err().print(_counts(plan), markup=False, soft_wrap=True)
    for options in plan.from_files:
        err().print(str(options), markup=False, soft_wrap=True)


def print_plan(plan: LaunchPlan) -> None:
    """The jobs of a dry run, and their expected durations."""
    _warn(plan.warnings)
    table = Table()
    for name in ("job", "experiments", "benchmarks", "seeds", "results below", "expected"):
        right = name in {"experiments", "expected"}
        table.add_column(
            name, justify="right" if right else "left", no_wrap=name in {"job", "expected"}, overflow="fold"
        )
    for job in plan.jobs:
        cells = [task.cell for task in job.tasks]
        table.add_row(
            job.name,
            f"{len(cells):,}",
            _listed(dict.fromkeys(cell.benchmark for cell in cells)),
            seeds_text(cell.seed for cell in cells),
            job.prefix,
            duration(job.seconds),
        )
    if plan.jobs:
        out().print(table)
    out().print(_counts(plan), markup=False, soft_wrap=True)
    seed = plan.random_seed
    out().print("random seed: drawn at launch" if seed.drawn else f"random seed {seed.value}", markup=False)
    if plan.jobs:
        workers = f" with {plan.workers} at a time" if plan.workers else ""
        origin = "measured here" if plan.basis == "measured" else "partly from a model or budgets, not measured here"
        out().print(
            f"expected time on {plan.launcher.name}{workers}: {duration(plan.seconds)} ({origin})", markup=False
        )
        for line in (*_estimate_lines(plan), *map(str, plan.from_files)):
            out().print(line, markup=False, soft_wrap=True)
    for note in _data_notes(plan):
        out().print(note, markup=False, soft_wrap=True)


def plan_json(plan: LaunchPlan) -> dict[str, Any]:
    """The jobs of a dry run for scripts."""
    return {
        **_facts(plan),
        "random_seed": None if plan.random_seed.drawn else plan.random_seed.value,
        "expected_seconds": plan.seconds,
        "expected_basis": plan.basis,
        "estimate": _estimate(plan),
        "jobs": [_job_json(plan, job) for job in plan.jobs],
        "warnings": list(plan.warnings),
    }


def print_outcome(plan: LaunchPlan, outcome: LaunchOutcome) -> None:
    """What is complete now, what failed, the next command."""
    failed = f", {len(outcome.failures)} failed" if outcome.failures else ""
    running = f", {outcome.running} running elsewhere" if outcome.running else ""
    out().print(
        f"tag {plan.tag}: {outcome.done} of {outcome.wanted} experiments are complete{failed}{running}, "
        f"{duration(outcome.seconds)}",
        markup=False,
        soft_wrap=True,
    )
    out().print(f"results: {plan.root.store.location(plan.tag)}", markup=False, soft_wrap=True)
    for note in _data_notes(plan):
        out().print(note, markup=False, soft_wrap=True)
    for text, failures in _by_reason(outcome.lost).items():
        err().print(f"{text}", style="bold red", markup=False, soft_wrap=True)
        err().print(f"  {len(failures)} experiments, such as {failures[0].cell}", markup=False, soft_wrap=True)
    if outcome.interrupted:
        err().print("interrupted: complete experiments are kept", style="bold yellow", markup=False)
        if plan.launcher.outlives:
            hint("submitted jobs continue; the next launch submits the waiting ones")
            hint(f"stop them: {plan.root.command('stop', '--tag', plan.tag)}")
    if outcome.failures:
        first = outcome.failures[0].cell
        where = ["--tag", plan.tag, "--method", first.method, "--benchmark", first.benchmark, "--seed", str(first.seed)]
        hint(f"why: {plan.root.command('logs', *where)}")
    following = "launch" if outcome.done < outcome.wanted else "status"
    hint(f"next: {plan.root.command(following, '--tag', plan.tag)}")


def _by_reason(failures: Iterable[Failure]) -> dict[str, list[Failure]]:
    grouped: dict[str, list[Failure]] = {}
    for failure in failures:
        grouped.setdefault(failure.error, []).append(failure)
    return grouped


def outcome_json(plan: LaunchPlan, outcome: LaunchOutcome) -> tuple[Status, dict[str, Any], list[dict[str, str]]]:
    """The outcome for scripts: status, data and errors of the envelope."""
    data = {
        **_facts(plan),
        "random_seed": outcome.random_seed,
        "submitted": plan.experiments,
        "done": outcome.done,
        "wanted": outcome.wanted,
        "running": outcome.running,
        "failures": [{"experiment": failure.cell, "error": failure.error} for failure in outcome.failures],
        "interrupted": outcome.interrupted,
        "seconds": outcome.seconds,
    }
    again = plan.root.command("launch", "--tag", plan.tag)
    errors = [{"what": f"{failure.cell} failed: {failure.error}", "fix": again} for failure in outcome.failures]
    if outcome.interrupted:
        errors.append({"what": "Interrupted.", "fix": again})
    if not errors and outcome.complete:
        return "success", data, errors
    if not errors:
        left = outcome.wanted - outcome.done
        errors.append({"what": f"{left} of {outcome.wanted} experiments are not complete yet.", "fix": again})
    return ("partial" if outcome.done else "error"), data, errors


def _estimate(plan: LaunchPlan) -> Estimate | None:
    if plan.launcher.estimate is None or not plan.jobs:
        return None
    return plan.launcher.estimate(plan.launcher_options, [job.seconds for job in plan.jobs])


def _estimate_lines(plan: LaunchPlan) -> list[str]:
    """What the jobs are expected to cost, and what they can cost at most."""
    estimate = _estimate(plan)
    if estimate is None:
        return []
    lines = [f"machines: {estimate.hours:,.2f} hours expected, {estimate.capped_hours:,.1f} hours at most"]
    if estimate.dollars is not None and estimate.capped_dollars is not None:
        lines.append(f"cost: ${estimate.dollars:,.2f} expected, ${estimate.capped_dollars:,.2f} at most")
    return [*lines, *([estimate.note] if estimate.note else [])]


def _facts(plan: LaunchPlan) -> dict[str, Any]:
    return {
        "tag": plan.tag,
        "results": plan.root.store.location(plan.tag),
        "launcher": plan.launcher.name,
        "from_files": [{"source": options.source, "options": dict(options.options)} for options in plan.from_files],
        "wanted": plan.wanted,
        "done": plan.done,
        "running": plan.running,
        "failed_before": plan.failed,
        "data": plan.data,
    }


def _job_json(plan: LaunchPlan, job: PlannedJob) -> dict[str, Any]:
    return {
        "name": job.name,
        "method": job.method,
        "launcher": plan.launcher.name,
        "results": job.prefix,
        "expected_seconds": job.seconds,
        "experiments": [_task_json(task) for task in job.tasks],
    }


def _task_json(task: Task) -> dict[str, Any]:
    cell = task.cell
    return {"method": cell.method, "benchmark": cell.benchmark, "seed": cell.seed, "expected_seconds": task.seconds}


def _counts(plan: LaunchPlan) -> str:
    jobs, count = len(plan.jobs), plan.experiments
    if not jobs and plan.live:
        waiting = f"{_many(plan.waiting, 'experiment')} in {_many(len(plan.live), 'job')}"
        return f"tag {plan.tag}: nothing to submit, {waiting} of before"
    if not jobs:
        running = f", {plan.running} running" if plan.running else ""
        running += f", {plan.waiting} in jobs on {', '.join(plan.elsewhere)}" if plan.elsewhere else ""
        return f"tag {plan.tag}: nothing to do, {plan.done} of {plan.wanted} experiments are complete{running}"
    had = [f"{plan.done} complete"] if plan.done else []
    had += [f"{plan.running} running elsewhere"] if plan.running else []
    had += [f"{plan.waiting} in {_many(len(plan.live), 'job')} of before"] if plan.waiting else []
    had += [f"{plan.failed} failed before"] if plan.failed else []
    of = f" of {plan.wanted} ({', '.join(had)})" if had else ""
    return f"tag {plan.tag}: {_many(jobs, 'job')}, {_many(count, 'experiment')}{of}"


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _data_notes(plan: LaunchPlan) -> list[str]:
    """What is known of the data: modelled curves, for example."""
    facts = {name: ", ".join(f"{key}: {value}" for key, value in known.items()) for name, known in plan.data.items()}
    together: dict[str, list[str]] = {}
    for name, text in facts.items():
        if text:
            together.setdefault(text, []).append(name)
    return [f"{', '.join(names)} data: {text}" for text, names in together.items()]


def _warn(warnings: Iterable[str]) -> None:
    for warning in warnings:
        err().print(f"warning: {warning}", style="yellow", markup=False, soft_wrap=True)


def settle_trust(files: tuple[FileOptions, ...], *, trusted: bool, as_json: bool) -> None:
    """Ask once about options of files that run code, unless the command line says that they are trusted.

    Args:
        files: What files say about the launcher.
        trusted: Whether the command line says that they are trusted.
        as_json: Whether the user cannot be asked, because JSON is printed.

    Raises:
        UsageError: They are not trusted, or the user cannot be asked here.
    """
    new = untrusted(files)
    if not new:
        return
    if not trusted:
        error = not_trusted(new)
        if as_json or not sys.stdin.isatty() or not typer.confirm(f"{error.what} Trust it?", err=True):
            raise error
    trust(new)
