"""The ledger: results in any state."""

import errno
import os
import traceback
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hpoctl.core.cells import METADATA, RESULTS, Cell
from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.sealed import seal
from hpoctl.engine.failures import TooManyFailuresError
from hpoctl.stores.ledger import Attempt, attempts_at, read_again, read_attempts
from hpoctl.stores.local import LocalStore
from trees import BEGIN, CELL, ROWS, TAG, put_attempt

OTHER = replace(CELL, seed=1)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "root")


def the_only(attempts: Iterable[Attempt]) -> Attempt:
    (attempt,) = attempts
    return attempt


# --- what is recorded ---


def test_an_attempt_is_what_its_metadata_says(store: LocalStore) -> None:
    directory = put_attempt(store, seconds=3.0)
    attempt = the_only(read_attempts(store, TAG))
    size = len(ROWS) + len(store.get(f"{directory}/{METADATA}"))
    begin = BEGIN.timestamp() + 3.0
    assert attempt == Attempt(
        directory, CELL, "completed", begin, "identity of ASHA toy seed 0", "", size, "here", 2.0, 1800.0
    )


@pytest.mark.parametrize(
    ("status", "reason"),
    [("running", "running"), ("failed", "ValueError: broken"), ("interrupted", "interrupted")],
)
def test_each_recorded_state(store: LocalStore, status: str, reason: str) -> None:
    put_attempt(store, status=status)
    attempt = the_only(read_attempts(store, TAG))
    assert (attempt.recorded, attempt.cell, attempt.reason, attempt.seconds) == (status, CELL, reason, None)


def test_an_attempt_without_a_table_has_no_identity(store: LocalStore) -> None:
    put_attempt(store, status="failed", identity=None, error="HpoctlError: The table is gone.\n")
    attempt = the_only(read_attempts(store, TAG))
    assert (attempt.identity, attempt.reason) == (None, "HpoctlError: The table is gone.")


def traceback_of(error: BaseException, cause: BaseException | None = None) -> str:
    try:
        raise error from cause  # noqa: TRY301
    except BaseException:  # noqa: BLE001 - that is what is tested
        return traceback.format_exc()


@pytest.mark.parametrize(
    ("error", "cause", "reason"),
    [
        (ValueError("broken"), None, "ValueError: broken"),
        (ValueError("broken\nin\n  several\n\nlines"), None, "ValueError: broken"),
        (ValueError("broken"), KeyError("the cause"), "ValueError: broken"),
        (KeyError("x"), ValueError("Traceback (most"), "KeyError: 'x'"),
        (MemoryError(), None, "MemoryError"),
        (SystemExit(3), None, "SystemExit: 3"),
        (HpoctlError("What is wrong.", "What to do."), OSError("x"), "What is wrong. What to do."),
        (UsageError("What is wrong.", "What to do."), None, "What is wrong. What to do."),
        (TooManyFailuresError("All failed.", "Mend the cause."), None, "All failed. Mend the cause."),
    ],
    ids=str,
)
def test_the_reason_is_what_the_traceback_says_in_one_line(
    store: LocalStore, error: BaseException, cause: BaseException | None, reason: str
) -> None:
    put_attempt(store, status="failed", error=traceback_of(error, cause))
    assert the_only(read_attempts(store, TAG)).reason == reason


@pytest.mark.parametrize("error", ["", "\n \n", None, 5, "Traceback (most recent call last):"], ids=repr)
def test_a_reason_of_another_kind_is_no_error(store: LocalStore, error: object) -> None:
    put_attempt(store, status="failed", error=error)
    assert "\n" not in the_only(read_attempts(store, TAG)).reason


def test_some_attempts_can_be_read_again_without_the_others(store: LocalStore) -> None:
    directory = put_attempt(store, status="running")
    put_attempt(store, OTHER)
    assert the_only(read_again(store, [directory])).recorded == "running"
    put_attempt(store)
    assert the_only(read_again(store, [directory])).recorded == "completed"
    store.put(f"{directory}/{RESULTS}", ROWS[::-1])
    assert the_only(read_again(store, [directory])).recorded == "completed"
    assert the_only(read_again(store, [directory], verify=True)).recorded == "damaged"
    store.delete(directory)
    assert read_again(store, [directory]) == []


