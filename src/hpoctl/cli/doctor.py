"""`hpoctl doctor`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hpoctl.cli.options import AsJson, BackendName, BackendOptions, LauncherOptions, Results, named_values

if TYPE_CHECKING:
    from hpoctl.core.findings import Finding

PROBLEMS = 1
ENDLESS = 1_000_000
STYLES = {"ok": "green", "warning": "yellow", "problem": "bold red"}


def doctor(
    on: Annotated[str | None, typer.Option(help="Launcher to look at. Default: the configured one.")] = None,
    launcher_option: LauncherOptions = None,
    smoke: Annotated[
        bool, typer.Option("--smoke", help="Also run a small real study there, with a pause and a resume.")
    ] = False,
    backend: BackendName = None,
    backend_option: BackendOptions = None,
    smoke_timeout: Annotated[
        float,
        typer.Option(
            min=1.0, metavar="SECONDS", help="What the small study may take, on the launcher and again on the backend."
        ),
    ] = 900.0,
    results: Results = None,
    as_json: AsJson = False,
) -> None:
    """Find what would prevent a launch from this folder: versions, plugins, results, credentials, launchers.

    Exit code 0: nothing would, and what --smoke ran works; 1: there is a problem.
    """
    from hpoctl.builtins import open_registry
    from hpoctl.cli.output import emit_json, err, out
    from hpoctl.core.errors import UsageError
    from hpoctl.ops.launching.doctor import Examination, examine

    if (backend or backend_option) and not smoke:
        raise UsageError("--backend names where --smoke runs trials.", "Add --smoke, or leave it out.")
    of_launcher = named_values(launcher_option or (), "launcher", "partition=gpu")
    of_backend = named_values(backend_option or (), "trial backend", "address=10.0.0.5:6379")
    asked = Examination(results, on, Path.cwd(), smoke, backend or "", of_launcher, of_backend, smoke_timeout)
    found = []
    with err().status("looking, and running a small study" if smoke else "looking"):
        for finding in examine(asked, open_registry()):
            found.append(finding)
            if not as_json:
                _print_finding(finding)
    problems = [finding for finding in found if finding.verdict == "problem"]
    if as_json:
        errors = [{"what": finding.text, "fix": finding.remedy} for finding in problems]
        emit_json("doctor", "error" if problems else "success", {"findings": found}, errors)
    else:
        warnings = sum(finding.verdict == "warning" for finding in found)
        out().print(_verdict(len(problems), warnings), markup=False)
    if problems:
        raise typer.Exit(PROBLEMS)


def _print_finding(finding: "Finding") -> None:
    from rich.text import Text

    from hpoctl.cli.output import fitted, out

    console = out()
    width = console.width if console.breaks_lines else ENDLESS
    first, *more = fitted(f"{finding.subject}: {finding.text}", width, first=" " * 9, rest=" " * 11)
    text = Text(f"{finding.verdict:9}", style=STYLES[finding.verdict]).append(first[9:], style="default")
    console.print(Text("\n").join([text, *map(Text, more)]), soft_wrap=True)
    if finding.remedy:
        console.print(f"{'':11}fix: {finding.remedy}", markup=False, soft_wrap=True)


def _verdict(problems: int, warnings: int) -> str:
    from hpoctl.cli.words import many

    if problems:
        return f"{many(problems, 'problem')} would stop a launch"
    return f"nothing would stop a launch ({many(warnings, 'warning')})" if warnings else "nothing would stop a launch"
