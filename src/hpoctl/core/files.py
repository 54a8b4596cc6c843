"""Files that others may have written, and files that outlive a power cut.

Only regular files are read: a named pipe, a device or a sparse giant is refused. What is read is bounded in its nesting
and in the digits of its numbers before anything recurses over it.
"""

import errno
import os
import re
import stat
from pathlib import Path

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""The errors that say that there is no room on a disk: none at all, or none for this user."""

PRIVATE = 0o600
"""The mode of files that only their owner reads."""

MOST_BYTES = 2**30
"""The largest file that is read whole: results of millions of rows are smaller."""

KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class UnreadableError(OSError):
    """The path names no regular file, or one that is too large for its purpose."""


def open_regular(path: Path, flags: int = os.O_RDONLY, mode: int = 0o666) -> int:
    """A descriptor of a regular file; opening never waits.

    Raises:
        OSError: It cannot be opened. UnreadableError: it is not a regular file.
    """
    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK, mode)
    kind = os.fstat(descriptor).st_mode
    if (name := kind_name(kind)) is not None:
        os.close(descriptor)
        raise UnreadableError(None, f"it is {name}, not a file", str(path))
    return descriptor


def kind_name(mode: int) -> str | None:
    """What a path of a mode is, in words; None: a regular file."""
    if stat.S_ISREG(mode):
        return None
    return next((name for is_kind, name in KINDS if is_kind(mode)), "no regular file")


def read_regular(path: Path, most: int = MOST_BYTES) -> bytes:
    """The bytes of a regular file.

    Args:
        path: The file.
        most: How many bytes it may have.

    Raises:
        OSError: It cannot be read. UnreadableError: it is not a regular file, or has more bytes than it may have.
    """
    with os.fdopen(open_regular(path), "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise UnreadableError(None, f"it has {size:,} bytes, more than the {most:,} that are read", str(path))
        return file.read(most) if size == 0 else file.read(size)  # files of /proc have the size 0


def write_durably(path: Path, data: bytes, *, create: bool = False, private: bool = False) -> None:
    """Write a file and wait until its bytes are on disk.

    Args:
        path: The file.
        data: Its bytes.
        create: Fail if there is such a file already.
        private: Whether only its owner can read it.

    Raises:
        OSError: It cannot be written.
    """
    with path.open("xb" if create else "wb") as file:
        if private:
            os.fchmod(file.fileno(), PRIVATE)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_directory(folder: Path) -> None:
    """Wait until the names in a directory are on disk: renames are durable from then on.

    Raises:
        OSError: It cannot be synced.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


MAX_DEPTH = 100
"""How deep lists and tables may be nested."""

MAX_DIGITS = 300
"""How many digits a number may have: more than any float has before its point."""

_AS_ZEROS = bytes(ord("0") if chr(byte).isdecimal() and byte < 128 else byte for byte in range(256))
_JSON_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_TOML_TEXTS = re.compile(
    rb'"""(?:[^\\]|\\.)*?"""|\'\'\'.*?\'\'\'|"(?:[^"\\\n]|\\.)*+"|\'[^\'\n]*+\'|#[^\n]*+', re.DOTALL
)
_BRACKETS = re.compile(rb"[^][{}]+")


def check_json(data: bytes) -> None:
    """Refuse JSON that is nested too deeply or has a number that is too long.

    Raises:
        ValueError: It is.
    """
    _check(data, _JSON_TEXTS)


def check_depth(data: bytes) -> None:
    """Refuse JSON that is nested too deeply.

    Raises:
        ValueError: It is.
    """
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH:
        _check_depth(_JSON_TEXTS.sub(b"", data))


def check_toml(data: bytes) -> None:
    """Refuse TOML that is nested too deeply or has a number that is too long.

    Raises:
        ValueError: It is.
    """
    _check(data.replace(b"_", b""), _TOML_TEXTS)


def _check(data: bytes, texts: re.Pattern[bytes]) -> None:
    digits = b"0" * (MAX_DIGITS + 1)
    many_brackets = data.count(b"[") + data.count(b"{") > MAX_DEPTH
    if not many_brackets and digits not in data.translate(_AS_ZEROS):
        return  # most files: nothing else is to be looked at
    bare = texts.sub(b"", data)
    if digits in bare.translate(_AS_ZEROS):
        raise ValueError(f"it has a number of more than {MAX_DIGITS} digits")
    _check_depth(bare)


def _check_depth(bare: bytes) -> None:
    depth = deepest = 0
    for byte in _BRACKETS.sub(b"", bare):
        depth += 1 if byte in b"[{" else -1
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
