"""Many small blobs of a tag, read in the way that is fastest for their store."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from hpoctl.core.protocols import Store

Read = Callable[[], bytes]
"""The bytes of a blob, or the error of `Store.get`."""


def read_many(store: Store, listed: Mapping[str, int], names: Iterable[str]) -> Iterator[tuple[str, Read]]:
    """Blobs with what reads them: some are read together, others when they are asked for.

    Args:
        store: Where they are.
        listed: A listing that has them, if there is one; see `Store.contents`.
        names: Their names.

    Yields:
        Each name and its reader. The order is that of the store; what was read is in memory for one step only.
    """
    left = dict.fromkeys(names)
    for name, data in store.contents(listed, list(left)):
        del left[name]
        yield name, partial(bytes, data)
    for name in left:
        yield name, partial(store.get, name)
