"""What a trial writes: read by offset while it grows, and kept within bounds.

Files outlive the controller, unlike pipes: rows that a trial has written are never lost. Both output files are opened
for appending by the trial itself, so they cannot be cut short while it runs without losing what it writes at that
moment; instead, the middle of a large one is given back to the file system (a hole, where it has them).
"""

import ctypes
import os
from contextlib import suppress
from pathlib import Path

from hpoctl.backends.scripts.starts import StartFolder
from hpoctl.backends.scripts.workers import Output
from hpoctl.core.files import open_regular

PIECE = 4_000_000
"""Bytes that are read of one file at a time."""

HEAD, TAIL = 500_000, 1_500_000
"""Bytes that are kept of the beginning and of the end of a trial's output."""

STEP = 4_000_000
"""Bytes between two holes; a hole is punched in whole blocks."""

MAX_OUTPUT = 2_000_000_000
"""Bytes that one start of a trial may print to one stream."""

KEEP_SIZE, PUNCH_HOLE = 1, 2
BLOCK = 4096


class GrowingFile:
    """Reads a file as it grows.

    Args:
        path: The file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        self._descriptor: int | None = None
        self._bare = 0  # up to where the middle has been given back

    def read(self) -> bytes:
        """What has been written since, `PIECE` bytes at most."""
        if self._descriptor is None:
            self._open()
        if self._descriptor is None:
            return b""
        data = os.pread(self._descriptor, PIECE, self.offset)
        self.offset += len(data)
        return data

    def skip(self) -> None:
        """Pass over what has been written since."""
        if self._descriptor is None:
            self._open()
        self.offset = self.size

    @property
    def size(self) -> int:
        """How large it is."""
        return 0 if self._descriptor is None else os.fstat(self._descriptor).st_size

    def _open(self) -> None:
        with suppress(FileNotFoundError):
            self._descriptor = open_regular(self.path)

    def give_back(self) -> None:
        """Give the middle of what was read back to the file system, so far as it can take it."""
        end = (self.offset - TAIL) // BLOCK * BLOCK
        start = max(self._bare, -(-HEAD // BLOCK) * BLOCK)
        if end - start < STEP:
            return
        self._bare = end
        with suppress(OSError):
            descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
            try:
                _punch(descriptor, start, end - start)
            finally:
                os.close(descriptor)

    def close(self) -> None:
        """Let go of it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def output_of(start: StartFolder) -> Output:
    """What a start writes, read from its files."""
    return Output(GrowingFile(start.reports), GrowingFile(start.out), GrowingFile(start.err))


def shorten(path: Path) -> None:
    """Keep the beginning and the end of a finished output file; remove an empty one."""
    with suppress(OSError):
        size = path.stat().st_size
        if size == 0:
            path.unlink()
        elif size > HEAD + TAIL:
            temporary = path.with_name(f".{path.name}")
            temporary.write_bytes(bounded_text(path))
            temporary.replace(path)


def bounded_text(path: Path) -> bytes:
    """The beginning and the end of an output file, and how much is left out between them.

    Raises:
        OSError: It cannot be read.
    """
    with os.fdopen(open_regular(path), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size <= HEAD + TAIL:
            return file.read()
        head = file.read(HEAD)
        file.seek(size - TAIL)
        return head + f"\n[... {size - HEAD - TAIL:,} bytes left out ...]\n".encode() + file.read(TAIL)


def _punch(descriptor: int, start: int, length: int) -> None:
    fallocate = getattr(ctypes.CDLL(None, use_errno=True), "fallocate", None)
    if fallocate is not None:  # a failure only means that the file stays as large as it is
        fallocate(descriptor, KEEP_SIZE | PUNCH_HOLE, ctypes.c_longlong(start), ctypes.c_longlong(length))
