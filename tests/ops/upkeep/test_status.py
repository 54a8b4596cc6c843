"""`hpoctl status` of tags in any state."""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hpoctl.core.cells import METADATA, RESULTS, Cell, Filters, claim_key
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.settings import Settings
from hpoctl.core.study import Study
from hpoctl.ops.launching.costs import Costs, seconds_left
from hpoctl.ops.launching.launches import keep_launch
from hpoctl.ops.studies.config import Root, open_root
from hpoctl.ops.studies.tags import keep_plan, keep_random_seed
from hpoctl.ops.upkeep.status import read_status
from hpoctl.ops.upkeep.status_model import FailureGroup, Pair, SeedSet, StudyStatus
from hpoctl.ops.upkeep.tag_list import list_tags
from hpoctl.ops.upkeep.time_left import TimeLeft
from hpoctl.stores.claims import LocalClaims
from hpoctl.stores.ledger import DIED
from hpoctl.testing.claims import claimed_elsewhere
from support import folder_of
from trees import BEGIN, CELL, ROWS, TAG, put_attempt

STUDY = Study("toys", "Toys", methods=("RS", "ASHA"), benchmarks=("toy", "toy-max"), num_seeds=3)
NONE = SeedSet(0, "")


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return open_root(str(tmp_path / "root"))


def look(root: Root, filters: Filters | None = None, *, tag: str = TAG, **changes: Any) -> StudyStatus:
    options: dict[str, Any] = {"costs": Costs({}), "now": BEGIN.timestamp() + 100.0, "workers": 2} | changes
    return read_status(root, tag, filters or Filters(), **options)


def pair(status: StudyStatus, method: str = "ASHA", benchmark: str = "toy") -> Pair:
    (found,) = [each for each in status.pairs if (each.method, each.benchmark) == (method, benchmark)]
    return found


def put_all(root: Root, study: Study = STUDY, tag: str = TAG) -> None:
    for cell in study.cells():
        put_attempt(root.store, cell, tag=tag)


# --- complete and incomplete experiments ---


def test_a_plan_that_nobody_has_begun_is_missing(root: Root) -> None:
    keep_plan(root.store, TAG, STUDY, "toys")
    status = look(root)
    assert status.methods == ("RS", "ASHA")
    assert status.benchmarks == ("toy", "toy-max")
    every = SeedSet(3, "0-2")
    assert pair(status) == Pair("ASHA", "toy", NONE, NONE, NONE, missing=every, wanted=every, extra=NONE)
    assert status.totals.missing == status.totals.total == status.to_launch == 12
    assert not status.complete


def test_a_complete_study(root: Root) -> None:
    keep_plan(root.store, TAG, STUDY, "toys")
    put_all(root)
    status = look(root)
    assert status.complete
    assert {each.done for each in status.pairs} == {SeedSet(3, "0-2")}
    assert (status.totals.done, status.totals.failed, status.totals.missing) == (12, 0, 0)
    assert (status.to_launch, status.to_run, status.time_left) == (0, (), None)
    files = [path for path in (folder_of(root) / TAG).glob("*/*/*") if path.parts[-3] != ".hpoctl"]
    assert status.size == sum(path.stat().st_size for path in files)


def test_a_failure_says_why_in_one_line(root: Root) -> None:
    keep_plan(root.store, TAG, STUDY, "toys")
    error = 'Traceback (most recent call last):\n  File "x"\nRuntimeError: the table\nis gone'
    for seed in (0, 2):
        put_attempt(root.store, replace(CELL, seed=seed), "failed", error=error)
    put_attempt(root.store, replace(CELL, seed=1), "failed")
    status = look(root)
    assert status.failures == (
        FailureGroup("ASHA", "toy", SeedSet(2, "0, 2"), "RuntimeError: the table"),
        FailureGroup("ASHA", "toy", SeedSet(1, "1"), "ValueError: broken"),
    )
    assert pair(status).failed == SeedSet(3, "0-2")


