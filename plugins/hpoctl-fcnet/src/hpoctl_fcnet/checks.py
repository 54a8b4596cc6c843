"""A look at all data of a set, longer than opening its table takes: what `hpoctl blackbox check` shows."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from hpoctl.core.errors import IncompleteError
from hpoctl_fcnet.packed import PUBLISHED_OPTIMA, curves_file, finals_file, load_finals, optimum, packaged_hashes
from hpoctl_fcnet.table import cached_table, damaged_import, expanded, load_imported, open_table
from hpoctl_fcnet.table_files import Block, TableFiles, file_hash

ROWS = 1024
"""Configurations at a time."""


def check(name: str, imported: Path | None) -> Iterator[str]:
    """A line for each thing that is right about a set's data.

    Args:
        name: The set.
        imported: Where its imported original is; None: the modelled curves are looked at.

    Raises:
        IncompleteError: The first thing that is not right.
    """
    yield from _check_packaged(name)
    yield from _check_optimum(name)
    if imported is None:
        yield from _check_expanded(name)
    else:
        yield from _check_imported(name, imported)


def _check_packaged(name: str) -> Iterator[str]:
    files = (finals_file(name), curves_file(name))
    found, listed = packaged_hashes(files)
    for file_name in files:
        if found[file_name] != listed.get(file_name):
            raise IncompleteError(
                f"The packaged file {file_name} has SHA-256 {found[file_name]}, the package lists"
                f" {listed.get(file_name, 'none')}.",
                "Install hpoctl-fcnet again.",
            )
    yield f"packaged files have the SHA-256 that the package lists ({', '.join(files)})"


def _check_optimum(name: str) -> Iterator[str]:
    found = optimum(load_finals(name).loss)
    if found != PUBLISHED_OPTIMA[name]:
        raise IncompleteError(
            f"The optimum of the packaged final losses is {found!r}, published is {PUBLISHED_OPTIMA[name]!r}.",
            "Install hpoctl-fcnet again.",
        )
    yield f"the optimum is the published one, {found!r}"


def _check_expanded(name: str) -> Iterator[str]:
    directory = cached_table(name)
    table = open_table(name, None)
    _check_rows(name, _blocks(TableFiles(table.loss, table.runtime, {})), _damaged_cache(directory))
    start = 0
    for loss, _ in expanded(name):
        if loss.tobytes() != table.loss[start : start + len(loss)].tobytes():
            raise _damaged_cache(directory)
        start += len(loss)
    yield f"the table in {directory} is what the packaged model expands to, every value"
    yield from _said(name)


def _damaged_cache(directory: Path) -> IncompleteError:
    return IncompleteError(
        f"The cached table in {directory} is not what the packaged files expand to.",
        "Delete that directory; the table is then made again.",
    )


def _check_imported(name: str, directory: Path) -> Iterator[str]:
    files = load_imported(name, directory)
    for file_name, digest in files.sha256.items():
        if file_hash(directory / file_name) != digest:
            raise damaged_import(directory, f"{file_name} has another SHA-256 than when it was imported")
    yield f"the imported files in {directory} have the SHA-256 that they were written with"
    _check_rows(name, _blocks(files), damaged_import(directory, "its values are not what was imported"))
    yield from _said(name)


def _blocks(files: TableFiles) -> Iterator[Block]:
    for start in range(0, len(files.loss), ROWS):
        yield files.loss[start : start + ROWS], files.runtime[start : start + ROWS]


def _check_rows(name: str, blocks: Iterable[Block], error: IncompleteError) -> None:
    """All values are finite and positive, final losses and runtimes those of the package, bit for bit."""
    finals, start = load_finals(name), 0
    for loss, runtime in blocks:
        rows = slice(start, start + len(loss))
        good = bool(np.isfinite(loss).all() and (loss > 0).all())
        same = loss[:, :, -1].tobytes() == finals.loss[rows].tobytes()
        if not (good and same and runtime.tobytes() == finals.runtime[rows].tobytes()):
            raise error
        start = rows.stop


def _said(name: str) -> Iterator[str]:
    configurations, seeds = load_finals(name).loss.shape
    yield f"losses and runtimes of {configurations:,} configurations x {seeds} seeds are all finite and positive"
    yield "final losses and runtimes are the original's, bit for bit"
