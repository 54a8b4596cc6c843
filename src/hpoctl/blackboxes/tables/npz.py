"""Tables in npz files: an array for each hyperparameter, and arrays of curves.

Headers are looked at before anything is read, so that no more memory is asked for than the table needs. Objects, which
numpy stores as pickles, are never opened.
"""

import io
import math
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from hpoctl.blackboxes.tables.description import Description
from hpoctl.blackboxes.tables.raw import MAX_BYTES, Column, RawTable, check_size, floats, whole_numbers
from hpoctl.core.entries import Progress
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.protocols import FloatArray

LEVELS = "fidelities"
NAMES = "param_names"
MAX_HEADER = 65_536
MAX_TEXT = 1_000
"""The longest text that a hyperparameter may be, in letters."""


@dataclass(frozen=True, slots=True)
class _Header:
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def read_npz(path: Path, description: Description, progress: Progress) -> RawTable:
    """The table in an npz file.

    Raises:
        IncompleteError: The file is truncated or damaged.
        UsageError: It holds something else than the description says, or too much.
    """
    with _opened(path) as archive:
        headers = _headers(path, archive)
        hyperparameters = _hyperparameters(path, archive, headers, description)
        curves = list(dict.fromkeys([*description.metrics, description.elapsed]))
        shape = _check_shapes(path, headers, hyperparameters, curves)
        check_size(str(path), shape[0], math.prod(shape), len(description.metrics))
        columns: dict[str, Column] = {}
        steps = len(hyperparameters) + len(curves)
        for name in hyperparameters:
            progress(f"reading {name}", len(columns), steps)
            columns[name] = _column(f"{path}: {name}", _read(path, archive, name))
        resources = whole_numbers(f"{path}: {LEVELS}", _read(path, archive, LEVELS))
        arrays: dict[str, FloatArray] = {}
        for name in curves:
            progress(f"reading {name}", len(columns) + len(arrays), steps)
            array = floats(_read(path, archive, name))
            arrays[name] = array[:, np.newaxis, :] if array.ndim == 2 else array
        progress("reading", steps, steps)
    known = {NAMES, LEVELS, *columns, *arrays}
    unused = tuple(name for name, header in headers.items() if name not in known and header.shape == shape)
    values = np.stack([arrays[name] for name in description.metrics], axis=-1)
    return RawTable(columns, resources, values, arrays[description.elapsed], unused)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive; every exception that a damaged one raises becomes one error."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        ValueError,
        RuntimeError,
        OSError,
        KeyError,
        struct.error,
    ) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
        raise IncompleteError(
            f"{path} cannot be read as an npz file: {reason}.", "It is damaged or incomplete: copy or save it again."
        ) from error


def _headers(path: Path, archive: zipfile.ZipFile) -> dict[str, _Header]:
    """Shape and type of each array, without reading the arrays."""
    headers = {}
    for member in archive.infolist():
        if not member.filename.endswith(".npy"):
            raise UsageError(f"{path} holds {member.filename!r}, which is no array.", "Save it with numpy.savez.")
        with archive.open(member) as stream:
            headers[member.filename.removesuffix(".npy")] = _header(f"{path}: {member.filename}", stream)
    return headers


def _header(where: str, stream: IO[bytes]) -> _Header:
    start = stream.read(12)
    if start[:6] != b"\x93NUMPY" or len(start) < 12:
        raise IncompleteError(f"{where} is no array of numpy.", "Save the file again with numpy.savez.")
    version = (start[6], start[7])
    length = int.from_bytes(start[8:10] if version == (1, 0) else start[8:12], "little")
    if version not in {(1, 0), (2, 0), (3, 0)} or length > MAX_HEADER:
        raise UsageError(f"{where} has a header of version {version}, {length:,} bytes.", "Save it with numpy.savez.")
    head = start[8:] + stream.read(length)
    reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        shape, _, dtype = reader(io.BytesIO(head), max_header_size=MAX_HEADER)
    except ValueError as error:
        raise IncompleteError(f"{where} has a damaged header.", "Save the file again with numpy.savez.") from error
    if any(size < 0 for size in shape):
        raise IncompleteError(f"{where} has a damaged header.", "Save the file again with numpy.savez.")
    return _Header(tuple(int(size) for size in shape), dtype)


