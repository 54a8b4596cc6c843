"""With any names and any links in the tree, nothing outside the root is written or removed."""

import os
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from clean_trees import INCOMPLETE, NOW, OTHER, do, everything, grow, of, undo_all
from hpoctl.core.cells import METADATA, Cell
from hpoctl.core.errors import HpoctlError, IncompleteError, UsageError
from hpoctl.ops.studies.config import Root, open_root
from hpoctl.ops.upkeep.selection import Criteria, select
from hpoctl.ops.upkeep.trash import purge, undo
from hpoctl.ops.upkeep.trash_entries import TRASH
from support import folder_of
from trees import TAG, put_attempt
from wrecks import files, snapshot

NAMES = 10_000
PIECES = [
    "..", "../", "/", "./", "//", "\\", "\0", "\n", "\r", "\t", " ", "-", "--", "-rf", "~", "*", "?", "[a]", "$HOME",
    "`id`", "%2e%2e%2f", ".", ".trash", ".claims", ".hpoctl", "docs-2", "docs-2-debug", "ASHA", "toy", "outside",
    "canary", "etc", "passwd", "\u202e", "\u00e9", "e\u0301", "\u0661", "\U0001f40d", "\ud800", "\udcff", "\ufeff",
    "A", "0", "-2", "\x1b[31m", "x" * 300, "con", ":", ";", "|", "&", "'", '"', "{}", "<", ">", "..\\", "...",
]  # fmt: skip
FIXED = [
    "", ".", "..", "../outside", "../../etc/passwd", "/etc/passwd", "docs-2/../../outside", "docs-2/", "/docs-2",
    "docs-2\0", "docs-2\n", ".trash", ".claims", "-docs-2", "--yes", "x" * 300, "\u0661\u0662", "docs-2/ASHA",
    "DOCS-2", "docs-2-", "*",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A root with canaries around it."""
    for name in (
        "outside/canary",
        "outside/docs-2/ASHA/x/metadata.json",
        "docs-2",
        "canary",
        "results-2/docs-2/canary",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"canary {name}")
    return open_root(str(tmp_path / "results"))


def around(root: Root) -> dict[str, str]:
    """All that lies around the root."""
    return {name: what for name, what in snapshot(folder_of(root).parent).items() if name.split("/")[0] != "results"}


def hostile_names() -> list[str]:
    rng = random.Random(3)
    made = ["".join(rng.choices(PIECES, k=rng.randint(1, 6))) for _ in range(NAMES - len(FIXED))]
    return FIXED + made


def test_hostile_names_match_nothing_and_reach_nothing(root: Root) -> None:
    put_attempt(root.store)
    put_attempt(root.store, tag=OTHER)
    before, outside = files(folder_of(root)), around(root)
    calls: list[Callable[[str], object]] = [
        lambda name: do(root, Criteria(), name),
        lambda name: do(root, of(name)),
        lambda name: do(root, of(benchmarks=(name,))),
        lambda name: undo(root.store, root.claims, name),
    ]
    refused = []
    names = [name for name in hostile_names() if name not in {TAG, OTHER, "ASHA", "toy"}]
    for place, name in enumerate(names):
        try:
            calls[place % len(calls)](name)
        except HpoctlError as error:
            refused.append(error)
    assert len(refused) == len(names) > NAMES * 0.98
    assert all(isinstance(error, UsageError | IncompleteError) for error in refused)
    assert all(len(error.what.splitlines()) == 1 and error.what.isprintable() for error in refused)
    assert files(folder_of(root)) == before
    assert around(root) == outside


def test_hostile_names_in_metadata_reach_nothing(root: Root) -> None:
    """A result says that it is of a method of such a name: it is moved by where it lies."""
    outside = around(root)
    names = [name for name in hostile_names()[:300] if not any("\ud800" <= letter <= "\udfff" for letter in name)]
    for place, name in enumerate(names):
        store_name = put_attempt(root.store, Cell("RS", "toy", place), "failed", algorithm=name, benchmark=name)
        assert store_name.startswith(f"{TAG}/RS/")
    before = files(folder_of(root))
    assert len(do(root, INCOMPLETE).directories) == len(names)
    assert everything(root) == before
    undo_all(root)
    assert files(folder_of(root)) == before
    assert around(root) == outside


def outside_result(root: Root) -> Path:
    """A real result outside the root."""
    folder_of(root).mkdir()
    elsewhere = open_root(str(folder_of(root).parent / "outside"))
    put_attempt(elsewhere.store, Cell("ASHA", "toy", 5), "failed")
    return folder_of(elsewhere) / TAG


def all_ways(root: Root, tag: str) -> None:
    """Clean, undo and purge in every way; some of it may be refused, but nothing else may happen."""
    for criteria in (INCOMPLETE, of("ASHA"), of(seeds={5}), Criteria()):
        for act in (undo, purge):
            for call in (lambda: do(root, criteria, tag, force=True), lambda: act(root.store, root.claims)):  # noqa: B023
                with suppress(HpoctlError):
                    call()


def link_tag(root: Root, result: Path) -> None:
    (folder_of(root) / "linked").symlink_to(result)


def link_method(root: Root, result: Path) -> None:
    (folder_of(root) / "linked").mkdir()
    (folder_of(root) / "linked" / "ASHA").symlink_to(result / "ASHA")


def link_result(root: Root, result: Path) -> None:
    (folder_of(root) / "linked" / "ASHA").mkdir(parents=True)
    directory = next((result / "ASHA").iterdir())
    (folder_of(root) / "linked" / "ASHA" / directory.name).symlink_to(directory)


def link_metadata(root: Root, result: Path) -> None:
    directory = next((result / "ASHA").iterdir())
    inside = folder_of(root) / "linked" / "ASHA" / directory.name
    inside.mkdir(parents=True)
    (inside / METADATA).symlink_to(directory / METADATA)


def link_trash(root: Root, result: Path) -> None:
    put_attempt(root.store, Cell("ASHA", "toy", 5), "failed", tag="linked")
    (folder_of(root) / TRASH).symlink_to(result.parent)


def link_entry(root: Root, result: Path) -> None:
    put_attempt(root.store, Cell("ASHA", "toy", 5), "failed", tag="linked")
    (folder_of(root) / TRASH).mkdir()
    (folder_of(root) / TRASH / "20990101-000000-000000").symlink_to(result.parent)


def link_tag_of_entry(root: Root, result: Path) -> None:
    root.store.put(f"{TRASH}/20990101-000000-000000/clean.json", b"")
    (folder_of(root) / TRASH / "20990101-000000-000000" / "linked").symlink_to(result)


def link_loops(root: Root, result: Path) -> None:
    (folder_of(root) / "linked").symlink_to("linked")
    put_attempt(root.store, Cell("ASHA", "toy", 5), "failed", tag="real")
    (folder_of(root) / "real" / "ASHA" / "loop").symlink_to("..")
    (folder_of(root) / "real" / "up").symlink_to(folder_of(root).parent)


LINKS = [link_tag, link_method, link_result, link_metadata, link_trash, link_entry, link_tag_of_entry, link_loops]


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.__name__)
def test_links_lead_nothing_out_of_the_root(root: Root, link: Callable[[Root, Path], None]) -> None:
    result = outside_result(root)
    put_attempt(root.store, Cell("RS", "toy", 0))
    link(root, result)
    outside, before = around(root), files(folder_of(root))
    for tag in ("linked", TAG, "real"):
        try:
            all_ways(root, tag)
        finally:
            assert around(root) == outside
    assert any(name.startswith("outside/docs-2/ASHA/") for name in outside)
    assert before


@pytest.mark.parametrize("link", [link_tag, link_method, link_result, link_metadata], ids=lambda link: link.__name__)
def test_what_is_behind_a_link_is_no_result(root: Root, link: Callable[[Root, Path], None]) -> None:
    link(root, outside_result(root))
    with pytest.raises(HpoctlError):
        select(root, "linked", INCOMPLETE, NOW)


def test_a_link_to_another_tag_is_not_that_tag(root: Root) -> None:
    grow(root)
    (folder_of(root) / "alias").symlink_to(OTHER)
    (folder_of(root) / TAG / "MOBSTER").symlink_to(f"../{OTHER}/ASHA")
    before = {name: what for name, what in snapshot(folder_of(root)).items() if name.startswith(OTHER)}
    for criteria in (INCOMPLETE, Criteria()):
        with pytest.raises(HpoctlError, match="leads to another of its folders"):
            do(root, criteria, "alias")
    do(root, INCOMPLETE)
    do(root, Criteria())
    assert {name: what for name, what in snapshot(folder_of(root)).items() if name.startswith(OTHER)} == before


def test_undo_does_not_restore_through_a_link(root: Root) -> None:
    result = outside_result(root)
    put_attempt(root.store, Cell("RS", "toy", 0), "failed")
    before, outside = everything(root), around(root)
    cleaned = do(root, INCOMPLETE)
    (folder_of(root) / TAG / "RS").rmdir()
    (folder_of(root) / TAG / "RS").symlink_to(result)
    restored = undo(root.store, root.claims)
    assert restored.directories == ()
    assert [left.directory for left in restored.left] == list(cleaned.directories)
    assert "leads out of" in restored.left[0].why
    assert around(root) == outside
    (folder_of(root) / TAG / "RS").unlink()
    undo_all(root)
    assert files(folder_of(root)) == before
