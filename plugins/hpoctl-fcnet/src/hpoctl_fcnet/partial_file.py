"""What has come of a downloaded file, beside the whole file, with notes about where both are from."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from hpoctl.core.entries import Progress
from hpoctl.core.files import UnreadableError, read_regular

CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class PartialFile:
    """What has come of a file.

    Attributes:
        target: Where the whole file will be.
        url: Its address.
        state: What the server told about the version that it is a part of: `validator` and `total`, maybe None.
    """

    target: Path
    url: str
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """What has come."""
        return _beside(self.target, ".part")

    @property
    def notes(self) -> Path:
        """The address, version and size of the part."""
        return _beside(self.target, ".part.json")

    @property
    def size(self) -> int:
        """How many bytes have come."""
        return self.file.stat().st_size if self.file.exists() else 0

    def drop(self) -> None:
        """Remove what has come."""
        self.file.unlink(missing_ok=True)
        self.notes.unlink(missing_ok=True)
        self.state.clear()


def forget(target: Path) -> None:
    """Remove a downloaded file, so that it is downloaded again."""
    target.unlink(missing_ok=True)
    _beside(target, ".json").unlink(missing_ok=True)


def recorded_hash(target: Path) -> str:
    """The SHA-256 that a downloaded file had when it had come."""
    return str(json.loads(read_regular(_beside(target, ".json")))["sha256"])


def _beside(target: Path, suffix: str) -> Path:
    return target.with_name(target.name + suffix)


def is_whole(target: Path, url: str, progress: Progress) -> bool:
    """Whether the file is there, from this address, with the SHA-256 that it had."""
    try:
        notes = json.loads(read_regular(_beside(target, ".json")))
        if notes["url"] != url or notes["size"] != target.stat().st_size:
            return False
        return bool(notes["sha256"] == _hash(target, progress))
    except (FileNotFoundError, UnreadableError, ValueError, KeyError, TypeError):
        return False


def _hash(file: Path, progress: Progress) -> str:
    digest, done, total = sha256(), 0, file.stat().st_size
    with file.open("rb") as opened:
        while data := opened.read(CHUNK):
            digest.update(data)
            done += len(data)
            progress(f"checking {file.name.removesuffix('.part')}", done, total)
    return digest.hexdigest()


def read_state(target: Path, url: str) -> dict[str, Any]:
    """What is known of the part that is there, if it is one of this address."""
    try:
        notes = json.loads(read_regular(_beside(target, ".part.json")))
        if notes["url"] == url and isinstance(notes["validator"], str) and isinstance(notes["total"], int | None):
            return {"validator": notes["validator"], "total": notes["total"]}
    except (FileNotFoundError, UnreadableError, ValueError, KeyError, TypeError):
        pass
    return {}


def finish(part: PartialFile, progress: Progress) -> None:
    """Make a part that has come completely the whole file."""
    with part.file.open("rb") as file:
        os.fsync(file.fileno())
    notes = {"url": part.url, "size": part.size, "sha256": _hash(part.file, progress)}
    write_notes(_beside(part.target, ".json"), notes)
    part.file.replace(part.target)
    part.notes.unlink(missing_ok=True)


def write_notes(file: Path, notes: Mapping[str, Any]) -> None:
    """Write notes so that they are there completely or not at all."""
    temporary = _beside(file, ".tmp")
    with temporary.open("w") as opened:
        json.dump(notes, opened, indent=1)
        opened.flush()
        os.fsync(opened.fileno())
    temporary.replace(file)
