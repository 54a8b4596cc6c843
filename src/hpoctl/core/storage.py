"""Where results live and which process runs what: the contracts of stores and claims, and reading of many blobs."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol, TypeVar


class Store(Protocol):
    """Where results live: named blobs below a root. Names are relative, with `/` between their parts."""

    @property
    def readers(self) -> int:
        """How many threads read many blobs faster than one does; 1: none do. With more, it can be used by threads."""
        ...

    def put(self, name: str, data: bytes, *, create: bool = False) -> None:
        """Write a blob, atomically: readers see the old bytes or the new ones, nothing between.

        Args:
            name: The blob's name.
            data: Its bytes.
            create: Fail if there is such a blob already.

        Raises:
            FileExistsError: With `create`, if the blob exists.
            HpoctlError: The blob could not be written.
        """
        ...

    def get(self, name: str) -> bytes:
        """The bytes of a blob.

        Raises:
            FileNotFoundError: There is no such blob.
        """
        ...

    def list(self, prefix: str) -> Mapping[str, int]:
        """The size in bytes of each blob in the folder `prefix` and below, sorted by name. Empty string: all blobs."""
        ...

    def folders(self, folder: str) -> Sequence[str]:
        """The names of the folders directly in a folder, sorted, without the folder's own. Empty string: the root."""
        ...

    def delete(self, name: str) -> None:
        """Remove a blob, or a folder with its content; a missing one is not an error."""
        ...

    def move(self, folder: str, target: str) -> None:
        """Give a folder another name, in one step where the store can.

        Raises:
            FileNotFoundError: There is no such folder.
            FileExistsError: There is something of the target's name.
        """
        ...

    def unfinished_moves(self) -> Sequence[tuple[str, str]]:
        """Moves that were killed, as folders and their targets: each can be done again. None where one step does it."""
        ...

    def contents(self, listed: Mapping[str, int], names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The bytes of many small blobs of one tag, so far as the store reads many faster than one by one.

        Args:
            listed: A listing that has them: a store may answer from what it has kept, if that is as it is listed.
            names: The names.

        Yields:
            Names and bytes. For blobs that are left out, `get` knows more.
        """
        ...

    def hashes(self, listed: Mapping[str, int], names: Iterable[str]) -> Iterator[tuple[str, str]]:
        """The hashes of many blobs of one tag, as `content_hash` gives them; otherwise as `contents`."""
        ...

    def location(self, name: str) -> str:
        """Where a blob or folder is, for people and as `--results`: a path or an address. Empty string: the root."""
        ...


class Claims(Protocol):
    """Who runs what, so that nothing is run twice. A claim ends with its process, however that ends."""

    def take(self, key: str) -> bool:
        """Claim a key for this process; False: another process has it."""
        ...

    def release(self, key: str) -> None:
        """Give a claim up."""
        ...

    def held(self, key: str) -> bool:
        """Whether another process has the claim."""
        ...


Read = Callable[[], bytes]
"""The bytes of a blob, or the error of `Store.get`."""

Item = TypeVar("Item")
T = TypeVar("T")


def read_many(store: Store, listed: Mapping[str, int], names: Iterable[str]) -> Iterator[tuple[str, Read]]:
    """Blobs with what reads them: some are read together, others when they are asked for.

    Args:
        store: Where they are.
        listed: A listing that has them, if there is one; see `Store.contents`.
        names: Their names.

    Yields:
        Each name and its reader. The order is that of the store; the bytes of a blob stay in memory for one step only.
    """
    left = dict.fromkeys(names)
    for name, data in store.contents(listed, list(left)):
        del left[name]
        yield name, partial(bytes, data)
    for name in left:
        yield name, partial(store.get, name)


def read_ahead(
    store: Store, read: Callable[[Item], T], items: Sequence[Item]
) -> Generator[Callable[[], T], None, None]:
    """What some work that reads from a store makes of each item, by several threads where they are faster.

    Args:
        store: Where it reads.
        read: The work. Threads that do it share what it changes.
        items: The items.

    Yields:
        What returns the result of an item, or raises its error, in the order of the items. Whoever stops before the
        end closes the generator, so that no more is read.
    """
    if store.readers < 2 or len(items) < 2:
        yield from (partial(read, item) for item in items)
        return
    pool = ThreadPoolExecutor(min(store.readers, len(items)))
    try:
        for future in [pool.submit(read, item) for item in items]:
            yield future.result
    finally:
        pool.shutdown(cancel_futures=True)
