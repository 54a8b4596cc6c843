"""Copies of folders in a store: equal to the folder, one state of it, and only what has changed is sent."""

from pathlib import Path

import pytest

from hpoctl.core.errors import IncompleteError
from hpoctl.stores import folder_copies
from hpoctl.stores.folder_copies import FolderCopy, fetch, pieces_of, pieces_there, replace_copy, send_pieces
from hpoctl.stores.local import LocalStore

NAME = ".work/t/one"


class Counted(LocalStore):
    """A store that counts what is written and read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.wrote: list[str] = []
        self.read: list[str] = []

    def put(self, name: str, data: bytes, *, create: bool = False) -> None:
        self.wrote.append(name)
        super().put(name, data, create=create)

    def get(self, name: str) -> bytes:
        self.read.append(name)
        return super().get(name)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Counted:
    monkeypatch.setattr(folder_copies, "PIECE", 10)
    return Counted(tmp_path / "store")


def copied(store: Counted, folder: Path, there: set[str]) -> FolderCopy:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    names = [path.relative_to(folder).as_posix() for path in paths]
    files = {name: send_pieces(store, NAME, pieces_of(folder / name), there) for name in names}
    links = {path.name: str(path.readlink()) for path in folder.iterdir() if path.is_symlink()}
    copy = FolderCopy("one", files, links)
    replace_copy(store, NAME, copy, there)
    return copy


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_copy_is_equal_to_the_folder_and_sends_what_has_changed(store: Counted, tmp_path: Path) -> None:
    source, target, there = tmp_path / "source", tmp_path / "target", set[str]()
    (source / "in").mkdir(parents=True)
    (source / "journal").write_bytes(b"0123456789abcdefghij-tail")
    (source / "in" / "empty").write_bytes(b"")
    (source / "in" / "state").write_bytes(b"epoch 1")
    (source / "latest").symlink_to("in/state")
    copied(store, source, there)
    assert fetch(store, NAME, target) is not None
    assert content(target) == content(source)
    assert (target / "latest").readlink() == Path("in/state")
    with (source / "journal").open("ab") as file:
        file.write(b" grows")
    (source / "in" / "state").write_bytes(b"epoch 2")
    (source / "in" / "empty").unlink()
    store.wrote.clear()
    copy = copied(store, source, there)
    assert len(store.wrote) == 3 + 1  # two pieces of the journal's end, the state; the list
    assert pieces_there(store, NAME) == there == copy.pieces()  # nothing is left of the first copy
    store.read.clear()
    (target / "stray").write_bytes(b"of another history")
    fetch(store, NAME, target)
    assert len(store.read) == 3 + 1
    assert content(target) == content(source)


def test_a_part_of_a_copy(store: Counted, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    for name in ("trials/1/starts/0", "trials/12/starts/0"):
        (source / name).mkdir(parents=True)
        (source / name / "std.out").write_bytes(name.encode())
    copied(store, source, set())
    fetch(store, NAME, target, "trials/1")
    assert content(target) == {"trials/1/starts/0/std.out": b"trials/1/starts/0"}
    assert fetch(store, ".work/t/other", target) is None


def test_a_copy_that_is_replaced_meanwhile_is_read_again(store: Counted, tmp_path: Path) -> None:
    source, target, there = tmp_path / "source", tmp_path / "target", set[str]()
    source.mkdir()
    (source / "state").write_bytes(b"epoch 1")
    copied(store, source, there)
    get = store.get

    def replaced(name: str) -> bytes:
        if "/pieces/" in name and (source / "state").read_bytes() == b"epoch 1":
            (source / "state").write_bytes(b"epoch 2")
            copied(store, source, there)
        return get(name)

    store.get = replaced  # type: ignore[method-assign]
    fetch(store, NAME, target)
    assert content(target) == {"state": b"epoch 2"}


@pytest.mark.parametrize("damage", ["gone", "changed", "list", "leads out"])
def test_damage_is_named(store: Counted, tmp_path: Path, damage: str) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "state").write_bytes(b"epoch 1")
    (piece,) = copied(store, source, set()).pieces()
    if damage == "gone":
        store.delete(f"{NAME}/pieces/{piece}")
    elif damage == "changed":
        store.put(f"{NAME}/pieces/{piece}", b"epoch 7")
    elif damage == "list":
        store.put(f"{NAME}/copy.json", b"{}")
    else:
        replace_copy(store, NAME, FolderCopy("one", {"../state": (piece,)}), set())
    with pytest.raises(IncompleteError, match="clean"):
        fetch(store, NAME, tmp_path / "target")
    assert not list(tmp_path.rglob("target/state"))
    assert not (tmp_path / "state").exists()
