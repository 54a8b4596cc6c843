"""Bringing a tag from one root to another: only what is missing or newer, verified, never over a complete result."""

from dataclasses import replace
from pathlib import Path

import pytest

from faults import killed_at_every_step
from hpoctl.core.cells import LOG, METADATA, RESULTS
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.storage import Store
from hpoctl.core.study import Study
from hpoctl.ops.exchange.sync import Sides, Synced, open_sides, sync
from hpoctl.ops.studies.tags import keep_plan, keep_random_seed
from hpoctl.stores.local import LocalStore
from hpoctl.stores.opening import open_results
from trees import CELL, TAG, put_attempt

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
STUDY = Study("toys", "Toys", methods=("ASHA",), benchmarks=("toy",), num_seeds=4)


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    """A source with two complete results, one that failed, one that runs; an empty target."""
    source = LocalStore(tmp_path / "source")
    fill(source)
    return Sides(source, LocalStore(tmp_path / "target"))


def fill(source: Store) -> None:
    keep_random_seed(source, TAG, 7)
    keep_plan(source, TAG, STUDY, "toys")
    done = put_attempt(source)
    source.put(f"{done}/{LOG}", b"printed")
    put_attempt(source, replace(CELL, seed=1))
    put_attempt(source, replace(CELL, seed=2), "failed")
    put_attempt(source, replace(CELL, seed=3), "running")
    source.put(f"{TAG}/.hpoctl/launches/x.json", b"{}")


def bring(sides: Sides, **options: bool) -> Synced:
    return sync(sides, TAG, lambda what, done, total: None, **options)


def content(store: Store) -> dict[str, bytes]:
    return {name: store.get(name) for name in store.list("")}


def expected(source: Store, *, logs: bool = False) -> dict[str, bytes]:
    running = put_attempt(LocalStore(Path(source.location("")).parent / "x"), replace(CELL, seed=3), "running")
    left = ("launches/", running, *(() if logs else (LOG,)))
    return {name: data for name, data in content(source).items() if not any(word in name for word in left)}


def test_what_is_missing_is_brought_once(sides: Sides) -> None:
    looked = bring(sides, dry_run=True)
    assert content(sides.target) == {}
    first = bring(sides)
    assert (first.copied, first.files, first.same, first.running) == (3, 2, 0, 1)
    assert first == looked
    assert content(sides.target) == expected(sides.source)
    again = bring(sides)
    assert (again.copied, again.files, again.same, again.size) == (0, 0, 3, 0)


def test_logs_on_request(sides: Sides) -> None:
    bring(sides)
    synced = bring(sides, logs=True)
    assert (synced.copied, synced.files, synced.size) == (0, 1, len(b"printed"))
    assert content(sides.target) == expected(sides.source, logs=True)


def test_what_has_ended_since_is_newer(sides: Sides) -> None:
    put_attempt(sides.target, replace(CELL, seed=2), "running")
    put_attempt(sides.target, replace(CELL, seed=1), "failed")
    assert bring(sides).copied == 3
    assert content(sides.target) == expected(sides.source)


def test_a_complete_result_is_never_replaced(sides: Sides) -> None:
    mine = put_attempt(sides.target, rows=b"mine")
    put_attempt(sides.target, replace(CELL, seed=2))
    before = content(sides.target)
    synced = bring(sides)
    assert [(left.directory, "differ" in left.why) for left in synced.conflicts] == [(mine, True)]
    assert (synced.copied, synced.kept) == (1, 1)
    assert before.items() <= content(sides.target).items()


def test_another_random_seed_is_a_conflict(sides: Sides) -> None:
    keep_random_seed(sides.target, TAG, 8)
    assert [left.directory for left in bring(sides).conflicts] == [f"{TAG}/study.json"]


@pytest.mark.parametrize("how", ["removed", "changed"])
def test_what_is_damaged_at_the_target_is_brought_anew(sides: Sides, how: str) -> None:
    bring(sides)
    name = next(name for name in sides.target.list(TAG) if name.endswith(RESULTS))
    if how == "removed":
        sides.target.delete(name)
    else:
        sides.target.put(name, b"X" * len(sides.source.get(name)))
    assert bring(sides).copied == 1
    assert content(sides.target) == expected(sides.source)


@pytest.mark.parametrize("leaf", [METADATA, RESULTS])
@pytest.mark.parametrize("how", ["removed", "changed"])
def test_what_is_damaged_at_the_source_is_not_brought(sides: Sides, leaf: str, how: str) -> None:
    name = next(name for name in sides.source.list(TAG) if name.endswith(leaf))
    if how == "removed":
        sides.source.delete(name)
    else:
        sides.source.put(name, b"changed")
    synced = bring(sides)
    assert synced.copied == 2
    assert len(synced.damaged) == (0 if (leaf, how) == (METADATA, "removed") else 1)
    assert not any(name.startswith(left.directory) for left in synced.damaged for name in sides.target.list(TAG))


def test_killed_anywhere_it_goes_on(sides: Sides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hpoctl.ops.exchange.sync.THREADS", 1)
    small = LocalStore(tmp_path / "small")
    put_attempt(small)
    one = Sides(small, sides.target)

    def check() -> None:
        there = content(sides.target)
        if any(name.endswith(METADATA) for name in there):
            assert there == content(small), "results come before the metadata that say they are complete"
        bring(one)
        assert content(sides.target) == content(small)
        sides.target.delete(TAG)

    assert killed_at_every_step(lambda: bring(one), check) > 5


def test_nothing_of_a_tag(sides: Sides) -> None:
    with pytest.raises(IncompleteError, match="There is nothing of tag docs-2"):
        bring(Sides(sides.target, sides.source))


def test_the_sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("HPOCTL_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)

    def names(sides: Sides) -> tuple[str, str]:
        return sides.source.location(""), sides.target.location("")

    home = str(tmp_path / "hpoctl")
    assert names(open_sides("s3://some-bucket/x", None, up=False)) == ("s3://some-bucket/x", home)
    assert names(open_sides("s3://some-bucket/x", "there", up=True)) == (str(tmp_path / "there"), "s3://some-bucket/x")
    with pytest.raises(UsageError, match="Both sides of the sync are"):
        open_sides(None, None, up=False)


def test_down_from_s3_and_up_again(s3_root: str, tmp_path: Path) -> None:
    remote, local = open_results(s3_root).store, LocalStore(tmp_path / "local")
    fill(remote)
    down = bring(Sides(remote, local), logs=True)
    assert (down.copied, down.files) == (3, 3)
    other = open_results(f"{s3_root}-other").store
    up = bring(Sides(local, other), logs=True)
    assert (up.copied, up.files) == (3, 3)
    assert content(other) == content(local)
    assert bring(Sides(local, other), logs=True).same == 3
