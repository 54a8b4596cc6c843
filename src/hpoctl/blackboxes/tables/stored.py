"""Tables that were imported, as they lie on the disk: memory-mapped, so that all processes share one copy.

<data>/tables/<name>/current                    the hash of the version that counts
                    /<hash>/description.json    what the table is; size, checksums and shape of each array
                           /numbers.npy         float64 (n, d), the configurations (see `TableSpace`)
                           /rows.npy            float64 (n, d)
                           /resources.npy       int64 (r,)
                           /values.npy          float32 or float64 (n, seeds, r, m)
                           /elapsed.npy         float32 or float64 (n, seeds, r)
"""

import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpoctl.blackboxes.tables.assemble import table_hash
from hpoctl.blackboxes.tables.description import Description
from hpoctl.core.blackbox import Curve
from hpoctl.core.canonical import content_hash
from hpoctl.core.errors import HpoctlError, IncompleteError, UsageError
from hpoctl.core.files import read_regular
from hpoctl.core.places import data_directory
from hpoctl.core.protocols import FloatArray, IntArray
from hpoctl.core.sealed import DamagedError, RecordType
from hpoctl.core.space import Config, TableSpace

FORMAT = 1
CURRENT = "current"
DESCRIPTION = "description.json"
ARRAYS = ("numbers", "rows", "resources", "values", "elapsed")
TRIES = 10
SAMPLES = 64
"""How many rows of each array are looked at when a table is opened: what that costs does not grow with the table."""


@dataclass(frozen=True, slots=True)
class ArrayFile:
    """An array of a table as it lies on the disk.

    Attributes:
        type: The type of its numbers, as numpy writes it.
        shape: Its shape.
        size: The bytes of its file.
        sample: A checksum of some of its rows.
        sha256: The hash of its file.
    """

    type: str
    shape: tuple[int, ...]
    size: int
    sample: int
    sha256: str


@dataclass(frozen=True, slots=True)
class TableFile:
    """What stands beside the arrays of a table.

    Attributes:
        description: What it is.
        content_hash: A hash of all that determines what it answers.
        shape: Configurations, seeds, levels, metrics.
        files: The arrays by name.
    """

    description: Description
    content_hash: str
    shape: tuple[int, ...]
    files: Mapping[str, ArrayFile]

    def __post_init__(self) -> None:
        if len(self.shape) != 4 or set(self.files) != set(ARRAYS):
            raise UsageError(f"It has the arrays {', '.join(self.files)} of shape {self.shape}.", "Import it again.")

    @property
    def size(self) -> int:
        """How many bytes its arrays take on the disk."""
        return sum(file.size for file in self.files.values())


TABLE = RecordType("table", TableFile, FORMAT)


@dataclass(frozen=True, slots=True)
class Stored:
    """An imported table that is opened when it is first used.

    Attributes:
        folder: Where it lies.
        table: What it is.
    """

    folder: Path
    table: TableFile

    @property
    def name(self) -> str:
        """The name of its benchmark."""
        return self.table.description.name


def tables_folder() -> Path:
    """Where imported tables lie."""
    return data_directory() / "tables"


def stored_names() -> list[str]:
    """The names of all imported tables, sorted; some may be damaged."""
    try:
        return sorted(file.parent.name for file in tables_folder().glob(f"[!.]*/{CURRENT}"))
    except OSError:
        return []


def read_stored(name: str) -> Stored:
    """What is known of an imported table without opening it.

    Raises:
        UsageError: There is none of that name.
        IncompleteError: It is damaged.
    """
    base = tables_folder() / name
    for _ in range(TRIES):
        version = _version(base)
        try:
            return _read(name, base / version)
        except (OSError, ValueError, KeyError, TypeError, UsageError) as error:
            if version == _version(base):  # otherwise another process has replaced the table
                raise _damaged(name, base, error) from error
    raise IncompleteError(f"The imported table {name} changes while it is read.", "Try again when its import is over.")


def _version(base: Path) -> str:
    try:
        return read_regular(base / CURRENT).decode("ascii").strip()
    except (OSError, ValueError) as error:
        if not base.exists():
            what = f"No table {base.name!r} was imported."
            raise UsageError(what, "`hpoctl blackbox list` lists all of them.") from error
        raise _damaged(base.name, base, error) from error


def _read(name: str, folder: Path) -> Stored:
    stored = Stored(folder, TABLE.unseal(read_regular(folder / DESCRIPTION)))
    if stored.name != name:
        raise DamagedError(f"it is the table {stored.name}")
    return stored


