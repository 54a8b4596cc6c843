"""Standard streams that never fail the work: any character, no reader, a full disk, a closed descriptor."""

import errno
import io
import os
import selectors
import sys
from typing import TextIO


class GuardedFile(io.RawIOBase):
    """A descriptor to write to. After an error everything further is dropped; `error` keeps the first one.

    Args:
        descriptor: The descriptor; it is not closed with this file.
    """

    def __init__(self, descriptor: int) -> None:
        self.error: OSError | None = None
        self._descriptor = descriptor

    def writable(self) -> bool:
        """Always."""
        return True

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return os.isatty(self._descriptor)

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        """Write some of the data; all of it counts as written after an error."""
        while self.error is None:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:
                self._wait()  # a pipe that another process has made non-blocking
            except OSError as error:
                self.error = error
        return len(data)

    def _wait(self) -> None:
        with selectors.PollSelector() as waiting:
            waiting.register(self._descriptor, selectors.EVENT_WRITE)
            waiting.select()


def guard_streams() -> None:
    """Put guarded streams in place of `sys.stdout` and `sys.stderr`.

    Standard descriptors that are closed become the null device. A character that the encoding does not have is
    written as its code.
    """
    _fill_descriptors()
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123
    sys.stdout = _guarded(sys.stdout, 1)
    sys.stderr = _guarded(sys.stderr, 2)


def output_error() -> OSError | None:
    """Why standard output could not be written; None: it was, or its reader has closed it."""
    sys.stdout.flush()
    raw = getattr(sys.stdout.buffer, "raw", None)
    error = raw.error if isinstance(raw, GuardedFile) else None
    return None if error is None or error.errno == errno.EPIPE else error


def _fill_descriptors() -> None:
    """Open the null device for each standard descriptor that is closed, so that no file of ours gets its number."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null != descriptor:
                os.dup2(null, descriptor)
                os.close(null)


def _guarded(stream: TextIO | None, descriptor: int) -> TextIO:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    if stream is not None:
        stream.flush()
    raw = GuardedFile(descriptor)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),  # type: ignore[type-var]
        encoding=encoding,
        errors="backslashreplace",
        line_buffering=raw.isatty() or descriptor == 2,
        write_through=descriptor == 2,
    )
