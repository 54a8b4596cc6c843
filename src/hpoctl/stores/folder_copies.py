"""Copies of working folders beside results that are elsewhere, so that other machines can read them and continue.

<name>/copy.json         which files there are, and the pieces of each
<name>/pieces/<hash>     a piece of a file

`copy.json` is replaced in one step after all pieces that it names are there: a reader sees one state of the folder or a
later one, never a mixture. A piece has the SHA-256 of its content as its name, so what has not changed is not sent
again: neither a checkpoint nor the beginning of a file that grows.
"""

import os
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath

from hpoctl.core.canonical import content_hash
from hpoctl.core.errors import IncompleteError
from hpoctl.core.sealed import DamagedError, RecordType
from hpoctl.core.storage import Store, read_ahead

COPY, PIECES = "copy.json", "pieces"
PIECE = 2_000_000
"""Bytes of a piece; the last one of a file has fewer."""

TRIES = 5
"""How often a copy is read that is replaced meanwhile."""


@dataclass(frozen=True, slots=True)
class FolderCopy:
    """A state of a folder.

    Attributes:
        origin: What names the folder that was copied, among all that the same experiment has had.
        files: The pieces of each file, by its name in the folder.
        links: What symbolic links point at, by their names in the folder.
    """

    origin: str
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)

    def pieces(self) -> set[str]:
        """The names of all pieces."""
        return {piece for pieces in self.files.values() for piece in pieces}


COPIES = RecordType("copy of a folder", FolderCopy)


def read_copy(store: Store, name: str) -> FolderCopy | None:
    """The latest copy of a folder; None: there is no copy.

    Raises:
        IncompleteError: It is damaged.
        HpoctlError: The store cannot be read.
    """
    try:
        return COPIES.unseal(store.get(f"{name}/{COPY}"))
    except FileNotFoundError:
        return None
    except DamagedError as error:
        raise _damaged(store, f"{name}/{COPY}", str(error)) from error


def send_pieces(store: Store, name: str, data: Iterable[bytes], there: set[str]) -> tuple[str, ...]:
    """Send the pieces of a file, those that are not there yet.

    Args:
        store: Where copies are.
        name: The name of the copy.
        data: The pieces.
        there: The names of pieces that are there; grows.

    Raises:
        HpoctlError: The store cannot be written.
    """
    pieces = []
    for piece in data:
        digest = content_hash(piece)
        if digest not in there:
            store.put(f"{name}/{PIECES}/{digest}", piece)
            there.add(digest)
        pieces.append(digest)
    return tuple(pieces)


def replace_copy(store: Store, name: str, copy: FolderCopy, there: set[str]) -> None:
    """Make a copy the latest one, and remove the pieces that it does not need.

    Args:
        store: Where copies are.
        name: The name of the copy.
        copy: The copy; its pieces are there.
        there: The names of pieces that are there; shrinks.

    Raises:
        HpoctlError: The store cannot be written.
    """
    store.put(f"{name}/{COPY}", COPIES.seal(copy))
    for piece in there - copy.pieces():
        store.delete(f"{name}/{PIECES}/{piece}")
        there.remove(piece)


def pieces_there(store: Store, name: str) -> set[str]:
    """The names of the pieces that a store has, those of no copy included: a killed process leaves them."""
    return {blob.rpartition("/")[2] for blob in store.list(f"{name}/{PIECES}")}


def pieces_of(path: Path) -> Iterator[bytes]:
    """The pieces of a file, up to the size that it has now: it may be growing.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        left = path.stat().st_size
        while left > 0 and (piece := file.read(min(PIECE, left))):
            left -= len(piece)
            yield piece


def fetch(store: Store, name: str, folder: Path, part: str = "") -> FolderCopy | None:
    """Make files here equal to those of the latest copy. Pieces that are here already are not read again.

    Args:
        store: Where copies are.
        name: The name of the copy.
        folder: The folder that becomes equal to the copy.
        part: The file or folder in it that does; empty: all of it.

    Returns:
        The copy; None: no copy exists.

    Raises:
        IncompleteError: The copy is damaged.
        HpoctlError: The store cannot be read.
        OSError: A file cannot be written.
    """
    for _ in range(TRIES):
        copy = read_copy(store, name)
        if copy is None:
            return None
        files = {file: pieces for file, pieces in copy.files.items() if _is_in(file, part)}
        _remove_others(folder, part, files.keys())
        try:
            for answer in read_ahead(store, partial(_fetch, store, name, folder), list(files.items())):
                answer()
        except FileNotFoundError:
            continue  # a piece that a later copy does not need any more
        for link, target in copy.links.items():
            if _is_in(link, part):
                _path(folder, link).symlink_to(target)
        return copy
    raise _damaged(store, name, "pieces are missing")


def _is_in(file: str, part: str) -> bool:
    return not part or file == part or file.startswith(f"{part}/")


def _remove_others(folder: Path, part: str, names: Collection[str]) -> None:
    """Remove the files and links in a part of a folder that are not among some names."""
    for place, _, files in os.walk(folder / part, followlinks=False):
        for path in (Path(place, file) for file in files):
            if path.is_symlink() or path.relative_to(folder).as_posix() not in names:
                path.unlink(missing_ok=True)
        for path in (Path(place, entry.name) for entry in os.scandir(place) if entry.is_symlink()):
            path.unlink(missing_ok=True)


def _fetch(store: Store, name: str, folder: Path, wanted: tuple[str, tuple[str, ...]]) -> None:
    file, pieces = wanted
    path = _path(folder, file)
    with suppress(FileNotFoundError):
        if tuple(map(content_hash, pieces_of(path))) == pieces:
            return
    unfinished = path.with_name(f".{secrets.token_hex(8)}")  # another process may read the same copy
    with unfinished.open("wb") as target:
        here = _OldPieces(path)
        for number, digest in enumerate(pieces):
            data = here.read(number)
            if content_hash(data) != digest:
                data = store.get(f"{name}/{PIECES}/{digest}")
                if content_hash(data) != digest:
                    raise _damaged(store, f"{name}/{PIECES}/{digest}", "its hash does not match")
            target.write(data)
    unfinished.replace(path)


class _OldPieces:
    """The pieces of an earlier version of a file; there need not be one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, number: int) -> bytes:
        with suppress(FileNotFoundError), self._path.open("rb") as file:
            file.seek(number * PIECE)
            return file.read(PIECE)
        return b""


def _path(folder: Path, name: str) -> Path:
    """Where a file goes; a name that leads out of the folder is refused."""
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts:
        raise IncompleteError(f"A copy of a working folder names {name!r}.", "Remove the attempt with `hpoctl clean`.")
    path = folder / pure
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _damaged(store: Store, name: str, why: str) -> IncompleteError:
    return IncompleteError(
        f"{store.location(name)} is damaged: {why}.", "Remove this attempt with `hpoctl clean`, and run it again."
    )
