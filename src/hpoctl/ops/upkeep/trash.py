"""The trash below a root: what `hpoctl clean` moved away, until it is restored or removed for good.

    <root>/.trash/<time>/clean.json                    which clean it was
    <root>/.trash/<time>/<tag>/<method>/<result>/...   what it moved, under its own name

What counts is what lies there, not what clean.json says: a clean or an undo that was killed half-way is continued from
there. Whoever fills an entry, restores from it or removes it has a claim on it, so that no two do so at once.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hpoctl.core.cells import CONTROL
from hpoctl.core.errors import HpoctlError, IncompleteError
from hpoctl.core.names import TAG, check_tag
from hpoctl.core.protocols import Claims, Store
from hpoctl.core.sealed import DamagedError, RecordType
from hpoctl.ops.studies.tags import STUDY_FILE

TRASH = ".trash"
MANIFEST = "clean.json"
PURGED = "purged-"
"""How the name of an entry begins that is being removed: nothing is restored from it."""

PARTS = 3
"""A result directory is <tag>/<method>/<result>."""

TRIES = 1000
_NAME = re.compile(r"([0-9]{8}-[0-9]{6}-[0-9]{6})(?:-([0-9]{1,9}))?", re.ASCII)


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
class CleanFile:
    """What a clean is about.

    Attributes:
        command: The command line; empty: unknown.
        tag: The tag.
        criteria: What was asked for.
        directories: What it was about to move: result directories, or a whole tag.
    """

    command: str = ""
    tag: str = ""
    criteria: Mapping[str, Any] = field(default_factory=dict)
    directories: tuple[str, ...] = ()


CLEANS = RecordType("clean", CleanFile)


@dataclass(frozen=True, slots=True)
class TrashEntry:
    """What one clean moved away, as far as it is still in the trash.

    Attributes:
        name: The time of the clean.
        tags: The tags it is about.
        items: What can be restored: result directories, or whole tags.
        strays: Blobs that no clean put there.
        command: The command line of the clean; empty: unknown.
    """

    name: str
    tags: frozenset[str]
    items: tuple[str, ...]
    strays: tuple[str, ...]
    command: str

    @property
    def folder(self) -> str:
        """Its name in the store."""
        return f"{TRASH}/{self.name}"


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
    folder = _claimed_folder(store, claims, content, now)
    try:
        yield folder
    finally:
        with suppress(HpoctlError):
            _drop_if_empty(store, folder)
        claims.release(folder)


def finish_moves(store: Store, claims: Claims) -> list[tuple[str, str]]:
    """Finish what a clean, an undo or a purge was killed in the middle of, where folders are not moved in one step.

    Whoever moves something into the trash or out of it has a claim on the entry: a move whose entry can be claimed is
    nobody's any more.

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
    last = _last_entry(store, tag)
    if dry_run:
        return Restored(last.name, last.command, last.items, _strays(last))
    if not claims.take(last.folder):
        raise HpoctlError(f"Somebody is at work on the clean of {last.name}.", "Wait until that is done, and repeat.")
    try:
        entry = _read_entry(store, last.name) or last
        restored = [target for folder, target in finished if folder.startswith(f"{entry.folder}/")]
        left = list(_strays(entry))
        for item in entry.items:
            try:
                store.move(f"{entry.folder}/{item}", item)
                restored.append(item)
            except FileNotFoundError:
                continue
            except FileExistsError:
                left.append(Left(item, "there is one of that name again"))
            except HpoctlError as error:
                left.append(Left(item, error.what))
        with suppress(HpoctlError):
            _drop_if_empty(store, entry.folder)
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


def _claimed_folder(store: Store, claims: Claims, content: CleanFile, now: datetime) -> str:
    """Make the folder of a new entry, by its manifest. A clock that went backwards does not make it an older one."""
    stamp, number = now.strftime("%Y%m%d-%H%M%S-%f"), 0
    if names := _names(store):
        stamp, number = max((stamp, number), _order(names[-1]))
        number += _order(names[-1]) == (stamp, number)
    for step in range(TRIES):
        name = f"{stamp}-{number + step}" if number + step else stamp
        folder = f"{TRASH}/{name}"
        if not claims.take(folder):
            continue
        try:
            store.put(f"{folder}/{MANIFEST}", CLEANS.seal(content), create=True)
        except FileExistsError:
            claims.release(folder)
        except BaseException:
            claims.release(folder)
            raise
        else:
            return folder
    raise HpoctlError(f"No new folder can be made in {store.location(TRASH)}.", "Look into it, and remove what is odd.")


def _drop_if_empty(store: Store, folder: str) -> None:
    if not set(store.list(folder)) - {f"{folder}/{MANIFEST}"}:
        store.delete(folder)


def _names(store: Store) -> list[str]:
    """The names of all entries, the oldest first."""
    return sorted((name for name in store.folders(TRASH) if _NAME.fullmatch(name)), key=_order)


def _order(name: str) -> tuple[str, int]:
    found = _NAME.fullmatch(name)
    return (found[1], int(found[2] or 0)) if found else ("", 0)


def _last_entry(store: Store, tag: str | None) -> TrashEntry:
    if tag is not None:
        check_tag(tag)
    for name in reversed(_names(store)):
        entry = _read_entry(store, name)
        if entry is not None and (tag is None or tag in entry.tags):
            return entry
    what = "The trash is empty." if tag is None else f"The trash has nothing of tag {tag}."
    raise IncompleteError(what, "There is nothing to restore.")


def _read_entry(store: Store, name: str) -> TrashEntry | None:
    """An entry by what lies in it; None: nothing at all."""
    folder = f"{TRASH}/{name}"
    blobs = [blob.removeprefix(f"{folder}/") for blob in store.list(folder)]
    if not blobs:
        return None
    manifest = _read_manifest(store, folder)
    items, strays = _items(blobs, set(manifest.directories))
    tags = {item.partition("/")[0] for item in items} | {manifest.tag}
    return TrashEntry(name, frozenset(tags), items, strays, manifest.command)


def _read_manifest(store: Store, folder: str) -> CleanFile:
    try:
        return CLEANS.unseal(store.get(f"{folder}/{MANIFEST}"))
    except (FileNotFoundError, DamagedError, HpoctlError):
        return CleanFile()


def _items(blobs: Sequence[str], moved: set[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What can be restored, each in one step, and what else lies there.

    A tag is restored as a whole if that is how it was moved. Where the manifest is lost, its master seed or its plans
    tell: they are moved with a whole tag only.
    """
    parts = {blob: blob.split("/") for blob in blobs if blob != MANIFEST}
    whole = {head for head, *rest in parts.values() if head in moved or (rest and rest[0] in {STUDY_FILE, CONTROL})}
    items: dict[str, None] = {}
    strays = []
    for blob, (head, *rest) in parts.items():
        if TAG.fullmatch(head) and rest and head in whole:
            items[head] = None
        elif TAG.fullmatch(head) and len(rest) >= PARTS:
            items["/".join((head, *rest[: PARTS - 1]))] = None
        else:
            strays.append(blob)
    return tuple(items), tuple(strays)


def _strays(entry: TrashEntry) -> tuple[Left, ...]:
    return tuple(Left(f"{entry.folder}/{blob}", "no clean has put it there") for blob in entry.strays)