def test_an_error_of_our_own_is_shown_without_its_class(root: Root) -> None:
    error = 'Traceback (most recent call last):\n  File "x"\nhpoctl.core.errors.UsageError: No such table. Add it.'
    put_attempt(root.store, CELL, "failed", error=error)
    assert look(root).failures[0].reason == "No such table. Add it."


def test_the_cause_of_a_chained_error_is_not_its_reason(root: Root) -> None:
    first = 'Traceback (most recent call last):\n  File "x"\nKeyError: 1\n\nDuring handling, another exception:\n\n'
    put_attempt(
        root.store, CELL, "failed", error=f'{first}Traceback (most recent call last):\n  File "y"\nTypeError: 2'
    )
    assert look(root).failures[0].reason == "TypeError: 2"


def test_an_interrupted_experiment_is_missing(root: Root) -> None:
    put_attempt(root.store, CELL, "interrupted")
    status = look(root)
    assert pair(status).missing == SeedSet(1, "0")
    assert status.failures == ()


def test_what_a_living_process_runs_is_running(root: Root) -> None:
    keep_plan(root.store, TAG, STUDY, "toys")
    put_attempt(root.store, CELL, "running")
    with claimed_elsewhere(lambda: LocalClaims(folder_of(root)), claim_key(TAG, CELL)) as pid:
        running = look(root)
        assert pair(running).running == SeedSet(1, "0")
        assert (running.totals.running, running.totals.failed, running.to_launch) == (1, 0, 11)
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        died = look(root)
    assert pair(died).failed == SeedSet(1, "0")
    assert died.failures == (FailureGroup("ASHA", "toy", SeedSet(1, "0"), DIED),)
    assert died.to_launch == 12


def test_what_ends_while_we_look_is_not_taken_for_dead(root: Root) -> None:
    put_attempt(root.store, CELL, "running")

    class Ending(LocalClaims):
        """The experiment completes after its metadata was read and before its claim is looked at."""

        def held(self, key: str) -> bool:
            put_attempt(root.store, CELL)
            return False

    status = look(replace(root, claims=Ending(folder_of(root))))
    assert pair(status).done == SeedSet(1, "0")
    assert status.failures == ()


def test_what_is_removed_while_we_look_is_missing(root: Root) -> None:
    keep_plan(root.store, TAG, STUDY, "toys")
    directory = put_attempt(root.store, CELL, "running")

    class Cleaning(LocalClaims):
        def held(self, key: str) -> bool:
            root.store.delete(directory)
            return False

    status = look(replace(root, claims=Cleaning(folder_of(root))))
    assert pair(status).missing == SeedSet(3, "0-2")


def test_earlier_attempts_are_counted_and_do_not_count(root: Root) -> None:
    put_attempt(root.store, CELL, "failed")
    put_attempt(root.store, CELL, seconds=1.0)
    put_attempt(root.store, CELL, seconds=2.0)
    put_attempt(root.store, CELL, "failed", seconds=3.0)
    status = look(root)
    assert pair(status).done == SeedSet(1, "0")
    assert status.earlier_attempts == 3
    assert status.failures == ()


# --- what is damaged ---


def test_a_truncated_result_is_named_and_does_not_count(root: Root) -> None:
    keep_plan(root.store, TAG, STUDY, "toys")
    directory = put_attempt(root.store)
    root.store.put(f"{directory}/{RESULTS}", ROWS[:-1])
    status = look(root)
    assert pair(status).failed == SeedSet(1, "0")
    (damaged,) = status.damaged
    assert damaged.cell == CELL
    assert damaged.path == root.store.location(directory)
    assert RESULTS in damaged.cause
    assert not damaged.replaced
    assert status.failures == ()
    assert status.to_launch == 12


def test_a_changed_byte_is_found_with_verify(root: Root) -> None:
    directory = put_attempt(root.store)
    root.store.put(f"{directory}/{RESULTS}", ROWS[::-1])
    assert look(root).complete
    status = look(root, verify=True)
    assert pair(status).failed == SeedSet(1, "0")
    assert "hash" in status.damaged[0].cause


