"""Many blobs at once: what a store reads together, and what is left to be read one by one."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from hpoctl.core.storage import read_ahead, read_many
from hpoctl.stores.local import LocalStore


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


@pytest.mark.parametrize("readers", [1, 4])
def test_what_is_read_ahead_comes_in_order_with_its_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, readers: int
) -> None:
    monkeypatch.setattr(LocalStore, "readers", readers)
    store = LocalStore(tmp_path)
    for place in range(20):
        store.put(f"{place}", bytes([place]))
    store.delete("7")
    results: list[bytes] = []
    for result in read_ahead(store, store.get, [str(place) for place in range(20)]):
        try:
            results.append(result())
        except FileNotFoundError:
            results.append(b"gone")
    assert results == [b"gone" if place == 7 else bytes([place]) for place in range(20)]


def test_as_many_are_read_together_as_the_store_has_readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalStore, "readers", 3)
    together = threading.Barrier(3, timeout=60)

    def read(item: int) -> int:
        together.wait()
        return item

    assert [result() for result in read_ahead(LocalStore(tmp_path), read, range(6))] == list(range(6))


def test_nothing_more_is_read_after_a_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalStore, "readers", 2)
    begun: list[int] = []
    go_on = threading.Event()

    def read(item: int) -> int:
        begun.append(item)
        if item:
            go_on.wait(60)
        return item

    results = read_ahead(LocalStore(tmp_path), read, range(100))
    assert next(results)() == 0
    threading.Timer(0.05, go_on.set).start()
    results.close()
    assert len(begun) < 10