def test_nothing_is_no_error(store: LocalStore) -> None:
    assert read_attempts(store, TAG) == []
    assert attempts_at(store, TAG, CELL, expensive=False) == []


def test_other_files_of_a_tag_are_no_attempts(store: LocalStore) -> None:
    directory = put_attempt(store)
    store.put(f"{TAG}/study.json", seal({"master_seed": 7}))
    store.put(f"{TAG}/.hpoctl/plans/0001-x.json", b"{}")
    store.put(f"{TAG}/notes/mine.txt", b"")
    store.put(f"{directory}/log.txt", b"printed")
    attempt = the_only(read_attempts(store, TAG))
    assert attempt.directory == directory
    assert attempt.size == sum(store.list(directory).values())


def test_a_tag_is_not_one_whose_name_begins_alike(store: LocalStore) -> None:
    put_attempt(store, tag=f"{TAG}-debug")
    assert read_attempts(store, TAG) == []


def test_attempts_come_in_the_order_of_their_directories(store: LocalStore) -> None:
    names = [put_attempt(store, Cell(method, "toy", seed)) for method in ("RS", "ASHA") for seed in (2, 10)]
    assert [attempt.directory for attempt in read_attempts(store, TAG)] == sorted(names)


# --- damage ---


@pytest.mark.parametrize(
    ("change", "reason", "seen_at_once"),
    [
        (lambda rows: rows[:-1], "results.parquet has 17 bytes, not 18", True),
        (lambda rows: rows + b"\0", "results.parquet has 19 bytes, not 18", True),
        (lambda rows: b"", "results.parquet has 0 bytes, not 18", True),
        (lambda rows: None, "results.parquet is missing", True),
        (lambda rows: rows[:5] + b"?" + rows[6:], "results.parquet has changed: its hash does not match", False),
    ],
    ids=["cut", "longer", "empty", "missing", "changed"],
)
def test_damaged_results_do_not_count(store: LocalStore, change: Any, reason: str, seen_at_once: bool) -> None:
    directory = put_attempt(store)
    put_attempt(store, OTHER)
    rows = change(ROWS)
    if rows is None:
        store.delete(f"{directory}/{RESULTS}")
    else:
        store.put(f"{directory}/{RESULTS}", rows)
    for verify in (False, True):
        one, other = read_attempts(store, TAG, verify=verify)
        if verify or seen_at_once:
            assert (one.recorded, one.reason, one.cell) == ("damaged", reason, CELL)
        else:
            assert (one.recorded, one.reason) == ("completed", "")
        assert other.recorded == "completed"
    assert the_only(attempts_at(store, TAG, CELL, expensive=False)).recorded == "damaged"


def test_results_without_metadata_are_damaged(store: LocalStore) -> None:
    directory = put_attempt(store)
    store.delete(f"{directory}/{METADATA}")
    attempt = the_only(read_attempts(store, TAG))
    assert (attempt.directory, attempt.cell, attempt.recorded) == (directory, None, "damaged")
    assert attempt.reason == "there is no metadata.json"


def test_metadata_cut_or_flipped_anywhere_is_damaged_and_harms_no_other(store: LocalStore) -> None:
    directory, untouched = put_attempt(store), put_attempt(store, OTHER)
    file = store.root / directory / METADATA
    data = file.read_bytes()
    flipped = (data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :] for at in range(0, len(data), 3))
    for bad in (*(data[:end] for end in range(len(data))), *flipped, data * 2, b"null", b"[]", b"{}"):
        file.write_bytes(bad)
        one, other = read_attempts(store, TAG)
        assert (one.directory, one.cell, one.recorded) == (directory, None, "damaged")
        cause = "it is empty" if not bad else "its checksum does not match"
        assert one.reason == f"metadata.json is damaged: {cause}"
        assert one.size == len(bad) + len(ROWS)
        assert (other.directory, other.recorded) == (untouched, "completed")
    file.write_bytes(data)
    assert [attempt.recorded for attempt in read_attempts(store, TAG)] == ["completed"] * 2


