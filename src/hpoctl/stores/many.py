"""Many blobs, read in the way that is fastest for their store."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from hpoctl.core.protocols import Store

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
