"""`hpoctl studies` and `hpoctl studies show`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from hpoctl.cli.help import Command
from hpoctl.cli.layout import print_block, print_lines
from hpoctl.cli.listing import Wide, emit_list, pairs, source_text, warn
from hpoctl.cli.options import AsJson

if TYPE_CHECKING:
    from hpoctl.ops.studies.studies import StudyInfo

WITH_WIDE = {"extra results", "panels", "from"}
"""What is shown of a study with `--wide` only."""

studies_app = typer.Typer(add_completion=False, invoke_without_command=True)


@studies_app.callback()
def studies(context: typer.Context, wide: Wide = False, as_json: AsJson = False) -> None:
    """List studies: methods, benchmarks, number of seeds and missing names; with --wide all of it."""
    from hpoctl.builtins import open_registry
    from hpoctl.ops.studies.listing import plugin_problems
    from hpoctl.ops.studies.studies import list_studies

    context.obj = as_json
    if context.invoked_subcommand is not None:
        return
    registry = open_registry()
    found, problems = list_studies(registry), plugin_problems(registry)
    if as_json:
        emit_list("studies", found, problems)
        return
    warn(problems)
    _print_studies(found, wide=wide)


@studies_app.command(cls=Command)
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Registered study, or a study file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of TOML.")] = False,
) -> None:
    """Print one study as TOML: a study file to start from."""
    from pathlib import Path

    from hpoctl.builtins import open_registry
    from hpoctl.ops.studies.listing import plugin_problems
    from hpoctl.ops.studies.studies import show_study

    registry = open_registry()
    shown, problems = show_study(name, registry, Path()), plugin_problems(registry)
    if as_json or context.obj:
        emit_list("studies", [shown.info], problems)
        return
    warn(problems)
    # Bytes: a study file is UTF-8 on any terminal, and contains no markup.
    typer.echo(shown.toml.encode(), nl=False)


def _print_studies(found: "Sequence[StudyInfo]", *, wide: bool) -> None:
    """The studies one below the other: their lists of names are too long for the columns of a table."""
    from hpoctl.cli.output import hint

    for study in found:
        title = f"{study.name} (default)" if study.overrides.get("default") else study.name
        print_block(f"{title}: {study.summary}" if study.summary else title, _facts(study, wide=wide))
    if not found:
        print_lines(["none"])
    hint("`hpoctl studies show NAME` prints one as TOML, to start a study file from")


def _facts(study: "StudyInfo", *, wide: bool) -> dict[str, str]:
    overrides = {key: value for key, value in study.overrides.items() if key != "default"}
    fixed, panels = overrides.pop("fixed", {}), overrides.pop("panels", {})
    facts = {
        "methods": ", ".join(study.methods),
        "benchmarks": ", ".join(study.benchmarks),
        "seeds": _seeds(study),
        "experiments": f"{study.experiments:,}",
        "extra results": ", ".join(study.extra_results),
        "settings": ", ".join(study.settings),
        "fixed": "; ".join(f"{method} {pairs(values)}" for method, values in fixed.items()),
        "launcher options": pairs(overrides.pop("launcher_options", {})),
        "backend options": pairs(overrides.pop("backend_options", {})),
        "also": pairs(overrides),
        "panels": "; ".join(f"{title}: {', '.join(methods)}" for title, methods in panels.items()),
        "missing": ", ".join(study.missing),
        "from": source_text(study.origin) if study.origin else study.source,
    }
    return {key: fact for key, fact in facts.items() if wide or key not in WITH_WIDE}


def _seeds(study: "StudyInfo") -> str:
    last = study.num_seeds - 1
    return f"{study.start_seed}" if last == study.start_seed else f"{study.start_seed} to {last}"
