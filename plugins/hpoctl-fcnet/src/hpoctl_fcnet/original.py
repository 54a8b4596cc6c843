"""The original HDF5 files of fcnet, read as described by their authors.

A file has one group for each of the 62,208 configurations, called by the configuration as JSON. In a group, `valid_mse`
has the validation loss of 4 seeds after epochs 1 to 100 and `runtime` the seconds of 4 seeds; other datasets are not
looked at. This layout was taken from programs that read the files; no original was at hand when this was written.

A file may come from anywhere. Only numbers stored in the file itself are read: no links, no virtual or external
storage, no objects, no filters that a library would have to be loaded for. Names are never trusted to have an order.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any, Final

import numpy as np

from hpoctl.core.entries import Progress
from hpoctl.core.errors import HpoctlError, IncompleteError, UsageError
from hpoctl.core.protocols import FloatArray
from hpoctl_fcnet.grid import NUM_EPOCHS, NUM_SEEDS, Value, config_at, steps
from hpoctl_fcnet.table_files import SHAPES

FILES: Final[Mapping[str, str]] = {
    "protein": "fcnet_protein_structure_data.hdf5",
    "naval": "fcnet_naval_propulsion_data.hdf5",
    "parkinsons": "fcnet_parkinsons_telemonitoring_data.hdf5",
    "slice": "fcnet_slice_localization_data.hdf5",
}
BLOCK = 256
"""Configurations at a time."""
MAX_KEY = 1000
"""Bytes of a group's name; a configuration has less than 250."""
MAX_CHUNK = 1 << 16
"""Numbers in a chunk of storage; a dataset has 400."""
FILTERS: Final = (1, 2, 3, 32000)
"""Deflate, shuffle, checksum and LZF, which come with h5py."""
PREFIX = "hp_"
FIX = "Use the unchanged original file; `hpoctl blackbox fetch fcnet` downloads it."


def find_files(folder: Path) -> Mapping[str, Path]:
    """The original files in a folder, by set, at least one.

    Raises:
        UsageError: There is no such folder.
        IncompleteError: None of the four files is in it.
    """
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}.", f"Give the folder that holds {FILES['protein']} or its kin.")
    found = {name: folder / file_name for name, file_name in FILES.items() if (folder / file_name).is_file()}
    if not found:
        raise IncompleteError(
            f"{folder} holds none of {', '.join(FILES.values())}.",
            "Give the folder that holds them; `hpoctl blackbox fetch fcnet` downloads them.",
        )
    return found


def require_h5py() -> Any:
    """The module h5py.

    Raises:
        HpoctlError: It is not installed.
    """
    try:
        import h5py  # noqa: PLC0415 - optional, and slow to import
    except ImportError as error:
        raise HpoctlError(
            "The original files are HDF5, and h5py is not installed.", "Install it: pip install 'h5py>=3.11'"
        ) from error
    return h5py


def read_blocks(path: Path, progress: Progress) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Losses, shape (n, 4, 100), and runtimes, shape (n, 4), of all configurations, in the order of the tables.

    Raises:
        HpoctlError: h5py is not installed.
        IncompleteError: The file cannot be read, or is not of the original's layout.
    """
    h5py = require_h5py()
    with _reading(path), h5py.File(path, "r", locking="best-effort") as file:
        root = file.id
        keys = _keys(root, path, progress)
        for start in range(0, len(keys), BLOCK):
            progress(f"reading {path.name}", start, len(keys))
            block = keys[start : start + BLOCK]
            loss, runtime = np.empty((len(block), NUM_SEEDS, NUM_EPOCHS)), np.empty((len(block), NUM_SEEDS))
            for place, key in enumerate(block):
                try:
                    group = _open_group(h5py, root, key)
                    _read(h5py, group, b"valid_mse", loss[place])
                    _read(h5py, group, b"runtime", runtime[place])
                except _WRONG as error:
                    raise _wrong(path, f"{_short(error)} at {config_at(start + place)}") from error
            yield loss, runtime
        progress(f"reading {path.name}", len(keys), len(keys))


_WRONG = (OSError, RuntimeError, KeyError, ValueError, TypeError)
"""What h5py raises for damaged files; the checks here raise ValueError."""


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except _WRONG as error:
        raise _wrong(path, _short(error)) from error


def _wrong(path: Path, what: str) -> IncompleteError:
    return IncompleteError(f"{path} is not an original fcnet file, or is damaged: {what}.", FIX)


def _short(error: BaseException) -> str:
    """The first line of a message; those of KeyError come in quotes."""
    text = str(error.args[0] if error.args else error)
    return (text.splitlines() or [type(error).__name__])[0][:500].rstrip(".")


def _keys(root: Any, path: Path, progress: Progress) -> list[bytes]:
    """The names of the groups in the order of the tables: all configurations, each once."""
    count = SHAPES["loss.npy"][0]
    progress(f"reading {path.name}", 0, count)
    if len(root) != count:
        raise ValueError(f"it has {len(root):,} groups, not {count:,}")
    table, keys = steps(), [b""] * count
    for key in root:
        row = _row(key, table)
        if row is None:
            raise ValueError(f"no configuration of fcnet is its group {key[:300].decode(errors='replace')!r}")
        if keys[row]:
            raise ValueError(f"two groups are the configuration {config_at(row)}")
        keys[row] = key
    return keys


def _row(key: bytes, table: Mapping[str, Mapping[Value, int]]) -> int | None:
    """The row of the configuration that a group is called by."""
    if len(key) > MAX_KEY:
        return None
    try:
        config = json.loads(key)
        if not isinstance(config, dict) or len(config) != len(table) or True in map(_is_bool, config.values()):
            return None
        return sum(places[config[name.removeprefix(PREFIX)]] for name, places in table.items())
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _open_group(h5py: Any, root: Any, key: bytes) -> Any:
    if root.links.get_info(key).type != h5py.h5l.TYPE_HARD:
        raise ValueError("there is a link instead of a group")
    return h5py.h5g.open(root, key)


def _read(h5py: Any, group: Any, name: bytes, into: FloatArray) -> None:
    """Read a dataset of plain floating-point numbers that has the shape of `into`."""
    title = name.decode()
    if name not in group:
        raise ValueError(f"there is no {title}")
    if group.links.get_info(name).type != h5py.h5l.TYPE_HARD:
        raise ValueError(f"{title} is a link")
    dataset = h5py.h5d.open(group, name)
    kind = dataset.get_type()
    if kind.get_class() != h5py.h5t.FLOAT or kind.get_size() not in {4, 8}:
        raise ValueError(f"{title} is neither float32 nor float64")
    if dataset.shape != into.shape:
        raise ValueError(f"{title} has shape {dataset.shape}, not {into.shape}")
    _check_storage(h5py, title, dataset.get_create_plist())
    dataset.read(h5py.h5s.ALL, h5py.h5s.ALL, into)


def _check_storage(h5py: Any, title: str, storage: Any) -> None:
    layout = storage.get_layout()
    if layout == h5py.h5d.VIRTUAL or storage.get_external_count():
        raise ValueError(f"{title} is stored in another file")
    if layout == h5py.h5d.CHUNKED:
        if prod(storage.get_chunk()) > MAX_CHUNK:
            raise ValueError(f"{title} is stored in chunks of {storage.get_chunk()}")
        filters = [storage.get_filter(place)[0] for place in range(storage.get_nfilters())]
        if not set(filters) <= set(FILTERS):
            raise ValueError(f"{title} is compressed in a way that h5py alone does not read")
