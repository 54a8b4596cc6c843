"""The local store: atomic, inside its root, clear when the disk refuses."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.stores.local import LocalStore
from hpoctl.testing import check_store

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


@given(st.text(max_size=20))
def test_no_name_leads_out_of_the_root(name: str) -> None:
    store = LocalStore(Path("/root-of-results"))
    try:
        place = Path(store.location(name))
    except UsageError:
        return
    assert Path(os.path.normpath(place)).is_relative_to("/root-of-results")


def test_a_link_out_of_the_root_is_refused(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    store.root.mkdir()
    (store.root / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(HpoctlError, match="leads out of"):
        store.put("link/x", b"")
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES])
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failing_disk_leaves_the_old_bytes(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    store.put("x", b"old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    if call == "replace":
        monkeypatch.setattr(Path, "replace", fail)
    else:
        monkeypatch.setattr(os, call, fail)
    with pytest.raises(HpoctlError) as caught:
        store.put("x", b"new")
    assert os.strerror(code) in caught.value.what
    assert "--results" in caught.value.fix
    monkeypatch.undo()
    assert store.get("x") == b"old"
    assert store.list("") == ["x"]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_killed_writer_leaves_the_old_bytes_or_the_new_ones(store: LocalStore) -> None:
    """A child is killed at each of its system-level steps in turn."""
    store.put("x", b"old")
    for step in range(12):
        child = os.fork()
        if child == 0:
            _die_at(step)
            store.put("x", b"new")
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert store.get("x") in {b"old", b"new"}
        assert store.list("") == ["x"]
        if status == 0:
            assert store.get("x") == b"new"
            break
        store.put("x", b"old")
    else:
        pytest.fail("the writer never finished")


def _die_at(step: int) -> None:
    """Make the step-th call of any of the store's system calls the last thing this process does."""
    left = [step]

    def guarded(call):  # type: ignore[no-untyped-def]
        def wrapper(*args, **options):  # type: ignore[no-untyped-def]
            if left[0] == 0:
                os.kill(os.getpid(), 9)
            left[0] -= 1
            return call(*args, **options)

        return wrapper

    os.fsync, os.open = guarded(os.fsync), guarded(os.open)
    Path.replace, Path.open, Path.unlink = guarded(Path.replace), guarded(Path.open), guarded(Path.unlink)
