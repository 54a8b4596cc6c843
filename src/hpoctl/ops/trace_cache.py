"""Traces that were read before: one file for each tag below `<cache>/traces`, keyed by the hashes of the results.

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
from hpoctl.core.places import cache_directory
from hpoctl.core.protocols import FloatArray
from hpoctl.ops.made_cache import keep_below

FORMAT = b"hpoctl traces 1\n"
"""Another first line: another program wrote it, and nothing in it is used."""

MOST_BYTES = 256 * 2**20
"""What all files may take together; the least recently used ones go first."""

DIGEST = 64


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """The best value so far as steps.

    Attributes:
        times: When it changed, in seconds, shape (k,).
        values: The value from then on, shape (k,).
    """

    times: FloatArray
    values: FloatArray


@dataclass
class TraceCache:
    """The traces of one tag.

    Attributes:
        path: Its file.
        known: What was read before, by key.
        used: What is of use now, by key: the file will hold no more.
    """

    path: Path
    known: Mapping[str, Steps]
    used: dict[str, Steps] = field(default_factory=dict)

    @classmethod
    def open(cls, location: str) -> "TraceCache":
        """The cache of a tag.

        Args:
            location: Where the tag is.
        """
        path = cache_directory() / "traces" / f"{content_hash(location.encode())[:32]}.npz"
        return cls(path, _read(path))

    def get(self, key: str, make: Callable[[], Steps]) -> Steps:
        """The steps of a key, made if they are not there."""
        steps = self.known.get(key)
        if steps is None:
            steps = make()
        self.used[key] = steps
        return steps

    def keep(self) -> None:
        """Write what is new. Where that is not possible, nothing is lost but time."""
        if self.used.keys() <= self.known.keys():
            with suppress(OSError):
                os.utime(self.path)
            return
        # A look at a part of the tag does not forget the rest, unless that has grown to be mostly out of date.
        rest = self.known if len(self.known) <= 4 * len(self.used) + 1000 else {}
        _write(self.path, {**rest, **self.used})


def trace_key(results_hash: str, metric: str, mode: str) -> str:
    """The key of the trace of a result."""
    return content_hash(f"{results_hash}\n{metric}\n{mode}".encode())


def _read(path: Path) -> Mapping[str, Steps]:
    try:
        data = path.read_bytes()
    except OSError:
        return {}
    start = len(FORMAT) + DIGEST
    body = data[start:]
    if not data.startswith(FORMAT) or data[len(FORMAT) : start] != content_hash(body).encode():
        return {}
    try:
        with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
            keys, ends = arrays["keys"].tolist(), arrays["ends"]
            times, values = np.split(arrays["times"], ends[:-1]), np.split(arrays["values"], ends[:-1])
    except (ValueError, KeyError, OSError, zipfile.BadZipFile):
        return {}
    return {key.decode(): Steps(*steps) for key, *steps in zip(keys, times, values, strict=True)}


def _write(path: Path, steps: Mapping[str, Steps]) -> None:
    body = io.BytesIO()
    every = list(steps.values())
    np.savez(
        body,
        keys=np.array([key.encode() for key in steps]),
        ends=np.cumsum([len(each.times) for each in every]),
        times=np.concatenate([each.times for each in every]),
        values=np.concatenate([each.values for each in every]),
    )
    data = body.getvalue()
    keep_below(path, FORMAT + content_hash(data).encode() + data, MOST_BYTES)
