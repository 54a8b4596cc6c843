"""What was made before of the same data by the same code: bytes below `<cache>/figures`, by the question's hash."""

import os
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType

import numpy as np

from hpoctl.core.canonical import canonical_json, content_hash
from hpoctl.core.files import read_regular
from hpoctl.core.places import cache_directory

MOST_BYTES = 128 * 2**20
"""What all files may take together; the least recently used ones go first."""

DIGEST = 64


def question_key(
    question: object, arrays: Iterable[np.ndarray], code: Iterable[ModuleType], packages: Iterable[str]
) -> str:
    """The hash of everything that an answer follows from.

    Args:
        question: What is asked, as JSON values.
        arrays: The data.
        code: The modules that make the answer: their text counts.
        packages: The packages that they use: their versions count.
    """
    parts = [content_hash(canonical_json(question))]
    parts += [content_hash(np.ascontiguousarray(array).tobytes()) for array in arrays]
    parts += [content_hash(_source(module)) for module in code]
    parts += [_version(name) for name in packages]
    return content_hash("\n".join(parts).encode())


def made_before(key: str, make: Callable[[], bytes]) -> bytes:
    """The answer to a question, made if it is not there, or is damaged."""
    path = cache_directory() / "figures" / key
    try:
        data = read_regular(path)
    except OSError:
        data = b""
    if data and data[:DIGEST] == content_hash(data[DIGEST:]).encode():
        with suppress(OSError):
            os.utime(path)
        return data[DIGEST:]
    made = make()
    keep_below(path, content_hash(made).encode() + made, MOST_BYTES)
    return made


def keep_below(path: Path, data: bytes, most: int) -> None:
    """Write a file of a cache whole, and make room; where that is not possible nothing is lost but time.

    Args:
        path: The file.
        data: Its content.
        most: What all files of its folder may take together; the least recently used others are removed.
    """
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        temporary.replace(path)
        _make_room(path, most)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _make_room(kept: Path, most: int) -> None:
    files = []
    for path in kept.parent.iterdir():
        with suppress(FileNotFoundError):  # another command makes room, too
            files.append((path, path.stat()))
    total = sum(stat.st_size for _, stat in files)
    for path, stat in sorted(files, key=lambda entry: entry[1].st_mtime):
        if total <= most:
            return
        if path != kept:
            path.unlink(missing_ok=True)
            total -= stat.st_size


def _source(module: ModuleType) -> bytes:
    return b"" if module.__file__ is None else Path(module.__file__).read_bytes()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
