"""The files of a table of learning curves: written once, memory-mapped, shared by processes.

    <directory>/loss.npy        float32 (62208, 4, 100)
               /runtime.npy     float32 (62208, 4)
               /manifest.json   sizes and checksums

A table is written under a temporary name and renamed when it is complete, so no process sees half of one.
"""

import io
import json
import os
import shutil
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from hpoctl.core.files import read_regular
from hpoctl_fcnet.grid import NUM_CONFIGS, NUM_EPOCHS, NUM_SEEDS
from hpoctl_fcnet.packed import Float32Array

SHAPES = {"loss.npy": (NUM_CONFIGS, NUM_SEEDS, NUM_EPOCHS), "runtime.npy": (NUM_CONFIGS, NUM_SEEDS)}
MANIFEST = "manifest.json"
STALE_SECONDS = 3600
SAMPLE_STEP = 997
"""The step between the rows that enter the checksum of an array, to keep the check cheap."""
CHUNK = 1 << 20
UNREADABLE = (OSError, ValueError, KeyError, TypeError)
"""What reading a damaged table raises."""

Block = tuple[Float32Array, Float32Array]
"""Losses of consecutive rows, shape (n, 4, 100), and their runtimes, shape (n, 4)."""


@dataclass(frozen=True, slots=True, eq=False)
class TableFiles:
    """What the files of a table hold, read-only, memory-mapped.

    Attributes:
        loss: Validation loss after epochs 1 to 100, shape (62208, 4, 100).
        runtime: Seconds of training for 100 epochs, shape (62208, 4).
        sha256: The SHA-256 that each file had when it was written; empty in tables of older versions.
    """

    loss: Float32Array
    runtime: Float32Array
    sha256: Mapping[str, str]


@contextmanager
def building(parent: Path, name: str) -> Iterator[Path]:
    """A temporary directory beside the place of `name`; it is removed at the end."""
    _remove_stale(parent, name)
    directory = parent / f".{name}-{uuid4().hex}"
    directory.mkdir()
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _remove_stale(parent: Path, name: str) -> None:
    """Remove what processes that were killed while they wrote a table left behind long ago."""
    for directory in parent.glob(f".{name}-*"):
        if time.time() - directory.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(directory, ignore_errors=True)


def publish(directory: Path, place: Path) -> None:
    """Give a complete directory its name. If it is taken, another process was first; its table is the same."""
    try:
        directory.rename(place)
    except OSError:
        if not place.exists():
            raise
        return
    sync_directory(place.parent)


def write_table(directory: Path, blocks: Iterable[Block]) -> None:
    """Write the files of a table into an empty directory, in one pass over its blocks and in the memory of a few."""
    runtimes: list[Float32Array] = []

    def losses() -> Iterator[Float32Array]:
        for loss, runtime in blocks:
            runtimes.append(runtime)
            yield loss

    digests = {"loss.npy": _write_array(directory / "loss.npy", losses())}
    digests["runtime.npy"] = _write_array(directory / "runtime.npy", runtimes)
    manifest = {
        file_name: {**_fingerprint(directory / file_name, shape), "sha256": digests[file_name]}
        for file_name, shape in SHAPES.items()
    }
    write_file(directory / MANIFEST, json.dumps(manifest, indent=1).encode())
    sync_directory(directory)


def _write_array(path: Path, blocks: Iterable[Float32Array]) -> str:
    """Write blocks of rows as one .npy file. Written, not mapped: a full disk is then an error, not a signal."""
    digest = sha256()

    def parts() -> Iterator[bytes | memoryview]:
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": "<f4", "fortran_order": False, "shape": SHAPES[path.name]}
        )
        yield header.getvalue()
        for block in blocks:
            yield np.ascontiguousarray(block, dtype="<f4").data.cast("B")

    with path.open("wb") as file:
        _write_durably(file.fileno(), parts(), digest.update)
    return digest.hexdigest()


def write_file(path: Path, data: bytes) -> None:
    """Write a small file and flush it to the disk."""
    with path.open("wb") as file:
        _write_durably(file.fileno(), [data])


def _write_durably(
    descriptor: int, parts: Iterable[bytes | memoryview], seen: Callable[[bytes | memoryview], object] | None = None
) -> None:
    for part in parts:
        if seen is not None:
            seen(part)
        rest = memoryview(part)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


def sync_directory(directory: Path) -> None:
    """Flush the names in a directory to the disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load_table(directory: Path) -> TableFiles:
    """Map a table, after a look at sizes, headers and sampled checksums; raises one of `UNREADABLE` if they differ."""
    manifest: Any = json.loads(read_regular(directory / MANIFEST))
    for file_name, shape in SHAPES.items():
        found = _fingerprint(directory / file_name, shape)
        if any(manifest[file_name][key] != value for key, value in found.items()):
            raise ValueError(f"{file_name} has changed")
    return TableFiles(
        loss=_map(directory / "loss.npy", SHAPES["loss.npy"]),
        runtime=_map(directory / "runtime.npy", SHAPES["runtime.npy"]),
        sha256={file_name: str(manifest[file_name].get("sha256", "")) for file_name in SHAPES},
    )


def file_hash(path: Path) -> str:
    """The SHA-256 of a file."""
    digest = sha256()
    with path.open("rb") as file:
        while part := file.read(CHUNK):
            digest.update(part)
    return digest.hexdigest()


def _fingerprint(path: Path, shape: tuple[int, ...]) -> dict[str, int]:
    """The size of an array's file, and a checksum of a sample of its rows."""
    values = _map(path, shape)
    return {"size": path.stat().st_size, "crc32": zlib.crc32(np.ascontiguousarray(values[::SAMPLE_STEP]).tobytes())}


def _map(path: Path, shape: tuple[int, ...]) -> Float32Array:
    mapped: NDArray[np.float32] = np.load(path, mmap_mode="r", allow_pickle=False)
    if mapped.shape != shape or mapped.dtype != np.float32:
        raise ValueError(f"{path.name} holds {mapped.dtype} {mapped.shape}")
    return mapped.view(np.ndarray)
