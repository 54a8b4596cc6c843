"""Reading files that others may have put there: a named pipe, a device or a sparse giant is no file to read."""

import os
import stat
from pathlib import Path

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
    """The path names no regular file, or one that is too large to be what it is taken for."""


def open_regular(path: Path, flags: int = os.O_RDONLY, mode: int = 0o666) -> int:
    """A descriptor of a regular file; opening never waits.

    Raises:
        OSError: It cannot be opened. UnreadableError: it is no regular file.
    """
    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK, mode)
    kind = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(kind):
        os.close(descriptor)
        name = next((name for is_kind, name in KINDS if is_kind(kind)), "no regular file")
        raise UnreadableError(None, f"it is {name}, not a file", str(path))
    return descriptor


def read_regular(path: Path, most: int = MOST_BYTES) -> bytes:
    """The bytes of a regular file.

    Args:
        path: The file.
        most: How many bytes it may have.

    Raises:
        OSError: It cannot be read. UnreadableError: it is no regular file, or has more bytes than it may have.
    """
    with os.fdopen(open_regular(path), "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise UnreadableError(None, f"it has {size:,} bytes, more than the {most:,} that are read", str(path))
        return file.read(most) if size == 0 else file.read(size)  # files of /proc have the size 0
