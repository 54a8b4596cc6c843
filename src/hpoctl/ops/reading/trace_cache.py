"""What was read of results before: one file for each tag below `<cache>/traces`, keyed by the hashes of the results.

What is in the cache follows from the bytes of a result alone, so that it is never out of date: a result that was
made again has another hash. A damaged file is read as an empty one, and written again.
"""

import io
import os
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hpoctl.core.canonical import content_hash
from hpoctl.core.files import read_regular
from hpoctl.core.places import cache_directory
from hpoctl.core.protocols import FloatArray
from hpoctl.ops.reading.made_cache import keep_below

FORMAT = b"hpoctl traces 3\n"
"""Another first line: another program wrote it, and nothing in it is used."""

MOST_BYTES = 256 * 2**20
"""What all files may take together; the least recently used ones go first."""

DIGEST = 64


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """What is kept of a result.

    Attributes:
        names: What its rows are called; none: they need no names.
        values: The numbers, shape (m, k).
    """

    names: tuple[str, ...]
    values: FloatArray


@dataclass
class TraceCache:
    """What was read of one tag. Several threads may use it.

    Attributes:
        path: Its file.
        known: What was read before, by key.
        used: What is of use now, by key: the file will hold no more.
    """

    path: Path
    known: Mapping[str, Record]
    used: dict[str, Record] = field(default_factory=dict)

    @classmethod
    def open(cls, location: str) -> "TraceCache":
        """The cache of a tag.

        Args:
            location: Where the tag is.
        """
        path = cache_directory() / "traces" / f"{content_hash(location.encode())[:32]}.npz"
        return cls(path, _read(path))

    def get(self, key: str, make: Callable[[], Record]) -> Record:
        """The record of a key, made if it is not there."""
        record = self.known.get(key)
        if record is None:
            record = make()
        self.used[key] = record
        return record

    def keep(self) -> None:
        """Write what is new. Where that is not possible, nothing is lost but time."""
        if self.used.keys() <= self.known.keys():
            with suppress(OSError):
                os.utime(self.path)
            return
        # A look at a part of the tag does not forget the rest, unless that has grown to be mostly out of date.
        rest = self.known if len(self.known) <= 4 * len(self.used) + 1000 else {}
        _write(self.path, {**rest, **self.used})


def record_key(*question: object) -> str:
    """The key of what is asked of a result, its hash among it."""
    return content_hash("\n".join(map(str, question)).encode())


def _read(path: Path) -> Mapping[str, Record]:
    try:
        data = read_regular(path)
    except OSError:
        return {}
    start = len(FORMAT) + DIGEST
    body = data[start:]
    if not data.startswith(FORMAT) or data[len(FORMAT) : start] != content_hash(body).encode():
        return {}
    try:
        with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
            keys, names, rows = (arrays[name].tolist() for name in ("keys", "names", "rows"))
            values = np.split(arrays["values"], arrays["ends"][:-1])
    except (ValueError, KeyError, OSError, zipfile.BadZipFile):
        return {}
    return {
        key.decode(): Record(
            tuple(name.decode().split("\n")) if name else (), part.reshape(row, len(part) // row if row else 0)
        )
        for key, name, row, part in zip(keys, names, rows, values, strict=True)
    }


def _write(path: Path, records: Mapping[str, Record]) -> None:
    body = io.BytesIO()
    every = list(records.values())
    np.savez(
        body,
        keys=np.array([key.encode() for key in records]),
        names=np.array(["\n".join(each.names).encode() for each in every]),
        rows=np.array([len(each.values) for each in every]),
        ends=np.cumsum([each.values.size for each in every]),
        values=np.concatenate([each.values.ravel() for each in every]),
    )
    data = body.getvalue()
    keep_below(path, FORMAT + content_hash(data).encode() + data, MOST_BYTES)
