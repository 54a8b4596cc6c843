"""The local store: atomic, inside its root, clear when the disk refuses."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.stores.local import LocalStore
from hpoctl.testing import ContractError, check_store

NAMES = ["", "/x", "x/", "a//b", ".", "..", "a/../b", "../b", "a/./b", "a\0b", "a\\b", "/etc/passwd"]


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "root")


def test_contract(store: LocalStore) -> None:
    check_store(store)


@pytest.mark.parametrize("name", NAMES)
def test_names_that_lead_elsewhere_are_refused(store: LocalStore, name: str) -> None:
    with pytest.raises(UsageError):
        store.put(name, b"")
    with pytest.raises(UsageError):
        store.get(name)
    with pytest.raises(UsageError):
        store.delete(name)


@settings(deadline=None)
@given(st.text(max_size=20))
def test_no_name_leads_out_of_the_root(name: str) -> None:
    store = LocalStore(Path("/root-of-results"))
    try:
        place = Path(store.location(name))
    except UsageError:
        return
    assert Path(os.path.normpath(place)).is_relative_to("/root-of-results")


class PrefixDelete(LocalStore):
    def delete(self, name: str) -> None:
        super().delete(name)
        for other in [other for other in self.list("") if other.startswith(name)]:
            super().delete(other)


class CopyingMove(LocalStore):
    def move(self, folder: str, target: str) -> None:
        for name in self.list(folder):
            self.put(target + name.removeprefix(folder), self.get(name))


class OverwritingMove(LocalStore):
    def move(self, folder: str, target: str) -> None:
        self.delete(target)
        super().move(folder, target)


class NoSizes(LocalStore):
    def list(self, prefix: str) -> dict[str, int]:
        return dict.fromkeys(super().list(prefix), 0)


class ShallowDelete(LocalStore):
    def delete(self, name: str) -> None:
        if self.list(name):
            for blob in self.list(name):
                if blob.count("/") == name.count("/") + 1:
                    super().delete(blob)
        else:
            super().delete(name)


@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        (PrefixDelete, "takes a prefix for it"),
        (ShallowDelete, "delete of a folder leaves some of it"),
        (CopyingMove, "move leaves something behind"),
        (OverwritingMove, "move to an existing folder does not raise FileExistsError"),
        (NoSizes, "list does not give the sizes"),
    ],
)
def test_the_contract_finds_broken_stores(tmp_path: Path, kind: type[LocalStore], broken: str) -> None:
    with pytest.raises(ContractError, match=broken):
        check_store(kind(tmp_path))


def outside_and_link(store: LocalStore, tmp_path: Path) -> Path:
    """A folder outside the root, with a blob, and a link to it in the root."""
    outside = tmp_path / "outside"
    (outside / "folder").mkdir(parents=True)
    (outside / "folder" / "kept").write_bytes(b"kept")
    store.put("inside/x", b"x")
    (store.root / "link").symlink_to(outside)
    (store.root / "dangling").symlink_to(outside / "not-there")
    return outside


def test_no_link_leads_a_write_out_of_the_root(store: LocalStore, tmp_path: Path) -> None:
    outside = outside_and_link(store, tmp_path)
    for name in ("link/x", "link/new/x", "link/folder/kept", "dangling/x", "dangling/new/x"):
        for call in (
            lambda: store.put(name, b""),  # noqa: B023 - called at once
            lambda: store.delete(name),  # noqa: B023
            lambda: store.move("inside", name),  # noqa: B023
        ):
            with pytest.raises(HpoctlError, match="leads out of"):
                call()
    with pytest.raises(HpoctlError, match="leads out of"):
        store.move("link/folder", "inside/taken")
    assert [str(path.relative_to(outside)) for path in sorted(outside.rglob("*"))] == ["folder", "folder/kept"]
    assert dict(store.list("inside")) == {"inside/x": 1}


def test_a_link_is_not_followed_when_listed_removed_or_moved(store: LocalStore, tmp_path: Path) -> None:
    outside = outside_and_link(store, tmp_path)
    store.put("trash/y", b"")
    (store.root / "trash" / "link").symlink_to(outside)
    assert list(store.list("")) == ["inside/x", "trash/y"]
    assert list(store.folders("")) == ["inside", "trash"]
    store.move("link", "inside/moved")
    assert (store.root / "inside" / "moved").is_symlink()
    for name in ("inside/moved", "dangling", "trash"):
        store.delete(name)
    assert [path.name for path in store.root.iterdir()] == ["inside"]
    assert (outside / "folder" / "kept").read_bytes() == b"kept"


def test_links_in_a_circle_are_clear_errors(store: LocalStore) -> None:
    store.put("a/x", b"x")
    (store.root / "loop").symlink_to(store.root / "loop")
    for call in (
        lambda: store.put("loop/x", b""),
        lambda: store.get("loop/x"),
        lambda: store.delete("loop/x"),
        lambda: store.move("a", "loop/a"),
        lambda: store.list("loop"),
        lambda: store.folders("loop"),
    ):
        with pytest.raises(HpoctlError):
            call()
    assert dict(store.list("")) == {"a/x": 1}
    store.delete("loop")
    assert not (store.root / "loop").is_symlink()


LONG = ["x" * 300, "a/" + "x" * 300, "/".join(["x" * 200] * 30)]


@pytest.mark.parametrize("name", LONG, ids=["name", "below", "path"])
def test_names_too_long_for_the_file_system_are_clear_errors(store: LocalStore, name: str) -> None:
    store.put("a/b", b"")
    for call in (
        lambda: store.put(name, b""),
        lambda: store.get(name),
        lambda: store.move("a", name),
        lambda: store.delete(name),
        lambda: store.list(name),
        lambda: store.folders(name),
    ):
        with pytest.raises(HpoctlError, match="too long"):
            call()
    assert dict(store.list("")) == {"a/b": 0}


@pytest.mark.parametrize("create", [False, True])
def test_a_file_in_the_place_of_a_folder_is_a_clear_error(store: LocalStore, create: bool) -> None:
    store.put("a/b", b"old")
    for name in ("a/b/c", "a/b/c/d"):
        with pytest.raises(HpoctlError, match="Cannot write"):
            store.put(name, b"new", create=create)
        with pytest.raises(FileNotFoundError):
            store.get(name)
    with pytest.raises(HpoctlError):
        store.move("a", "a/b/c")
    assert store.get("a/b") == b"old"


def test_a_folder_is_no_blob(store: LocalStore) -> None:
    store.put("a/b/c", b"x")
    with pytest.raises(HpoctlError, match="Cannot write"):
        store.put("a/b", b"new")
    with pytest.raises(FileExistsError):
        store.put("a/b", b"new", create=True)
    with pytest.raises(HpoctlError, match="Cannot read"):
        store.get("a/b")
    with pytest.raises(FileNotFoundError):
        store.move("a/b/c", "d")
    assert dict(store.list("")) == {"a/b/c": 1}


def test_a_folder_cannot_be_moved_into_itself(store: LocalStore) -> None:
    store.put("a/b", b"x")
    with pytest.raises(HpoctlError, match="Cannot move"):
        store.move("a", "a/c")
    assert dict(store.list("")) == {"a/b": 1}
