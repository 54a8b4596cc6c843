"""`hpoctl why`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hpoctl.cli.options import AsJson, Results
from hpoctl.cli.reading import make_filters
from hpoctl.cli.status import BenchmarkFilter, MethodFilter, SeedFilter
from hpoctl.core.errors import FAILED, IncompleteError, UsageError

if TYPE_CHECKING:
    from hpoctl.ops.studies.config import Root

PARTS = 3
"""The parts of the name of a result directory: tag, method, attempt."""


def why(
    experiment: Annotated[
        str | None, typer.Argument(help="Result directory of the experiment. Default: the one that the options name.")
    ] = None,
    trial: Annotated[int, typer.Option(min=0, help="Number of the trial.")] = ...,  # type: ignore[assignment]
    tag: Annotated[str | None, typer.Option(help="Name of the study's results.")] = None,
    method: MethodFilter = None,
    benchmark: BenchmarkFilter = None,
    seed: SeedFilter = None,
    results: Results = None,
    as_json: AsJson = False,
) -> None:
    """Show why a trial was suggested, promoted, paused, stopped or passed over."""
    from hpoctl.builtins import open_registry
    from hpoctl.cli.output import emit_json
    from hpoctl.cli.why_report import print_why
    from hpoctl.ops.answers.why import find_experiment
    from hpoctl.ops.answers.why import why as ask
    from hpoctl.ops.studies.config import open_root

    directory = None
    if experiment is not None:
        if tag or method or benchmark or seed:
            raise UsageError(
                "A result directory and --tag, --method, --benchmark or --seed say the same twice.",
                "Leave out one of them.",
            )
        root, directory = _directory(Path(experiment), results)
        tag = directory.split("/")[0]
    elif tag is None:
        raise UsageError("No experiment is named.", "Name its result directory, or its tag with --tag.")
    else:
        root = open_root(results)
    found = find_experiment(root, tag, make_filters(method, benchmark, seed), directory)
    answer = ask(root, found, trial, open_registry())
    if as_json:
        errors = [] if answer.agrees is not False else [{"what": answer.check, "fix": _FIX}]
        emit_json("why", "partial" if errors else "success", answer, errors)
    else:
        print_why(answer)
    if answer.agrees is False:
        raise typer.Exit(FAILED)


_FIX = "Use the versions of hpoctl, its plugins and numpy that ran it: they are in its metadata.json."


def _directory(path: Path, results: str | None) -> "tuple[Root, str]":
    """The root of results and the name there of a result directory, which is given by its path or by that name."""
    from hpoctl.ops.studies.config import open_root

    if path.is_dir():
        whole = path.resolve()
        root = str(whole.parents[PARTS - 1]) if results is None else results
        return open_root(root), "/".join(whole.parts[-PARTS:])
    if len(path.parts) != PARTS or path.is_absolute():
        raise IncompleteError(f"There is no result directory {path}.", "`hpoctl logs` shows where an experiment is.")
    return open_root(results), path.as_posix()