def open_stored(stored: Stored) -> "StoredBlackbox":
    """The blackbox of an imported table, after a look at sizes, shapes and some rows of its arrays.

    Raises:
        IncompleteError: It is damaged, or was replaced or removed in the meantime.
    """
    try:
        arrays = {name: _map(stored, name) for name in ARRAYS}
        for name, array in arrays.items():
            if sample_checksum(array) != stored.table.files[name].sample:
                raise DamagedError(f"{name}.npy has changed")
        space = TableSpace(stored.table.description.space.domains, arrays["numbers"], arrays["rows"])
    except (OSError, ValueError, KeyError, TypeError, UsageError) as error:
        if not stored.folder.exists():
            raise IncompleteError(
                f"The imported table {stored.name} was replaced or removed while this command ran.",
                "Run the command again.",
            ) from error
        raise _damaged(stored.name, stored.folder, error) from error
    resources = np.array(arrays["resources"])
    table = stored.table
    return StoredBlackbox(
        space, table.description.metrics, table.content_hash, resources, arrays["values"], arrays["elapsed"]
    )


def check_stored(stored: Stored) -> Iterator[str]:
    """Look at every byte of an imported table; yields a line for each thing that is right.

    Raises:
        IncompleteError: Something is not what was imported.
    """
    for name in ARRAYS:
        path = stored.folder / f"{name}.npy"
        try:
            found = file_hash(path)
        except OSError as error:
            raise _damaged(stored.name, stored.folder, error) from error
        if found != stored.table.files[name].sha256:
            raise _damaged(stored.name, stored.folder, DamagedError(f"{path.name} has changed"))
        yield f"{path.name} is what was imported (SHA-256)"
    blackbox = open_stored(stored)
    curves = (blackbox.resources, blackbox.values, blackbox.elapsed)
    found = table_hash(stored.table.description.space, blackbox.metrics, blackbox.space.numbers, curves)
    if found != stored.table.content_hash:
        raise _damaged(stored.name, stored.folder, DamagedError("its content has another hash"))
    yield "the content has the hash that enters the identity of experiments"
    note = stored.table.description.levels_note(blackbox.resources.tolist())
    if note is not None:
        yield note


@dataclass(frozen=True, slots=True, eq=False)
class StoredBlackbox:
    """The learning curves of listed configurations.

    Attributes:
        space: The configurations: row i of each array belongs to `space.at(i)`.
        metrics: The names of the metrics.
        content_hash: A hash of all that determines the curves.
        resources: Resource levels, shape (r,).
        values: Values of the metrics, shape (n, seeds, r, m).
        elapsed: Cumulative seconds, shape (n, seeds, r).
    """

    space: TableSpace
    metrics: tuple[str, ...]
    content_hash: str
    resources: IntArray
    values: FloatArray
    elapsed: FloatArray

    @property
    def num_seeds(self) -> int:
        """How many repetitions of each curve there are."""
        return int(self.values.shape[1])

    def curve(self, config: Config, seed: int) -> Curve:
        """The curve of a configuration in its repetition `seed`.

        Raises:
            UsageError: The configuration or the seed is not in the table.
        """
        row = self.space.index(config)
        if not 0 <= seed < self.num_seeds:
            raise UsageError(f"The table has no seed {seed}.", f"Use a seed from 0 to {self.num_seeds - 1}.")
        # In memory and in double precision: results must not depend on how a curve is stored.
        return Curve(self.resources, self.values[row, seed].astype(float), self.elapsed[row, seed].astype(float))


def file_hash(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sample_checksum(array: NDArray[Any]) -> int:
    """A checksum of some rows of an array, the first and the last one among them."""
    # Not np.unique, which imports numpy.ma: that alone takes longer than to open a table.
    places = sorted(set(np.linspace(0, len(array) - 1, SAMPLES).astype(np.int64).tolist()))
    return zlib.crc32(np.ascontiguousarray(array[places]).tobytes())


def _map(stored: Stored, name: str) -> NDArray[Any]:
    path, file = stored.folder / f"{name}.npy", stored.table.files[name]
    mapped: NDArray[Any] = np.lib.format.open_memmap(path, mode="r")
    if (mapped.dtype.str, mapped.shape, path.stat().st_size) != (file.type, file.shape, file.size):
        raise DamagedError(f"{path.name} holds {mapped.dtype.str} {mapped.shape}")
    return mapped.view(np.ndarray)


def _damaged(name: str, folder: Path, error: Exception) -> HpoctlError:
    reason = error.what if isinstance(error, HpoctlError) else getattr(error, "strerror", None) or str(error)
    return IncompleteError(
        f"The imported table {name} in {folder} is damaged: {reason.rstrip('.')}.",
        f"Import its file again, or remove it with `hpoctl blackbox remove {name}`.",
    )


def stored_hash(description: Description, table: str) -> str:
    """The name of the folder of a table: of its description and of its content."""
    text = json.dumps([FORMAT, description.to_json(), table], sort_keys=True)
    return content_hash(text.encode())[:16]
