"""The trash on S3, where a folder is not moved in one step: a clean or an undo that is killed anywhere."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hpoctl.core.cells import ELSEWHERE, JOURNAL, Filters
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.engine.work_copy import WorkCopier
from hpoctl.ops.studies.config import Root, open_root
from hpoctl.ops.upkeep.clean import clean
from hpoctl.ops.upkeep.selection import Criteria, select
from hpoctl.ops.upkeep.trash import purge, undo
from hpoctl.stores.s3 import S3Store
from trees import CELL, TAG, put_attempt

NOW = datetime(2026, 5, 1, tzinfo=UTC)
ONE, WHOLE = Criteria(Filters(methods=("ASHA-1",))), Criteria()


class KilledError(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def root(s3_root: str) -> Root:
    opened = open_root(s3_root)
    for method in ("ASHA-1", "ASHA-13"):
        put_attempt(opened.store, type(CELL)(method, "toy", 0))
    return opened


def content(root: Root) -> dict[str, bytes]:
    return {name: root.store.get(name) for name in root.store.list(TAG)}


def limited(call: Callable[..., object], left: list[int]) -> Callable[..., object]:
    def step(*args: object) -> object:
        left[0] -= 1
        if left[0] < 0:
            raise KilledError
        return call(*args)

    return step


def killed_at(root: Root, step: int, work: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether some work gets through without that copy or removal."""
    assert isinstance(root.store, S3Store)
    bucket, left = root.store.bucket, [step]
    with monkeypatch.context() as patch:
        for name in ("copy", "delete"):
            patch.setattr(bucket, name, limited(getattr(bucket, name), left))
        try:
            work()
        except KilledError:
            return False
        return True


def clean_it(root: Root, criteria: Criteria) -> None:
    clean(root, select(root, TAG, criteria, NOW), NOW, "hpoctl clean")


def undo_all(root: Root) -> None:
    for _ in range(9):
        try:
            assert undo(root.store, root.claims).left == ()
        except IncompleteError:
            return
    raise AssertionError("there is always something in the trash")


@pytest.mark.parametrize("criteria", [ONE, WHOLE], ids=["one", "whole"])
def test_a_clean_that_was_killed_can_be_repeated_and_undone(
    root: Root, criteria: Criteria, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(root)
    step = 0
    while not killed_at(root, step, lambda: clean_it(root, criteria), monkeypatch):
        with suppress(IncompleteError, UsageError):  # what was begun is finished first, so that nothing may be left
            clean_it(root, criteria)
        left = content(root)
        assert len(left) == (2 if criteria is ONE else 0)
        assert all("ASHA-13" in name for name in left)
        undo_all(root)
        assert content(root) == before
        step += 1
        assert step < 40
    assert step > 4


def test_an_undo_that_was_killed_can_be_repeated(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content(root)
    clean_it(root, WHOLE)
    step = 0
    while not killed_at(root, step, lambda: undo(root.store, root.claims), monkeypatch):
        undo_all(root)
        assert content(root) == before
        clean_it(root, WHOLE)
        step += 1
        assert step < 40
    assert step > 4
    assert content(root) == before


@pytest.mark.parametrize("step", range(0, 10, 2))
def test_a_purge_that_was_killed_can_be_repeated(root: Root, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clean_it(root, WHOLE)
    killed_at(root, step, lambda: purge(root.store, root.claims), monkeypatch)
    with suppress(IncompleteError):  # the killed one may have removed all of it
        purge(root.store, root.claims)
    assert [name for name in root.store.list("") if not name.startswith(".claims")] == []


def test_what_trials_keep_elsewhere_is_named_by_the_copy(
    root: Root, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The experiment ran on another machine: here, only the copy of its working folder says it."""
    (name,) = (match.attempt.directory for match in select(root, TAG, ONE, NOW).matches)
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / JOURNAL).write_text("")
    (tmp_path / "there" / ELSEWHERE).write_text("s3://bucket/.trials/1/\n")
    WorkCopier(root.store, name, tmp_path / "there").copy()
    for variable in ("HPOCTL_DATA", "HPOCTL_CACHE"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    cleaned = clean(root, select(root, TAG, WHOLE, NOW), NOW, "hpoctl clean")
    assert (cleaned.results, cleaned.elsewhere) == (2, ("s3://bucket/.trials/1/",))
