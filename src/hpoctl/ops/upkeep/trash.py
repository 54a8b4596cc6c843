"""The trash below a root: what `hpoctl clean` moved away, until it is restored or removed for good.

    <root>/.trash/<time>/clean.json                    which clean it was
    <root>/.trash/<time>/<tag>/<method>/<result>/...   what it moved, under its own name
    <root>/.trash/<time>/.work/<tag>/...               the working files of that, such as checkpoints

What counts is what lies there, not what clean.json says: a clean or an undo that was killed half-way is continued from
there. Whoever fills an entry, restores from it or removes it has a claim on it, so that no two do so at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from hpoctl.core.errors import HpoctlError, IncompleteError
from hpoctl.core.storage import Claims, Store
from hpoctl.ops.upkeep.trash_entries import (
    TRASH,
    CleanFile,
    TrashEntry,
    claimed_folder,
    drop_if_empty,
    last_entry,
    read_entry,
)
from hpoctl.ops.upkeep.work_files import restore_work

PURGED = "purged-"
"""How the name of an entry begins that is being removed: nothing is restored from it."""


@dataclass(frozen=True, slots=True)
class Left:
    """Something that stays where it is.

    Attributes:
        directory: Its name in the store.
        why: Why, in one line.
    """

    directory: str
    why: str


@dataclass(frozen=True, slots=True)
class Restored:
    """What an undo did.

    Attributes:
        entry: The time of the clean that was undone.
        command: The command line of that clean; empty: unknown.
        directories: What was restored: result directories, or a whole tag.
        left: What is still in the trash.
    """

    entry: str
    command: str
    directories: tuple[str, ...]
    left: tuple[Left, ...]


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge did.

    Attributes:
        cleans: Of how many cleans it removed what they had moved.
        size: How many bytes that were.
        left: What is still in the trash.
    """

    cleans: int
    size: int
    left: tuple[Left, ...]


@contextmanager
def new_entry(store: Store, claims: Claims, content: CleanFile, now: datetime) -> Iterator[str]:
    """A new entry of the trash, newer than all that are there; it goes again if nothing was moved into it.

    Yields:
        Its folder, with the manifest in it.

    Raises:
        HpoctlError: It cannot be written.
    """
    folder = claimed_folder(store, claims, content, now)
    try:
        yield folder
    finally:
        with suppress(HpoctlError):
            drop_if_empty(store, folder)
        claims.release(folder)


def finish_moves(store: Store, claims: Claims) -> list[tuple[str, str]]:
    """Finish what a clean, an undo or a purge was killed in the middle of, where folders are not moved in one step.

    A process that moves something into the trash or out of it holds a claim on the entry: where the entry can be
    claimed, the process has exited.

    Returns:
        What was finished: folders and their targets.

    Raises:
        HpoctlError: The store failed.
    """
    finished = []
    for folder, target in store.unfinished_moves():
        entry = next((name for name in (folder, target) if name.startswith(f"{TRASH}/")), "")
        key = "/".join(entry.split("/")[:2]).replace(f"/{PURGED}", "/")
        if not entry or not claims.take(key):
            continue
        try:
            store.move(folder, target)
            finished.append((folder, target))
        except FileNotFoundError:
            continue  # another process has just finished it
        finally:
            claims.release(key)
    return finished


def undo(store: Store, claims: Claims, tag: str | None = None, *, dry_run: bool = False) -> Restored:
    """Restore what the last clean moved away. What exists again is not replaced: its old self stays in the trash.

    Args:
        store: Where results live.
        claims: Who runs what.
        tag: Restore the last clean of this tag; None: the last one.
        dry_run: Only say what would be restored.

    Raises:
        IncompleteError: There is nothing to restore.
        HpoctlError: The trash cannot be read, or the clean is still at work.
    """
    finished = [] if dry_run else finish_moves(store, claims)
    last = last_entry(store, tag)
    if dry_run:
        return Restored(last.name, last.command, last.items, _strays(last))
    if not claims.take(last.folder):
        raise HpoctlError(f"Somebody is at work on the clean of {last.name}.", "Wait until that is done, and repeat.")
    try:
        entry = read_entry(store, last.name) or last
        restored = [target for folder, target in finished if folder.startswith(f"{entry.folder}/")]
        left = list(_strays(entry))
        for item in entry.items:
            try:
                store.move(f"{entry.folder}/{item}", item)
                restore_work(store, item, entry.folder)
                restored.append(item)
            except FileNotFoundError:
                continue
            except FileExistsError:
                left.append(Left(item, "there is one of that name again"))
            except HpoctlError as error:
                left.append(Left(item, error.what))
        with suppress(HpoctlError):
            drop_if_empty(store, entry.folder)
    finally:
        claims.release(last.folder)
    return Restored(entry.name, entry.command, tuple(restored), tuple(left))


def trash_size(store: Store) -> int:
    """How many bytes are in the trash.

    Raises:
        IncompleteError: It is empty.
    """
    sizes = store.list(TRASH)
    if not sizes:
        raise IncompleteError("The trash is empty.", "There is nothing to do.")
    return sum(sizes.values())


def purge(store: Store, claims: Claims) -> Purged:
    """Remove the content of the trash permanently. An entry that another process is filling or restoring stays.

    Raises:
        IncompleteError: The trash is empty.
        HpoctlError: The trash cannot be read.
    """
    finish_moves(store, claims)
    trash_size(store)
    cleans, size, left = 0, 0, []
    for name in store.folders(TRASH):
        key = f"{TRASH}/{name.removeprefix(PURGED)}"
        if not claims.take(key):
            left.append(Left(f"{TRASH}/{name}", "another process is using it"))
            continue
        try:
            freed = sum(store.list(f"{TRASH}/{name}").values())
            _remove(store, name)
            cleans, size = cleans + (1 if freed else 0), size + freed
        except HpoctlError as error:
            left.append(Left(f"{TRASH}/{name}", error.what))
        finally:
            claims.release(key)
    for name, freed in store.list(TRASH).items():
        if name.count("/") == 1:  # a file beside the entries: no clean has put it there
            store.delete(name)
            size += freed
    return Purged(cleans, size, tuple(left))


def _remove(store: Store, name: str) -> None:
    """Remove an entry under another name, so that no process restores half of it."""
    purged = name if name.startswith(PURGED) else f"{PURGED}{name}"
    if name != purged:
        store.delete(f"{TRASH}/{purged}")
        with suppress(FileNotFoundError):
            store.move(f"{TRASH}/{name}", f"{TRASH}/{purged}")
    store.delete(f"{TRASH}/{purged}")


def _strays(entry: TrashEntry) -> tuple[Left, ...]:
    return tuple(Left(f"{entry.folder}/{blob}", "no clean has put it there") for blob in entry.strays)
