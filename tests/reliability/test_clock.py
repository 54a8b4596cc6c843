"""Clocks that jump: dates name attempts and order them, and nothing else depends on them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, cycle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.core.cells import CONTROL, Cell, Filters, claim_key
from hpoctl.core.clock import SystemTime
from hpoctl.core.errors import IncompleteError
from hpoctl.core.study import Study
from hpoctl.ops.launching.costs import Costs
from hpoctl.ops.launching.launch_plan import LaunchRequest, plan_launch
from hpoctl.ops.launching.launches import keep_launch
from hpoctl.ops.running.run import RunRequest, plan_run, run
from hpoctl.ops.studies.config import open_root
from hpoctl.ops.studies.overrides import Overrides
from hpoctl.ops.upkeep.logs import find_logs
from hpoctl.ops.upkeep.selection import Criteria, select
from hpoctl.ops.upkeep.status import read_status
from hpoctl.ops.upkeep.status_model import StudyStatus
from hpoctl.ops.upkeep.tag_list import list_tags
from hpoctl.stores.ledger import Attempt, read_attempts, standings
from hpoctl.testing.hard_cases import Nobody
from launch_here import launch_here, no_stderr, toy_registry
from toy_studies import fast_folder, lane
from trees import BEGIN, put_attempt
from wrecks import claimed_elsewhere, in_child

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

TAG = "jumps"
CELL = Cell("RS", "toy", 0)
STUDY = Study("toys", "Toys", methods=("RS",), benchmarks=("toy",), random_seed=5)
REGISTRY = toy_registry([STUDY])
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Dates = Callable[[], datetime]


def clock(dates: Dates) -> SystemTime:
    """A clock with these dates; its durations are those of a clock that never goes backwards."""
    steps = count()
    return SystemTime(monotonic=lambda: next(steps) / 1000, cpu=lambda: next(steps) / 1000, utc=dates)


def in_turn(*offsets: timedelta) -> Dates:
    dates = cycle([BEGIN + offset for offset in offsets])
    return lambda: next(dates)


CLOCKS = {
    "an hour forth and back": in_turn(timedelta(), HOUR),
    "an hour back, then forth": in_turn(timedelta(), -HOUR),
    "a day back each time": in_turn(*(-number * DAY for number in range(10))),
    "a day forth and two back": in_turn(timedelta(), DAY, -DAY),
    "stands still": in_turn(timedelta()),
    "says 1970": lambda: EPOCH,
    "says 2099": lambda: datetime(2099, 12, 31, tzinfo=UTC),
}


@pytest.fixture
def root() -> Iterator[Path]:
    with fast_folder() as folder:
        yield folder


def run_again(root: Path, dates: Dates, times: int) -> list[Attempt]:
    """Run one experiment several times; every attempt is kept. Returns them as they are read back."""
    for _ in range(times):
        changes = Overrides(methods=("RS",), benchmarks=("toy",))
        plan = plan_run(RunRequest(changes, tag=TAG, random_seed=5, results=str(root)), REGISTRY)
        outcome = run(plan, lambda spec: Nobody(), lambda finished: None, clock(dates))
        assert (len(outcome.finished), outcome.failed) == (1, ())
        assert all(finished.wall_seconds >= 0.0 <= finished.cpu_seconds for finished in outcome.finished)
    return read_attempts(open_root(str(root)).store, TAG, verify=True)


def check_attempts(root: Path, attempts: list[Attempt], times: int) -> None:
    """Nothing was replaced, no time is negative, and the newest by date and name counts."""
    opened = open_root(str(root))
    assert len({attempt.directory for attempt in attempts}) == len(attempts) == times
    assert all(attempt.recorded == "completed" for attempt in attempts)
    assert all(attempt.seconds is not None and attempt.seconds >= 0.0 for attempt in attempts)
    standing = standings(TAG, [], attempts, opened.claims)[CELL]
    assert standing.state == "done"
    assert standing.current == max(attempts, key=lambda attempt: (attempt.started, attempt.directory))


@pytest.mark.parametrize("dates", CLOCKS.values(), ids=CLOCKS)
def test_attempts_are_kept_apart_and_the_newest_date_counts(root: Path, dates: Dates) -> None:
    check_attempts(root, run_again(root, dates, 5), 5)
    # Whatever the dates say: the experiment is done, and a launch has nothing to do.
    assert plan_launch(LaunchRequest(tag=TAG, results=str(root), yes=True), REGISTRY).jobs == ()


@settings(max_examples=lane(15, 100), deadline=None)
@given(st.lists(st.timedeltas(-366 * DAY, 366 * DAY), min_size=1, max_size=6))
def test_any_dates_will_do(offsets: list[timedelta]) -> None:
    with fast_folder() as root:
        check_attempts(root, run_again(root, in_turn(*offsets), len(offsets)), len(offsets))


def status(root: Path, now: datetime) -> StudyStatus:
    opened = open_root(str(root))
    return read_status(opened, TAG, Filters(), costs=Costs({}), now=now.timestamp(), workers=2)


@pytest.mark.parametrize("now", [EPOCH, BEGIN - DAY, BEGIN, BEGIN + DAY], ids=str)
def test_looks_at_a_tag_do_not_mind_the_date(root: Path, now: datetime) -> None:
    """Attempts of the past, of the future and of 1970, one of them running elsewhere."""
    opened = open_root(str(root))
    cells = [Cell("RS", "toy", seed) for seed in range(4)]
    far = (EPOCH - BEGIN).total_seconds()
    for cell, seconds in zip(cells, (0.0, 1e8, far, -86400.0), strict=True):
        put_attempt(opened.store, cell, "running" if cell.seed == 1 else "completed", tag=TAG, seconds=seconds)
    with claimed_elsewhere(root, claim_key(TAG, cells[1])):
        found = status(root, now)
        assert (found.totals.done, found.totals.running) == (3, 1)
        assert found.time_left is not None
        assert found.time_left.seconds is not None
        assert 0.0 <= found.time_left.seconds <= 2.0  # what the others took
        (summary,) = list_tags(opened).tags
        assert (summary.done, summary.running) == (3, 1)
        logs = find_logs(opened, TAG, Filters(seeds=frozenset({1})))
        assert [log.state for log in logs.attempts] == ["running"]


def test_older_than_goes_by_dates_and_takes_nothing_of_the_future(root: Path) -> None:
    opened = open_root(str(root))
    made = {
        name: put_attempt(opened.store, Cell("RS", "toy", seed), tag=TAG, seconds=seconds)
        for seed, (name, seconds) in enumerate({"1970": (EPOCH - BEGIN).total_seconds(), "future": 1e8}.items())
    }
    for age in (0.0, 1.0, 86400.0):
        matches = select(opened, TAG, Criteria(older_than=age), BEGIN).matches
        assert [match.attempt.directory for match in matches] == [made["1970"]]
    with pytest.raises(IncompleteError):
        select(opened, TAG, Criteria(older_than=1.0), EPOCH)


@pytest.mark.parametrize("seconds", [-1e9, 0.0, 1e9], ids=["long ago", "then", "in the future"])
def test_no_clock_decides_whether_an_experiment_runs(root: Path, seconds: float) -> None:
    opened = open_root(str(root))
    put_attempt(opened.store, CELL, "running", tag=TAG, seconds=seconds)
    request = LaunchRequest(tag=TAG, results=str(root), yes=True)

    def state() -> str:
        return standings(TAG, [CELL], read_attempts(opened.store, TAG), opened.claims)[CELL].state

    with claimed_elsewhere(root, claim_key(TAG, CELL)):
        assert state() == "running"
        assert plan_launch(request, REGISTRY).running == 1
    # Its process has ended: at once the experiment is to be run again.
    assert state() == "failed"
    assert plan_launch(request, REGISTRY).experiments == 1


@pytest.mark.parametrize("dates", CLOCKS.values(), ids=CLOCKS)
def test_no_clock_decides_whether_a_launch_runs(root: Path, dates: Dates) -> None:
    opened = open_root(str(root))
    with no_stderr():
        _, outcome, _ = launch_here(LaunchRequest(tag=TAG, results=str(root), yes=True), REGISTRY)
    assert outcome.seconds >= 0.0

    def launches() -> None:
        keep_launch(opened.store, opened.claims, TAG, 1, dates(), "hpoctl launch", "")

    recorded = len(opened.store.list(f"{TAG}/{CONTROL}/launches"))
    assert in_child(launches) == 0
    # Its record is there, and its process is not.
    assert len(opened.store.list(f"{TAG}/{CONTROL}/launches")) == recorded + 1
    assert status(root, BEGIN).launches == ()
