"""`hpoctl benchmark`: benchmarks made from training scripts: a first file, and a check of one."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hpoctl.cli.help import Command
from hpoctl.cli.options import AsJson
from hpoctl.core.errors import FAILED

if TYPE_CHECKING:
    from hpoctl.core.findings import Finding

COMMAND = "benchmark"

benchmark_app = typer.Typer(add_completion=False, no_args_is_help=True)


@benchmark_app.callback()
def benchmark() -> None:
    """Write and check benchmark files of training scripts."""


@benchmark_app.command(cls=Command)
def check(
    name: Annotated[str, typer.Argument(metavar="FILE", help="Benchmark file, or the name of a registered one.")],
    levels: Annotated[int, typer.Option(min=1, help="Resource level to which the tiny trial runs at first.")] = 2,
    timeout: Annotated[float, typer.Option(help="Seconds without a report that are too many.")] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Run one tiny trial of a training script, pause and resume it, and say what is wrong.

    Tables of trial backends are checked; the trial runs on this machine.
    """
    import shutil
    import tempfile
    from itertools import chain

    from hpoctl.builtins import open_registry
    from hpoctl.cli.output import emit_json, err
    from hpoctl.ops.running.check_benchmark import CheckRequest, check_benchmark
    from hpoctl.ops.studies.backends import check_backend_tables
    from hpoctl.ops.studies.benchmark_files import open_benchmark

    registry = open_registry()
    found = open_benchmark(name, registry, Path())
    folder = Path(tempfile.mkdtemp(prefix="hpoctl-check-"))
    findings = []
    try:
        with err().status("training"):
            checks = (
                check_backend_tables(found, registry),
                check_benchmark(found, CheckRequest(levels, timeout), folder),
            )
            for finding in chain.from_iterable(checks):
                findings.append(finding)
                if not as_json:
                    _print(finding)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    problems = [finding for finding in findings if finding.verdict == "problem"]
    if not problems:
        shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        errors = [{"what": finding.text, "fix": finding.remedy} for finding in problems]
        data = {"benchmark": found.name, "findings": findings, "output": str(folder) if problems else None}
        emit_json(COMMAND, "error" if problems else "success", data, errors)
    else:
        _print_verdict(name, len(problems), folder)
    if problems:
        raise typer.Exit(FAILED)


@benchmark_app.command(cls=Command)
def new(
    script: Annotated[Path, typer.Argument(metavar="SCRIPT", help="Training script.")],
    output: Annotated[
        Path | None, typer.Option(help="File to write. Default: benchmark.toml beside the script.")
    ] = None,
    command: Annotated[
        str | None, typer.Option(help="What runs the script, if it is not Python, such as Rscript.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a first benchmark file from the script's own argparse options. The script is read, not run."""
    from hpoctl.cli.output import emit_json, hint
    from hpoctl.ops.studies.new_benchmark import new_benchmark, write_new

    made = new_benchmark(script, output, shlex.split(command or ""))
    write_new(made)
    if as_json:
        emit_json(COMMAND, "success", {"path": str(made.path), "tuned": made.tuned, "notes": made.notes}, [])
        return
    from hpoctl.cli.layout import print_lines

    tuned = ", ".join(made.tuned) or "nothing yet"
    print_lines([f"wrote {made.path}; it tunes {tuned}", *(f"  by hand: {note}" for note in made.notes)])
    hint(f"check the lines with a question mark, then `hpoctl benchmark check {shlex.quote(str(made.path))}`")


def _print(finding: "Finding") -> None:
    from hpoctl.cli.doctor import STYLES
    from hpoctl.cli.output import out

    out().print(f"{finding.verdict:8}", style=STYLES[finding.verdict], markup=False, end="")
    out().print(f" {finding.subject}: {finding.text}", markup=False, soft_wrap=True)
    if finding.remedy:
        out().print(f"{'':8}   fix: {finding.remedy}", markup=False, soft_wrap=True)


def _print_verdict(name: str, problems: int, folder: Path) -> None:
    from hpoctl.cli.output import hint, out
    from hpoctl.cli.words import many

    if problems:
        out().print(f"{many(problems, 'problem')}; what the trial printed is in {folder}", markup=False, soft_wrap=True)
    else:
        out().print("it can be tuned", markup=False)
        hint(f"`hpoctl run --method RS --benchmark {shlex.quote(name)}` tunes it")
