"""`hpoctl export` and `hpoctl import`: results for other programs, and results of Syne Tune."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from hpoctl.cli.options import AsJson, Results
from hpoctl.cli.reading import Tags, Where, load_request
from hpoctl.cli.status import BenchmarkFilter, MethodFilter, SeedFilter
from hpoctl.core.errors import IncompleteError, UsageError


def export(
    tag: Tags,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for result trees of Syne Tune, or file for a table.")
    ],
    form: Annotated[
        Literal["syne-tune", "csv", "parquet"],
        typer.Option("--format", help="Result trees that Syne Tune reads, or one table of all rows."),
    ] = "syne-tune",
    formulas: Annotated[
        Literal["quote", "keep"],
        typer.Option(
            "--csv-formulas", help="CSV texts that begin like a formula (= + - @): an apostrophe before them, or as is."
        ),
    ] = "quote",
    method: MethodFilter = None,
    benchmark: BenchmarkFilter = None,
    seed: SeedFilter = None,
    where: Where = None,
    results: Results = None,
    as_json: AsJson = False,
) -> None:
    """Export completed experiments: trees that Syne Tune reads, or one table as CSV or Parquet."""
    from hpoctl.cli import exchange_report as report
    from hpoctl.ops.exchange.export import export as write

    load = load_request(tag, method, benchmark, seed, where, results)
    with report.progress("exporting") as tell:
        exported = write(load, form, output, formulas, tell)
    if as_json:
        report.emit_exported(exported)
    else:
        report.show_exported(exported)


def import_results(
    folder: Annotated[str, typer.Argument(help="Folder with result trees of Syne Tune, in any depth.")],
    tag: Annotated[str | None, typer.Option(help="Tag of all that is imported. Default: each keeps its own.")] = None,
    form: Annotated[  # noqa: ARG001 - there is one that can be read
        Literal["syne-tune"], typer.Option("--format", help="Which program wrote them.")
    ] = "syne-tune",
    max_wallclock_time: Annotated[
        float | None,
        typer.Option(help="Budget in seconds of results that do not say theirs. Default: the time of their last row."),
    ] = None,
    results: Results = None,
    as_json: AsJson = False,
) -> None:
    """Import results of Syne Tune as experiments of a tag."""
    from hpoctl.cli import exchange_report as report
    from hpoctl.ops.exchange.import_results import import_results as store
    from hpoctl.ops.studies.config import open_root

    if folder.startswith("s3://"):
        raise UsageError(
            f"{folder} is not on this machine.", f"`aws s3 sync {folder} FOLDER` copies it; import that folder."
        )
    root = open_root(results)
    with report.progress("importing") as tell:
        imported = store(Path(folder), root, tag, max_wallclock_time, tell)
    if as_json:
        report.emit_imported(imported)
    else:
        report.show_imported(imported, root)
    if imported.refused:
        raise typer.Exit(IncompleteError.exit_code)
