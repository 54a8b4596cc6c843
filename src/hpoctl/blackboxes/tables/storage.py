"""Writing and removing imported tables: a reader sees either the old table or the new one."""

import fcntl
import io
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpoctl.blackboxes.tables.assemble import Table, table_hash
from hpoctl.blackboxes.tables.stored import (
    ARRAYS,
    CURRENT,
    DESCRIPTION,
    TABLE,
    ArrayFile,
    Stored,
    TableFile,
    file_hash,
    read_stored,
    sample_checksum,
    stored_hash,
    stored_names,
    tables_folder,
)
from hpoctl.core.entries import Progress
from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.files import read_regular, sync_directory, write_durably

BUILDING = ".building-"
REMOVED = ".removed-"
CHUNK = 1 << 24


def store_table(table: Table, progress: Progress) -> tuple[Stored, bool]:
    """Store a table under its name in the place of the one that has it. False: it is there already.

    Raises:
        UsageError: A table is called the same but for upper and lower case.
        HpoctlError: It cannot be written; what was there is still there.
    """
    description = table.description
    arrays: dict[str, NDArray[Any]] = {name: getattr(table, name) for name in ARRAYS}
    progress("hashing", 0, None)
    content = table_hash(
        description.space, description.metrics, table.numbers, (table.resources, table.values, table.elapsed)
    )
    version = stored_hash(description, content)
    return install(description.name, version, lambda folder: _write(folder, table, arrays, content, progress))


def install(name: str, version: str, fill: Callable[[Path], None]) -> tuple[Stored, bool]:
    """Let a version of a table be the one that counts. False: it is already.

    Args:
        name: The name of the table.
        version: The version, see `stored_hash`.
        fill: Writes its files into a folder.

    Raises:
        UsageError: A table is called the same but for upper and lower case.
        HpoctlError: It cannot be written; what was there is still there.
    """
    with _writing(name) as base:
        _refuse_similar(name)
        _sweep(base)
        new = not _is_current(base, version)
        if new:
            building = base / f"{BUILDING}{secrets.token_hex(8)}"
            try:
                building.mkdir(parents=True)
                fill(building)
                if (base / version).exists():  # it was damaged, or is not the one that counts
                    (base / version).rename(base / f"{REMOVED}{secrets.token_hex(8)}")
                building.rename(base / version)
                sync_directory(base)
                _point(base, version)
            except BaseException:
                if _points_elsewhere(base, version):
                    shutil.rmtree(base / version, ignore_errors=True)
                raise
            finally:
                shutil.rmtree(building, ignore_errors=True)
        _sweep(base, keep=version)
    return read_stored(name), new


def remove_table(name: str) -> None:
    """Remove an imported table, damaged or not.

    Raises:
        UsageError: There is none of that name.
        HpoctlError: It cannot be removed.
    """
    if name not in stored_names():
        raise UsageError(f"No table {name!r} was imported.", "`hpoctl blackbox list` lists all of them.")
    with _writing(name) as base:
        gone = base.parent / f"{REMOVED}{secrets.token_hex(8)}"
        base.rename(gone)
        sync_directory(base.parent)
        shutil.rmtree(gone, ignore_errors=True)


@contextmanager
def _writing(name: str) -> Iterator[Path]:
    """The folder of a table, under a lock against other writers; system errors get a message."""
    root = tables_folder()
    try:
        root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(root, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # the system gives it up when the process ends, however it does
            for left in root.glob(f"{REMOVED}*"):
                shutil.rmtree(left, ignore_errors=True)
            yield root / name
        finally:
            with suppress(OSError):
                (root / name).rmdir()  # only if there is nothing in it
            os.close(descriptor)
    except OSError as error:
        raise HpoctlError(
            f"Imported tables in {root} cannot be changed: {error.strerror or error}.",
            "Free some space, or set HPOCTL_DATA to a folder that can be written to.",
        ) from error


def _refuse_similar(name: str) -> None:
    for other in stored_names():
        if other != name and other.casefold() == name.casefold():
            raise UsageError(f"There is a table {other!r}, and {name!r} differs in case alone.", "Use another name.")


def _is_current(base: Path, version: str) -> bool:
    """Whether this version is the one that counts, with all its files as they were written."""
    try:
        stored = read_stored(base.name)
        return stored.folder.name == version and all(
            file_hash(stored.folder / f"{name}.npy") == stored.table.files[name].sha256 for name in ARRAYS
        )
    except (HpoctlError, OSError):
        return False


def _points_elsewhere(base: Path, version: str) -> bool:
    """Whether another version counts, or none; False where that cannot be known."""
    try:
        return read_regular(base / CURRENT).decode("ascii", "replace").strip() != version
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _sweep(base: Path, keep: str | None = None) -> None:
    """Remove what killed imports left behind and, with `keep`, all versions but that one.

    Processes that have an old version open keep their memory maps.
    """
    if not base.exists():
        return
    for left in list(base.iterdir()):
        if left.name.startswith((BUILDING, REMOVED)):
            _remove(left)
        elif keep and left.name not in {keep, CURRENT}:
            # Renamed in one step: no reader opens half of it.
            _remove(left.rename(base / f"{REMOVED}{secrets.token_hex(8)}"))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _write(folder: Path, table: Table, arrays: dict[str, NDArray[Any]], content: str, progress: Progress) -> None:
    total = sum(array.nbytes for array in arrays.values())
    done = 0
    files = {}
    for name, array in arrays.items():
        path = folder / f"{name}.npy"
        digest = sha256()
        with path.open("xb") as file:
            for part in _parts(array):
                progress("storing", done, total)
                digest.update(part)
                file.write(part)
                done += len(part)
            file.flush()
            os.fsync(file.fileno())
        size = path.stat().st_size
        files[name] = ArrayFile(array.dtype.str, array.shape, size, sample_checksum(array), digest.hexdigest())
    whole = TableFile(table.description, content, table.values.shape, files)
    write_durably(folder / DESCRIPTION, TABLE.seal(whole))
    sync_directory(folder)


def _parts(array: NDArray[Any]) -> Iterator[bytes]:
    """The bytes of an .npy file in parts. Written, not mapped: a full disk is then an error, not a signal."""
    array = np.ascontiguousarray(array)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(array))
    yield header.getvalue()
    flat = array.reshape(-1)
    step = CHUNK // array.itemsize
    for start in range(0, len(flat), step):
        yield flat[start : start + step].tobytes()


def _point(base: Path, version: str) -> None:
    """Let a version be the one that counts."""
    temporary = base / f"{BUILDING}{CURRENT}"
    try:
        write_durably(temporary, f"{version}\n".encode())
        temporary.replace(base / CURRENT)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    sync_directory(base)
