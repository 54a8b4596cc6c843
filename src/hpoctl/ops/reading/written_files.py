"""Files that a person names for what a command makes, such as a figure: whole or not there.

A file is replaced in one step, so that what is not a file, such as `/dev/stdout`, has to be refused: it would be gone.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.files import kind_name


def check_folder(path: Path) -> None:
    """Refuse what would be in a folder that is not there, before any work is done.

    Raises:
        UsageError: There is no such folder.
    """
    if not path.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {path.parent}.", "Make it, or name another file.")


def check_file(path: Path) -> None:
    """Refuse a file in a folder that is not there, or what is not a file, before any work is done.

    Raises:
        UsageError: There is no such folder, or it is not a regular file.
        HpoctlError: It cannot be known.
    """
    check_folder(path)
    _replaceable(path)


def write_file(path: Path, data: bytes) -> None:
    """Write a file so that no reader sees half of it.

    Raises:
        HpoctlError: It cannot be written.
    """
    with writing(path) as file:
        file.write(data)


@contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to, which is there when all of it is written, and not before.

    Raises:
        UsageError: It is not a regular file.
        HpoctlError: It cannot be written.
    """
    path = _replaceable(path)
    temporary = path.parent / f".{path.name}-{secrets.token_hex(4)}"
    try:
        try:
            with temporary.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise _cannot(path, error) from error


def _replaceable(path: Path) -> Path:
    """The file that a path names, links followed; it need not be there.

    Raises:
        UsageError: It is not a regular file.
        HpoctlError: It cannot be known.
    """
    try:
        with suppress(FileNotFoundError):
            kind = kind_name(path.stat().st_mode)
            if kind is not None:
                raise UsageError(f"{path} is {kind}, not a file.", "Name another file with --output.")
        return path.resolve()
    except (OSError, ValueError) as error:
        raise _cannot(path, error) from error


def _cannot(path: Path, error: Exception) -> HpoctlError:
    reason = getattr(error, "strerror", None) or error
    return HpoctlError(f"Cannot write {path}: {reason}.", "Name another file with --output.")
