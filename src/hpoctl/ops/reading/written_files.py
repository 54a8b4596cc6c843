"""Files that a person names for what a command makes, such as a figure: whole or not there."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from hpoctl.core.errors import HpoctlError, UsageError


def check_folder(path: Path) -> None:
    """Refuse a file in a folder that is not there, before any work is done.

    Raises:
        UsageError: There is no such folder.
    """
    if not path.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {path.parent}.", "Make it, or name another file.")


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
        HpoctlError: It cannot be written.
    """
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
        raise HpoctlError(
            f"Cannot write {path}: {error.strerror or error}.", "Name another file with --output."
        ) from error
