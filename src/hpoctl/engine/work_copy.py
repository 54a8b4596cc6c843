"""A copy of a working folder beside results that are elsewhere, kept while an experiment on a script runs.

What is read first can only be older than what is read later. Checkpoints are read first, then what trials write, then
the journal: in a copy, the journal may be ahead of a checkpoint, and never behind it. A trial that continues from an
older checkpoint reports known rows again, which do not count; a newer one would make it skip rows.

A checkpoint is a folder that a trial may be writing: it is taken only if nothing in it changed while it was read.
Otherwise the copy keeps the version that it had.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from hpoctl.backends.scripts.files import bounded_text
from hpoctl.backends.scripts.folders import TRIALS
from hpoctl.backends.scripts.starts import ERR, OUT, PROCESS
from hpoctl.core.cells import CHECKPOINTS, JOURNAL
from hpoctl.core.credentials import concealed_bytes
from hpoctl.core.errors import HpoctlError
from hpoctl.core.storage import Store
from hpoctl.engine.work_folder import copy_name, origin_of
from hpoctl.stores.folder_copies import PIECE, FolderCopy, pieces_of, pieces_there, replace_copy, send_pieces
from hpoctl.stores.local import LocalStore

EVERY, SOON = 5.0, 1.0
"""Seconds between two copies, and before the first one."""

SHARE = 0.01
"""The share of a core that copying may take: after a copy that took long, the next one waits longer."""

SETTLES, TRIES = 0.05, 4
"""Seconds in which a changed checkpoint has to stay as it is before it is read, and how often that is tried."""

OWNER = "origin"
"""The blob that names the folder which is being copied."""

Stamp = tuple[int, int, int, int]
"""Inode, size, and times of a file: what changes when its content does."""

State = dict[str, Stamp | str]
"""The stamps of files, and what links point at, by their names in the working folder."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What is in a copy of a part of the folder."""

    state: State = field(default_factory=dict)
    files: dict[str, tuple[str, ...]] = field(default_factory=dict)


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
    ends = threading.Event()

    def run() -> None:
        pause, failed, old = SOON, False, instead_of
        while True:
            last = ends.wait(pause)
            began = time.thread_time()
            try:
                if copier.copy() and old:
                    store.delete(copy_name(old))
                    old = ""
                failed = False
            except TakenOverError:
                say(
                    "nothing more is copied beside the results: another machine has taken over, or the copy was removed"
                )
                return
            except (HpoctlError, OSError) as error:
                if not failed:
                    say(f"the copy beside the results is behind: {error}")
                failed = True
            if last:
                return
            pause = max(EVERY, (time.thread_time() - began) / SHARE)

    thread = threading.Thread(target=run, name="work-copy", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()


class TakenOverError(Exception):
    """Another machine continues the experiment."""


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
        self._origin = ""
        self._there: set[str] = set()
        self._checkpoints: dict[str, _Part] = {}
        self._rest = _Part()

    def copy(self) -> bool:
        """Copy what has changed; returns whether there was anything to copy.

        Raises:
            TakenOverError: Another machine copies its own folder to the same place.
            HpoctlError: The store cannot be read or written.
            OSError: A file cannot be read.
        """
        if not (self._folder / JOURNAL).exists():
            return False
        self._check_owner()
        before = (dict(self._checkpoints), self._rest)
        folders = self._checkpoint_folders()
        self._checkpoints = {folder: self._checkpoint(folder) for folder in folders}
        rest = self._sent({name: stamp for name, stamp in self._files("").items() if name != JOURNAL}, self._rest)
        journal = self._sent({JOURNAL: _stamp(self._folder / JOURNAL)}, self._rest)
        self._rest = _Part({**rest.state, **journal.state}, {**rest.files, **journal.files})
        parts = [*self._checkpoints.values(), self._rest]
        if before == (self._checkpoints, self._rest):
            return True
        files = {name: pieces for found in parts for name, pieces in found.files.items()}
        links = {name: to for found in parts for name, to in found.state.items() if isinstance(to, str)}
        self._check_owner()
        replace_copy(self._store, self._name, FolderCopy(self._origin, files, links), self._there)
        return True

    def _check_owner(self) -> None:
        """Become the one that copies, with the first copy; afterwards, see that it is still so."""
        blob = f"{self._name}/{OWNER}"
        if not self._origin:
            self._origin = origin_of(self._folder)
            self._store.put(blob, self._origin.encode())
            self._there = pieces_there(self._store, self._name)
            return
        with suppress(FileNotFoundError):  # the attempt was removed
            if self._store.get(blob) == self._origin.encode():
                return
        raise TakenOverError

    def _checkpoint_folders(self) -> list[str]:
        with suppress(FileNotFoundError):
            names = sorted(entry.name for entry in os.scandir(self._folder / TRIALS) if entry.is_dir())
            return [f"{TRIALS}/{name}/{CHECKPOINTS}" for name in names]
        return []

    def _checkpoint(self, folder: str) -> _Part:
        """A checkpoint as it is, or as it was where it is being written all the time."""
        known = self._checkpoints.get(folder, _Part())
        for _ in range(TRIES):
            state = self._files(folder)
            if state == known.state:
                break
            time.sleep(SETTLES)  # what is written later than that has other times, however coarse they are
            sent = self._sent(state, known)
            if state == self._files(folder) and len(sent.state) == len(state):
                return sent
        return known

    def _files(self, part: str) -> State:
        """The files of a part of the folder; of all of it: without checkpoints, and what means nothing elsewhere."""
        found: State = {}
        for place, folders, files in os.walk(self._folder / part):
            if not part:
                folders[:] = [name for name in folders if name != CHECKPOINTS]
            for name in [*files, *folders]:
                path = Path(place, name)
                if not part and (name.startswith(".") or name == PROCESS):
                    continue
                with suppress(FileNotFoundError):
                    if path.is_symlink():
                        found[path.relative_to(self._folder).as_posix()] = str(path.readlink())
                    elif path.is_file():
                        found[path.relative_to(self._folder).as_posix()] = _stamp(path)
        return found

    def _sent(self, state: State, known: _Part) -> _Part:
        """Send files that have changed; those that are gone by now are left out."""
        sent = _Part()
        for name, stamp in state.items():
            if isinstance(stamp, str):
                sent.state[name] = stamp
                continue
            before = known.files.get(name, ())
            if known.state.get(name) != stamp or not self._there.issuperset(before):
                try:
                    before = send_pieces(self._store, self._name, _content(self._folder / name), self._there)
                except FileNotFoundError:
                    continue
            sent.state[name], sent.files[name] = stamp, before
        return sent


def _stamp(path: Path) -> Stamp:
    facts = path.stat()
    return facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def _content(path: Path) -> Iterator[bytes]:
    """The pieces of a file; of what a trial prints, the beginning and the end, without credentials."""
    if path.name in (OUT, ERR):
        text = concealed_bytes(bounded_text(path))
        return (text[at : at + PIECE] for at in range(0, len(text), PIECE))
    return pieces_of(path)