@pytest.mark.parametrize(
    "change", [lambda data: data[:-10], lambda data: data.replace(b"ASHA", b"ASHB"), lambda _: b""]
)
def test_damaged_metadata_is_named_and_its_experiment_is_missing(root: Root, change: Callable[[bytes], bytes]) -> None:
    keep_plan(root.store, TAG, STUDY, "toys")
    directory = put_attempt(root.store)
    root.store.put(f"{directory}/{METADATA}", change(root.store.get(f"{directory}/{METADATA}")))
    status = look(root)
    assert pair(status).missing == SeedSet(3, "0-2")
    (damaged,) = status.damaged
    assert damaged.cell is None
    assert damaged.path == root.store.location(directory)
    assert METADATA in damaged.cause
    assert look(root, Filters(methods=("RS",))).damaged == (damaged,)


def test_a_damaged_result_that_was_done_again_is_still_named(root: Root) -> None:
    directory = put_attempt(root.store)
    root.store.put(f"{directory}/{RESULTS}", b"")
    put_attempt(root.store, seconds=1.0)
    status = look(root)
    assert status.complete
    assert [damaged.replaced for damaged in status.damaged] == [True]


def test_a_damaged_plan_is_named_and_the_study_is_not_complete(root: Root) -> None:
    keep_plan(root.store, TAG, STUDY, "toys")
    plan = keep_plan(root.store, TAG, replace(STUDY, num_seeds=9), "toys")
    put_all(root)
    root.store.put(f"{TAG}/.hpoctl/plans/{plan.name}.json", b"{}")
    status = look(root)
    assert status.totals.done == status.totals.wanted == 12
    assert plan.name in status.problems[0]
    assert not status.complete


# --- what a plan wants, and what not ---


def test_results_of_no_plan_count_and_are_told_apart(root: Root) -> None:
    keep_plan(root.store, TAG, STUDY, "toys")
    put_attempt(root.store, replace(CELL, seed=7))
    put_attempt(root.store, replace(CELL, seed=8), "failed")
    put_attempt(root.store, Cell("BO", "toy", 0), "interrupted")
    status = look(root)
    assert (status.totals.wanted, status.totals.extra, status.totals.done, status.totals.failed) == (12, 3, 1, 1)
    assert pair(status).extra == SeedSet(2, "7-8")
    assert status.methods == ("RS", "ASHA", "BO")
    assert status.to_launch == 12
    assert set(status.to_run) == {replace(CELL, seed=8), Cell("BO", "toy", 0)}


def test_a_tag_without_plans(root: Root) -> None:
    put_attempt(root.store)
    status = look(root)
    assert status.complete
    assert (status.totals.wanted, status.totals.extra) == (0, 1)


def test_all_plans_of_a_tag_are_wanted(root: Root) -> None:
    keep_plan(root.store, TAG, replace(STUDY, num_seeds=1), "toys")
    keep_plan(root.store, TAG, replace(STUDY, start_seed=1, num_seeds=5), "toys")
    assert pair(look(root)).wanted == SeedSet(5, "0-4")


def test_a_tag_is_not_another_one_that_begins_alike(root: Root) -> None:
    put_attempt(root.store, CELL)
    put_attempt(root.store, replace(CELL, seed=1), tag="docs-2-debug")
    put_attempt(root.store, replace(CELL, seed=2), tag="docs")
    assert pair(look(root)).done == SeedSet(1, "0")
    assert pair(look(root, tag="docs-2-debug")).done == SeedSet(1, "1")


# --- filters ---


@pytest.mark.parametrize(
    ("filters", "cells", "done"),
    [
        (Filters(), 12, 1),
        (Filters(methods=("RS",)), 6, 0),
        (Filters(benchmarks=("toy", "toy-max")), 12, 1),
        (Filters(benchmarks=("toy-max",)), 6, 0),
        (Filters(seeds=frozenset({0, 2})), 8, 0),
        (Filters(("ASHA",), ("toy",), frozenset({1})), 1, 1),
    ],
)
def test_filters(root: Root, filters: Filters, cells: int, done: int) -> None:
    keep_plan(root.store, TAG, STUDY, "toys")
    put_attempt(root.store, Cell("ASHA", "toy", 1))
    status = look(root, filters)
    assert (status.totals.total, status.totals.done) == (cells, done)
    assert status.to_launch == cells - done


