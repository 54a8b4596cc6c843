"""Many blobs at once: what a store reads together, and what is left to be read one by one."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from hpoctl.stores.local import LocalStore
from hpoctl.stores.many import read_many


class SomeAtOnce(LocalStore):
    """Reads two blobs at once, the later one first, and counts those that are read alone."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.alone: list[str] = []

    def get(self, name: str) -> bytes:
        self.alone.append(name)
        return super().get(name)

    def contents(self, listed: Mapping[str, int], names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        for name in sorted(names, reverse=True)[:2]:
            yield name, LocalStore.get(self, name)


def test_what_is_left_out_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    store = SomeAtOnce(tmp_path)
    for name in "abc":
        store.put(name, name.encode())
    reads = dict(read_many(store, store.list(""), "abc"))
    assert store.alone == []
    assert {name: read() for name, read in reads.items()} == {"c": b"c", "b": b"b", "a": b"a"}
    assert store.alone == ["a"]


def test_a_blob_that_is_gone_is_missed_where_it_is_asked_for(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put("a", b"1")
    reads = dict(read_many(store, {}, ("a", "gone")))
    assert reads["a"]() == b"1"
    with pytest.raises(FileNotFoundError):
        reads["gone"]()
