"""`hpoctl clean`: what matches is moved whole, nothing else is, and what runs is left alone."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from clean_trees import INCOMPLETE, NOW, OTHER, do, grow, of
from hpoctl.core.cells import ELSEWHERE, METADATA, Cell, claim_key
from hpoctl.core.errors import HpoctlError, IncompleteError, UsageError
from hpoctl.core.sealed import unseal
from hpoctl.engine.work_folder import work_folder
from hpoctl.ops.launching.launches import keep_launch
from hpoctl.ops.studies.config import Root, open_root
from hpoctl.ops.studies.tags import keep_random_seed
from hpoctl.ops.upkeep.clean import clean, what_runs
from hpoctl.ops.upkeep.selection import Criteria, parse_age, select
from hpoctl.ops.upkeep.trash import undo
from hpoctl.ops.upkeep.trash_entries import MANIFEST, TRASH
from support import folder_of
from trees import CELL, TAG, put_attempt
from wrecks import claimed_elsewhere, fail, files, in_child, snapshot

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return open_root(str(tmp_path / "results"))


CASES: list[tuple[Criteria, set[str]]] = [
    (of("ASHA"), {"completed", "duplicate", "failed"}),
    (of("ASHA", "BO"), {"completed", "duplicate", "failed", "died"}),
    (of(benchmarks=("toy",)), {"completed", "duplicate", "failed", "died", "short"}),
    (of(benchmarks=("toy", "toy-max"), seeds={1, 2}), {"interrupted", "died", "short"}),
    (of(seeds={0}), {"completed", "duplicate", "failed"}),
    (of("ASHA", seeds={0}), {"completed", "duplicate", "failed"}),
    (INCOMPLETE, {"failed", "interrupted", "died", "short", "unknown"}),
    (of("RS", incomplete=True), {"interrupted", "short"}),
    (of(seeds={2, 3}, incomplete=True), {"died", "short"}),
    (of(failed=True), {"failed", "died"}),
    (of(failed=True, incomplete=True), {"failed", "died"}),
    (of("BO", failed=True), {"died"}),
    (of(duplicates=True), {"duplicate"}),
    (of("ASHA", benchmarks=("toy",), seeds={0}, duplicates=True), {"duplicate"}),
    (of(older_than=9.5 * 86400), {"completed", "duplicate", "failed", "interrupted", "short"}),
    (of("ASHA", older_than=10 * 86400 - 15.0), {"duplicate"}),
    (of(incomplete=True, older_than=10 * 86400 - 15.0), {"interrupted", "short"}),
    (of("ASHA", incomplete=True), {"failed"}),
]


@pytest.mark.parametrize(("criteria", "expected"), CASES)
def test_what_matches_is_moved_and_nothing_else(root: Root, criteria: Criteria, expected: set[str]) -> None:
    tree = grow(root)
    before = files(folder_of(root))
    cleaned = do(root, criteria)
    assert set(cleaned.directories) == {getattr(tree, name) for name in expected}
    assert (cleaned.results, cleaned.running, cleaned.left) == (len(expected), (), ())
    moved = {name for name in before if name.rpartition("/")[0] in cleaned.directories}
    after = files(folder_of(root))
    assert after.pop(f"{cleaned.trash}/{MANIFEST}")
    assert after == {f"{cleaned.trash}/{name}" if name in moved else name: what for name, what in before.items()}
    assert cleaned.size == sum((folder_of(root) / cleaned.trash / name).stat().st_size for name in moved)


@pytest.mark.parametrize(
    "criteria",
    [
        of(seeds={9}),
        of("MOBSTER"),
        of("BO", duplicates=True),
        of(incomplete=True, duplicates=True),
        of("BO", benchmarks=("toy-max",)),
        of(older_than=11 * 86400),
        of(older_than=1e18),
        of("RS", failed=True),
    ],
    ids=str,
)
def test_nothing_matches(root: Root, criteria: Criteria) -> None:
    grow(root)
    before = snapshot(folder_of(root))
    with pytest.raises(IncompleteError, match=r"Nothing in tag docs-2 matches\. `hpoctl status --tag docs-2"):
        select(root, TAG, criteria, NOW)
    assert snapshot(folder_of(root)) == before


def test_a_date_in_the_future_is_never_older(root: Root) -> None:
    put_attempt(root.store, seconds=20 * 86400)
    with pytest.raises(IncompleteError):
        select(root, TAG, of(older_than=0.0), NOW)


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        (of("ASHSA"), r"Tag docs-2 has no method 'ASHSA'. Did you mean ASHA"),
        (of("ASHA", "mobster-relu"), r"no method 'mobster-relu'. Did you mean MOBSTER"),
        (of(benchmarks=("toi",)), r"no benchmark 'toi'. Did you mean toy"),
    ],
)
def test_unknown_names(root: Root, criteria: Criteria, expected: str) -> None:
    grow(root)
    with pytest.raises(UsageError, match=expected):
        select(root, TAG, criteria, NOW)


@pytest.mark.parametrize("criteria", [Criteria(), INCOMPLETE])
def test_no_such_tag(root: Root, criteria: Criteria) -> None:
    with pytest.raises(IncompleteError, match="nothing of tag docs-2"):
        select(root, TAG, criteria, NOW)
    grow(root)
    with pytest.raises(IncompleteError, match=r"nothing of tag docs-3 .* Did you mean docs-2"):
        select(root, "docs-3", criteria, NOW)


def test_a_tag_in_the_trash_is_no_tag(root: Root) -> None:
    grow(root)
    do(root, Criteria())
    with pytest.raises(IncompleteError):
        select(root, TAG, Criteria(), NOW)
    with pytest.raises(UsageError):
        select(root, TRASH, Criteria(), NOW)


@pytest.mark.parametrize("criteria", [of("RS", incomplete=True), of(incomplete=True, older_than=1.0)])
def test_damaged_results_of_unknown_cell_are_passed_over_where_more_is_asked(root: Root, criteria: Criteria) -> None:
    tree = grow(root)
    assert [left.directory for left in select(root, TAG, criteria, NOW).passed_over] == [tree.unknown]
    assert tree.unknown not in do(root, criteria).directories


def test_it_says_so_where_nothing_else_matches(root: Root) -> None:
    tree = grow(root)
    with pytest.raises(IncompleteError, match="1 is passed over") as caught:
        select(root, TAG, of(seeds={3}, incomplete=True), NOW)
    assert tree.unknown in caught.value.fix
    for criteria in (INCOMPLETE, of("RS")):
        assert select(root, TAG, criteria, NOW).passed_over == ()


def test_groups_add_up(root: Root) -> None:
    grow(root)
    selection = select(root, TAG, INCOMPLETE, NOW)
    groups = selection.groups()
    assert [(group.method, group.benchmark, group.seeds, dict(group.states)) for group in groups] == [
        ("", "", (), {"damaged": 1}),
        ("ASHA", "toy", (0,), {"failed": 1}),
        ("BO", "toy", (2,), {"died": 1}),
        ("RS", "toy", (2,), {"damaged": 1}),
        ("RS", "toy-max", (1,), {"interrupted": 1}),
    ]
    assert sum(group.size for group in groups) == selection.size
    assert sum(group.count for group in groups) == len(selection.matches)


def test_selecting_changes_nothing(root: Root, tmp_path: Path) -> None:
    grow(root)
    before = snapshot(tmp_path)
    for criteria, _ in [*CASES, (Criteria(), set())]:
        select(root, TAG, criteria, NOW)
    assert snapshot(tmp_path) == before
    assert not (folder_of(root) / ".claims").exists()


def test_a_whole_tag_moves_in_one_step_with_all_it_keeps(root: Root) -> None:
    grow(root)
    before = snapshot(folder_of(root))
    cleaned = do(root, Criteria())
    assert cleaned.directories == (TAG,)
    assert cleaned.results == 7
    after = snapshot(folder_of(root))
    assert not (folder_of(root) / TAG).exists()
    assert {name: what for name, what in after.items() if name.startswith(OTHER)} == {
        name: what for name, what in before.items() if name.startswith(OTHER)
    }
    assert {f"{cleaned.trash}/{name}" for name in before if name.startswith(f"{TAG}/")} < set(after)


def test_a_tag_without_results_can_be_cleaned(root: Root) -> None:
    keep_random_seed(root.store, TAG, 7)
    assert do(root, Criteria()).results == 0
    assert undo(root.store, root.claims).directories == (TAG,)


def test_the_manifest_says_what_was_done(root: Root) -> None:
    tree = grow(root)
    criteria = of("ASHA", seeds={0, 1, 2}, incomplete=True)
    cleaned = do(root, criteria)
    assert unseal(root.store.get(f"{cleaned.trash}/{MANIFEST}")) == {
        "format": 1,
        "command": "hpoctl clean",
        "tag": TAG,
        "criteria": {"methods": ["ASHA"], "seeds": "0-2", "incomplete": True},
        "directories": [tree.failed],
    }


def test_what_is_not_where_results_are_is_not_moved(root: Root) -> None:
    """Metadata in the folder of a tag or of a method: moving that folder would move all results in it."""
    tree = grow(root)
    for folder in (TAG, f"{TAG}/ASHA", f"{TAG}/.hpoctl/plans", f"{tree.completed}/deeper"):
        root.store.put(f"{folder}/{METADATA}", b"damaged")
    selection = select(root, TAG, INCOMPLETE, NOW)
    assert {left.directory for left in selection.passed_over} == {
        TAG,
        f"{TAG}/ASHA",
        f"{TAG}/.hpoctl/plans",
        f"{tree.completed}/deeper",
    }
    assert tree.completed not in do(root, INCOMPLETE).directories


def test_a_running_experiment_is_left_alone(root: Root) -> None:
    tree = grow(root)
    with claimed_elsewhere(folder_of(root), claim_key(TAG, Cell("BO", "toy", 2))):
        assert tree.died not in do(root, INCOMPLETE).directories
        with pytest.raises(IncompleteError, match=r"All that matches is being run: BO toy seed 2\."):
            do(root, of("BO"))
        cleaned = do(root, of("BO", "ASHA"))
        assert cleaned.running == (tree.died,)
        assert set(cleaned.directories) == {tree.completed, tree.duplicate}
    assert do(root, of("BO")).directories == (tree.died,)


def test_earlier_attempts_at_a_running_experiment_are_left_alone(root: Root) -> None:
    earlier = put_attempt(root.store, CELL, "failed")
    put_attempt(root.store, CELL, "running", seconds=60)
    with claimed_elsewhere(folder_of(root), claim_key(TAG, CELL)):
        for criteria in (INCOMPLETE, of(failed=True)):
            selection = select(root, TAG, criteria, NOW)
            assert [match.attempt.directory for match in selection.matches] == [earlier]
            with pytest.raises(IncompleteError, match="being run"):
                clean(root, selection, NOW, "")
    assert len(files(folder_of(root))) == 2


def test_a_claim_of_another_tag_does_not_hinder(root: Root) -> None:
    tree = grow(root)
    with claimed_elsewhere(folder_of(root), claim_key(OTHER, CELL)):
        assert tree.completed in do(root, of("ASHA")).directories


def test_force_moves_what_runs(root: Root) -> None:
    tree = grow(root)
    with claimed_elsewhere(folder_of(root), claim_key(TAG, Cell("BO", "toy", 2))):
        selection = select(root, TAG, of("BO"), NOW)
        assert what_runs(selection) == "BO toy seed 2"
        assert clean(root, selection, NOW, "", force=True).directories == (tree.died,)


def test_claims_are_given_up_again(root: Root) -> None:
    grow(root)
    do(root, INCOMPLETE)
    free = [claim_key(TAG, Cell("BO", "toy", 2)), claim_key(TAG, CELL)]
    assert in_child(lambda: [None for key in free if root.claims.held(key) and fail()]) == 0  # type: ignore[func-returns-value, redundant-expr]


def test_a_whole_tag_is_refused_while_something_of_it_runs(root: Root) -> None:
    grow(root)
    before = files(folder_of(root))
    key = claim_key(TAG, Cell("BO", "toy", 2))
    with claimed_elsewhere(folder_of(root), key):
        with pytest.raises(HpoctlError, match=r"is being run: BO toy seed 2\..*--force"):
            do(root, Criteria())
        assert files(folder_of(root)) == before
        assert do(root, Criteria(), force=True).directories == (TAG,)


def test_a_whole_tag_is_refused_while_a_launch_runs(root: Root) -> None:
    grow(root)

    def launch() -> None:
        keep_launch(root.store, root.claims, TAG, 2, NOW, "hpoctl launch", "")
        code = in_child(lambda: do(root, Criteria()))
        if code != 11:
            raise SystemExit(code)

    assert in_child(launch) == 0
    assert do(root, Criteria()).directories == (TAG,)


def test_what_is_completed_while_we_look_stays(root: Root) -> None:
    """It was taken for dead, its process having just given up the claim; now the record is the last word."""
    tree = grow(root)
    selection = select(root, TAG, of("BO", "ASHA", incomplete=True), NOW)
    put_attempt(root.store, Cell("BO", "toy", 2), expensive=True, seconds=86400)
    assert clean(root, selection, NOW, "").directories == (tree.failed,)
    assert (folder_of(root) / tree.died / METADATA).exists()


def test_what_is_gone_meanwhile_is_not_counted(root: Root) -> None:
    tree = grow(root)
    selection = select(root, TAG, of("ASHA"), NOW)
    assert set(do(root, of(duplicates=True)).directories) == {tree.duplicate}
    assert set(clean(root, selection, NOW, "").directories) == {tree.completed, tree.failed}
    before = files(folder_of(root))
    with pytest.raises(IncompleteError, match="is gone"):
        clean(root, selection, NOW, "")
    whole = select(root, TAG, Criteria(), NOW)
    assert files(folder_of(root)) == before
    do(root, Criteria())
    with pytest.raises(IncompleteError):
        clean(root, whole, NOW, "")


def test_a_clock_that_went_back_does_not_hide_the_last_clean(root: Root) -> None:
    tree = grow(root)
    for days, criteria in ((3, of("BO")), (0, of("RS")), (0, of("ASHA"))):
        clean(root, select(root, TAG, criteria, NOW), NOW + timedelta(days=days), "")
    assert len(root.store.folders(TRASH)) == 3
    assert tree.completed in undo(root.store, root.claims).directories
    assert tree.interrupted in undo(root.store, root.claims).directories
    assert undo(root.store, root.claims).directories == (tree.died,)


@pytest.mark.parametrize(("text", "seconds"), [("7d", 604800), ("12h", 43200), ("30m", 1800), ("90s", 90), ("0s", 0)])
def test_ages(text: str, seconds: float) -> None:
    assert parse_age(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "7", "d", "-1d", "1.5h", "7 d", "7D", "1d2h", "9" * 5000 + "d", "\u0667d", "7d\n"]
)
def test_what_is_no_age(text: str) -> None:
    with pytest.raises(UsageError, match="--older-than cannot be"):
        parse_age(text)


def test_what_trials_keep_elsewhere_is_named_and_stays_known(root: Root) -> None:
    tree = grow(root)
    addresses = {name: f"s3://bucket/.trials/{number}/" for number, name in enumerate((tree.completed, tree.died))}
    for name, address in addresses.items():
        folder = work_folder(root.store, name)
        folder.mkdir(parents=True)
        (folder / ELSEWHERE).write_text(f"{address}\n")
    assert do(root, of("RS")).elsewhere == ()
    assert do(root, of("BO")).elsewhere == (addresses[tree.died],)
    undo(root.store, root.claims)
    assert sorted(do(root, of()).elsewhere) == sorted(addresses.values())