def test_a_filter_that_names_what_the_tag_does_not_have(root: Root) -> None:
    put_attempt(root.store)
    with pytest.raises(UsageError, match=r"has no method 'ASH'.*Did you mean ASHA"):
        look(root, Filters(methods=("ASH",)))
    with pytest.raises(UsageError, match=r"has no benchmark 'toys'.*Did you mean toy"):
        look(root, Filters(benchmarks=("toys",)))


def test_seeds_that_match_nothing(root: Root) -> None:
    put_attempt(root.store)
    with pytest.raises(IncompleteError, match="No experiment"):
        look(root, Filters(seeds=frozenset({99})))


def test_a_tag_that_there_is_nothing_of(root: Root) -> None:
    put_attempt(root.store)
    with pytest.raises(IncompleteError, match=r"nothing of tag docs-3.*Did you mean docs-2.*--results"):
        look(root, tag="docs-3")


@pytest.mark.parametrize("tag", ["../x", "", "a b", "a" * 64, ".trash"])
def test_what_is_no_tag_is_refused(root: Root, tag: str) -> None:
    with pytest.raises(UsageError):
        look(root, tag=tag)


# --- launches and time ---


def test_a_running_launch_is_shown_for_as_long_as_it_runs(root: Root) -> None:
    keep_plan(root.store, TAG, STUDY, "toys")
    launch = keep_launch(root.store, LocalClaims(folder_of(root)), TAG, 4, BEGIN, "hpoctl launch", "")
    assert look(root).launches == ()  # this process's own
    root.claims.release(f"{TAG}/.hpoctl/launches/{launch.name}")
    with claimed_elsewhere(lambda: LocalClaims(folder_of(root)), f"{TAG}/.hpoctl/launches/{launch.name}"):
        status = look(root)
        assert status.launches == (launch,)
        assert status.time_left is not None
        assert status.time_left.workers == 4
    assert look(root).launches == ()


def test_time_left_from_what_the_tag_has_measured(root: Root) -> None:
    keep_plan(root.store, TAG, replace(STUDY, methods=("ASHA",), benchmarks=("toy",), num_seeds=6), "toys")
    put_attempt(root.store, CELL, wall_seconds=4.0)
    put_attempt(root.store, replace(CELL, seed=1), wall_seconds=6.0)
    elsewhere = Costs({("ASHA", "toy"): (9, 1000.0)})
    assert look(root, costs=elsewhere).time_left == TimeLeft(10.0, 2, from_tag=4, from_machine=0, unknown=0)


@pytest.mark.parametrize(
    "settings",
    [Settings(max_wallclock_time=1800.0), Settings(max_wallclock_time=7200.0, scale_max_wallclock_time=0.25)],
    ids=["seconds", "scaled"],
)
def test_time_left_from_what_the_machine_has_measured(root: Root, settings: Settings) -> None:
    study = replace(STUDY, methods=("ASHA",), benchmarks=("toy",), experiment=settings)
    keep_plan(root.store, TAG, study, "toys")
    status = look(root, costs=Costs({("ASHA", "toy"): (9, 8.0)}), workers=1)
    assert status.time_left == TimeLeft(12.0, 1, from_tag=0, from_machine=3, unknown=0)


def test_time_left_is_unknown_where_nothing_was_measured(root: Root) -> None:
    keep_plan(root.store, TAG, STUDY, "toys")
    assert look(root).time_left == TimeLeft(None, 2, from_tag=0, from_machine=0, unknown=12)
    put_attempt(root.store)
    assert look(root).time_left == TimeLeft(None, 2, from_tag=2, from_machine=0, unknown=9)
    put_attempt(root.store, replace(CELL, method="RS"))
    put_attempt(root.store, replace(CELL, benchmark="toy-max"))
    # Six experiments of two seconds, two at a time; three of unknown cost are not most of them.
    assert look(root).time_left == TimeLeft(6.0, 2, from_tag=6, from_machine=0, unknown=3)


