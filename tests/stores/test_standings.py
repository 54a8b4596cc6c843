"""Where experiments stand, by all attempts at them and by who has claimed them."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.core.cells import METADATA, RESULTS, Cell, claim_key
from hpoctl.stores.claims import LocalClaims
from hpoctl.stores.ledger import DIED, Attempt, Standing, read_attempts, standings
from hpoctl.stores.local import LocalStore
from hpoctl.testing.claims import claimed_elsewhere
from trees import CELL, TAG, put_attempt

OTHER = replace(CELL, seed=1)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "root")


@pytest.fixture
def claims(store: LocalStore) -> LocalClaims:
    return LocalClaims(store.root)


class Nobody:
    """Claims without holders."""

    def take(self, key: str) -> bool:
        return True

    def release(self, key: str) -> None:
        """Nothing."""

    def held(self, key: str) -> bool:
        return False


def stand(store: LocalStore, cell: Cell = CELL) -> Standing:
    """The state of an experiment that is not running."""
    return standings(TAG, [cell], read_attempts(store, TAG), Nobody())[cell]


def test_a_damaged_result_counts_as_failed_with_its_reason(store: LocalStore) -> None:
    directory = put_attempt(store)
    store.delete(f"{directory}/{RESULTS}")
    found = stand(store)
    assert (found.state, found.reason) == ("failed", "results.parquet is missing")


def test_an_experiment_without_attempts_is_missing(store: LocalStore) -> None:
    assert stand(store) == Standing(CELL, "missing", (), None, "")


def test_experiments_that_nobody_asked_for_stand_there_too(store: LocalStore) -> None:
    put_attempt(store, OTHER)
    found = standings(TAG, [CELL], read_attempts(store, TAG), Nobody())
    assert {cell: standing.state for cell, standing in found.items()} == {CELL: "missing", OTHER: "done"}


def test_what_cannot_be_told_apart_stands_nowhere(store: LocalStore) -> None:
    directory = put_attempt(store)
    store.put(f"{directory}/{METADATA}", b"")
    assert stand(store).state == "missing"


@pytest.mark.parametrize("last", ["failed", "interrupted", "running"])
def test_done_wins_and_the_newest_completed_one_counts(store: LocalStore, last: str) -> None:
    names = [put_attempt(store, status=status, seconds=at) for at, status in enumerate(["completed"] * 2 + [last])]
    found = stand(store)
    assert found.state == "done"
    assert found.current is not None
    assert found.current.directory == names[1]
    assert [attempt.directory for attempt in found.attempts] == names


@pytest.mark.parametrize(
    ("statuses", "state", "reason"),
    [
        (["failed"], "failed", "ValueError: broken"),
        (["interrupted"], "missing", "interrupted"),
        (["failed", "interrupted"], "missing", "interrupted"),
        (["interrupted", "failed"], "failed", "ValueError: broken"),
        (["running"], "failed", DIED),
        (["failed", "running"], "failed", DIED),
        (["running", "failed"], "failed", "ValueError: broken"),
    ],
)
def test_the_last_attempt_decides_when_none_is_complete(
    store: LocalStore, statuses: list[str], state: str, reason: str
) -> None:
    names = [put_attempt(store, status=status, seconds=at) for at, status in enumerate(statuses)]
    found = stand(store)
    assert (found.state, found.reason) == (state, reason)
    assert found.current is not None
    assert found.current.directory == names[-1]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_running_needs_a_process_that_has_the_claim(store: LocalStore, claims: LocalClaims) -> None:
    put_attempt(store, status="failed", seconds=1.0)
    running = put_attempt(store, status="running", seconds=2.0)
    put_attempt(store, OTHER, status="running")

    def states() -> dict[Cell, str]:
        found = standings(TAG, [CELL], read_attempts(store, TAG), claims)
        return {cell: standing.state for cell, standing in found.items()}

    assert states() == {CELL: "failed", OTHER: "failed"}
    with claimed_elsewhere(lambda: LocalClaims(store.root), claim_key(TAG, CELL)):
        assert states() == {CELL: "running", OTHER: "failed"}
        counts = standings(TAG, [CELL], read_attempts(store, TAG), claims)[CELL].current
        assert counts is not None
        assert counts.directory == running
        put_attempt(store, status="completed", seconds=0.5)
        assert states()[CELL] == "done"
    assert states() == {CELL: "done", OTHER: "failed"}


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_claim_without_an_attempt_is_not_running_yet(store: LocalStore, claims: LocalClaims) -> None:
    put_attempt(store, status="failed")
    with claimed_elsewhere(lambda: LocalClaims(store.root), claim_key(TAG, CELL)):
        assert standings(TAG, [CELL], read_attempts(store, TAG), claims)[CELL].state == "failed"


def test_a_clock_that_jumps_back_changes_which_is_newest_and_loses_nothing(store: LocalStore) -> None:
    later = put_attempt(store, seconds=0.0, rows=b"first")
    earlier = put_attempt(store, seconds=-86_400.0 * 365, rows=b"second")
    found = stand(store)
    assert [attempt.directory for attempt in found.attempts] == [earlier, later]
    assert found.state == "done"
    assert found.current is not None
    assert found.current.directory == later


def test_a_failure_before_the_clock_jumped_back_does_not_hide_a_result(store: LocalStore) -> None:
    put_attempt(store, status="failed", seconds=3600.0)
    put_attempt(store, seconds=-3600.0)
    assert stand(store).state == "done"


STATUSES = ["completed", "failed", "interrupted", "running"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(STATUSES), st.integers(-5, 5)), unique_by=lambda made: made[1]))
def test_an_experiment_is_done_exactly_if_a_complete_attempt_is_there(made: list[tuple[str, int]]) -> None:
    attempts = [
        Attempt(f"{TAG}/ASHA/{at}", CELL, status, float(at), None, "", 0, "", None, 1.0)  # type: ignore[arg-type]
        for status, at in made
    ]
    found = standings(TAG, [CELL], attempts, Nobody())[CELL]
    again = standings(TAG, [CELL], attempts[::-1], Nobody())[CELL]
    assert found == again, "the order in which attempts are found plays no part"
    assert (found.state == "done") == any(status == "completed" for status, _ in made)
    assert sorted(found.attempts, key=lambda attempt: attempt.directory) == sorted(
        attempts, key=lambda attempt: attempt.directory
    )
