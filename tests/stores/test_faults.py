"""The store, and an experiment, killed or failing at every single step: old or new, never half, and clear errors."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from faults import failing_at_every_step, killed_at_every_step
from hpoctl.builtins import RS
from hpoctl.core.cells import RESULTS, claim_key
from hpoctl.core.clock import SystemTime
from hpoctl.core.errors import HpoctlError
from hpoctl.core.settings import Settings
from hpoctl.engine.experiment import run_experiment
from hpoctl.engine.metadata import Provenance
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.stores.claims import LocalClaims
from hpoctl.stores.ledger import DIED, Standing, read_attempts, standings
from hpoctl.stores.local import LocalStore
from hpoctl.testing import toy_benchmark
from hpoctl.testing.hard_cases import Nobody

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
CODES = [errno.EIO, errno.ENOSPC, errno.EACCES]
OLD, NEW = b"old" * 10, b"new" * 20_000
SPEC = ExperimentSpec("docs-2", RS, toy_benchmark(), 0, 7, Settings(max_num_evaluations=20))


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "root")


@pytest.fixture
def no_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is flushed to the disk: that takes its time, and no machine stops here."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def content(store: LocalStore) -> dict[str, bytes]:
    """All that a reader sees."""
    sizes = store.list("")
    found = {name: store.get(name) for name in sizes}
    assert {name: len(data) for name, data in found.items()} == dict(sizes)
    return found


class Scene:
    """Some blobs, an operation on them, and what a reader may see afterwards."""

    def __init__(self, store: LocalStore) -> None:
        self.store = store
        self.ready()

    before: dict[str, bytes] = {}
    after: dict[str, bytes] = {}

    def ready(self) -> None:
        """Make everything as it was."""
        for folder in self.store.folders(""):
            self.store.delete(folder)
        for name, data in self.before.items():
            self.store.put(name, data)

    def work(self) -> None:
        raise NotImplementedError

    def allowed(self, found: dict[str, bytes]) -> bool:
        return found in (self.before, self.after)

    def check(self) -> None:
        """What is there is allowed; doing it again gets it done; then make everything as it was."""
        found = content(self.store)
        assert self.allowed(found), sorted(found)
        if found != self.after:
            self.work()
        assert content(self.store) == self.after
        self.ready()


class PutsNew(Scene):
    before = {"a/other": OLD}
    after = {"a/other": OLD, "a/b/c/x": NEW}

    def work(self) -> None:
        self.store.put("a/b/c/x", NEW)


class Replaces(Scene):
    before = {"a/x": OLD}
    after = {"a/x": NEW}

    def work(self) -> None:
        self.store.put("a/x", NEW)


class Creates(Scene):
    after = {"a/x": NEW}

    def work(self) -> None:
        self.store.put("a/x", NEW, create=True)


class Moves(Scene):
    before = {"a/b/x": OLD, "a/b/c/y": NEW, "a/bc/z": b"stays"}
    after = {"to/here/x": OLD, "to/here/c/y": NEW, "a/bc/z": b"stays"}

    def work(self) -> None:
        self.store.move("a/b", "to/here")


class DeletesBlob(Scene):
    before = {"a/x": OLD, "a/y": NEW}
    after = {"a/y": NEW}

    def work(self) -> None:
        self.store.delete("a/x")


class DeletesFolder(Scene):
    before = {"a/b/x": OLD, "a/b/c/y": NEW, "a/b/c/z": OLD, "a/bc/z": b"stays"}
    after = {"a/bc/z": b"stays"}

    def work(self) -> None:
        self.store.delete("a/b")

    def allowed(self, found: dict[str, bytes]) -> bool:
        """A folder goes blob by blob; what is left of it is whole."""
        return self.after.items() <= found.items() <= self.before.items()


SCENES = [PutsNew, Replaces, Creates, Moves, DeletesBlob, DeletesFolder]


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.usefixtures("no_flush")
def test_killed_at_any_step(store: LocalStore, scene: type[Scene]) -> None:
    made = scene(store)
    assert killed_at_every_step(made.work, made.check) >= 1


@pytest.mark.parametrize("stays", [False, True], ids=["once", "for-good"])
@pytest.mark.parametrize("code", CODES, ids=errno.errorcode.get)
@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.usefixtures("no_flush")
def test_failing_at_any_step(store: LocalStore, scene: type[Scene], code: int, stays: bool) -> None:
    made = scene(store)
    errors: list[HpoctlError] = []

    def work() -> None:
        try:
            made.work()
        except HpoctlError as error:
            errors.append(error)

    assert failing_at_every_step(work, code, made.check, stays=stays) >= 1
    assert errors
    for error in errors:
        assert_clear(error, code, store)


def assert_clear(error: HpoctlError, code: int, store: LocalStore) -> None:
    assert os.strerror(code) in error.what
    assert str(store.root) in error.what
    assert error.what.endswith(".")
    assert "\n" not in error.what + error.fix
    assert error.fix.endswith(".")


READS: dict[str, Callable[[LocalStore], Any]] = {
    "get": lambda store: store.get("a/b/x"),
    "list": lambda store: dict(store.list("a")),
    "folders": lambda store: list(store.folders("a")),
}


@pytest.mark.parametrize("code", CODES, ids=errno.errorcode.get)
@pytest.mark.parametrize("read", READS.values(), ids=READS)
@pytest.mark.usefixtures("no_flush")
def test_what_cannot_be_read_is_an_error_and_never_looks_empty(
    store: LocalStore, read: Callable[[LocalStore], Any], code: int
) -> None:
    store.put("a/b/x", OLD)
    right = read(store)
    errors: list[HpoctlError] = []

    def work() -> None:
        try:
            assert read(store) == right
        except HpoctlError as error:
            errors.append(error)

    steps = failing_at_every_step(work, code, lambda: None, stays=False)
    assert len(errors) == steps >= 1
    for error in errors:
        assert_clear(error, code, store)


# --- a whole experiment ---


def run(store: LocalStore) -> None:
    """Run the experiment as a worker does, unless it is done."""
    claims = LocalClaims(store.root)
    key = claim_key(SPEC.tag, SPEC.cell)
    assert claims.take(key)
    try:
        if standing(store).state != "done":
            run_experiment(SPEC, store, Provenance({}, None, "hpoctl run"), Nobody(), SystemTime())
    finally:
        claims.release(key)


def standing(store: LocalStore) -> Standing:
    attempts = read_attempts(store, SPEC.tag, verify=True)
    return standings(SPEC.tag, [SPEC.cell], attempts, LocalClaims(store.root))[SPEC.cell]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The results of a run that nothing hinders."""
    store = LocalStore(tmp_path_factory.mktemp("whole"))
    run(store)
    (name,) = [name for name in store.list("") if name.endswith(RESULTS)]
    return store.get(name)


