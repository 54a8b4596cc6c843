"""Where an experiment with real trials works on this machine: its journal, and what its trials write.

The folder lies beside the results where these are in a directory, so that another machine that sees them can continue;
with results elsewhere it is among hpoctl's own data, and a copy of it is kept beside the results (see `work_copy`). It
is not a part of the results: no listing shows it.
"""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import JOURNAL, WORK
from hpoctl.core.errors import HpoctlError, IncompleteError
from hpoctl.core.files import read_regular
from hpoctl.core.places import cache_directory, data_directory
from hpoctl.core.storage import Store
from hpoctl.stores.folder_copies import fetch, read_copy
from hpoctl.stores.local import LocalStore

ORIGIN = ".origin"
"""The file that names a working folder: by it, a copy is known to be of this folder or of one on another machine."""


def work_folder(store: Store, directory: str) -> Path:
    """The folder of an attempt on this machine.

    Args:
        store: Where its results are.
        directory: The name of its result directory there.
    """
    if isinstance(store, LocalStore):
        return store.root / WORK / directory
    return data_directory() / "work" / _root_hash(store) / directory


def copy_name(directory: str) -> str:
    """The name, in a store, of the copy of an attempt's working folder."""
    return f"{WORK}/{directory}"


def has_journal(store: Store, directory: str) -> bool:
    """Whether an attempt can be continued here: its journal is on this machine, or in a copy.

    Raises:
        HpoctlError: The store cannot be read.
    """
    if (work_folder(store, directory) / JOURNAL).exists():
        return True
    return not isinstance(store, LocalStore) and read_copy(store, copy_name(directory)) is not None


def bring_work(store: Store, directory: str) -> None:
    """Make the working folder of an attempt what it was where the attempt ran last, before it is continued here.

    Raises:
        HpoctlError: The copy cannot be read, or a file cannot be written.
    """
    if _is_copied_elsewhere(store, directory):
        folder = work_folder(store, directory)
        _fetch(store, directory, folder)
        origin_of(folder)  # it is another folder from now on, equal to the copy


def readable_work(store: Store, directory: str, part: str) -> Path:
    """A folder that has a part of the working folder of an attempt, so far as this machine can know it.

    Args:
        store: Where its results are.
        directory: The name of its result directory there.
        part: The file or folder that is to be read.

    Raises:
        HpoctlError: The copy cannot be read, or a file cannot be written.
    """
    if not _is_copied_elsewhere(store, directory):
        return work_folder(store, directory)
    folder = cache_directory() / "work" / _root_hash(store) / directory
    _fetch(store, directory, folder, part)
    return folder


def readable_journal(store: Store, directory: str) -> Path:
    """The journal of an attempt, to be read; it need not be there. See `readable_work`."""
    return readable_work(store, directory, JOURNAL) / JOURNAL


@contextmanager
def journal_file(store: Store, directory: str) -> Iterator[Path]:
    """The journal of an attempt as a file on this machine: of its working folder, or of its results.

    Raises:
        IncompleteError: Neither has one.
        HpoctlError: The copy or the results cannot be read, or a file cannot be written.
    """
    path = readable_journal(store, directory)
    if path.exists():
        yield path
        return
    try:
        data = store.get(f"{directory}/{JOURNAL}")
    except FileNotFoundError as error:
        raise IncompleteError(
            f"The journal of {store.location(directory)} is not on this machine.",
            "Ask on the machine that ran it, or when it is complete.",
        ) from error
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / JOURNAL
        copy.write_bytes(data)
        yield copy


def origin_of(folder: Path) -> str:
    """What names a working folder; it gets a name if it has none.

    Raises:
        OSError: It cannot be written.
    """
    if not (found := _origin(folder)):
        found = secrets.token_hex(16)
        (folder / ORIGIN).write_text(found, encoding="ascii")
    return found


def _fetch(store: Store, directory: str, folder: Path, part: str = "") -> None:
    try:
        fetch(store, copy_name(directory), folder, part)
    except OSError as error:
        what = f"Cannot bring {store.location(copy_name(directory))} to {folder}: {error.strerror or error}."
        raise HpoctlError(what, "Check the disk of this machine.") from error


def _origin(folder: Path) -> str:
    try:
        return read_regular(folder / ORIGIN, 4096).decode("ascii")
    except (OSError, UnicodeDecodeError):
        return ""  # as a folder of another machine: its copy is compared


def _is_copied_elsewhere(store: Store, directory: str) -> bool:
    """Whether there is a copy, and it is that of a folder on another machine: what is here is older, if anything is."""
    if isinstance(store, LocalStore):
        return False
    copy = read_copy(store, copy_name(directory))
    return copy is not None and copy.origin != _origin(work_folder(store, directory))


def _root_hash(store: Store) -> str:
    return content_hash(store.location("").encode())[:16]
