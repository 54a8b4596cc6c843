"""`hpoctl studies` and `hpoctl studies show`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from hpoctl.cli.help import Command
from hpoctl.cli.listing import emit_list, pairs, print_lines, source_text, warn
from hpoctl.cli.options import AsJson

if TYPE_CHECKING:
    from hpoctl.ops.studies.studies import StudyInfo

INDENT = 20
"""Where what is said about a study begins: behind the longest word for it."""

NARROW = 40

studies_app = typer.Typer(invoke_without_command=True)


@studies_app.callback()
def studies(context: typer.Context, as_json: AsJson = False) -> None:
    """List studies: which methods meet which benchmarks, how often, what else they say, and what is missing."""
    from hpoctl.ops.studies.listing import plugin_problems
    from hpoctl.ops.studies.registry import open_registry
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
    _print_studies(found)


@studies_app.command(cls=Command)
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Registered study, or a study file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of TOML.")] = False,
) -> None:
    """Print one study as TOML: a study file to start from."""
    from pathlib import Path

    from hpoctl.ops.studies.listing import plugin_problems
    from hpoctl.ops.studies.registry import open_registry
    from hpoctl.ops.studies.studies import show_study

    registry = open_registry()
    shown, problems = show_study(name, registry, Path()), plugin_problems(registry)
    if as_json or context.obj:
        emit_list("studies", [shown.info], problems)
        return
    warn(problems)
    # Bytes: a study file is UTF-8 whatever the terminal is, and nothing in it is markup.
    typer.echo(shown.toml.encode(), nl=False)


def _print_studies(found: "Sequence[StudyInfo]") -> None:
    """The studies one below the other: their lists of names are too long for the columns of a table."""
    from textwrap import wrap

    from hpoctl.cli.output import hint, out

    for study in found:
        title = f"{study.name} (default)" if study.overrides.get("default") else study.name
        lines = [f"{title}: {study.summary}" if study.summary else title]
        for key, fact in _facts(study).items():
            # A name is never cut in two: it is there to be copied.
            lines += wrap(
                fact,
                max(out().width, NARROW),
                initial_indent=f"  {f'{key}:':<{INDENT - 2}}",
                subsequent_indent=" " * INDENT,
                break_long_words=False,
                break_on_hyphens=False,
            )
        print_lines(lines)
    if not found:
        print_lines(["none"])
    hint("`hpoctl studies show NAME` prints one as TOML, to start a study file from")


def _facts(study: "StudyInfo") -> dict[str, str]:
    overrides = {key: value for key, value in study.overrides.items() if key != "default"}
    fixed = overrides.pop("fixed", {})
    return {
        "methods": ", ".join(study.methods),
        "benchmarks": ", ".join(study.benchmarks),
        "seeds": _seeds(study),
        "experiments": f"{study.experiments:,}",
        "extra results": ", ".join(study.extra_results),
        "settings": ", ".join(study.settings),
        "fixed": "; ".join(f"{method} {pairs(values)}" for method, values in fixed.items()),
        "launcher options": pairs(overrides.pop("launcher_options", {})),
        "also": pairs(overrides),
        "missing": ", ".join(study.missing),
        "from": source_text(study.origin) if study.origin else study.source,
    }


def _seeds(study: "StudyInfo") -> str:
    last = study.num_seeds - 1
    return f"{study.start_seed}" if last == study.start_seed else f"{study.start_seed} to {last}"