@pytest.mark.parametrize(
    "values",
    [
        {"status": "done"},
        {"status": ["completed"]},
        {"seed": "first"},
        {"seed": None},
        {"st_tuner_start_timestamp": "yesterday"},
        {"max_wallclock_time": None},
        {"results_bytes": None},
        {"results_bytes": "18"},
        {"results_sha256": None},
    ],
    ids=str,
)
def test_metadata_of_another_kind_is_damaged(store: LocalStore, values: dict[str, Any]) -> None:
    put_attempt(store, **values)
    assert the_only(read_attempts(store, TAG, verify=True)).recorded == "damaged"


@pytest.mark.parametrize(
    "key", ["status", "algorithm", "benchmark", "seed", "st_tuner_start_timestamp", "max_wallclock_time"]
)
def test_metadata_without_a_key_names_it(store: LocalStore, key: str) -> None:
    put_attempt(store, without=frozenset({key}))
    assert the_only(read_attempts(store, TAG)).reason == f"metadata.json is damaged: it has no {key}"


def test_a_file_that_cannot_be_read_is_named_with_the_cause(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = put_attempt(store), put_attempt(store, OTHER)
    really = os.open

    def fails_for_one(path: Any, *args: Any, **options: Any) -> int:
        if str(path).startswith(store.location(bad)):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return really(path, *args, **options)

    monkeypatch.setattr(os, "open", fails_for_one)
    one, other = read_attempts(store, TAG)
    assert one.recorded == "damaged"
    assert os.strerror(errno.EIO) in one.reason
    assert store.location(bad) in one.reason
    assert (other.directory, other.recorded) == (good, "completed")


# --- concurrent changes ---


class Meanwhile(LocalStore):
    """A store to which something happens between a listing and the next look at a file."""

    def __init__(self, root: Path, happens: Any) -> None:
        super().__init__(root)
        self.happens = happens

    def get(self, name: str) -> bytes:
        happens, self.happens = self.happens, lambda: None
        happens()
        return super().get(name)


def test_an_attempt_that_is_moved_away_meanwhile_is_not_there(store: LocalStore) -> None:
    directory = put_attempt(store)
    other = put_attempt(store, OTHER)
    moving = Meanwhile(store.root, lambda: store.move(directory, ".trash/1"))
    assert the_only(read_attempts(moving, TAG)).directory == other


def test_an_attempt_that_is_completed_meanwhile_is_complete(store: LocalStore) -> None:
    put_attempt(store, status="running")
    completing = Meanwhile(store.root, lambda: put_attempt(store))
    assert the_only(read_attempts(completing, TAG)).recorded == "completed"


# --- one cell only ---


def test_attempts_at_finds_its_own_cell_only(store: LocalStore) -> None:
    cells = [Cell("ASHA", bench, seed) for bench in ("toy", "toy-1", "toy-1-2") for seed in (1, 2, 12, 13)]
    for cell in cells:
        put_attempt(store, cell)
    for cell in cells:
        assert the_only(attempts_at(store, TAG, cell, expensive=False)).cell == cell
    assert attempts_at(store, TAG, Cell("ASHA", "toy", 3), expensive=False) == []
    assert attempts_at(store, TAG, Cell("ASH", "toy", 1), expensive=False) == []


def test_attempts_at_an_expensive_method_are_in_the_folder_of_the_seed(store: LocalStore) -> None:
    directory = put_attempt(store, expensive=True)
    assert the_only(attempts_at(store, TAG, CELL, expensive=True)).directory == directory
    assert attempts_at(store, TAG, CELL, expensive=False) == []
