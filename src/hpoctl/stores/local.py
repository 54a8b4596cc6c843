"""Results in a local directory.

A write is atomic: the bytes go to a temporary file beside the target, are flushed to the disk, and take the target's
name in one step. Whoever reads sees the old bytes or the new ones; what a killed process leaves behind is a temporary
file that no listing shows.
"""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from hpoctl.core.errors import HpoctlError, UsageError

TEMPORARY = ".tmp-"


class LocalStore:
    """A store below a directory, which is made when first written to.

    Args:
        root: The directory.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().absolute()

    def put(self, name: str, data: bytes, *, create: bool = False) -> None:
        """Write a blob atomically and durably; see `Store.put`."""
        target = self._path(name)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._check_inside(target.parent)
            temporary = target.parent / f"{TEMPORARY}{secrets.token_hex(8)}"
            try:
                _write_through(temporary, data)
                if create:
                    os.link(temporary, target)
                else:
                    temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
            _sync_directory(target.parent)
        except FileExistsError:
            if create:
                raise
            raise _cannot_write(target, "a file is where a folder should be") from None
        except OSError as error:
            raise _cannot_write(target, error.strerror or str(error)) from error

    def get(self, name: str) -> bytes:
        """The bytes of a blob; see `Store.get`."""
        path = self._path(name)
        try:
            return path.read_bytes()
        except NotADirectoryError as error:
            raise FileNotFoundError(path) from error
        except FileNotFoundError:
            raise
        except OSError as error:
            raise HpoctlError(
                f"Cannot read {path}: {error.strerror or error}.", "Check the file and its permissions."
            ) from error

    def list(self, prefix: str) -> Sequence[str]:
        """The names of all blobs in the folder `prefix` and below, sorted."""
        base = self._path(prefix) if prefix else self.root
        names: list[str] = []
        for folder, folders, files in os.walk(base):
            folders.sort()
            parent = Path(folder).relative_to(self.root)
            names.extend((parent / file).as_posix() for file in files if not file.startswith(TEMPORARY))
        return sorted(names)

    def delete(self, name: str) -> None:
        """Remove a blob; removing what is not there is no error."""
        path = self._path(name)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise HpoctlError(
                f"Cannot remove {path}: {error.strerror or error}.", "Check the permissions of its folder."
            ) from error

    def location(self, name: str) -> str:
        """The path of a blob or folder."""
        return str(self._path(name))

    def _path(self, name: str) -> Path:
        parts = name.split("/")
        if any(part in {"", ".", ".."} or "\0" in part or "\\" in part for part in parts):
            raise UsageError(f"{name!r} is not a name below {self.root}.", "Use names joined by single slashes.")
        return self.root.joinpath(*parts)

    def _check_inside(self, folder: Path) -> None:
        """Refuse to write through a symbolic link that leads out of the root."""
        if not folder.resolve().is_relative_to(self.root.resolve()):
            raise HpoctlError(f"{folder} leads out of {self.root}.", "Remove the symbolic link and try again.")


def _write_through(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _cannot_write(path: Path, why: str) -> HpoctlError:
    return HpoctlError(
        f"Cannot write {path}: {why}.", "Name a folder that can be written with --results or HPOCTL_ROOT."
    )
