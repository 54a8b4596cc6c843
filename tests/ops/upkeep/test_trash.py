"""The trash: undo restores the results, replaces nothing, and purged results are gone."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from clean_trees import INCOMPLETE, NOW, OTHER, do, everything, grow, in_tree, of
from hpoctl.core.cells import METADATA
from hpoctl.core.errors import HpoctlError, IncompleteError, UsageError
from hpoctl.ops.studies.config import Root, open_root
from hpoctl.ops.upkeep.clean import clean
from hpoctl.ops.upkeep.selection import Criteria, select
from hpoctl.ops.upkeep.trash import PURGED, Left, new_entry, purge, trash_size, undo
from hpoctl.ops.upkeep.trash_entries import CLEANS, MANIFEST, TRASH, CleanFile
from support import folder_of
from trees import CELL, TAG, put_attempt
from wrecks import claimed_elsewhere, files, in_child, snapshot

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return open_root(str(tmp_path / "results"))


@pytest.mark.parametrize("criteria", [of("ASHA"), INCOMPLETE, Criteria()], ids=["method", "incomplete", "tag"])
def test_undo_restores_byte_for_byte(root: Root, criteria: Criteria) -> None:
    grow(root)
    before = snapshot(folder_of(root))
    cleaned = do(root, criteria)
    restored = undo(root.store, root.claims)
    assert set(restored.directories) == set(cleaned.directories)
    assert (restored.left, restored.command) == ((), "hpoctl clean")
    assert snapshot(folder_of(root)) == before | {TRASH: "folder"}


def test_undo_goes_back_one_clean_at_a_time(root: Root) -> None:
    tree = grow(root)
    for criteria in (of("BO"), of("RS"), Criteria()):
        do(root, criteria)
    assert undo(root.store, root.claims).directories == (TAG,)
    assert set(undo(root.store, root.claims).directories) == {tree.interrupted, tree.short}
    assert undo(root.store, root.claims).directories == (tree.died,)
    with pytest.raises(IncompleteError, match="The trash is empty"):
        undo(root.store, root.claims)


def test_undo_of_a_tag_passes_over_other_tags(root: Root) -> None:
    tree = grow(root)
    do(root, of("BO"))
    do(root, INCOMPLETE, OTHER)
    assert undo(root.store, root.claims, TAG).directories == (tree.died,)
    with pytest.raises(IncompleteError, match="The trash has nothing of tag docs-2"):
        undo(root.store, root.claims, TAG)
    with pytest.raises(UsageError):
        undo(root.store, root.claims, "../docs-2")
    assert undo(root.store, root.claims, OTHER).directories == (tree.other,)


def test_a_dry_undo_changes_nothing(root: Root) -> None:
    tree = grow(root)
    do(root, of("BO"))
    before = snapshot(folder_of(root))
    assert undo(root.store, root.claims, dry_run=True).directories == (tree.died,)
    assert snapshot(folder_of(root)) == before


def test_what_exists_again_stays_and_its_old_self_stays_in_the_trash(root: Root) -> None:
    tree = grow(root)
    before = everything(root)
    cleaned = do(root, of("ASHA"))
    root.store.put(f"{tree.failed}/{METADATA}", b"new")
    for _ in range(2):
        restored = undo(root.store, root.claims)
        assert [left.directory for left in restored.left] == [tree.failed]
        assert "of that name again" in restored.left[0].why
        assert root.store.get(f"{tree.failed}/{METADATA}") == b"new"
        assert f"{cleaned.trash}/{tree.failed}/{METADATA}" in files(folder_of(root))
    root.store.delete(tree.failed)
    assert undo(root.store, root.claims).directories == (tree.failed,)
    assert files(folder_of(root)) == before


def test_a_whole_tag_that_exists_again_is_not_mixed_with_its_old_self(root: Root) -> None:
    grow(root)
    do(root, Criteria())
    put_attempt(root.store, CELL)
    before = files(folder_of(root))
    restored = undo(root.store, root.claims)
    assert (restored.directories, [left.directory for left in restored.left]) == ((), [TAG])
    assert files(folder_of(root)) == before


@pytest.mark.parametrize("manifest", [None, b"", b'{"directories": ["docs-2"]}\n'])
@pytest.mark.parametrize("criteria", [of("ASHA"), Criteria()], ids=["results", "tag"])
def test_undo_works_without_the_manifest(root: Root, criteria: Criteria, manifest: bytes | None) -> None:
    grow(root)
    before = files(folder_of(root))
    cleaned = do(root, criteria)
    name = f"{cleaned.trash}/{MANIFEST}"
    if manifest is None:
        root.store.delete(name)
    else:
        root.store.put(name, manifest)
    restored = undo(root.store, root.claims)
    assert set(restored.directories) == set(cleaned.directories)
    assert files(folder_of(root)) == before


def test_a_whole_tag_without_a_manifest_that_exists_again_is_not_mixed(root: Root) -> None:
    grow(root)
    cleaned = do(root, Criteria())
    root.store.delete(f"{cleaned.trash}/{MANIFEST}")
    put_attempt(root.store, CELL, seconds=7)
    before = files(folder_of(root))
    assert undo(root.store, root.claims).directories == ()
    assert files(folder_of(root)) == before


def test_an_entry_that_nothing_was_moved_into_is_removed_by_undo(root: Root) -> None:
    tree = grow(root)
    do(root, of("BO"))
    root.store.put(f"{TRASH}/20990101-000000-000000/{MANIFEST}", b"killed here")
    restored = undo(root.store, root.claims)
    assert (restored.directories, restored.left) == ((), ())
    assert undo(root.store, root.claims).directories == (tree.died,)


def test_what_no_clean_put_into_the_trash_is_named_and_kept(root: Root) -> None:
    grow(root)
    cleaned = do(root, of("BO"))
    for name in ("note.txt", f"{TAG}/note.txt", f".claims/x/y/{METADATA}", f"bad tag/x/y/{METADATA}"):
        root.store.put(f"{cleaned.trash}/{name}", b"mine")
    restored = undo(root.store, root.claims)
    assert len(restored.directories) == 1
    assert {left.directory for left in restored.left} == {
        f"{cleaned.trash}/{name}"
        for name in ("note.txt", f"{TAG}/note.txt", f".claims/x/y/{METADATA}", f"bad tag/x/y/{METADATA}")
    }
    assert root.store.get(f"{cleaned.trash}/note.txt") == b"mine"


def test_names_that_collide_are_numbered(root: Root) -> None:
    grow(root)
    stamp = NOW.strftime("%Y%m%d-%H%M%S-%f")
    for method, name in (("BO", stamp), ("RS", f"{stamp}-1"), ("ASHA", f"{stamp}-2")):
        assert do(root, of(method)).trash == f"{TRASH}/{name}"


def test_names_that_collide_many_times_stay_in_order(root: Root) -> None:
    for _ in range(12):
        put_attempt(root.store)
        do(root, of("ASHA"))
    newest = max(root.store.folders(TRASH), key=lambda name: int(name.split("-")[3]) if name.count("-") == 3 else 0)
    assert newest.endswith("-11")
    assert undo(root.store, root.claims).entry == newest


def test_an_entry_is_newer_than_all_others_whatever_the_clock_says(root: Root) -> None:
    grow(root)
    first = do(root, of("BO")).trash
    selection = select(root, TAG, of("RS"), NOW)
    assert clean(root, selection, NOW - timedelta(days=3), "").trash == f"{first}-1"
    selection = select(root, TAG, of("ASHA"), NOW)
    later = NOW + timedelta(days=1)
    assert clean(root, selection, later, "").trash == f"{TRASH}/{later.strftime('%Y%m%d-%H%M%S-%f')}"


def test_an_entry_that_is_being_filled_is_left_alone(root: Root) -> None:
    grow(root)
    cleaned = do(root, of("BO"))
    before = snapshot(folder_of(root))
    with claimed_elsewhere(folder_of(root), cleaned.trash):
        with pytest.raises(HpoctlError, match="Somebody is at work on the clean"):
            undo(root.store, root.claims)
        assert purge(root.store, root.claims).left == (Left(cleaned.trash, "another process is using it"),)
    assert snapshot(folder_of(root)) == before


def test_an_entry_is_claimed_while_it_is_filled(root: Root) -> None:
    grow(root)
    with new_entry(root.store, root.claims, CleanFile(), NOW) as folder:
        assert CLEANS.unseal(root.store.get(f"{folder}/{MANIFEST}")) == CleanFile()
        for work in (undo, purge):
            assert in_child(lambda: work(root.store, root.claims)) in {0, 11}  # noqa: B023 - done at once
            assert root.store.list(folder)
    assert root.store.list(TRASH) == {}


def test_purge_empties_the_trash_and_touches_nothing_else(root: Root) -> None:
    grow(root)
    do(root, of("BO"))
    do(root, of("RS"))
    put_attempt(root.store, tag=OTHER, seconds=5)
    rest = in_tree(root)
    size = trash_size(root.store)
    root.store.put(f"{TRASH}/{PURGED}20260101-000000-000000/{TAG}/x/y/{METADATA}", b"half removed")
    root.store.put(f"{TRASH}/stray", b"stray")
    purged = purge(root.store, root.claims)
    assert (purged.cleans, purged.size, purged.left) == (3, size + 12 + 5, ())
    assert files(folder_of(root)) == rest
    for call in (purge, undo):
        with pytest.raises(IncompleteError, match="The trash is empty"):
            call(root.store, root.claims)


def test_what_is_half_removed_is_never_restored(root: Root) -> None:
    root.store.put(f"{TRASH}/{PURGED}20260101-000000-000000/{TAG}/x/y/{METADATA}", b"half removed")
    with pytest.raises(IncompleteError):
        undo(root.store, root.claims)


def test_an_empty_trash(root: Root) -> None:
    for call in (lambda: undo(root.store, root.claims), lambda: trash_size(root.store)):
        with pytest.raises(IncompleteError, match="The trash is empty"):
            call()
    assert not folder_of(root).exists()
