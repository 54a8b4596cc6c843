"""How an experiment can end other than well: recorded beside it, in one line for a person, and never counted."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hpoctl.builtins import RS
from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import METADATA, RESULTS
from hpoctl.core.clock import SystemTime
from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.sealed import unseal
from hpoctl.engine.attempts import close_metadata
from hpoctl.engine.experiment import run_experiment
from hpoctl.engine.finished import Finished
from hpoctl.engine.metadata import Provenance
from hpoctl.engine.spec import ExperimentSpec, identity
from hpoctl.stores.ledger import attempts_at, read_attempts
from hpoctl.stores.local import LocalStore
from hpoctl.testing import toy_benchmark, toy_table
from hpoctl.testing.hard_cases import Nobody

PROVENANCE = Provenance({"hpoctl": "0"}, None, "hpoctl run")
SPEC = ExperimentSpec("docs-2", RS, toy_benchmark(), 3, 7)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "root")


def run(
    store: LocalStore,
    spec: ExperimentSpec = SPEC,
    watcher: Nobody | None = None,
    opened: Callable[[str], None] | None = None,
) -> Finished:
    return run_experiment(spec, store, PROVENANCE, watcher or Nobody(), SystemTime(), opened)


def recorded(store: LocalStore) -> dict[str, Any]:
    """The metadata of the only attempt, which has left nothing else."""
    (name,) = store.list("")
    return unseal(store.get(name))


class AtReport(Nobody):
    """Does something at the tenth report."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.act = act
        self.left = 10

    def reports(self, *_: object) -> None:
        self.left -= 1
        if self.left == 0:
            self.act()


def raises(error: BaseException) -> Callable[..., Any]:
    def act(*_: object) -> None:
        raise error

    return act


class NotEvenAnException(BaseException):
    """Not what `except Exception` would catch."""


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError


ERRORS = [
    (ValueError("broken\ninto lines"), "ValueError: broken into lines."),
    (SystemExit(3), "SystemExit: 3."),
    (NotEvenAnException("odd"), "NotEvenAnException: odd."),
    (MemoryError(), "MemoryError."),
    (RecursionError("too deep"), "RecursionError: too deep."),
    (StopIteration(), "StopIteration."),
    (GeneratorExit(), "GeneratorExit."),
    (Unprintable(), "Unprintable: <exception str() failed>."),
    (ValueError("\udcff \0"), "ValueError: \\udcff \\x00."),
]


@pytest.mark.parametrize(("error", "line"), ERRORS, ids=lambda value: type(value).__name__)
def test_whatever_a_scheduler_raises_fails_its_experiment(store: LocalStore, error: BaseException, line: str) -> None:
    class Scheduler:
        suggest = raises(error)

    method = replace(RS, make=lambda context, options: Scheduler())  # type: ignore[arg-type, return-value]
    with pytest.raises(HpoctlError) as caught:
        run(store, replace(SPEC, method=method))
    assert caught.value.what == f"RS toy seed 3 failed: {line}"
    (name,) = store.list("")
    assert caught.value.fix == f"The traceback is in {store.location(name)}."
    metadata = recorded(store)
    assert metadata["status"] == "failed"
    assert "in act" in metadata["error"], "the traceback leads to the line that failed"
    assert type(error).__name__ in metadata["error"]
    assert metadata["identity"] == identity(SPEC, toy_table().content_hash)
    (attempt,) = attempts_at(store, "docs-2", SPEC.cell, expensive=False)
    assert (attempt.recorded, attempt.cell) == ("failed", SPEC.cell)


def test_an_error_with_a_remedy_keeps_it(store: LocalStore) -> None:
    with pytest.raises(UsageError, match=r"what\. fix\."):
        run(store, watcher=AtReport(raises(UsageError("what.", "fix."))))
    assert recorded(store)["status"] == "failed"


def test_ctrl_c_is_passed_on_and_recorded(store: LocalStore) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(store, watcher=AtReport(raises(KeyboardInterrupt())))
    assert recorded(store)["status"] == "interrupted"
    assert "results_sha256" not in recorded(store)
    (attempt,) = read_attempts(store, "docs-2")
    assert (attempt.recorded, attempt.seconds) == ("interrupted", None)


class InterruptedAt(LocalStore):
    """Is interrupted when metadata with some status has just been written."""

    def __init__(self, root: Path, status: str) -> None:
        super().__init__(root)
        self.status = status

    def put(self, name: str, data: bytes, *, create: bool = False) -> None:
        super().put(name, data, create=create)
        if name.endswith(METADATA) and unseal(data)["status"] == self.status:
            raise KeyboardInterrupt


@pytest.mark.parametrize(("status", "recorded"), [("running", "interrupted"), ("completed", "completed")])
def test_ctrl_c_while_metadata_is_written(tmp_path: Path, status: str, recorded: str) -> None:
    store = InterruptedAt(tmp_path / "root", status)
    with pytest.raises(KeyboardInterrupt):
        run(store)
    (attempt,) = read_attempts(store, "docs-2", verify=True)
    assert attempt.recorded == recorded


# --- the table ---

TABLES = [
    (
        RuntimeError("the table\nis gone"),
        HpoctlError,
        "The table of toy cannot be opened: RuntimeError: the table is gone.",
    ),
    (HpoctlError("What.", "Fix."), HpoctlError, "What."),
    (SystemExit(3), HpoctlError, "RS toy seed 3 failed: SystemExit: 3."),
]