def _hyperparameters(
    path: Path, archive: zipfile.ZipFile, headers: Mapping[str, _Header], description: Description
) -> list[str]:
    """The names that the file gives its hyperparameters, compared with those of the description."""
    needed = [NAMES, LEVELS, *description.metrics, description.elapsed, *description.searched]
    for name in needed:
        if name not in headers:
            have = ", ".join(headers) or "nothing"
            raise UsageError(f"{path} has no array {name!r}.", f"Add it, or correct the description; it has: {have}.")
    names = headers[NAMES]
    if names.dtype.kind != "U" or len(names.shape) != 1 or names.shape[0] > 10_000 or names.dtype.itemsize > 4_000:
        raise UsageError(f"{path}: {NAMES} is {_told(names)}.", "Save the names as a list of texts.")
    listed = [str(name) for name in _read(path, archive, NAMES)]
    if description.seed is not None:
        raise UsageError(
            "The description names a column of seeds.",
            "Leave seed out: in npz files seeds are the second axis of curves.",
        )
    for name in listed:
        if name not in description.space:
            raise UsageError(
                f"{path} has the hyperparameter {name!r}, which [space] has not.",
                f"Add a domain for {name} to [space].",
            )
        if name not in headers:
            raise UsageError(f"{path} has no array {name!r}, which it names in {NAMES}.", "Add the array.")
    for name in description.searched:
        if name not in listed:
            raise UsageError(f"{path} does not name {name!r} in {NAMES}.", f"Add it there, or fix {name} in [space].")
    return listed


def _check_shapes(
    path: Path, headers: Mapping[str, _Header], hyperparameters: list[str], curves: list[str]
) -> tuple[int, ...]:
    """The one shape of all curves."""
    levels = headers[LEVELS]
    if len(levels.shape) != 1 or levels.dtype.kind not in "iuf" or levels.shape[0] > 10_000_000:
        raise UsageError(
            f"{path}: {LEVELS} is {_told(levels)}.", "Save the resource levels as a list of whole numbers."
        )
    first = headers[curves[0]].shape
    for name in curves:
        header = headers[name]
        if header.dtype.kind not in "iuf" or header.dtype.itemsize > 8:
            raise UsageError(
                f"{path}: {name} is {_told(header)}.", f"Save {name} as an array of numbers.{_why(header)}"
            )
        if len(header.shape) not in (2, 3) or header.shape[-1] != levels.shape[0] or header.shape != first:
            raise UsageError(
                f"{path}: {name} has the shape {header.shape}.",
                f"Use (configurations, levels) or (configurations, seeds, levels) for all curves, with "
                f"{levels.shape[0]} levels as in {LEVELS}.",
            )
    for name in hyperparameters:
        header = headers[name]
        if math.prod(header.shape) * header.dtype.itemsize > MAX_BYTES:
            raise UsageError(f"{path}: {name} says that it holds {_told(header)}.", "Use fewer or shorter values.")
        if header.shape != first[:1]:
            raise UsageError(
                f"{path}: {name} has the shape {header.shape}.",
                f"Give one value for each of {first[0]:,} configurations.",
            )
        if header.dtype.kind not in "iufbU" or header.dtype.itemsize > (
            4 * MAX_TEXT if header.dtype.kind == "U" else 8
        ):
            what = f"{path}: {name} is {_told(header)}."
            raise UsageError(what, f"Save {name} as numbers, texts, or true and false.{_why(header)}")
    if 0 in first:
        raise UsageError(
            f"{path} has no curves: {curves[0]} has the shape {first}.", "Save one configuration at least."
        )
    return first


def _told(header: _Header) -> str:
    if header.dtype.hasobject:
        return "an array of Python objects (a pickle)"
    return f"an array of type {header.dtype} and shape {header.shape}"


def _why(header: _Header) -> str:
    return " A pickle could run any code, so it is never opened." if header.dtype.hasobject else ""


def _read(path: Path, archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """An array whose header was found to be harmless."""
    member = archive.getinfo(f"{name}.npy")
    with archive.open(member) as stream:
        array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False, max_header_size=MAX_HEADER)
        if stream.read(1):
            raise IncompleteError(f"{path}: {name} has bytes after its end.", "Save the file again with numpy.savez.")
    return array


def _column(where: str, array: NDArray[Any]) -> Column:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise UsageError(f"{where} has values that are not finite.", "Give each configuration a value.")
    values, places = np.unique(array, return_inverse=True)
    return Column(tuple(values.tolist()), places.astype(np.int64))
