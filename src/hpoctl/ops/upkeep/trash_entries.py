"""The entries of the trash: what one clean moved away, as it lies there."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hpoctl.core.cells import CONTROL, WORK
from hpoctl.core.errors import HpoctlError, IncompleteError
from hpoctl.core.names import TAG, check_tag
from hpoctl.core.sealed import DamagedError, RecordType
from hpoctl.core.storage import Claims, Store
from hpoctl.ops.studies.tags import STUDY_FILE

TRASH = ".trash"


MANIFEST = "clean.json"


PARTS = 3
"""A result directory is <tag>/<method>/<result>."""


TRIES = 1000


_NAME = re.compile(r"([0-9]{8}-[0-9]{6}-[0-9]{6})(?:-([0-9]{1,9}))?", re.ASCII)


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


def claimed_folder(store: Store, claims: Claims, content: CleanFile, now: datetime) -> str:
    """Make the folder of a new entry, by its manifest. A clock that went backwards does not make it an older one."""
    stamp, number = now.strftime("%Y%m%d-%H%M%S-%f"), 0
    if names := entry_names(store):
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
    raise HpoctlError(
        f"No new folder can be made in {store.location(TRASH)}.",
        "Look into it, and remove what is odd.",
    )


def drop_if_empty(store: Store, folder: str) -> None:
    """Remove an entry with nothing but its manifest in it."""
    if not set(store.list(folder)) - {f"{folder}/{MANIFEST}"}:
        store.delete(folder)


def entry_names(store: Store) -> list[str]:
    """The names of all entries, the oldest first."""
    return sorted((name for name in store.folders(TRASH) if _NAME.fullmatch(name)), key=_order)


def _order(name: str) -> tuple[str, int]:
    found = _NAME.fullmatch(name)
    return (found[1], int(found[2] or 0)) if found else ("", 0)


def last_entry(store: Store, tag: str | None) -> TrashEntry:
    """The newest entry, of a tag or of all.

    Raises:
        IncompleteError: There is no such entry.
    """
    if tag is not None:
        check_tag(tag)
    for name in reversed(entry_names(store)):
        entry = read_entry(store, name)
        if entry is not None and (tag is None or tag in entry.tags):
            return entry
    what = "The trash is empty." if tag is None else f"The trash has nothing of tag {tag}."
    raise IncompleteError(what, "There is nothing to restore.")


def read_entry(store: Store, name: str) -> TrashEntry | None:
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

    A tag is restored as a whole if that is how it was moved. Where the manifest is lost, its random seed or its plans
    tell: they are moved with a whole tag only.
    """
    parts = {blob: blob.split("/") for blob in blobs if blob != MANIFEST and not blob.startswith(f"{WORK}/")}
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