def test_time_left_of_a_launch_that_runs_is_what_its_bar_shows(root: Root) -> None:
    keep_plan(root.store, TAG, STUDY, "toys")
    put_attempt(root.store, replace(CELL, seed=2), seconds=-50.0)  # before it
    launch = keep_launch(root.store, root.claims, TAG, 4, BEGIN, "hpoctl launch", "", (11, 100.0))
    root.claims.release(f"{TAG}/.hpoctl/launches/{launch.name}")
    put_attempt(root.store, CELL, seconds=5.0)
    put_attempt(root.store, replace(CELL, seed=1), "failed", seconds=6.0)
    with claimed_elsewhere(lambda: LocalClaims(folder_of(root)), f"{TAG}/.hpoctl/launches/{launch.name}"):
        left = look(root, now=BEGIN.timestamp() + 40.0).time_left
        of_one = look(root, Filters(methods=("ASHA",)), now=BEGIN.timestamp() + 40.0).time_left
    assert left is not None
    assert left.paced
    assert left.seconds == pytest.approx(seconds_left(11, 2, 40.0, 100.0))
    assert of_one is not None
    assert not of_one.paced  # the launch runs more than that


@pytest.mark.parametrize(
    ("ended", "elapsed", "left"), [(0, 30.0, 100.0), (5, 60.0, (0.5 * 120.0 + 0.5 * 100.0) / 2), (10, 80.0, 0.0)]
)
def test_the_pace_of_a_launch_counts_more_the_further_it_is(ended: int, elapsed: float, left: float) -> None:
    assert seconds_left(10, ended, elapsed, 100.0) == pytest.approx(left)


def test_what_a_running_experiment_has_behind_it_is_not_left(root: Root) -> None:
    put_attempt(root.store, CELL, wall_seconds=30.0)
    put_attempt(root.store, replace(CELL, seed=1), "running", seconds=80.0)
    with claimed_elsewhere(lambda: LocalClaims(folder_of(root)), claim_key(TAG, replace(CELL, seed=1))):
        began = BEGIN.timestamp() + 80.0
        left = [look(root, now=began + passed).time_left for passed in (0.0, 20.0, 500.0, -500.0)]
    assert [each.seconds for each in left if each] == pytest.approx([30.0, 10.0, 0.0, 30.0])


# --- the list of tags ---


def test_all_tags_with_the_newest_activity_first(root: Root) -> None:
    put_attempt(root.store, CELL, tag="old", seconds=-500.0)
    keep_plan(root.store, "new", STUDY, "toys")
    put_attempt(root.store, CELL, tag="new", wall_seconds=5.0)
    put_attempt(root.store, replace(CELL, seed=1), "failed", tag="new")
    keep_plan(root.store, "begun", STUDY, "toys")
    found = list_tags(root)
    assert [tag.tag for tag in found.tags] == ["new", "old", "begun"]
    new = found.tags[0]
    assert (new.done, new.failed, new.running, new.missing, new.total) == (1, 1, 0, 10, 12)
    assert new.last_activity == pytest.approx(BEGIN.timestamp() + 5.0)
    assert found.problems == ()


def test_what_is_no_tag_is_passed_over_and_what_is_broken_is_said(root: Root) -> None:
    put_attempt(root.store)
    directory = put_attempt(root.store, CELL, tag="broken")
    root.store.put(f"{directory}/{METADATA}", b"")
    plan = keep_plan(root.store, "plan", STUDY, "toys")
    root.store.put(f"plan/.hpoctl/plans/{plan.name}.json", b"")
    keep_random_seed(root.store, "seed-only", 1)
    for name in ("not_a_tag", ".trash", "a b"):
        root.store.put(f"{name}/x/{METADATA}", b"{}")
    (folder_of(root) / "file").write_text("x")
    found = list_tags(root)
    assert {tag.tag for tag in found.tags} == {TAG, "broken", "plan"}
    assert [problem.split(":")[0] for problem in sorted(found.problems)] == ["broken", "plan"]


def test_no_results_at_all(root: Root) -> None:
    with pytest.raises(IncompleteError, match="no results"):
        list_tags(root)
    assert not folder_of(root).exists()
