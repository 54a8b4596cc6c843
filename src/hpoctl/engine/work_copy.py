"""A copy of a working folder beside results that are elsewhere, kept while an experiment on a script runs.

What is read first can only be older than what is read later. Checkpoints are read first, then what trials write, then
the journal: in a copy, the journal may be ahead of a checkpoint, and never behind it. A trial that continues from an
older checkpoint reports known rows again, which do not count; a newer one would make it skip rows.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hpoctl.backends.scripts.files import bounded_text
from hpoctl.backends.scripts.folders import TRIALS
from hpoctl.backends.scripts.starts import ERR, OUT, PROCESS
from hpoctl.core.cells import CHECKPOINTS, JOURNAL
from hpoctl.core.credentials import concealed_bytes
from hpoctl.core.storage import Store
from hpoctl.engine.work_folder import copy_name, origin_of
from hpoctl.stores.folder_copier import FolderCopier, Part, RepeatedCopy
from hpoctl.stores.folder_copies import PIECE, pieces_of
from hpoctl.stores.local import LocalStore


@contextmanager
def copied_work(
    store: Store, directory: str, folder: Path, say: Callable[[str], None], instead_of: str = ""
) -> Iterator[None]:
    """Keep a copy of the working folder beside the results, where these are not on a disk of this machine.

    Args:
        store: Where results are.
        directory: The name of the result directory.
        folder: The working folder.
        say: Tells a person that copying fails.
        instead_of: The result directory whose working folder this one has been; its copy is removed.
    """
    if isinstance(store, LocalStore):
        yield
        return
    copier = WorkCopier(store, directory, folder)
    old = instead_of

    def copy() -> None:
        nonlocal old
        if copier.copy() and old:
            store.delete(copy_name(old))
            old = ""

    copying = RepeatedCopy(copy, say)
    try:
        yield
    finally:
        copying.end()


class WorkCopier:
    """Copies a working folder, what has changed in it each time.

    Args:
        store: Where results are.
        directory: The name of the result directory.
        folder: The working folder.
    """

    def __init__(self, store: Store, directory: str, folder: Path) -> None:
        self._store = store
        self._name = copy_name(directory)
        self._folder = folder
        self._copier: FolderCopier | None = None
        self._checkpoints: dict[str, Part] = {}
        self._rest = Part()

    def copy(self) -> bool:
        """Copy what has changed; returns whether there was anything to copy.

        Raises:
            TakenOverError: Another machine copies its own folder to the same place.
            HpoctlError: The store cannot be read or written.
            OSError: A file cannot be read.
        """
        if not (self._folder / JOURNAL).exists():
            return False
        copier = self._owner()
        self._checkpoints = {
            folder: copier.settled(folder, self._checkpoints.get(folder, Part()))
            for folder in self._checkpoint_folders()
        }
        rest = copier.sent(copier.files("", self._left_out), self._rest)
        journal = copier.sent(copier.files(JOURNAL), self._rest)
        self._rest = Part({**rest.state, **journal.state}, {**rest.files, **journal.files})
        copier.replace([*self._checkpoints.values(), self._rest])
        return True

    def _owner(self) -> FolderCopier:
        """Become the one that copies, with the first copy; afterwards, see that it is still so."""
        if self._copier is None:
            copier = FolderCopier(self._store, self._name, self._folder, origin_of(self._folder), _content)
            copier.take_over()
            self._copier = copier
        else:
            self._copier.check_owner()
        return self._copier

    def _checkpoint_folders(self) -> list[str]:
        with suppress(FileNotFoundError):
            names = sorted(entry.name for entry in os.scandir(self._folder / TRIALS) if entry.is_dir())
            return [f"{TRIALS}/{name}/{CHECKPOINTS}" for name in names]
        return []

    def _left_out(self, path: Path) -> bool:
        """What is not copied with the rest: what is read before or after it, and what means nothing elsewhere."""
        return path.name in (CHECKPOINTS, PROCESS) or path.name.startswith(".") or path == self._folder / JOURNAL


def _content(path: Path) -> Iterator[bytes]:
    """The pieces of a file; of what a trial prints, the beginning and the end, without credentials."""
    if path.name in (OUT, ERR):
        text = concealed_bytes(bounded_text(path))
        return (text[at : at + PIECE] for at in range(0, len(text), PIECE))
    return pieces_of(path)
