"""The table of a set: the imported original, or the expanded model in the cache.

    <cache>/fcnet/<set>-<hash>/     the expanded model; the files are those of `table_files`
    <data>/fcnet/<set>-<hash>/      the imported original (see `imported`)

The hash of an expanded table covers the packaged data and the format: other data, other directory. Of two processes
that expand a table at once the first one wins.
"""

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hpoctl.core.errors import HpoctlError, IncompleteError
from hpoctl.core.places import cache_directory
from hpoctl_fcnet.curves import expand, unpack
from hpoctl_fcnet.imported import content_hash, directory_name
from hpoctl_fcnet.packed import Float32Array, curves_file, load_arrays, load_finals, table_hash
from hpoctl_fcnet.table_files import UNREADABLE, Block, TableFiles, building, load_table, publish, write_table


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The table of a set, read-only, memory-mapped.

    Attributes:
        loss: Validation loss after epochs 1 to 100, shape (62208, 4, 100).
        runtime: Seconds of training for 100 epochs, shape (62208, 4).
        content_hash: A hash of what determines them: the packaged data and their expansion, or the imported files.
    """

    loss: Float32Array
    runtime: Float32Array
    content_hash: str


def open_table(name: str, imported: Path | None) -> Table:
    """The table of a set.

    Args:
        name: The set.
        imported: Where its imported original is; None: the model, expanded first if the cache does not hold it.

    Raises:
        IncompleteError: The table is damaged.
        HpoctlError: The cache cannot be written.
    """
    if imported is None:
        return _open_expanded(name)
    files = load_imported(name, imported)
    return Table(files.loss, files.runtime, content_hash(name, files.sha256))


def load_imported(name: str, directory: Path) -> TableFiles:
    """The files of an imported table.

    Raises:
        IncompleteError: They are damaged. The modelled curves do not step in: they are other data.
    """
    try:
        files = load_table(directory)
        if directory.name != directory_name(name, files.sha256):
            raise ValueError("its manifest has changed")
    except UNREADABLE as error:
        _check_memory(directory, error)
        raise damaged_import(directory, error) from error
    return files


def _check_memory(directory: Path, error: Exception) -> None:
    """Tell a lack of memory from damage.

    Raises:
        HpoctlError: The error is a lack of memory.
    """
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        raise HpoctlError(
            f"There is not enough memory for the table in {directory}.", "Raise the limit of memory (ulimit -v)."
        ) from error


def damaged_import(directory: Path, reason: object) -> IncompleteError:
    """The error for an imported table that is not what was imported."""
    return IncompleteError(
        f"The imported table in {directory} is damaged ({reason}).",
        "Import the original files again with `hpoctl blackbox import fcnet DIR`, or go back to the modelled curves"
        f" with `rm -r {directory}`.",
    )


def cached_table(name: str) -> Path:
    """Where the expanded table of a set is, or will be."""
    return cache_directory() / "fcnet" / f"{name}-{table_hash(name)[:16]}"


def _open_expanded(name: str) -> Table:
    directory = cached_table(name)
    if not directory.exists():
        _make(name, directory)
    try:
        files = load_table(directory)
    except UNREADABLE as error:
        _check_memory(directory, error)
        raise IncompleteError(
            f"The cached table in {directory} is damaged ({error}).",
            "Delete that directory; the table is then made again.",
        ) from error
    return Table(files.loss, files.runtime, table_hash(name))


def _make(name: str, directory: Path) -> None:
    """Expand a table beside its place and rename it."""
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with building(directory.parent, directory.name) as unfinished:
            write_table(unfinished, expanded(name))
            publish(unfinished, directory)
    except OSError as error:
        raise HpoctlError(
            f"The table of fcnet-{name} cannot be written below {directory.parent}: {error.strerror or error}.",
            "Set HPOCTL_CACHE to a directory that you may write to, with 110 MB free.",
        ) from error


def expanded(name: str) -> Iterator[Block]:
    """The modelled table of a set, block by block."""
    finals = load_finals(name)
    model = unpack(load_arrays(curves_file(name)))
    start = 0
    for loss in expand(model, finals.loss):
        yield loss, finals.runtime[start : start + len(loss)]
        start += len(loss)