def assert_heals(store: LocalStore, rows: bytes) -> None:
    """A run more and it is done, with the rows of one that nothing hindered."""
    run(store)
    found = standing(store)
    assert found.state == "done"
    assert found.current is not None
    assert store.get(f"{found.current.directory}/{RESULTS}") == rows
    assert sum(attempt.recorded == "completed" for attempt in found.attempts) == 1


@pytest.mark.usefixtures("no_flush")
def test_an_experiment_killed_at_any_step(store: LocalStore, rows: bytes) -> None:
    seen: set[tuple[str, str]] = set()

    def check() -> None:
        attempts = read_attempts(store, SPEC.tag, verify=True)
        assert {attempt.recorded for attempt in attempts} <= {"running", "completed"}
        assert len(attempts) <= 1
        found = standing(store)
        seen.add((found.state, found.reason))
        assert_heals(store, rows)
        store.delete(SPEC.tag)

    assert killed_at_every_step(lambda: run(store), check) > 20
    assert seen == {("missing", ""), ("failed", DIED), ("done", "")}


@pytest.mark.parametrize("stays", [False, True], ids=["once", "for-good"])
@pytest.mark.parametrize("code", CODES, ids=errno.errorcode.get)
@pytest.mark.usefixtures("no_flush")
def test_an_experiment_failing_at_any_step(store: LocalStore, rows: bytes, code: int, stays: bool) -> None:
    errors: list[HpoctlError] = []

    def work() -> None:
        try:
            run(store)
        except HpoctlError as error:
            errors.append(error)

    def check() -> None:
        recorded = {attempt.recorded for attempt in read_attempts(store, SPEC.tag, verify=True)}
        assert recorded <= {"running", "failed", "completed"}
        assert_heals(store, rows)
        store.delete(SPEC.tag)

    assert failing_at_every_step(work, code, check, stays=stays) > 20
    assert errors
    for error in errors:
        assert_clear(error, code, store)
