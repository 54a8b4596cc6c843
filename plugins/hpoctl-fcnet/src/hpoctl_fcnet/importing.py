"""`hpoctl blackbox import fcnet DIR`: the original curves, checked value by value and kept as tables.

Everything is written beside its place first. Only when all files of the folder have passed all checks do the new
tables take the place of the old ones, each in one step.
"""

import fcntl
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from hpoctl.core.entries import Imported, Progress
from hpoctl.core.errors import HpoctlError, IncompleteError
from hpoctl.core.files import UnreadableError, read_regular
from hpoctl.core.protocols import FloatArray
from hpoctl_fcnet.grid import config_at
from hpoctl_fcnet.imported import directory_name, imports_directory, pointer
from hpoctl_fcnet.original import FILES, FIX, find_files, read_blocks, require_h5py
from hpoctl_fcnet.packed import PUBLISHED_OPTIMA, Finals, load_finals, optimum
from hpoctl_fcnet.table_files import (
    MANIFEST,
    SHAPES,
    UNREADABLE,
    Block,
    building,
    file_hash,
    load_table,
    publish,
    sync_directory,
    write_file,
    write_table,
)

TEMPORARY = "import"
LOCK = ".lock"


def load(folder: Path, progress: Progress) -> Imported:
    """Import the original files of a folder, any of the four.

    Raises:
        UsageError: There is no such folder.
        IncompleteError: A file is missing, damaged, or not the original. Nothing has changed then.
        HpoctlError: h5py is not installed, or the tables cannot be written.
    """
    files = find_files(folder)
    require_h5py()
    rounded: Counter[str] = Counter()
    parent = imports_directory()
    try:
        with _made(parent), building(parent, TEMPORARY) as unfinished:
            tables = {}
            for name, file in files.items():
                tables[name] = unfinished / name
                tables[name].mkdir()
                blocks = checked(name, file, read_blocks(file, progress), rounded)
                write_table(tables[name], blocks)
            places = keep(tables)
    except OSError as error:
        raise HpoctlError(
            f"The imported tables cannot be written below {parent}: {error.strerror or error}.",
            f"Set HPOCTL_DATA to a directory that you may write to, with {110 * len(files)} MB free.",
        ) from error
    return Imported(tuple(f"fcnet-{name}" for name in files), tuple(_notes(places, rounded)))


def checked(
    name: str, file: Path, blocks: Iterator[tuple[FloatArray, FloatArray]], rounded: Counter[str]
) -> Iterator[Block]:
    """The blocks of an original file as float32, after a look at every value.

    Args:
        name: The set.
        file: The file, for messages.
        blocks: What it holds, in the order of the tables.
        rounded: Counts the values of each set that float32 does not hold exactly.

    Raises:
        IncompleteError: A value is not finite and positive, or a final value is not the published one.
    """
    finals = load_finals(name)
    start, best = 0, np.inf
    for numbers in blocks:
        loss, runtime = _to_float32(numbers[0]), _to_float32(numbers[1])
        rounded[name] += sum(int((narrow != wide).sum()) for narrow, wide in zip((loss, runtime), numbers, strict=True))
        rows = slice(start, start + len(loss))
        _check_values(file, start, {"valid_mse": loss, "runtime": runtime})
        _check_finals(file, start, Finals(loss[:, :, -1], runtime), Finals(finals.loss[rows], finals.runtime[rows]))
        best = min(best, optimum(loss[:, :, -1]))
        start = rows.stop
        yield loss, runtime
    if best != PUBLISHED_OPTIMA[name]:
        raise IncompleteError(f"{file} has the optimum {best!r}; published is {PUBLISHED_OPTIMA[name]!r}.", FIX)


