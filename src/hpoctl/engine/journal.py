"""The journal of an experiment with real trials: what happened, appended before anything follows from it.

A record is a line: a checksum, a space, a JSON object. The checksum covers the object and the number of the record, so
that records can neither change nor be lost or doubled in between unnoticed. A record is written in one step before its
effect: it survives the death of any process. It is forced to the disk before effects beyond this process (a trial is
started or told to leave), and with the next one otherwise: after a power cut what is there is a prefix of what was
written, and trials have not gone beyond it.

A record that was cut off at the end of the file is what a crash leaves; it is removed. Anything else that is wrong is
damage, and is refused.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from zlib import crc32

from hpoctl.core.errors import HpoctlError, IncompleteError
from hpoctl.core.files import FULL, open_regular, sync_directory
from hpoctl.engine.journal_records import Record, read_record

RESTORE = "Restore the file from a copy, or remove the attempt with `hpoctl clean`."
PATIENCE = 1.0
"""Seconds between two tries to write to a full disk."""

LONGEST = 2**28
"""Bytes that a record may have; a file with a longer line is not a journal."""

MARK = 9
"""Bytes of a record before its JSON object: eight digits and a space."""


class Journal:
    """A journal that is open for appending; one process has it at a time.

    Args:
        path: The file; it is made if it is not there.
        say: Tells a person that the disk is full.

    Raises:
        IncompleteError: It is damaged.
        HpoctlError: Another process has it, or it cannot be opened.
    """

    def __init__(self, path: Path, say: Callable[[str], None] = lambda text: None) -> None:  # noqa: ARG005
        self.path = path
        self._say = say
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = not path.exists()
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_APPEND, 0o666)
        except OSError as error:
            raise _cannot(path, error) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._end = check_journal(path)
            os.ftruncate(self._descriptor, self._end[1])
            if fresh:
                sync_directory(path.parent)
        except BlockingIOError as error:
            self.close()
            what = f"{path} is in use by another process."
            raise HpoctlError(what, "`hpoctl status` shows what runs.") from error
        except OSError as error:
            self.close()
            raise _cannot(path, error) from error
        except HpoctlError:
            self.close()
            raise

    @property
    def count(self) -> int:
        """How many records it has."""
        return self._end[0]

    def records(self) -> Iterator[Record]:
        """The records that it has now, one after the other."""
        return read_records(self.path, self.count)

    def append(self, record: Record, *, durable: bool) -> None:
        """Append a record; wait for room where the disk is full.

        Args:
            record: JSON values; NaN and infinite numbers are allowed.
            durable: Whether it is on the disk when this returns.

        Raises:
            HpoctlError: It cannot be written.
        """
        count, size = self._end
        line = encode(record, count)
        waited = False
        while True:
            try:
                self._write(line, durable=durable)
                self._end = (count + 1, size + len(line))
            except BaseException as error:  # Ctrl-C included: what has no effect must not stay
                with suppress(OSError):
                    os.ftruncate(self._descriptor, self._end[1])
                if not isinstance(error, OSError):
                    raise
                if error.errno not in FULL:
                    raise _cannot(self.path, error) from error
                if not waited:
                    self._say(f"the disk of {self.path} is full: nothing is decided until there is room")
                waited = True
                time.sleep(PATIENCE)
            else:
                return

    def close(self) -> None:
        """Close it. Closing twice is not an error."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, line: bytes, *, durable: bool) -> None:
        written = 0
        while written < len(line):
            written += os.write(self._descriptor, line[written:])
        if durable:
            os.fdatasync(self._descriptor)


def encode(record: Record, number: int) -> bytes:
    """A record as a line."""
    return encoded(json.dumps(record, separators=(",", ":")).encode(), number)


def encoded(text: bytes, number: int) -> bytes:
    """The text of a record as a line."""
    return b"%08x %b\n" % (_checksum(text, number), text)


def check_journal(path: Path) -> tuple[int, int]:
    """How many records a journal has, and how many bytes: what was cut off at its end does not count.

    Raises:
        IncompleteError: It is damaged, or cannot be read.
        FileNotFoundError: There is none.
    """
    count = size = 0
    for line in _lines(path):
        if _is_record(line, count):
            count += 1
            size += len(line)
        elif _is_whole(line) or _is_record(line[:-1] + b"\n", count):
            raise IncompleteError(f"Record {count} of {path} is damaged, at byte {size}.", RESTORE)
    return count, size


def read_records(path: Path, count: int | None = None) -> Iterator[Record]:
    """The records of a journal, at most the first `count`, up to what was cut off at its end; it may be growing.

    Raises:
        IncompleteError: It is damaged, or cannot be read.
        FileNotFoundError: There is none.
    """
    metrics = None
    for number, line in enumerate(_lines(path)):
        if number == count:
            return
        if not _is_record(line, number):
            if _is_whole(line):
                raise IncompleteError(f"Record {number} of {path} is damaged.", RESTORE)
            return
        try:
            record = read_record(line[MARK:], number, metrics)
        except ValueError as error:
            raise IncompleteError(f"Record {number} of {path} is damaged: {error}.", RESTORE) from error
        if number == 0 and record.get("metrics"):
            metrics = len(record["metrics"])
        yield record


def _lines(path: Path) -> Iterator[bytes]:
    try:
        descriptor = open_regular(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise IncompleteError(f"{path} cannot be read: {error.strerror or error}.", RESTORE) from error
    with os.fdopen(descriptor, "rb") as file:
        while line := file.readline(LONGEST):
            yield line


def _is_whole(line: bytes) -> bool:
    """Whether a line is complete: no crash has cut it off."""
    return line.endswith(b"\n") or len(line) == LONGEST


def _is_record(line: bytes, number: int) -> bool:
    if len(line) <= MARK or not line.endswith(b"\n"):
        return False
    text = line[MARK:-1]
    return line[:MARK] == b"%08x " % _checksum(text, number)


def _checksum(text: bytes, number: int) -> int:
    return crc32(text, crc32(number.to_bytes(8, "big")))


def _cannot(path: Path, error: OSError) -> HpoctlError:
    return HpoctlError(f"Cannot write {path}: {error.strerror or error}.", "Check the folder and its permissions.")


def record_text(record: Record) -> str:
    """What a record says, in a few words."""
    kind = record["kind"]
    if kind == "start":
        config = record.get("config")
        values = " ".join(f"{name}={value!r}" for name, value in config.items()) if config else "again"
        until = f" to {record['until']}" if record["until"] is not None else ""
        return f"trial {record['trial']} started{until} after {record['from']}: {values}"
    if kind == "stop":
        return f"trial {record['trial']} was told to {'pause' if record['pause'] else 'stop'}"
    return "trials reported" if kind == "events" else f"there was a record {kind!r}"
