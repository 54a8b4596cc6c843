"""The expanded tables: made once, kept in a cache directory, memory-mapped and shared by processes.

    <cache>/fcnet/<set>-<hash>/loss.npy        float32 (62208, 4, 100)
                              /runtime.npy     float32 (62208, 4)
                              /manifest.json   sizes and checksums

A table is written under a temporary name and renamed when it is complete, so nobody sees half of one; of two processes
that expand it at once the first one wins. The hash covers the packaged data and the format: other data, other
directory.
"""

import io
import json
import os
import shutil
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from hpoctl.core.errors import HpoctlError, IncompleteError
from hpoctl.core.places import cache_directory
from hpoctl_fcnet.curves import expand, unpack
from hpoctl_fcnet.grid import NUM_CONFIGS, NUM_EPOCHS, NUM_SEEDS
from hpoctl_fcnet.packed import Float32Array, curves_file, load_arrays, load_finals, table_hash

SHAPES = {"loss.npy": (NUM_CONFIGS, NUM_SEEDS, NUM_EPOCHS), "runtime.npy": (NUM_CONFIGS, NUM_SEEDS)}
MANIFEST = "manifest.json"
STALE_SECONDS = 3600
SAMPLE_STEP = 997
"""Every so many rows of an array enter its checksum: what a look at a damaged disk costs is little."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The expanded table of a set, read-only, memory-mapped.

    Attributes:
        loss: Validation loss after epochs 1 to 100, shape (62208, 4, 100).
        runtime: Seconds of training for 100 epochs, shape (62208, 4).
    """

    loss: Float32Array
    runtime: Float32Array


def open_table(name: str) -> Table:
    """The table of a set; expanded first if the cache does not hold it.

    Raises:
        IncompleteError: The cached table is damaged.
        HpoctlError: The cache cannot be written.
    """
    directory = cache_directory() / "fcnet" / f"{name}-{table_hash(name)[:16]}"
    if not directory.exists():
        _make(name, directory)
    return _load(directory)


def _make(name: str, directory: Path) -> None:
    """Expand a table beside its place and rename it."""
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(directory)
        building = directory.parent / f".{directory.name}-{uuid4().hex}"
        building.mkdir()
        try:
            _write_table(name, building)
            _publish(building, directory)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    except OSError as error:
        raise HpoctlError(
            f"The table of fcnet-{name} cannot be written below {directory.parent}: {error.strerror or error}.",
            "Set HPOCTL_CACHE to a directory that you may write to, with 110 MB free.",
        ) from error


def _remove_stale(directory: Path) -> None:
    """Remove what processes that were killed while they expanded the table left behind long ago."""
    for building in directory.parent.glob(f".{directory.name}-*"):
        if time.time() - building.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(building, ignore_errors=True)


def _publish(building: Path, directory: Path) -> None:
    try:
        building.rename(directory)
    except OSError:
        if not directory.exists():
            raise
        return  # another process was first; its table is the same
    _sync_directory(directory.parent)


def _write_table(name: str, directory: Path) -> None:
    finals = load_finals(name)
    model = unpack(load_arrays(curves_file(name)))
    _write_array(directory / "loss.npy", expand(model, finals.loss))
    _write_array(directory / "runtime.npy", [finals.runtime])
    manifest = {file_name: _fingerprint(directory / file_name, shape) for file_name, shape in SHAPES.items()}
    with (directory / MANIFEST).open("wb") as file:
        _write_durably(file.fileno(), [json.dumps(manifest, indent=1).encode()])
    _sync_directory(directory)


def _write_array(path: Path, blocks: Iterable[Float32Array]) -> None:
    """Write blocks of rows as one .npy file. Written, not mapped: a full disk is then an error, not a signal."""

    def parts() -> Iterator[bytes | memoryview]:
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": "<f4", "fortran_order": False, "shape": SHAPES[path.name]}
        )
        yield header.getvalue()
        for block in blocks:
            yield np.ascontiguousarray(block, dtype="<f4").data.cast("B")

    with path.open("wb") as file:
        _write_durably(file.fileno(), parts())


def _write_durably(descriptor: int, parts: Iterable[bytes | memoryview]) -> None:
    for part in parts:
        rest = memoryview(part)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _load(directory: Path) -> Table:
    """Map a cached table, after a look at sizes, headers and sampled checksums."""
    try:
        _check(directory)
        return Table(*(_map(directory / file_name, shape) for file_name, shape in SHAPES.items()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IncompleteError(
            f"The cached table in {directory} is damaged ({error}).",
            "Delete that directory; the table is then made again.",
        ) from error


def _check(directory: Path) -> None:
    manifest: Any = json.loads((directory / MANIFEST).read_bytes())
    for file_name, shape in SHAPES.items():
        if manifest[file_name] != _fingerprint(directory / file_name, shape):
            raise ValueError(f"{file_name} has changed")


def _fingerprint(path: Path, shape: tuple[int, ...]) -> dict[str, int]:
    """The size of an array's file, and a checksum of every so many of its rows."""
    values = _map(path, shape)
    return {"size": path.stat().st_size, "crc32": zlib.crc32(np.ascontiguousarray(values[::SAMPLE_STEP]).tobytes())}


def _map(path: Path, shape: tuple[int, ...]) -> Float32Array:
    mapped: NDArray[np.float32] = np.load(path, mmap_mode="r", allow_pickle=False)
    if mapped.shape != shape or mapped.dtype != np.float32:
        raise ValueError(f"{path.name} holds {mapped.dtype} {mapped.shape}")
    return mapped.view(np.ndarray)
