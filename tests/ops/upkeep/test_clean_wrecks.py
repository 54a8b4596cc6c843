"""A clean, an undo or a purge that is killed or fails at any operation of the store loses nothing and can be ended."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from clean_trees import INCOMPLETE, OTHER, do, everything, grow, in_tree, of, undo_all
from hpoctl.core.cells import Cell
from hpoctl.core.errors import HpoctlError, IncompleteError
from hpoctl.ops.studies.config import Root, open_root
from hpoctl.ops.upkeep.selection import Criteria
from hpoctl.ops.upkeep.trash import purge, undo
from hpoctl.ops.upkeep.trash_entries import TRASH
from support import folder_of
from trees import put_attempt
from wrecks import Wrecked, fail, files, in_child, kill_this_process

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

Work = Callable[[Root], object]
CRITERIA = [INCOMPLETE, Criteria(), of(duplicates=True)]
KILLED = -9


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)


class Site:
    """A tree, and as many copies of it as there are ways to wreck it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.template = open_root(str(folder / "template"))
        grow(self.template)

    def copy(self, name: str) -> Root:
        shutil.copytree(folder_of(self.template), self.folder / name)
        return open_root(str(self.folder / name))

    def operations(self, work: Work) -> int:
        """How many operations of the store the work takes when nothing happens."""
        root = self.copy("counted")
        counting = Wrecked(root.store, 0, fail)
        work(Root(counting, root.claims, None))
        shutil.rmtree(self.folder / "counted")
        return counting.calls

    def wrecks(self, work: Work, happen: Callable[[], None], run: Callable[[Callable[[], object]], None]) -> list[Root]:
        """Copies in which something happened before or after each operation."""
        roots = []
        for after in (False, True):
            for at in range(1, self.operations(work) + 1):
                root = self.copy(f"{'after' if after else 'before'}-{at}")
                wrecked = Root(Wrecked(root.store, at, happen, after=after), root.claims, None)
                run(lambda: work(wrecked))  # noqa: B023 - run at once
                roots.append(root)
        assert len(roots) > 4
        return roots


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def killed(work: Callable[[], object]) -> None:
    assert in_child(work) == KILLED


def failing(work: Callable[[], object]) -> None:
    """Whatever fails is said in one line, or is among what was left."""
    said = []
    try:
        work()
    except HpoctlError as error:
        said += [error.what, error.fix]
    assert not any("\n" in line for line in said)


def again(work: Callable[[], object]) -> None:
    """Do it once more; there may be nothing left to do."""
    try:
        work()
    except IncompleteError:
        return


@pytest.mark.parametrize(("happen", "run"), [(kill_this_process, killed), (fail, failing)], ids=["kill", "error"])
@pytest.mark.parametrize("criteria", CRITERIA, ids=["results", "tag", "one"])
def test_a_wrecked_clean_is_ended_by_another_one_or_undone(
    site: Site, criteria: Criteria, happen: Callable[[], None], run: Callable[[Callable[[], object]], None]
) -> None:
    original = files(folder_of(site.template))
    ended = site.copy("ended")
    do(ended, criteria)
    for root in site.wrecks(lambda root: do(root, criteria), happen, run):
        assert everything(root) == original
        undone = open_root(f"{folder_of(root)}-undone")
        shutil.copytree(folder_of(root), folder_of(undone))
        undo_all(undone)
        assert files(folder_of(undone)) == original
        again(lambda: do(root, criteria))  # noqa: B023 - done at once
        assert in_tree(root) == in_tree(ended)
        undo_all(root)
        assert files(folder_of(root)) == original


@pytest.mark.parametrize(("happen", "run"), [(kill_this_process, killed), (fail, failing)], ids=["kill", "error"])
@pytest.mark.parametrize("criteria", CRITERIA, ids=["results", "tag", "one"])
def test_a_wrecked_undo_is_ended_by_another_one(
    site: Site, criteria: Criteria, happen: Callable[[], None], run: Callable[[Callable[[], object]], None]
) -> None:
    original = files(folder_of(site.template))
    do(site.template, criteria)
    for root in site.wrecks(lambda root: undo(root.store, root.claims), happen, run):
        assert everything(root) == original
        undo_all(root)
        assert files(folder_of(root)) == original


@pytest.mark.parametrize(("happen", "run"), [(kill_this_process, killed), (fail, failing)], ids=["kill", "error"])
def test_a_wrecked_purge_leaves_no_half_results(
    site: Site, happen: Callable[[], None], run: Callable[[Callable[[], object]], None]
) -> None:
    original = files(folder_of(site.template))
    do(site.template, of("ASHA"))
    do(site.template, of("BO"))
    rest = in_tree(site.template)
    for root in site.wrecks(lambda root: purge(root.store, root.claims), happen, run):
        assert in_tree(root) == rest
        restored = open_root(f"{folder_of(root)}-undone")
        shutil.copytree(folder_of(root), folder_of(restored))
        undo_all(restored)
        back = in_tree(restored)
        assert back.items() <= original.items()
        assert {name.rpartition("/")[0] for name in original.keys() - back.keys()}.isdisjoint(
            name.rpartition("/")[0] for name in back
        )
        again(lambda: purge(root.store, root.claims))  # noqa: B023 - done at once
        assert files(folder_of(root)) == rest


@pytest.mark.parametrize("broken", ["list", "get", "put", "move", "delete"])
def test_a_broken_disk_is_one_clear_line(site: Site, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    original = files(folder_of(site.template))
    root = site.template

    def refuse(*_: object, **__: object) -> None:
        fail()

    monkeypatch.setattr(type(root.store), broken, refuse)
    if broken == "delete":
        assert do(root, INCOMPLETE).left == ()
    elif broken == "move":
        cleaned = do(root, INCOMPLETE)
        assert cleaned.directories == ()
        assert {left.why for left in cleaned.left} == {"The disk is broken."}
    elif broken == "get":
        with pytest.raises(IncompleteError):
            do(root, of(failed=True))
    else:
        with pytest.raises(HpoctlError, match="The disk is broken"):
            do(root, INCOMPLETE)
    monkeypatch.undo()
    assert everything(root) == original


def test_cleans_at_once_move_everything_once(tmp_path: Path) -> None:
    root = open_root(str(tmp_path))
    for seed in range(40):
        put_attempt(root.store, Cell("RS", "toy", seed), "failed")
    put_attempt(root.store, Cell("RS", "toy", 0), "failed", tag=OTHER)
    before = files(folder_of(root))
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            try:
                cleaned = do(root, INCOMPLETE)
                os._exit(0 if not cleaned.left and not cleaned.running else 1)
            except IncompleteError:
                os._exit(0)
            finally:
                os._exit(2)
        children.append(child)
    assert {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children} == {0}
    assert {name.partition("/")[0] for name in files(folder_of(root))} == {OTHER, TRASH}
    assert everything(root) == before
    undo_all(root)
    assert files(folder_of(root)) == before