@pytest.mark.parametrize(("error", "kind", "what"), TABLES, ids=lambda value: type(value).__name__)
def test_a_table_that_cannot_be_opened_is_a_failed_attempt_without_identity(
    store: LocalStore, error: BaseException, kind: type[HpoctlError], what: str
) -> None:
    with pytest.raises(kind) as caught:
        run(store, replace(SPEC, benchmark=replace(SPEC.benchmark, blackbox=raises(error))))
    assert caught.value.what == what
    metadata = recorded(store)
    assert (metadata["status"], metadata["identity"], metadata["determinants"]) == ("failed", None, None)
    assert "Traceback" in metadata["error"]
    (attempt,) = read_attempts(store, "docs-2")
    assert (attempt.recorded, attempt.cell, attempt.identity) == ("failed", SPEC.cell, None)
    assert attempt.reason.startswith(what.removeprefix("RS toy seed 3 failed: ").rstrip("."))


def test_ctrl_c_while_the_table_is_opened(store: LocalStore) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(store, replace(SPEC, benchmark=replace(SPEC.benchmark, blackbox=raises(KeyboardInterrupt()))))
    assert recorded(store)["status"] == "interrupted"


@pytest.mark.parametrize("content_hash", [None, b"bytes", object()], ids=lambda value: type(value).__name__)
def test_a_table_that_is_none_fails_its_experiment(store: LocalStore, content_hash: object) -> None:
    class Table:
        def __init__(self) -> None:
            self.content_hash = content_hash

    with pytest.raises(HpoctlError, match="RS toy seed 3 failed: "):
        run(store, replace(SPEC, benchmark=replace(SPEC.benchmark, blackbox=Table)))  # type: ignore[arg-type]
    assert recorded(store)["status"] == "failed"


# --- while it runs ---


def test_the_directory_is_told_as_soon_as_it_is_there(store: LocalStore) -> None:
    seen: list[tuple[str, str]] = []

    def opened(directory: str) -> None:
        seen.append((directory, unseal(store.get(f"{directory}/{METADATA}"))["status"]))

    def table() -> Any:
        assert len(seen) == 1, "told before the table is opened, which may take long"
        return toy_table()

    finished = run(store, replace(SPEC, benchmark=replace(SPEC.benchmark, blackbox=table)), opened=opened)
    assert seen == [(finished.directory, "running")]
    metadata = unseal(store.get(f"{finished.directory}/{METADATA}"))
    assert metadata["status"] == "completed"
    assert metadata["identity"] == finished.identity


def test_what_is_told_is_told_of_a_failing_table_too(store: LocalStore) -> None:
    seen: list[str] = []
    broken = replace(SPEC, benchmark=replace(SPEC.benchmark, blackbox=raises(RuntimeError())))
    with pytest.raises(HpoctlError):
        run(store, broken, opened=seen.append)
    assert [f"{directory}/{METADATA}" for directory in seen] == list(store.list(""))


def test_a_directory_that_is_removed_is_not_made_again(store: LocalStore) -> None:
    """Who removed it meant it: the experiment fails, and leaves nothing behind."""
    with pytest.raises(HpoctlError) as caught:
        run(store, watcher=AtReport(lambda: store.delete("docs-2")))
    assert "was removed or damaged while it ran" in caught.value.what
    assert store.location("docs-2/RS/docs-2-toy-3-") in caught.value.what
    assert "again" in caught.value.fix
    assert dict(store.list("")) == {}


def test_metadata_that_is_damaged_stays_as_it_is(store: LocalStore) -> None:
    def damage() -> None:
        (name,) = store.list("")
        store.put(name, b"?")

    with pytest.raises(HpoctlError, match="was removed or damaged while it ran"):
        run(store, watcher=AtReport(damage))
    assert [store.get(name) for name in store.list("")] == [b"?"]


def test_an_error_in_a_removed_directory_is_told_with_both_causes(store: LocalStore) -> None:
    def act() -> None:
        store.delete("docs-2")
        raise ValueError("broken")

    with pytest.raises(HpoctlError) as caught:
        run(store, watcher=AtReport(act))
    assert "ValueError: broken" in caught.value.what
    assert "was removed" in caught.value.what
    assert dict(store.list("")) == {}


def test_ctrl_c_gets_out_even_if_the_directory_is_gone(store: LocalStore) -> None:
    def act() -> None:
        store.delete("docs-2")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(store, watcher=AtReport(act))
    assert dict(store.list("")) == {}


# --- metadata ---


def test_metadata_can_be_closed_by_another_process(store: LocalStore) -> None:
    directories: list[str] = []

    def opened(directory: str) -> None:
        directories.append(directory)
        before = unseal(store.get(f"{directory}/{METADATA}"))
        close_metadata(store, directory, {"status": "failed", "error": "it was killed\n"})
        after = unseal(store.get(f"{directory}/{METADATA}"))
        assert after == {**before, "status": "failed", "error": "it was killed\n"}

    run(store, opened=opened)
    (attempt,) = read_attempts(store, "docs-2")
    assert attempt.directory == directories[0]


def test_metadata_that_is_not_there_cannot_be_closed(store: LocalStore) -> None:
    with pytest.raises(HpoctlError, match=r"nowhere was removed or damaged"):
        close_metadata(store, "nowhere", {"status": "failed"})
    assert dict(store.list("")) == {}


def test_what_is_complete_can_be_read_by_the_ledger(store: LocalStore) -> None:
    finished = run(store)
    (attempt,) = read_attempts(store, "docs-2", verify=True)
    assert (attempt.directory, attempt.cell, attempt.recorded) == (finished.directory, SPEC.cell, "completed")
    assert (attempt.identity, attempt.seconds) == (finished.identity, finished.wall_seconds)
    assert (attempt.host, attempt.budget) == (PROVENANCE.host, SPEC.max_wallclock_time)
    results = store.get(f"{finished.directory}/{RESULTS}")
    metadata = unseal(store.get(f"{finished.directory}/{METADATA}"))
    assert (metadata["results_sha256"], metadata["results_bytes"]) == (content_hash(results), len(results))
