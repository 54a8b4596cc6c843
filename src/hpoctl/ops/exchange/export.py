"""`hpoctl export`: results for other programs, as trees that Syne Tune reads or as one table."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hpoctl.core.columns import IDENTITY
from hpoctl.core.errors import UsageError
from hpoctl.core.metadata_head import Exchange
from hpoctl.ops.exchange.exported_table import Formulas, TableFormat, common_schema, identified, schema_of, write_tables
from hpoctl.ops.exchange.exported_tree import ExportedTree, write_result
from hpoctl.ops.reading.load_rows import read_table
from hpoctl.ops.reading.results_of_tags import LoadRequest, find_results, read_each
from hpoctl.ops.reading.setups import notes_of, renamed, setup_names
from hpoctl.ops.reading.tag_contents import FoundResult, Skipped
from hpoctl.ops.reading.written_files import check_file, check_folder, writing

if TYPE_CHECKING:
    import pyarrow as pa

ExportFormat = Exchange | TableFormat
FORMATS: tuple[ExportFormat, ...] = ("syne-tune", "csv", "parquet")
ExperimentProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class Exported:
    """What was exported.

    Attributes:
        path: The folder, or the file.
        form: Trees that Syne Tune reads, or one table.
        tags: The tags.
        experiments: How many experiments there are in it now, of those that were asked for.
        present: How many of them were there already; a table is always written anew.
        rows: How many rows were written.
        notes: What a person should know of the results.
        skipped: What was left out.
    """

    path: str
    form: ExportFormat
    tags: tuple[str, ...]
    experiments: int
    present: int
    rows: int
    notes: tuple[str, ...]
    skipped: tuple[Skipped, ...]


def export(
    load: LoadRequest,
    form: ExportFormat,
    output: Path,
    formulas: Formulas = "quote",
    progress: ExperimentProgress | None = None,
) -> Exported:
    """Write the results that count, in another format.

    Args:
        load: Which results.
        form: Trees that Syne Tune reads, or one table.
        output: The folder of the trees, or the file of the table.
        formulas: What becomes of CSV texts that a spreadsheet would run as formulas.
        progress: Receives how many experiments were read, of how many; None: not reported.

    Raises:
        UsageError: A tag is invalid, a filter names what no tag has, or something else lies where the export would go.
        IncompleteError: There is nothing of a tag, or no completed experiment fits.
        HpoctlError: Results cannot be read, or a file cannot be written.
    """
    if form == "syne-tune":
        check_folder(output)
        if output.exists() and not output.is_dir():
            raise UsageError(f"{output} is a file, not a folder.", "Name another one with --output.")
    else:
        check_file(output)
    results = find_results(load)
    newest = [found for tag in results for found in tag.newest]
    names = setup_names(newest)

    def read(found: FoundResult) -> _Chosen:
        return _Chosen(found, names[found.tag, found.cell.method], schema_of(read_table(found)))

    chosen, skipped = read_each(results, read)
    if form == "syne-tune":
        present, rows = _write_tree(output, chosen, progress)
    else:
        present, rows = 0, _write_table(output, form, formulas, chosen, progress)
    return Exported(
        path=str(output),
        form=form,
        tags=tuple(tag.tag for tag in results),
        experiments=len(chosen),
        present=present,
        rows=rows,
        notes=notes_of(newest),
        skipped=renamed(skipped, names),
    )


@dataclass(frozen=True, eq=False)
class _Chosen:
    """A result that is exported.

    Attributes:
        found: The result.
        name: What its method is called among all tags.
        schema: Its columns.
    """

    found: FoundResult
    name: str
    schema: "pa.Schema"


def _write_tree(output: Path, chosen: Sequence[_Chosen], progress: ExperimentProgress | None) -> tuple[int, int]:
    """Write what is not there; returns how many experiments were there, and how many rows were written."""
    tree = ExportedTree(output)
    targets = [tree.target(each.found) for each in chosen]
    rows = 0
    for done, (each, target) in enumerate(zip(chosen, targets, strict=True), start=1):
        if not target.present:
            table = read_table(each.found)
            write_result(target, table)
            rows += table.num_rows
        if progress:
            progress(done, len(chosen))
    return sum(target.present for target in targets), rows


def _write_table(
    output: Path,
    form: TableFormat,
    formulas: Formulas,
    chosen: Sequence[_Chosen],
    progress: ExperimentProgress | None,
) -> int:
    """Write all rows as one table; returns how many there are."""
    schema = common_schema(each.schema for each in chosen)
    with writing(output) as file:
        rows = _tables(chosen, schema, progress)
        return write_tables(file, form, schema, rows, formulas=formulas)


def _tables(
    chosen: Sequence[_Chosen], schema: "pa.Schema", progress: ExperimentProgress | None
) -> "Iterator[pa.Table]":
    for done, each in enumerate(chosen, start=1):
        cell, origin = each.found.cell, each.found.metadata.made_by
        own = (each.found.tag, each.name, cell.benchmark, cell.seed, origin)
        yield identified(read_table(each.found), dict(zip(IDENTITY, own, strict=True)), schema)
        if progress:
            progress(done, len(chosen))
