"""Results in a local directory.

A write is atomic: the bytes go to a temporary file beside the target, are flushed to the disk, and take the target's
name in one step. A reader sees either the old bytes or the new ones; a killed process leaves a temporary file that no
listing shows. What lies in a `.hpoctl` folder is private to its owner.
"""

import errno
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from hpoctl.core.cells import CONTROL
from hpoctl.core.errors import HpoctlError, IncompleteError
from hpoctl.core.files import UnreadableError, read_regular, sync_directory, write_durably
from hpoctl.core.names import BAD, check_blob_name
from hpoctl.core.places import expanded

TEMPORARY = ".tmp-"


class LocalStore:
    """A store below a directory, which is made when first written to.

    Args:
        root: The directory.
    """

    readers = 1

    def __init__(self, root: Path) -> None:
        self.root = expanded(root).absolute()

    def put(self, name: str, data: bytes, *, create: bool = False) -> None:
        """Write a blob atomically and durably; see `Store.put`."""
        target = self._path(name)
        try:
            self._make_folder(target.parent)
            temporary = target.parent / f"{TEMPORARY}{secrets.token_hex(8)}"
            try:
                # What launches keep says with which options they ran, and by which command.
                write_durably(temporary, data, create=True, private=CONTROL in name.split("/"))
                if create:
                    os.link(temporary, target)
                else:
                    temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
            sync_directory(target.parent)
        except FileExistsError:
            raise
        except OSError as error:
            raise _cannot_write(target, error.strerror or str(error)) from error

    def get(self, name: str) -> bytes:
        """The bytes of a blob; see `Store.get`."""
        path = self._path(name)
        try:
            return read_regular(path)
        except NotADirectoryError as error:
            raise FileNotFoundError(path) from error
        except FileNotFoundError:
            raise
        except OSError as error:
            # What is no file is damage of one result; that a disk cannot be read is not.
            no_file = isinstance(error, UnreadableError) or error.errno in (errno.ELOOP, errno.ENXIO)
            kind = IncompleteError if no_file else HpoctlError
            raise kind(
                f"Cannot read {path}: {error.strerror or error}.", "Check the file and its permissions."
            ) from error

    def list(self, prefix: str) -> Mapping[str, int]:
        """The sizes of all blobs in the folder `prefix` and below, sorted by name. Links are not followed.

        Raises:
            HpoctlError: A folder cannot be read, or the prefix leads out of the root.
        """
        base = self._path(prefix) if prefix else self.root
        sizes: dict[str, int] = {}
        self._check_inside(base)
        _add_sizes(str(base), f"{prefix}/" if prefix else "", sizes)
        return dict(sorted(sizes.items()))

    def folders(self, folder: str) -> Sequence[str]:
        """The names of the folders directly in a folder, sorted. Links are not followed.

        Raises:
            HpoctlError: The folder cannot be read, or leads out of the root; the root is not a folder.
        """
        base = self._path(folder) if folder else self.root
        self._check_inside(base)
        try:
            with os.scandir(base) as entries:
                found = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
            return sorted(name for name in found if not BAD.search(name))
        except FileNotFoundError:
            return []
        except NotADirectoryError as error:
            if folder:
                return []
            raise HpoctlError(
                f"{base} is not a folder.", "Name the folder of results with --results or HPOCTL_ROOT."
            ) from error
        except OSError as error:
            raise _cannot_read(base, error) from error

    def delete(self, name: str) -> None:
        """Remove a blob or a folder, if it exists. A link is removed, not its target."""
        path = self._path(name)
        try:
            self._check_inside(path.parent)
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except NotADirectoryError:
            return  # a file is where its folder would be
        except OSError as error:
            raise HpoctlError(
                f"Cannot remove {path}: {error.strerror or error}.", "Check the permissions of its folder."
            ) from error

    def move(self, folder: str, target: str) -> None:
        """Give a folder another name, in one step; see `Store.move`."""
        source, destination = self._path(folder), self._path(target)
        try:
            self._check_inside(source.parent)
            _check_kind(source, present=True)
            self._make_folder(destination.parent)
            _check_kind(destination, present=False)
            source.rename(destination)
            sync_directory(destination.parent)
            sync_directory(source.parent)
        except (FileNotFoundError, FileExistsError):
            raise
        except OSError as error:
            raise HpoctlError(
                f"Cannot move {source} to {destination}: {error.strerror or error}.",
                "Check the permissions of both folders.",
            ) from error

    def unfinished_moves(self) -> Sequence[tuple[str, str]]:
        """Always empty: a folder is moved in one step."""
        return ()

    def contents(self, listed: Mapping[str, int], names: Iterable[str]) -> Iterator[tuple[str, bytes]]:  # noqa: ARG002
        """Always empty: files are read one by one."""
        return iter(())

    def hashes(self, listed: Mapping[str, int], names: Iterable[str]) -> Iterator[tuple[str, str]]:  # noqa: ARG002
        """Always empty: files are read one by one."""
        return iter(())

    def location(self, name: str) -> str:
        """The path of a blob or folder; empty string: the root's."""
        return str(self._path(name) if name else self.root)

    def _path(self, name: str) -> Path:
        return self.root.joinpath(*check_blob_name(name, self.root))

    def _make_folder(self, folder: Path) -> None:
        self._check_inside(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise _cannot_write(folder, "a file is in the place of a folder") from None

    def _check_inside(self, folder: Path) -> None:
        """Refuse to go through a symbolic link below the root: out of it, round in a circle, or to another tag."""
        root, real = (Path(os.path.realpath(path)) for path in (self.root, folder))
        if real != root / folder.relative_to(self.root):
            where = "to another of its folders" if real.is_relative_to(root) else f"out of {self.root}"
            raise HpoctlError(f"{folder} leads {where}.", "Remove the symbolic link and try again.")


def _check_kind(path: Path, *, present: bool) -> None:
    """A folder, or a link in its place, has to exist; or nothing may exist."""
    if present and not path.is_dir() and not path.is_symlink():
        raise FileNotFoundError(path)
    if not present and (path.exists() or path.is_symlink()):
        raise FileExistsError(path)


def _add_sizes(folder: str, prefix: str, sizes: dict[str, int]) -> None:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if BAD.search(entry.name):
                    continue  # not ours: nothing can be got or put under such a name
                if entry.is_dir(follow_symlinks=False):
                    _add_sizes(entry.path, f"{prefix}{entry.name}/", sizes)
                elif entry.is_file(follow_symlinks=False) and not entry.name.startswith(TEMPORARY):
                    sizes[prefix + entry.name] = entry.stat(follow_symlinks=False).st_size
    except (FileNotFoundError, NotADirectoryError):
        return  # it does not exist, or another process has moved or removed it meanwhile
    except OSError as error:
        raise _cannot_read(Path(folder), error) from error


def _cannot_read(folder: Path, error: OSError) -> HpoctlError:
    return HpoctlError(f"Cannot read {folder}: {error.strerror or error}.", "Check the folder and its permissions.")


def _cannot_write(path: Path, why: str) -> HpoctlError:
    return HpoctlError(
        f"Cannot write {path}: {why}.", "Name a folder that can be written with --results or HPOCTL_ROOT."
    )
