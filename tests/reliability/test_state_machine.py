"""A tag under all that can happen to it, in any order, against a model that is a dictionary."""

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import METADATA, RESULTS, Cell, Filters
from hpoctl.core.errors import HpoctlError, IncompleteError, UsageError
from hpoctl.core.study import Study
from hpoctl.ops.launching.costs import Costs
from hpoctl.ops.launching.launch_plan import LaunchRequest
from hpoctl.ops.running.run import RunOutcome, RunRequest, plan_run, run
from hpoctl.ops.studies.config import open_root
from hpoctl.ops.studies.overrides import Overrides
from hpoctl.ops.studies.tags import keep_plan, keep_random_seed
from hpoctl.ops.upkeep.clean import clean
from hpoctl.ops.upkeep.selection import Criteria, select
from hpoctl.ops.upkeep.status import read_status
from hpoctl.ops.upkeep.trash import purge, undo
from hpoctl.stores.claims import CLAIMS
from hpoctl.stores.ledger import read_attempts, standings
from hpoctl.testing.hard_cases import Nobody
from launch_here import launch_here, no_stderr, toy_registry
from support import folder_of
from toy_studies import fast_folder, lane
from trees import BEGIN
from wrecks import in_child, kill_this_process, snapshot

pytestmark = [pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"), pytest.mark.timeout(3600)]

TAG, OTHER = "docs-2", "docs-2-debug"
METHODS = ("RS", "BO")
MOST = 3
"""Seeds that a study may have."""

RANDOM_SEED = 5
STUDY = Study("toys", "Toys", methods=METHODS, benchmarks=("toy",), random_seed=RANDOM_SEED)
REGISTRY = toy_registry([STUDY])
KILLED = -9

methods = st.sampled_from(METHODS)
seeds = st.integers(0, MOST - 1)
counts = st.integers(1, MOST)
filters = st.builds(
    Filters, methods=st.just(()) | st.tuples(methods), seeds=st.none() | st.frozensets(seeds, min_size=1)
)
flags = st.booleans()
criteria = st.one_of(
    st.builds(Criteria, filters=filters),
    st.sampled_from([Criteria(incomplete=True), Criteria(failed=True), Criteria(duplicates=True)]),
    st.builds(Criteria, filters=filters, incomplete=flags, failed=flags, duplicates=flags),
).filter(lambda made: not made.whole)


@dataclass(frozen=True)
class Made:
    """An attempt of the model.

    Attributes:
        number: Attempts are numbered in the order in which they began.
        cell: The experiment.
        recorded: What its metadata says.
        digests: The hashes of its files.
    """

    number: int
    cell: Cell
    recorded: str
    digests: tuple[str, ...]


@dataclass
class Tag:
    """A tag of the model.

    Attributes:
        attempts: Its attempts by directory.
        wanted: The experiments that its plans want.
    """

    attempts: dict[str, Made] = field(default_factory=dict)
    wanted: set[Cell] = field(default_factory=set)


@dataclass
class Trashed:
    """What one clean has moved: a whole tag, or some attempts."""

    whole: Tag | None
    attempts: dict[str, Made]


class Breaks(Nobody):
    """A watcher at which an experiment breaks, when its first trial begins."""

    def __init__(self, happen: Callable[[], None]) -> None:
        self.happen = happen

    def begins(self, *_: object) -> None:
        self.happen()


def fail() -> None:
    raise RuntimeError("broken")


def interrupt() -> None:
    raise KeyboardInterrupt


def cells_of(num_seeds: int) -> set[Cell]:
    return {Cell(method, "toy", seed) for method in METHODS for seed in range(num_seeds)}


class Studies(RuleBasedStateMachine):
    """What people, and machines that fail, do to a tag. `tag` is None where there is nothing of it."""

    folder: Any = None  # set by the test: one folder for all examples, because claims keep their file open

    def __init__(self) -> None:
        super().__init__()
        self.root = open_root(self.folder / "results")
        for path in folder_of(self.root).iterdir() if folder_of(self.root).exists() else ():
            if path.name != CLAIMS:
                shutil.rmtree(path)
        self.tag: Tag | None = None
        self.trash: list[Trashed] = []
        self.number = 0
        self.now = BEGIN
        self.expected: dict[Cell, str] = {}
        self.other = {}
        self.work(OTHER, "RS", 0)
        self.other = snapshot(folder_of(self.root) / OTHER)

    # what happens

    @initialize(num_seeds=st.sampled_from([0, 2, 3]), again=st.integers(0, 3), broken=st.lists(seeds, max_size=2))
    def begin(self, num_seeds: int, again: int, broken: list[int]) -> None:
        """With nothing, or with a study that has been launched and has duplicates and failures."""
        if num_seeds:
            self.launch(num_seeds)
            for seed in range(again):
                self.run_a_cell("RS", seed, 2)
            for seed in broken:
                self.kill_a_cell("BO", seed)

    @rule(num_seeds=counts)
    def create(self, num_seeds: int) -> None:
        """Plan a study, and be killed before anything runs."""
        store = self.root.store
        keep_random_seed(store, TAG, RANDOM_SEED)
        study = Study("toys", "Toys", methods=METHODS, benchmarks=("toy",), num_seeds=num_seeds, random_seed=5)
        keep_plan(store, TAG, study, "toys")
        self.there().wanted |= cells_of(num_seeds)

    @rule(method=methods, seed=seeds, times=st.integers(1, 3))
    def run_a_cell(self, method: str, seed: int, times: int) -> None:
        """`hpoctl run`, which makes an attempt even if there is a complete one."""
        for _ in range(times):
            outcome = self.work(TAG, method, seed)
            assert len(outcome.finished) == 1
            self.began([(Cell(method, "toy", seed), "completed")])

    @rule(method=methods, seed=seeds)
    def run_a_cell_that_fails(self, method: str, seed: int) -> None:
        outcome = self.work(TAG, method, seed, fail)
        assert len(outcome.failed) == 1
        self.began([(Cell(method, "toy", seed), "failed")])

    @rule(method=methods, seed=seeds)
    def interrupt_a_cell(self, method: str, seed: int) -> None:
        outcome = self.work(TAG, method, seed, interrupt)
        assert outcome.interrupted
        self.began([(Cell(method, "toy", seed), "interrupted")])

    @rule(method=methods, seed=seeds)
    def kill_a_cell(self, method: str, seed: int) -> None:
        assert in_child(lambda: self.work(TAG, method, seed, kill_this_process)) == KILLED
        self.began([(Cell(method, "toy", seed), "running")])

    @rule(num_seeds=st.none() | counts)
    def launch(self, num_seeds: int | None) -> None:
        """Launch all plans of the tag, or a study of a number of seeds."""
        todo = self.to_do(num_seeds)
        with no_stderr():
            plan, outcome, outcomes = launch_here(self.request(num_seeds), REGISTRY)
        assert sorted(task.cell for job in plan.jobs for task in job.tasks) == todo
        assert outcomes["done"] == len(todo)
        assert (outcome.done, outcome.failures) == (outcome.wanted, ())
        self.began([(cell, "completed") for cell in todo])
        self.launched(num_seeds)

    @rule(num_seeds=st.none() | counts, after=st.integers(1, 4))
    def kill_a_launch(self, num_seeds: int | None, after: int) -> None:
        """Launch, and be killed when experiment number `after` begins."""
        todo = self.to_do(num_seeds)
        begun: list[object] = []

        def listen(message: Mapping[str, Any]) -> None:
            begun.extend([message] if message["event"] == "began" else [])
            if len(begun) == after:
                kill_this_process()

        def work() -> None:
            with no_stderr():
                launch_here(self.request(num_seeds), REGISTRY, listen=listen)

        assert in_child(work) == (KILLED if len(todo) >= after else 0)
        # Which of them came first is up to the plan; how many there are of each kind is not.
        new = self.new()
        states = ["completed"] * (after - 1) + ["running"] if len(todo) >= after else ["completed"] * len(todo)
        assert sorted(made.recorded for made in new.values()) == sorted(states)
        assert {made.cell for made in new.values()} <= set(todo)
        self.began([(made.cell, made.recorded) for made in new.values()])
        self.launched(num_seeds)

    # What is refused is tried at the beginning; later on there is something to do.
    @precondition(lambda self: not self.number or (self.tag and self.tag.attempts))
    @rule(criteria=criteria)
    def clean_some(self, criteria: Criteria) -> None:
        self.clean(criteria)

    @precondition(lambda self: not self.number or (self.tag and len(self.tag.attempts) > 5))
    @rule()
    def clean_the_tag(self) -> None:
        self.clean(Criteria())

    @precondition(lambda self: not self.number or self.trash)
    @rule()
    def undo(self) -> None:
        if not self.trash:
            self.refused(lambda: undo(self.root.store, self.root.claims), IncompleteError)
            return
        last = self.trash[-1]
        restored = undo(self.root.store, self.root.claims)
        if last.whole is None:
            assert set(restored.directories) == set(last.attempts)
            self.there().attempts |= last.attempts
        elif self.tag is None:
            assert restored.directories == (TAG,)
            self.tag = last.whole
        else:
            # There is something of the tag again: it stays, and so does what is in the trash.
            assert [left.directory for left in restored.left] == [TAG]
            assert restored.directories == ()
            return
        self.trash.pop()

    @precondition(lambda self: not self.number or len(self.trash) > 2)
    @rule()
    def purge(self) -> None:
        if not self.trash:
            self.refused(lambda: purge(self.root.store, self.root.claims), IncompleteError)
            return
        purged = purge(self.root.store, self.root.claims)
        assert (purged.cleans, purged.left) == (len(self.trash), ())
        self.trash.clear()

    # what has to hold

    @invariant()
    def attempts_are_those_of_the_model(self) -> None:
        assert self.look() == (self.tag.attempts if self.tag else {})

    @invariant()
    def states_are_those_of_the_model(self) -> None:
        attempts = read_attempts(self.root.store, TAG, verify=True)
        found = standings(TAG, self.wanted(), attempts, self.root.claims)
        assert {cell: standing.state for cell, standing in found.items()} == self.states()

    @invariant()
    def status_says_the_same(self) -> None:
        def status() -> object:
            costs = Costs({})
            return read_status(self.root, TAG, Filters(), costs=costs, now=0.0, workers=1).totals

        states = list(self.states().values())
        if not states:
            # Nothing, or no more than a random seed.
            self.refused(status, IncompleteError)
            return
        totals: Any = status()
        assert (totals.done, totals.running) == (states.count("done"), 0)
        assert (totals.failed, totals.missing) == (states.count("failed"), states.count("missing"))
        assert (totals.wanted, totals.total) == (len(self.wanted()), len(states))

    @invariant()
    def complete_results_are_always_the_same_bytes(self) -> None:
        for made in self.tag.attempts.values() if self.tag else ():
            if made.recorded == "completed":
                assert self.expected.setdefault(made.cell, made.digests[1]) == made.digests[1]

    @invariant()
    def nothing_else_is_touched(self) -> None:
        assert snapshot(folder_of(self.root) / OTHER) == self.other
        assert sorted(path.name for path in self.folder.iterdir()) == ["cache", "canary", "results"]
        present = {path.name for path in folder_of(self.root).iterdir()} - {CLAIMS, ".trash"}
        assert present == ({TAG, OTHER} if self.tag else {OTHER})

    @invariant()
    def the_trash_holds_what_was_cleaned(self) -> None:
        store = self.root.store
        entries = [store.list(f".trash/{name}") for name in store.folders(".trash")]
        found = [
            sorted({name.rpartition("/")[0].split("/", 2)[2] for name in entry if RESULTS in name}) for entry in entries
        ]
        expected = [(last.whole.attempts if last.whole else last.attempts).items() for last in self.trash]
        assert found == [sorted(name for name, made in items if made.recorded == "completed") for items in expected]

    # the model

    def wanted(self) -> set[Cell]:
        return self.tag.wanted if self.tag else set()

    def states(self) -> dict[Cell, str]:
        """Done if any attempt is complete; else what the last one says."""
        states = dict.fromkeys(self.wanted(), "missing")
        attempts = sorted(self.tag.attempts.values(), key=lambda made: made.number) if self.tag else []
        for made in attempts:
            if made.recorded == "completed" or states.get(made.cell) == "done":
                states[made.cell] = "done"
            else:
                states[made.cell] = "missing" if made.recorded == "interrupted" else "failed"
        return states

    def there(self) -> Tag:
        self.tag = self.tag or Tag()
        return self.tag

    def meant(self, num_seeds: int | None) -> set[Cell]:
        """What a launch wants: nothing said, all that was launched before, else the default study."""
        return cells_of(num_seeds) if num_seeds else self.wanted() or cells_of(1)

    def to_do(self, num_seeds: int | None) -> list[Cell]:
        states = self.states()
        return sorted(cell for cell in self.meant(num_seeds) if states.get(cell) != "done")

    def launched(self, num_seeds: int | None) -> None:
        self.there().wanted |= self.meant(num_seeds)

    def fits(self, criteria: Criteria) -> dict[str, Made]:
        attempts = self.tag.attempts if self.tag else {}
        in_order = sorted(attempts.values(), key=lambda made: made.number)
        newest = {made.cell: made.number for made in in_order if made.recorded == "completed"}

        def match(made: Made) -> bool:
            complete = made.recorded == "completed"
            return (
                criteria.filters.match(made.cell)
                and not (criteria.incomplete and complete)
                and not (criteria.failed and made.recorded not in {"failed", "running"})
                and not (criteria.duplicates and not (complete and made.number < newest[made.cell]))
            )

        return {directory: made for directory, made in attempts.items() if match(made)}

    # the real thing

    def work(self, tag: str, method: str, seed: int, happen: Callable[[], None] | None = None) -> RunOutcome:
        changes = Overrides(methods=(method,), benchmarks=("toy",), start_seed=seed, num_seeds=seed + 1)
        request = RunRequest(changes, None, tag, RANDOM_SEED, self.root.store.location(""))
        plan = plan_run(request, REGISTRY)
        return run(plan, lambda spec: Breaks(happen) if happen else Nobody(), lambda finished: None)

    def request(self, num_seeds: int | None) -> LaunchRequest:
        changes = Overrides(num_seeds=num_seeds)
        return LaunchRequest(changes, tag=TAG, results=self.root.store.location(""), yes=True)

    def clean(self, criteria: Criteria) -> None:
        self.now += timedelta(seconds=1)
        whole = self.tag if criteria.whole else None
        matches = dict(self.tag.attempts) if self.tag and criteria.whole else self.fits(criteria)

        def act() -> object:
            return clean(self.root, select(self.root, TAG, criteria, self.now), self.now, "hpoctl clean")

        if whole is None and not matches:
            self.refused(act, IncompleteError, UsageError)
            return
        cleaned: Any = act()
        assert cleaned.results == len(matches)
        assert set(cleaned.directories) == ({TAG} if whole else set(matches))
        assert (cleaned.running, cleaned.left) == ((), ())
        self.trash.append(Trashed(whole, {} if whole else matches))
        if whole:
            self.tag = None
        else:
            self.there().attempts = {key: made for key, made in self.there().attempts.items() if key not in matches}

    def refused(self, act: Callable[[], object], *kinds: type[HpoctlError]) -> None:
        """It is an error of such a kind, and nothing is written."""
        before = snapshot(folder_of(self.root))
        with pytest.raises(kinds):
            act()
        assert snapshot(folder_of(self.root)) == before

    def look(self) -> dict[str, Made]:
        """All attempts as they are; those that the model knows keep its number."""
        known = self.tag.attempts if self.tag else {}
        found = {}
        for attempt in read_attempts(self.root.store, TAG, verify=True):
            assert attempt.cell is not None, attempt
            number = known[attempt.directory].number if attempt.directory in known else -1
            found[attempt.directory] = Made(number, attempt.cell, attempt.recorded, self.digests(attempt.directory))
        return found

    def digests(self, directory: str) -> tuple[str, ...]:
        store = self.root.store
        names = [f"{directory}/{name}" for name in (METADATA, RESULTS)]
        present = store.list(directory)
        return tuple(content_hash(store.get(name)) for name in names if name in present)

    def new(self) -> dict[str, Made]:
        known = self.tag.attempts if self.tag else {}
        return {directory: made for directory, made in self.look().items() if directory not in known}

    def began(self, expected: Iterable[tuple[Cell, str]]) -> None:
        """These attempts are new, and no others; the model takes them in."""
        new = self.new()
        assert sorted((made.cell, made.recorded) for made in new.values()) == sorted(expected)
        tag = self.there()
        for directory in sorted(new, key=lambda name: name.rpartition("/")[2].split("-")[-3:]):
            made = new[directory]
            self.number += 1
            tag.attempts[directory] = Made(self.number, made.cell, made.recorded, made.digests)


def test_a_tag_is_what_the_model_says(monkeypatch: pytest.MonkeyPatch) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    with fast_folder() as folder:
        (folder / "canary").write_text("alive")
        (folder / "cache").mkdir()
        monkeypatch.setenv("HPOCTL_CACHE", str(folder / "cache"))
        monkeypatch.chdir(folder / "cache")
        monkeypatch.setattr(os, "fsync", lambda descriptor: None)
        monkeypatch.setattr(Studies, "folder", folder)
        run_state_machine_as_test(
            Studies,
            settings=settings(
                max_examples=lane(20, 100),
                stateful_step_count=lane(30, 50),
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
        assert (folder / "canary").read_text() == "alive"
