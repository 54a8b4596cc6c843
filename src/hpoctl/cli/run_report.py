"""What `hpoctl run` prints before and after: its plan, its results, the next command."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from hpoctl.cli.output import Status, err, error_json, hint, out, show_error
from hpoctl.cli.progress import config_text
from hpoctl.cli.words import many
from hpoctl.engine.finished import Finished
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.ops.running.run import RunOutcome, RunPlan
from hpoctl.plugins import PluginReport

WIDE = 120
"""From this many columns on, a table has room for configurations."""


def print_plan(plan: RunPlan, broken: Sequence[PluginReport]) -> None:
    """Say what is about to run, and what to know before."""
    for warning in (*plan.warnings, *(f"plugin {report.distribution}: {report.failures[0]}" for report in broken)):
        err().print(f"warning: {warning}", style="yellow", markup=False, soft_wrap=True)
    count = len(plan.specs)
    err().print(
        f"tag {plan.tag}, random seed {plan.random_seed}, {count} experiment{'s' if count > 1 else ''}",
        markup=False,
        soft_wrap=True,
    )


def print_outcome(plan: RunPlan, outcome: RunOutcome, options: Sequence[str]) -> None:
    """The table of completed experiments, the failures, and the next command with the same options."""
    if outcome.finished:
        _print_table(outcome.finished)
        out().print(f"results: {plan.root.store.location(plan.tag)}", markup=False, soft_wrap=True)
        for note in (
            *_data_notes(plan.specs),
            *_off_table_notes(outcome.finished),
            *_empty_notes(outcome.finished, plan.tag),
        ):
            out().print(note, markup=False, soft_wrap=True)
    for failed in outcome.failed:
        show_error(failed.error)
    if outcome.interrupted is not None:
        saved = len(outcome.finished)
        err().print(
            f"interrupted in {outcome.interrupted}: {saved} of {len(plan.specs)} experiments are complete and saved",
            style="bold yellow",
            markup=False,
            soft_wrap=True,
        )
    hint(f"next: {_next_command(plan, outcome, options)}")


def outcome_json(plan: RunPlan, outcome: RunOutcome) -> tuple[Status, dict[str, Any], list[dict[str, str]]]:
    """The outcome for scripts: status, data and errors of the envelope."""
    provenance = {spec.benchmark.name: dict(spec.benchmark.provenance) for spec in plan.specs}
    data = {
        "tag": plan.tag,
        "random_seed": plan.random_seed,
        "results": plan.root.store.location(plan.tag),
        "data": provenance,
        "experiments": outcome.finished,
        "interrupted": outcome.interrupted,
    }
    errors = [error_json(failed.error) for failed in outcome.failed]
    if outcome.interrupted is not None:
        errors.append({"what": f"Interrupted in {outcome.interrupted}.", "fix": "Run the command again."})
    if not errors:
        return "success", data, errors
    return ("partial" if outcome.finished else "error"), data, errors


def _print_table(finished: Sequence[Finished]) -> None:
    """The results; where the terminal is narrow, configurations stand below the table."""
    console = out()
    wide = console.width >= WIDE
    table = Table(show_lines=wide and len(finished) > 1)
    for name in ("experiment", "trials", "rows", "best", *(["configuration of the best"] if wide else []), "wall"):
        number = name in {"trials", "rows", "best", "wall"}
        table.add_column(name, justify="right" if number else "left", no_wrap=number, overflow="fold")
    for result in finished:
        table.add_row(
            result.name,
            f"{result.trials:,}",
            f"{result.rows:,}" + (f" ({result.non_finite_rows:,} not finite)" if result.non_finite_rows else ""),
            f"{result.best.value:.6g}" if result.best else "-",
            *([_best_config(result)] if wide else []),
            f"{result.wall_seconds:.1f} s",
        )
    console.print(table)
    if not wide:
        for result in finished:
            console.print(f"best of {result.name}:", _best_config(result), markup=False)


def _best_config(result: Finished) -> str:
    return config_text(result.best_config) if result.best_config else "-"


def _data_notes(specs: Sequence[ExperimentSpec]) -> list[str]:
    notes = {}
    for spec in specs:
        facts = ", ".join(f"{key}: {value}" for key, value in spec.benchmark.provenance.items())
        if facts:
            notes[spec.benchmark.name] = f"{spec.benchmark.name} data: {facts}"
    return list(notes.values())


def _off_table_notes(finished: Sequence[Finished]) -> list[str]:
    """What was looked up in the nearest row of a table; nothing where all trials were in it."""
    notes = []
    for result in finished:
        far = result.off_table
        if far and far.off_table:
            what = f"{far.off_table:,} of {far.trials:,} trials got the curve of the nearest configuration of the table"
            how_far = f"distance {far.mean_distance:.2g} on average, {far.max_distance:.2g} at most"
            notes.append(f"{result.name}: {what}, {how_far}")
    return notes


def _empty_notes(finished: Sequence[Finished], tag: str) -> list[str]:
    """Experiments without a single report: their trials failed, or the budget was too small."""
    notes = []
    for result in finished:
        failed = result.outcomes.get("failed", 0)
        if result.rows:
            continue
        if failed:
            why = f"no report: {failed} of {many(result.trials, 'trial')} failed, `hpoctl trials --tag {tag}` shows why"
        else:
            why = "its budget ended before the first report; give more, such as with --max-wallclock-time"
        notes.append(f"{result.name}: {why}")
    return notes


def _next_command(plan: RunPlan, outcome: RunOutcome, options: Sequence[str]) -> str:
    """What was left undone, or the next seed of the same, with the same options."""
    done = {result.name for result in outcome.finished}
    left = [spec for spec in plan.specs if spec.name not in done]
    specs = left or list(plan.specs)
    first = min(spec.seed for spec in left) if left else max(spec.seed for spec in plan.specs) + 1
    last = max(spec.seed for spec in left) if left else first
    words = ["run", "--tag", plan.tag, "--random-seed", str(plan.random_seed)]
    for method in dict.fromkeys(spec.method.name for spec in specs):
        words += ["--method", method]
    for benchmark in dict.fromkeys(spec.benchmark.name for spec in specs):
        words += ["--benchmark", _from_here(plan.benchmark_files.get(benchmark, benchmark))]
    return plan.root.command(*words, "--start-seed", str(first), "--num-seeds", str(last + 1), *options)


def _from_here(benchmark: str) -> str:
    """A benchmark as it is named here: the path of its file relative to the present folder, where it is below it."""
    path = Path(benchmark)
    below = path.is_absolute() and path.suffix == ".toml" and path.is_relative_to(Path.cwd())
    return str(path.relative_to(Path.cwd())) if below else benchmark
