"""Claims by locks of the file system."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from hpoctl.core.errors import HpoctlError
from hpoctl.core.storage import Claims
from hpoctl.stores.claims import CLAIMS, LocalClaims
from hpoctl.testing import ContractError, check_claims
from hpoctl.testing.claims import claimed_elsewhere

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
KEY = "docs-2/ASHA/toy/0"


def test_contract(tmp_path: Path) -> None:
    check_claims(lambda: LocalClaims(tmp_path / "not" / "there" / "yet"))


class LocalToOneProcess:
    """Claims that no other process sees."""

    def __init__(self, root: Path) -> None:
        self.mine: set[str] = set()

    def take(self, key: str) -> bool:
        self.mine.add(key)
        return True

    def release(self, key: str) -> None:
        self.mine.discard(key)

    def held(self, key: str) -> bool:
        return False


class LeftBehind:
    """Claims as files, which outlive their process."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def take(self, key: str) -> bool:
        if self.held(key):
            return False
        self._file(key).write_text(str(os.getpid()))
        return True

    def release(self, key: str) -> None:
        if not self.held(key):
            self._file(key).unlink(missing_ok=True)

    def held(self, key: str) -> bool:
        return self._file(key).exists() and self._file(key).read_text() != str(os.getpid())

    def _file(self, key: str) -> Path:
        return self.root / f"key-{key.replace('/', '_')}"


class AllOrNothing(LocalClaims):
    """One lock for all keys."""

    def take(self, key: str) -> bool:
        return super().take("all")

    def release(self, key: str) -> None:
        super().release("all")

    def held(self, key: str) -> bool:
        return super().held("all")


class NotGivenUp(LocalClaims):
    def release(self, key: str) -> None:
        pass


@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        (LocalToOneProcess, "a claim of another process is not held"),
        (LeftBehind, "outlives its process"),
        (AllOrNothing, "excludes 'tag/ASHA/toy/1', too"),
        (NotGivenUp, "or was released"),
    ],
)
def test_the_contract_finds_broken_claims(tmp_path: Path, kind: type[LocalClaims], broken: str) -> None:
    with pytest.raises(ContractError, match=broken):
        check_claims(lambda: kind(tmp_path))


def test_two_roots_do_not_interfere(tmp_path: Path) -> None:
    one, other = LocalClaims(tmp_path / "one"), LocalClaims(tmp_path / "other")
    with claimed_elsewhere(lambda: one, KEY):
        assert not other.held(KEY)
        assert other.take(KEY)
        assert one.held(KEY)
    other.release(KEY)


def test_looking_makes_nothing(tmp_path: Path) -> None:
    root = tmp_path / "root"
    assert not LocalClaims(root).held(KEY)
    LocalClaims(root).release(KEY)
    assert not root.exists()


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_the_lock_file_may_be_taken_away(tmp_path: Path, how: str) -> None:
    """Claims made after it exclude each other again; one made before it does not bring anybody down."""
    claims = LocalClaims(tmp_path)
    assert claims.take("before")
    (tmp_path / CLAIMS).unlink()
    if how == "replaced":
        (tmp_path / CLAIMS).touch()
    assert not claims.held(KEY)
    with claimed_elsewhere(lambda: LocalClaims(tmp_path), KEY):
        assert claims.held(KEY)
        assert not claims.take(KEY)
    claims.release("before")
    assert claims.take(KEY)
    claims.release(KEY)


def test_another_file_in_the_root_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / CLAIMS).write_bytes(b"somebody's own")
    with claimed_elsewhere(lambda: LocalClaims(tmp_path), KEY):
        assert LocalClaims(tmp_path).held(KEY)
    assert (tmp_path / CLAIMS).read_bytes() == b"somebody's own"


def test_a_root_that_cannot_be_written_can_be_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claims = LocalClaims(tmp_path)
    with claimed_elsewhere(lambda: LocalClaims(tmp_path), KEY):
        refuse_writing(monkeypatch)
        assert claims.held(KEY)
        with pytest.raises(HpoctlError, match=r"Cannot lock .*Read-only file system"):
            claims.take(KEY)
    assert not claims.held(KEY)


def refuse_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a read-only mount does; permissions would not stop root."""
    really = os.open

    def read_only(path: str, flags: int, *args: int, **options: int) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return really(path, flags, *args, **options)

    monkeypatch.setattr(os, "open", read_only)


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EIO, errno.EOPNOTSUPP], ids=errno.errorcode.get)
def test_a_file_system_without_locks_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    claims: Claims = LocalClaims(tmp_path)
    assert claims.take("mine")

    def no_locks(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patched:
        patched.setattr(fcntl, "lockf", no_locks)
        for call, key in ((claims.take, KEY), (claims.held, KEY), (claims.release, "mine")):
            with pytest.raises(HpoctlError) as caught:
                call(key)
            assert os.strerror(code) in caught.value.what
            assert str(tmp_path) in caught.value.what
            assert "--results" in caught.value.fix
    claims.release("mine")
    assert claims.take(KEY), "a failure must not leave a claim behind"
    claims.release(KEY)


def test_a_root_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(HpoctlError, match="Cannot lock"):
            LocalClaims(root).take(KEY)
        with pytest.raises(HpoctlError, match="Cannot lock"):
            LocalClaims(root).held(KEY)
