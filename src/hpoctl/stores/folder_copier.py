"""Keeps a copy of a folder up to date whose files change meanwhile: sends what has changed since the last copy.

A part of the folder that others are writing, such as a checkpoint, is taken only if nothing in it changed while it was
read. Otherwise the copy keeps the version that it had.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from hpoctl.core.errors import HpoctlError
from hpoctl.core.storage import Store
from hpoctl.stores.folder_copies import FolderCopy, pieces_of, pieces_there, replace_copy, send_pieces

EVERY, SOON = 5.0, 1.0
"""Seconds between two copies, and before the first one."""

SHARE = 0.01
"""The share of a core that copying may take: after a copy that took long, the next one waits longer."""

SETTLES, TRIES = 0.05, 4
"""Seconds in which a changed part has to stay as it is before it is read, and how often that is tried."""

OWNER = "origin"
"""The blob that names the folder which is being copied."""

Stamp = tuple[int, int, int, int]
"""Inode, size, and times of a file: what changes when its content does."""

State = dict[str, Stamp | str]
"""The stamps of files, and what links point at, by their names in the folder."""


class TakenOverError(Exception):
    """Another process copies its own folder to the same place, or the copy was removed."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a copy has of a part of a folder.

    Attributes:
        state: What was there when it was read.
        files: The pieces of each file.
    """

    state: State = field(default_factory=dict)
    files: dict[str, tuple[str, ...]] = field(default_factory=dict)


class FolderCopier:
    """Copies a folder, what has changed in it each time.

    Args:
        store: Where the copy goes.
        name: The name of the copy.
        folder: The folder.
        origin: What names the folder among all that are copied to that place, one after another.
        content: The pieces of a file.
    """

    def __init__(
        self, store: Store, name: str, folder: Path, origin: str, content: Callable[[Path], Iterator[bytes]] = pieces_of
    ) -> None:
        self._store, self._name, self._folder = store, name, folder
        self._origin, self._content = origin, content
        self._there: set[str] = set()
        self._latest: Sequence[Part] = ()

    def take_over(self) -> None:
        """Become the one that copies: earlier ones stop.

        Raises:
            HpoctlError: The store cannot be read or written.
        """
        self._store.put(f"{self._name}/{OWNER}", self._origin.encode())
        self._there = pieces_there(self._store, self._name)

    def check_owner(self) -> None:
        """See that this is still the one that copies.

        Raises:
            TakenOverError: It is not.
            HpoctlError: The store cannot be read.
        """
        with suppress(FileNotFoundError):  # the copy was removed
            if self._store.get(f"{self._name}/{OWNER}") == self._origin.encode():
                return
        raise TakenOverError

    def files(self, part: str = "", leave_out: Callable[[Path], bool] = lambda path: False) -> State:  # noqa: ARG005
        """The files and links in a part of the folder as they are.

        Args:
            part: A file or a folder in it; empty: all of it.
            leave_out: Which files and folders are passed over.
        """
        root, found = self._folder / part, State()
        if root.is_file():
            return {part: stamp_of(root)}
        for place, folders, files in os.walk(root):
            folders[:] = [name for name in folders if not leave_out(Path(place, name))]
            for path in (Path(place, name) for name in [*files, *folders]):
                if leave_out(path):
                    continue
                with suppress(FileNotFoundError):
                    if path.is_symlink():
                        found[path.relative_to(self._folder).as_posix()] = str(path.readlink())
                    elif path.is_file():
                        found[path.relative_to(self._folder).as_posix()] = stamp_of(path)
        return found

    def settled(self, part: str, known: Part) -> Part:
        """Send a part as it is, or keep what the copy has where the part is being written all the time.

        Raises:
            HpoctlError: The store cannot be written.
            OSError: A file cannot be read.
        """
        for _ in range(TRIES):
            state = self.files(part)
            if state == known.state:
                break
            time.sleep(SETTLES)  # what is written later than that has other times, however coarse they are
            sent = self.sent(state, known)
            if state == self.files(part) and len(sent.state) == len(state):
                return sent
        return known

    def sent(self, state: State, known: Part) -> Part:
        """Send files that have changed; those that are gone by now are left out.

        Raises:
            HpoctlError: The store cannot be written.
            OSError: A file cannot be read.
        """
        sent = Part()
        for name, stamp in state.items():
            if isinstance(stamp, str):
                sent.state[name] = stamp
                continue
            before = known.files.get(name, ())
            if known.state.get(name) != stamp or not self._there.issuperset(before):
                try:
                    before = send_pieces(self._store, self._name, self._content(self._folder / name), self._there)
                except FileNotFoundError:
                    continue
            sent.state[name], sent.files[name] = stamp, before
        return sent

    def replace(self, parts: Sequence[Part]) -> None:
        """Make what was sent the latest copy, unless it is.

        Raises:
            TakenOverError: Another process copies to the same place.
            HpoctlError: The store cannot be read or written.
        """
        if parts == self._latest:
            return
        files = {name: pieces for part in parts for name, pieces in part.files.items()}
        links = {name: to for part in parts for name, to in part.state.items() if isinstance(to, str)}
        self.check_owner()
        replace_copy(self._store, self._name, FolderCopy(self._origin, files, links), self._there)
        self._latest = parts


class RepeatedCopy:
    """Copies again and again in a thread, until it is told to end.

    Args:
        copy: Copies what has changed.
        say: Tells a person that copying fails.
    """

    def __init__(self, copy: Callable[[], object], say: Callable[[str], None]) -> None:
        self._copy, self._say = copy, say
        self._ends = threading.Event()
        self._problem: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="copy", daemon=True)
        self._thread.start()

    def end(self) -> Exception | None:
        """Copy a last time; returns why that failed, `TakenOverError` included."""
        self._ends.set()
        self._thread.join()
        return self._problem

    def _run(self) -> None:
        pause = SOON
        while True:
            last = self._ends.wait(pause)
            began = time.thread_time()
            failed = self._problem is not None
            try:
                self._copy()
                self._problem = None
            except TakenOverError as error:
                self._problem = error
                self._say(
                    "nothing more is copied beside the results: another machine has taken over, or the copy was removed"
                )
                return
            except (HpoctlError, OSError) as error:
                self._problem = error
                if not failed:
                    self._say(f"the copy beside the results is behind: {error}")
            if last:
                return
            pause = max(EVERY, (time.thread_time() - began) / SHARE)


def stamp_of(path: Path) -> Stamp:
    """What changes when a file's content does.

    Raises:
        OSError: It cannot be read.
    """
    facts = path.stat()
    return facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns
