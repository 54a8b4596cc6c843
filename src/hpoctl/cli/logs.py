"""`hpoctl logs`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from hpoctl.cli.options import AsJson, Results
from hpoctl.cli.reading import make_filters
from hpoctl.cli.status import BenchmarkFilter, MethodFilter, SeedFilter
from hpoctl.core.errors import UsageError

if TYPE_CHECKING:
    from hpoctl.core.cells import Cell
    from hpoctl.ops.studies.config import Root
    from hpoctl.ops.upkeep.logs import AttemptLog, FoundLogs

MOST = 20
"""Experiments that are listed when several match."""

TOO_MANY = 2


def logs(
    tag: Annotated[str, typer.Option(help="Name of the study's results.")],
    method: MethodFilter = None,
    benchmark: BenchmarkFilter = None,
    seed: SeedFilter = None,
    everything: Annotated[bool, typer.Option("--all", help="Show every attempt, the oldest first.")] = False,
    job: Annotated[
        str | None,
        typer.Option(help="Show what a job of a launcher elsewhere printed; `hpoctl status --json` names them."),
    ] = None,
    trial: Annotated[
        int | None, typer.Option(min=0, help="Show what this trial of a training script printed, also while it runs.")
    ] = None,
    results: Results = None,
    as_json: AsJson = False,
) -> None:
    """Show the output of an experiment, and its traceback if it failed; or the output of a job."""
    from hpoctl.cli.output import emit_json
    from hpoctl.ops.studies.config import open_root
    from hpoctl.ops.upkeep.logs import find_logs

    root = open_root(results)
    if job is not None:
        if method or benchmark or seed or everything or trial is not None:
            raise UsageError(
                "--job is about a whole job.", "Leave out --method, --benchmark, --seed, --all and --trial."
            )
        _show_job(root, tag, job, as_json=as_json)
        return
    found = find_logs(root, tag, make_filters(method, benchmark, seed), everything=everything)
    if not found.attempts:
        _ask_to_narrow(root, found, as_json=as_json)
        raise typer.Exit(TOO_MANY)
    if trial is not None:
        _show_trial(root, found, trial, as_json=as_json)
    elif as_json:
        emit_json("logs", "success", {"tag": tag, "experiment": found.cells[0], "attempts": found.attempts})
    else:
        _print(root, found)


def _show_trial(root: "Root", found: "FoundLogs", trial: int, *, as_json: bool) -> None:
    from hpoctl.cli.output import echo, emit_json, hint, out
    from hpoctl.cli.words import many
    from hpoctl.ops.upkeep.logs import find_trial_logs

    starts = find_trial_logs(root, found, trial)
    if as_json:
        data = {"tag": found.tag, "experiment": found.cells[0], "trial": trial, "starts": starts}
        emit_json("logs", "success", data)
        return
    last = starts[-1]
    out().print(f"{found.cells[0]}, trial {trial}, start {last.number}: {last.path}", markup=False, soft_wrap=True)
    for name, text in (("standard output", last.out), ("standard error", last.err)):
        if text:
            out().print(f"{name}:", style="dim", markup=False)
            echo(text)
    if not (last.out or last.err):
        out().print("it has printed nothing", style="dim", markup=False)
    if len(starts) > 1:
        hint(f"{many(len(starts) - 1, 'earlier start')}: --json has all of them")


def _show_job(root: "Root", tag: str, job: str, *, as_json: bool) -> None:
    from hpoctl.builtins import open_registry
    from hpoctl.cli.output import echo, emit_json, out
    from hpoctl.ops.upkeep.logs import read_job_log

    text = read_job_log(root, tag, job, open_registry())
    if as_json:
        emit_json("logs", "success", {"tag": tag, "job": job, "log": text})
    elif text:
        echo(text)
    else:
        out().print("it has printed nothing, or nothing that can be had", style="dim", markup=False)


def _ask_to_narrow(root: "Root", found: "FoundLogs", *, as_json: bool) -> None:
    from hpoctl.cli.output import emit_json, error_json, out, show_error

    error = UsageError(
        f"{len(found.cells):,} experiments of tag {found.tag} match.",
        f"Name one, as in `{_command(root, found.tag, found.cells[0])}`.",
    )
    if as_json:
        emit_json("logs", "error", {"tag": found.tag, "matches": found.cells}, [error_json(error)])
        return
    for cell in found.cells[:MOST]:
        out().print(f"{cell}", markup=False, soft_wrap=True)
    if len(found.cells) > MOST:
        out().print(f"and {len(found.cells) - MOST:,} more", markup=False)
    show_error(error)


def _command(root: "Root", tag: str, cell: "Cell", *words: str) -> str:
    name = ("--method", cell.method, "--benchmark", cell.benchmark, "--seed", str(cell.seed))
    return root.command("logs", "--tag", tag, *name, *words)


def _print(root: "Root", found: "FoundLogs") -> None:
    from hpoctl.cli.output import hint
    from hpoctl.cli.words import many

    cell = found.cells[0]
    for attempt in found.attempts:
        _print_attempt(f"{cell}", attempt)
    if found.earlier:
        hint(f"{many(found.earlier, 'earlier attempt')}: {_command(root, found.tag, cell, '--all')}")


def _print_attempt(name: str, attempt: "AttemptLog") -> None:
    from hpoctl.cli.output import echo, out

    console = out()
    style = {"completed": "green", "running": "cyan", "interrupted": "yellow"}.get(attempt.state, "bold red")
    console.print(f"{name}: {attempt.state}", style=style, markup=False, soft_wrap=True)
    for line in _facts(attempt):
        console.print(f"  {line}", markup=False, soft_wrap=True)
    # As it was printed, without interpreting markup.
    if attempt.log is not None:
        echo(attempt.log)
    else:
        console.print(_silence(attempt), style="dim", markup=False)
    if attempt.traceback and attempt.traceback.strip() not in (attempt.log or ""):
        echo(attempt.traceback)


def _facts(attempt: "AttemptLog") -> Sequence[str]:
    from hpoctl.cli.words import utc_text

    process = "" if attempt.pid is None else f", process {attempt.pid}"
    took = "" if attempt.seconds is None else f", took {attempt.seconds:.1f} s"
    facts = {
        "started": utc_text(attempt.started) + took if attempt.started else "",
        "on": f"{attempt.host}{process}" if attempt.host else "",
        "in": attempt.path,
        "why": attempt.reason,
    }
    return [f"{word} {fact}" for word, fact in facts.items() if fact]


def _silence(attempt: "AttemptLog") -> str:
    if attempt.state == "running":
        return "it runs; its log appears when it ends"
    return "it printed nothing" if attempt.state == "completed" else "there is no log"