def _to_float32(values: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is found by the check that follows
        return values.astype(np.float32)


def _check_values(
    file: Path, start: int, values: Mapping[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]
) -> None:
    for title, numbers in values.items():
        wrong = ~(np.isfinite(numbers) & (numbers > 0))
        if wrong.any():
            first = tuple(np.argwhere(wrong)[0])
            raise IncompleteError(
                f"{file} is not an original fcnet file, or is damaged: {title} has the value {numbers[first]} at"
                f" {config_at(start + int(first[0]))}.",
                FIX,
            )


def _check_finals(file: Path, start: int, found: Finals, published: Finals) -> None:
    for title, ours, theirs in (
        ("the last epoch of valid_mse", published.loss, found.loss),
        ("runtime", published.runtime, found.runtime),
    ):
        wrong = (ours.view(np.uint32) != np.ascontiguousarray(theirs).view(np.uint32)).any(axis=1)
        if wrong.any():
            row = int(wrong.argmax())
            raise IncompleteError(
                f"{file} is not an original fcnet file, or is damaged: {title} is {theirs[row].tolist()} at"
                f" {config_at(start + row)}, published is {ours[row].tolist()}.",
                FIX,
            )


def keep(tables: Mapping[str, Path]) -> Mapping[str, tuple[Path, bool]]:
    """Let complete tables take the place of what was imported before.

    Args:
        tables: The directory of each set's table, on the same file system as the imports.

    Returns:
        Where each is now, and whether that has changed anything.
    """
    with _locked(imports_directory()):
        return {name: _keep(name, directory) for name, directory in tables.items()}


def _keep(name: str, directory: Path) -> tuple[Path, bool]:
    hashes = load_table(directory).sha256
    place = imports_directory() / directory_name(name, hashes)
    was_there, whole = place.exists(), _is_whole(place, hashes)
    if not whole:
        _put(directory, place)
    try:
        changed = _point(name, place)
    except BaseException:
        if not was_there:
            shutil.rmtree(place, ignore_errors=True)
        raise
    for other in place.parent.glob(f"{name}-{'[0-9a-f]' * 16}"):
        if other != place:
            shutil.rmtree(other, ignore_errors=True)  # processes that have mapped it keep it
    return place, changed or not whole


def _is_whole(place: Path, hashes: Mapping[str, str]) -> bool:
    try:
        same = load_table(place).sha256 == hashes
        return same and all(file_hash(place / file_name) == digest for file_name, digest in hashes.items())
    except UNREADABLE:
        return False


def _put(directory: Path, place: Path) -> None:
    """Move a table to its place. A damaged one there is mended file by file: its place is never empty."""
    if not place.is_dir():
        place.unlink(missing_ok=True)
        publish(directory, place)
        return
    for file_name in (*SHAPES, MANIFEST):
        (directory / file_name).replace(place / file_name)
    sync_directory(place)


def _point(name: str, place: Path) -> bool:
    """Make a table the one that counts; whether it was another one before."""
    file, line = pointer(name), f"{place.name}\n".encode()
    with suppress(FileNotFoundError, UnreadableError):
        if read_regular(file) == line:
            return False
    with building(file.parent, TEMPORARY) as directory:
        write_file(directory / file.name, line)
        (directory / file.name).replace(file)
    sync_directory(file.parent)
    return True


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Nobody else changes the imports meanwhile."""
    with (directory / LOCK).open("wb") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _made(directory: Path) -> Iterator[None]:
    """A directory that is there; if something fails, those that had to be made and are empty are removed again."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for path in missing:
            with suppress(OSError):
                path.rmdir()
        raise


def _notes(places: Mapping[str, tuple[Path, bool]], rounded: Mapping[str, int]) -> Iterator[str]:
    for name, (place, changed) in places.items():
        yield f"fcnet-{name}: original curves, {'now' if changed else 'already'} in {place}"
        if rounded[name]:
            yield f"fcnet-{name}: {rounded[name]:,} values of the file had more digits than float32 and were rounded"
    for name, file_name in FILES.items():
        if name not in places:
            yield f"fcnet-{name}: no {file_name} in the folder; nothing has changed for it"
    if any(changed for _, changed in places.values()):
        yield "results on other curves have another identity: use another --tag, so that the two are not mixed"
    yield f"to go back to the modelled curves: rm -r {imports_directory()}"
