"""`hpoctl logs`: what an experiment printed, and why it failed."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from hpoctl.core.cells import CONTROL, LOG, METADATA, RESULTS, Cell, Filters, claim_key
from hpoctl.core.errors import HpoctlError, IncompleteError, UsageError
from hpoctl.core.study import Study
from hpoctl.ops.launching.launches import keep_launch
from hpoctl.ops.studies.config import Root, open_root
from hpoctl.ops.studies.tags import keep_plan
from hpoctl.ops.upkeep.logs import AttemptLog, find_logs
from hpoctl.stores.claims import LocalClaims
from hpoctl.stores.ledger import DIED
from hpoctl.testing.claims import claimed_elsewhere
from support import folder_of
from trees import BEGIN, CELL, ERROR, TAG, put_attempt

STUDY = Study("toys", "Toys", methods=("RS", "ASHA"), benchmarks=("toy", "toy-max"), num_seeds=3)
ONE = Filters((CELL.method,), (CELL.benchmark,), frozenset({CELL.seed}))


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return open_root(str(tmp_path / "root"))


def the_log(root: Root, filters: Filters = ONE) -> AttemptLog:
    found = find_logs(root, TAG, filters)
    (attempt,) = found.attempts
    return attempt


def test_the_log_of_a_completed_experiment(root: Root) -> None:
    directory = put_attempt(root.store, host="node-7", pid=123)
    root.store.put(f"{directory}/{LOG}", b"fitting\n[bold]not markup[/bold]\n")
    assert the_log(root) == AttemptLog(
        state="completed",
        path=root.store.location(directory),
        directory=directory,
        started=BEGIN.timestamp(),
        host="node-7",
        pid=123,
        seconds=2.0,
        reason="",
        traceback="",
        log="fitting\n[bold]not markup[/bold]\n",
    )


@pytest.mark.parametrize("log", [None, b""])
def test_an_experiment_that_printed_nothing(root: Root, log: bytes | None) -> None:
    directory = put_attempt(root.store)
    if log is not None:
        root.store.put(f"{directory}/{LOG}", log)
    assert the_log(root).log is None


def test_a_log_that_is_not_utf_8(root: Root) -> None:
    directory = put_attempt(root.store)
    root.store.put(f"{directory}/{LOG}", b"caf\xe9 \xf0\x9f\x8d\xb5")
    assert the_log(root).log == "caf\ufffd \U0001f375"


def test_a_failed_experiment_has_its_traceback(root: Root) -> None:
    put_attempt(root.store, CELL, "failed")
    log = the_log(root)
    assert (log.state, log.reason, log.traceback, log.seconds) == ("failed", "ValueError: broken", ERROR, None)


def test_the_latest_attempt_or_all(root: Root) -> None:
    for seconds, status in enumerate(["failed", "completed", "interrupted"]):
        directory = put_attempt(root.store, CELL, status, seconds=float(seconds))
        root.store.put(f"{directory}/{LOG}", f"attempt {seconds}".encode())
    latest = find_logs(root, TAG, ONE)
    assert [attempt.log for attempt in latest.attempts] == ["attempt 2"]
    assert latest.earlier == 2
    every = find_logs(root, TAG, ONE, everything=True)
    assert [attempt.state for attempt in every.attempts] == ["failed", "completed", "interrupted"]
    assert [attempt.log for attempt in every.attempts] == ["attempt 0", "attempt 1", "attempt 2"]
    assert every.earlier == 0


def test_a_running_experiment_and_one_that_died(root: Root) -> None:
    put_attempt(root.store, CELL, "running")
    with claimed_elsewhere(lambda: LocalClaims(folder_of(root)), claim_key(TAG, CELL)) as pid:
        assert (the_log(root).state, the_log(root).reason) == ("running", "")
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert (the_log(root).state, the_log(root).reason) == ("died", DIED)


def test_an_attempt_that_died_is_not_running_because_another_one_is(root: Root) -> None:
    put_attempt(root.store, CELL, "running")
    put_attempt(root.store, CELL, "running", seconds=1.0)
    with claimed_elsewhere(lambda: LocalClaims(folder_of(root)), claim_key(TAG, CELL)):
        found = find_logs(root, TAG, ONE, everything=True)
    assert [attempt.state for attempt in found.attempts] == ["died", "running"]


@pytest.mark.parametrize("expensive", [False, True])
def test_damaged_metadata_is_found_by_its_name(root: Root, expensive: bool) -> None:
    put_attempt(root.store, CELL, "failed", seconds=-9.0, expensive=expensive)
    directory = put_attempt(root.store, CELL, expensive=expensive)
    root.store.put(f"{directory}/{METADATA}", b"{}")
    root.store.put(f"{directory}/{LOG}", b"the last words")
    log = the_log(root)
    assert (log.state, log.path, log.log) == ("damaged", root.store.location(directory), "the last words")
    assert METADATA in log.reason
    assert log.started == pytest.approx(BEGIN.timestamp())


def test_damaged_metadata_alone_is_found_by_its_name(root: Root) -> None:
    put_attempt(root.store, replace(CELL, seed=1))
    directory = put_attempt(root.store)
    root.store.put(f"{directory}/{METADATA}", b"")
    assert the_log(root).state == "damaged"


def test_a_name_that_only_begins_alike_is_not_taken_for_it(root: Root) -> None:
    directory = put_attempt(root.store, Cell("ASHA", "toy-0", 1))
    root.store.put(f"{directory}/{METADATA}", b"")
    with pytest.raises(UsageError, match="has no method"):
        the_log(root)
    assert the_log(root, Filters(("ASHA",), ("toy-0",), frozenset({1}))).state == "damaged"


def test_a_damaged_result_says_what_is_wrong(root: Root) -> None:
    directory = put_attempt(root.store)
    root.store.delete(f"{directory}/{RESULTS}")
    log = the_log(root)
    assert log.state == "damaged"
    assert RESULTS in log.reason


def test_one_experiment_may_be_named_by_less(root: Root) -> None:
    put_attempt(root.store)
    put_attempt(root.store, Cell("RS", "toy", 0), "failed")
    assert the_log(root, Filters(methods=("RS",))).state == "failed"


def test_several_experiments_that_match_are_named(root: Root) -> None:
    for seed in (10, 9):
        put_attempt(root.store, replace(CELL, seed=seed))
    found = find_logs(root, TAG, Filters(methods=("ASHA",)))
    assert found.cells == (replace(CELL, seed=9), replace(CELL, seed=10))
    assert found.attempts == ()


def test_what_has_not_been_run_yet(root: Root) -> None:
    keep_plan(root.store, TAG, STUDY, "toys")
    with pytest.raises(
        IncompleteError, match=r"ASHA toy seed 0 has not been run.*hpoctl launch --tag docs-2 --results"
    ):
        find_logs(root, TAG, ONE)
    with pytest.raises(IncompleteError, match="and 11 more have not been run"):
        find_logs(root, TAG, Filters())


def test_what_a_running_launch_has_not_run_yet(root: Root) -> None:
    keep_plan(root.store, TAG, STUDY, "toys")
    launch = keep_launch(root.store, root.claims, TAG, 2, BEGIN, "hpoctl launch", "")
    key = f"{TAG}/{CONTROL}/launches/{launch.name}"
    root.claims.release(key)
    with (
        claimed_elsewhere(lambda: LocalClaims(folder_of(root)), key),
        pytest.raises(IncompleteError, match=r"has not been run yet.*A launch is running: `hpoctl status --tag docs-2"),
    ):
        find_logs(root, TAG, ONE)


@pytest.mark.parametrize(
    ("filters", "error", "message"),
    [
        (Filters(methods=("ASH",)), UsageError, "has no method 'ASH'.*Did you mean ASHA"),
        (Filters(benchmarks=("tox",)), UsageError, "has no benchmark 'tox'.*Did you mean toy"),
        (Filters(seeds=frozenset({5})), IncompleteError, "No experiment of tag docs-2 matches"),
    ],
)
def test_what_does_not_match(root: Root, filters: Filters, error: type[HpoctlError], message: str) -> None:
    put_attempt(root.store)
    with pytest.raises(error, match=message):
        find_logs(root, TAG, filters)


def test_another_tag(root: Root) -> None:
    put_attempt(root.store)
    with pytest.raises(IncompleteError, match="Did you mean docs-2"):
        find_logs(root, "docs-22", ONE)
    with pytest.raises(UsageError):
        find_logs(root, "../docs", ONE)
