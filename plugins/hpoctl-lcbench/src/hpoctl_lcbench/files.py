"""The imported models: `lcbench/<hash>/` below the data directory, and the file `current` that names the one in use.

A model is written beside its place, synced and renamed; then `current` is replaced. Whoever reads sees the old model
or the new one, and a model that experiments are using is never written to.
"""

import json
import re
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from hpoctl.core.canonical import canonical_json, content_hash
from hpoctl.core.errors import HpoctlError, IncompleteError
from hpoctl.core.files import UnreadableError, read_regular, sync_directory, write_durably
from hpoctl.core.places import data_directory
from hpoctl_lcbench.space import TASKS

_MODEL: Final = "model.onnx"
_MANIFEST: Final = "manifest.json"
_CURRENT: Final = "current"
_BUILDING: Final = ".new-"
_LEFT_OVER_AFTER: Final = 3600.0
_NAME: Final = re.compile(r"[0-9a-f]{16}")
_IMPORT: Final = "`hpoctl blackbox import lcbench FILE` brings in a model."


@dataclass(frozen=True, slots=True)
class Stored:
    """A model file and what is needed to read it.

    Attributes:
        data: The bytes of the model.
        encoding: The number of each task.
        source: The path it was imported from.
    """

    data: bytes
    encoding: Mapping[str, int]
    source: str

    @property
    def model_hash(self) -> str:
        """The SHA-256 of the model."""
        return content_hash(self.data)

    @property
    def name(self) -> str:
        """The name of its directory: what makes a curve, not where it came from."""
        return content_hash(canonical_json({"model": self.model_hash, "encoding": dict(self.encoding)}))[:16]


def directory() -> Path:
    """Where the models are."""
    return data_directory() / "lcbench"


def current() -> str | None:
    """The name of the model in use; None: none was imported.

    Raises:
        IncompleteError: The file that names it is damaged.
    """
    place = directory() / _CURRENT
    try:
        name = read_regular(place).decode("ascii", "replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnreadableError:
        name = ""
    if not _NAME.fullmatch(name):
        raise IncompleteError(f"{place} is damaged.", f"Delete it, or import again: {_IMPORT}")
    return name


def read(name: str) -> Stored:
    """An imported model, checked against the hash it had.

    Raises:
        IncompleteError: It is missing or damaged.
    """
    folder = directory() / name
    try:
        manifest = json.loads(read_regular(folder / _MANIFEST))
        encoding = {task: int(manifest["encoding"][task]) for task in TASKS}
        stored = Stored(read_regular(folder / _MODEL), encoding, str(manifest["source"]))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise IncompleteError(f"The model of lcbench in {folder} is missing or damaged.", _IMPORT) from error
    if stored.name != name:
        raise IncompleteError(f"The model of lcbench in {folder} has changed since it was imported.", _IMPORT)
    return stored


def keep(stored: Stored) -> Path:
    """Write a model to its place, unless it is there, and use it from now on.

    Raises:
        HpoctlError: It cannot be written; the model in use is the one that was.
    """
    folder = directory() / stored.name
    try:
        directory().mkdir(parents=True, exist_ok=True)
        _remove_left_over()
        with TemporaryDirectory(prefix=_BUILDING, dir=directory(), ignore_cleanup_errors=True) as building:
            if not _is_sound(stored.name):
                _write(stored, Path(building) / "model")
                _publish(Path(building), folder)
            pointer = Path(building) / _CURRENT
            write_durably(pointer, f"{stored.name}\n".encode())
            pointer.replace(directory() / _CURRENT)
        sync_directory(directory())
    except OSError as error:
        raise HpoctlError(
            f"{folder} cannot be written: {error.strerror or error}.",
            "Free some space, or set HPOCTL_DATA to a writable directory.",
        ) from error
    return folder


def _is_sound(name: str) -> bool:
    with suppress(IncompleteError):
        read(name)
        return True
    return False


def _remove_left_over() -> None:
    """Remove what imports have left that were killed; a running one takes seconds."""
    for folder in directory().glob(f"{_BUILDING}*"):
        if time.time() - folder.stat().st_mtime > _LEFT_OVER_AFTER:
            shutil.rmtree(folder, ignore_errors=True)


def _write(stored: Stored, folder: Path) -> None:
    folder.mkdir()
    manifest = {
        "format": 1,
        "source": stored.source,
        "bytes": len(stored.data),
        "sha256": stored.model_hash,
        "encoding": dict(stored.encoding),
    }
    write_durably(folder / _MODEL, stored.data)
    write_durably(folder / _MANIFEST, json.dumps(manifest, indent=2).encode() + b"\n")
    sync_directory(folder)


def _publish(building: Path, folder: Path) -> None:
    """Put a complete model in its place; a damaged one there goes away with the temporary directory."""
    with suppress(FileNotFoundError):
        folder.rename(building / "damaged")
    try:
        (building / "model").rename(folder)
    except OSError:
        # Another process imported the same model meanwhile.
        if not _is_sound(folder.name):
            raise
        shutil.rmtree(building / "model")
