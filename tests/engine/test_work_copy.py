"""What a copy of a working folder has while trials write: whole checkpoints, and a journal that is not behind them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hpoctl.core.errors import HpoctlError
from hpoctl.engine.work_copy import WorkCopier
from hpoctl.engine.work_folder import copy_name
from hpoctl.stores import folder_copier
from hpoctl.stores.folder_copier import TakenOverError
from hpoctl.stores.folder_copies import fetch
from hpoctl.stores.local import LocalStore

DIRECTORY = "t/RS/one"


class Watched(LocalStore):
    """A store that lets something happen before a piece is written."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.before: Callable[[bytes], None] = lambda data: None

    def put(self, name: str, data: bytes, *, create: bool = False) -> None:
        if "/pieces/" in name:
            self.before(data)
        super().put(name, data, create=create)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr(folder_copier, "SETTLES", 0.01)
    return Watched(tmp_path / "store")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A trial that has trained three epochs."""
    made = tmp_path / "work"
    for name in ("trials/7/checkpoints", "trials/7/starts/0"):
        (made / name).mkdir(parents=True)
    (made / "journal").write_text("epoch 3")
    (made / "trials/7/starts/0/reports.jsonl").write_text("epoch 3")
    (made / "trials/7/starts/0/process.json").write_text("{}")
    (made / "trials/7/checkpoints/weights").write_text("epoch 3")
    (made / "trials/7/checkpoints/index").write_text("epoch 3")
    (made / "trials/7/checkpoints/latest").symlink_to("weights")
    return made


def copied(store: LocalStore, tmp_path: Path) -> dict[str, str]:
    target = tmp_path / "target"
    assert fetch(store, copy_name(DIRECTORY), target) is not None
    files = [path for path in target.rglob("*") if path.is_file()]
    return {path.relative_to(target).as_posix(): path.read_text() for path in files}


def test_a_copy_has_what_another_machine_needs(store: Watched, folder: Path, tmp_path: Path) -> None:
    assert WorkCopier(store, DIRECTORY, folder).copy()
    found = copied(store, tmp_path)
    assert found == {
        "journal": "epoch 3",
        "trials/7/starts/0/reports.jsonl": "epoch 3",
        **{f"trials/7/checkpoints/{name}": "epoch 3" for name in ("weights", "index", "latest")},
    }


def test_the_journal_is_never_behind_a_checkpoint(store: Watched, folder: Path, tmp_path: Path) -> None:
    copier = WorkCopier(store, DIRECTORY, folder)

    def trains_on(data: bytes) -> None:
        if data == b"epoch 3":  # while the first piece is sent, an epoch ends: a report, a row, a checkpoint
            (folder / "trials/7/starts/0/reports.jsonl").write_text("epoch 3, 4")
            (folder / "journal").write_text("epoch 3, 4")
            for name in ("weights", "index"):
                (folder / "trials/7/checkpoints" / name).write_text("epoch 4")

    store.before = trains_on
    copier.copy()
    found = copied(store, tmp_path)
    assert found["journal"] == "epoch 3, 4"
    assert {text for name, text in found.items() if "checkpoints" in name} == {"epoch 4"}


def test_a_checkpoint_that_changes_all_the_time_stays_as_it_was(store: Watched, folder: Path, tmp_path: Path) -> None:
    copier = WorkCopier(store, DIRECTORY, folder)
    copier.copy()
    weights = folder / "trials/7/checkpoints/weights"
    epochs = iter(range(4, 100))
    weights.write_text("epoch 4")

    def trains_on(data: bytes) -> None:
        weights.write_text(f"epoch {next(epochs)} and more")

    store.before = trains_on
    (folder / "journal").write_text("epoch 3, 4")
    copier.copy()
    found = copied(store, tmp_path)
    assert found["journal"] == "epoch 3, 4"
    assert {text for name, text in found.items() if "checkpoints" in name} == {"epoch 3"}
    store.before = lambda data: None
    copier.copy()
    assert copied(store, tmp_path)["trials/7/checkpoints/weights"] == weights.read_text()


def test_what_has_not_changed_is_not_sent_again(store: Watched, folder: Path) -> None:
    copier = WorkCopier(store, DIRECTORY, folder)
    copier.copy()
    sent: list[bytes] = []
    store.before = sent.append
    copier.copy()
    (folder / "journal").write_text("epoch 3, 4")
    copier.copy()
    assert sent == [b"epoch 3, 4"]


def test_a_copy_that_could_not_be_completed_is_completed_by_the_next_one(
    store: Watched, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copier = WorkCopier(store, DIRECTORY, folder)
    copier.copy()
    (folder / "trials/7/checkpoints/weights").write_text("epoch 4")

    def fails(*arguments: object) -> None:
        raise HpoctlError("S3 cannot be reached.", "Wait.")

    with monkeypatch.context() as patch:
        patch.setattr(folder_copier, "replace_copy", fails)
        with pytest.raises(HpoctlError):
            copier.copy()
    copier.copy()
    assert copied(store, tmp_path)["trials/7/checkpoints/weights"] == "epoch 4"


def test_one_machine_copies(store: Watched, folder: Path, tmp_path: Path) -> None:
    first = WorkCopier(store, DIRECTORY, folder)
    first.copy()
    other = tmp_path / "other"
    other.mkdir()
    (other / "journal").write_text("of another machine")
    WorkCopier(store, DIRECTORY, other).copy()
    (folder / "journal").write_text("epoch 3, 4")
    with pytest.raises(TakenOverError):
        first.copy()
    assert copied(store, tmp_path) == {"journal": "of another machine"}
