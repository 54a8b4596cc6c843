"""`hpoctl doctor`."""

from pathlib import Path
from typing import Annotated

import typer

from hpoctl.cli.options import AsJson, Results

PROBLEMS = 1
STYLES = {"ok": "green", "warning": "yellow", "problem": "bold red"}


def doctor(
    on: Annotated[str | None, typer.Option(help="Launcher to look at. Default: the configured one.")] = None,
    results: Results = None,
    as_json: AsJson = False,
) -> None:
    """Look for what would stop a launch from this folder: versions, plugins, results, credentials, launchers."""
    from hpoctl.cli.output import emit_json, err, out
    from hpoctl.ops.launching.doctor import Examination, examine
    from hpoctl.ops.studies.registry import open_registry

    asked = Examination(results, on, Path.cwd())
    found = []
    with err().status("looking"):
        for finding in examine(asked, open_registry()):
            found.append(finding)
            if not as_json:
                out().print(f"{finding.verdict:8}", style=STYLES[finding.verdict], markup=False, end="")
                out().print(f" {finding.subject}: {finding.text}", markup=False, soft_wrap=True)
                if finding.remedy:
                    out().print(f"{'':8}   fix: {finding.remedy}", markup=False, soft_wrap=True)
    problems = [finding for finding in found if finding.verdict == "problem"]
    if as_json:
        errors = [{"what": finding.text, "fix": finding.remedy} for finding in problems]
        emit_json("doctor", "error" if problems else "success", {"findings": found}, errors)
    else:
        warnings = sum(finding.verdict == "warning" for finding in found)
        out().print(_verdict(len(problems), warnings), markup=False)
    if problems:
        raise typer.Exit(PROBLEMS)


def _verdict(problems: int, warnings: int) -> str:
    from hpoctl.cli.words import many

    if problems:
        return f"{many(problems, 'problem')} would stop a launch"
    return f"nothing would stop a launch ({many(warnings, 'warning')})" if warnings else "nothing would stop a launch"
