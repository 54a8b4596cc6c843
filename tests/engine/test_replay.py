"""Experiments that continue from their journal: the same decisions, every row once, whenever they were killed."""

import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.builtins import ASHA, BO, MEDIAN, MOBSTER, RS, SYNCHB
from hpoctl.core.clock import RealClock
from hpoctl.core.entries import Method, MethodContext
from hpoctl.core.errors import HpoctlError
from hpoctl.core.protocols import Ended, Known, Outcome, Report
from hpoctl.core.rng import Streams
from hpoctl.core.space import Config
from hpoctl.core.trial_backends import TrialLimits
from hpoctl.engine.journal import Journal, read_records
from hpoctl.engine.replay import ENDED, Journaled
from hpoctl.engine.rows import ExtraColumns, RowLog, Rows
from hpoctl.engine.trial_log import Run
from hpoctl.engine.tuner import Limits, Parts, RunningExperiment, tune
from hpoctl.testing.hard_cases import Nobody
from hpoctl.testing.toys import toy_benchmark

Event = Report | Ended
BENCHMARK = toy_benchmark()


class Killed(BaseException):
    """The controller dies: nothing more is written."""


@dataclass
class World:
    """What outlives a controller: what trials have written, and checkpoints."""

    time: float = 0.0
    checkpoints: dict[int, int] = field(default_factory=dict)
    running: set[int] = field(default_factory=set)


class Training:
    """Trials that train an epoch at each wait, in a random order."""

    def __init__(self, world: World, clock: RealClock, rng: random.Random, *, failures: float = 0.0) -> None:
        self.world = world
        self.clock = clock
        self.rng = rng
        self.failures = failures
        self.until: dict[int, int | None] = {}
        self.at: dict[int, int] = {}
        self.configs: dict[int, Config] = {}
        self.ending: list[Ended] = []
        self.recovered: list[Known] | None = None

    def recover(self, trials: Sequence[Known], training_seconds: float) -> None:
        assert self.recovered is None
        self.recovered = list(trials)
        self.world.running.clear()

    def start(self, trial_id: int, config: Config, *, resume_from: int | None, until: int | None) -> None:
        assert self.recovered is not None
        assert trial_id not in self.at
        self.configs[trial_id] = config
        # It continues from its checkpoint, which may be ahead of what was heard of, or behind.
        self.at[trial_id] = self.world.checkpoints.get(trial_id, 0)
        self.until[trial_id] = until
        self.world.running.add(trial_id)

    def proceed(self, trial_id: int, *, until: int | None) -> None:
        if trial_id in self.at:
            self.until[trial_id] = until

    def stop(self, trial_id: int, *, pause: bool) -> None:
        if trial_id in self.at:
            self._leave(trial_id, Outcome.PAUSED if pause else Outcome.STOPPED)

    def wait(self) -> Sequence[Event]:
        self.world.time += 1.0
        if self.ending:
            ending, self.ending = self.ending, []
            return ending
        found: list[Event] = []
        for trial_id in self.rng.sample(sorted(self.at), k=self.rng.randint(min(1, len(self.at)), len(self.at))):
            if self.rng.random() < self.failures:
                self._leave(trial_id, Outcome.FAILED)
                continue
            self.at[trial_id] += 1
            epoch = self.at[trial_id]
            if self.rng.random() < 0.7:
                self.world.checkpoints[trial_id] = epoch
            found.append(row(trial_id, epoch, self.configs[trial_id], self.world.time))
            if epoch == BENCHMARK.max_resource:
                self._leave(trial_id, Outcome.COMPLETED)
        return found or self.wait() if self.at or self.ending else found

    def close(self) -> Sequence[Event]:
        return [Ended(trial_id, Outcome.STOPPED, self.world.time, ENDED) for trial_id in self.at]

    def _leave(self, trial_id: int, outcome: Outcome) -> None:
        del self.at[trial_id]
        self.ending.append(Ended(trial_id, outcome, self.world.time))


def row(trial_id: int, epoch: int, config: Config, time: float) -> Report:
    loss = float(config["rate"]) + 1 / epoch
    return Report(trial_id, np.array([epoch]), np.array([[loss]]), np.array([float(epoch)]), np.array([time]))


class Dying(Journal):
    """A journal whose process dies before or after a number of records is written."""

    def __init__(self, path: Path, left: int, *, after: bool) -> None:
        super().__init__(path)
        self.left = left
        self.after = after
        self.dead = False

    def append(self, record: dict[str, object], *, durable: bool) -> None:  # type: ignore[override]
        if self.dead:
            raise Killed
        self.left -= 1
        self.dead = self.left < 0
        if self.dead and not self.after:
            raise Killed
        super().append(record, durable=durable)
        if self.dead:
            raise Killed


@dataclass
class Result:
    rows: Rows
    runs: list[Run]
    backend: Training | None
    journaled: Journaled


def go(
    path: Path,
    world: World,
    method: Method = ASHA,
    *,
    journal: Journal | None = None,
    limits: Limits | None = None,
    failures: float = 0.0,
    deadline: float = 1e9,
    seed: int = 0,
) -> Result:
    """Run an experiment, or continue it."""
    streams = Streams(7, 0)
    space = BENCHMARK.space
    scheduler = method.make(MethodContext(space, BENCHMARK.goal, BENCHMARK.max_resource, streams), method.options)
    made: list[Training] = []

    def make(clock: RealClock) -> Training:
        made.append(Training(world, clock, random.Random(seed), failures=failures))
        return made[-1]

    journal = journal or Journal(path)
    try:
        limits = limits or Limits(3, max_num_evaluations=150, trial_retries=50 if failures else 0)
        journaled = Journaled(journal, journal.records(), make, TrialLimits(deadline), limits, {"pid": 1})
        log = RowLog(BENCHMARK.goal, 1, BENCHMARK.max_resource)
        view = RunningExperiment(method.name, "toy", 0, journaled.clock, scheduler, log)
        extra = ExtraColumns((), view)

        def suggest(trial_id: int) -> object:
            step = scheduler.suggest(trial_id)
            journaled.suggested()
            return step

        parts = Parts(scheduler, journaled, journaled.clock, suggest, log, extra, Nobody())  # type: ignore[arg-type]
        parts = replace(parts, in_force=journaled.in_force)
        tune(parts, limits)
        return Result(log.rows(extra), parts.trials.runs, made[0] if made else None, journaled)
    finally:
        journal.close()


def check_rows(rows: Rows) -> None:
    """Every level of every trial once, in order, from the first to the last without a gap."""
    for trial_id in set(rows.trial_ids.tolist()):
        levels = rows.resources[rows.trial_ids == trial_id]
        assert (np.diff(levels) > 0).all(), f"trial {trial_id}: {levels}"


def same(one: Result, other: Result) -> None:
    for name in ("trial_ids", "resources", "metrics", "elapsed", "times", "decisions", "statuses"):
        np.testing.assert_array_equal(getattr(one.rows, name), getattr(other.rows, name))
    assert list(one.rows.configs) == list(other.rows.configs)
    assert one.runs == other.runs


@pytest.mark.parametrize("method", [RS, ASHA, MEDIAN, SYNCHB, BO, MOBSTER], ids=lambda method: method.name)
def test_the_result_is_a_function_of_the_journal(tmp_path: Path, method: Method) -> None:
    small = Limits(3, max_num_evaluations=60 if method.expensive else 150)
    first = go(tmp_path / "journal", World(), method, limits=small)
    before = (tmp_path / "journal").read_bytes()
    again = go(tmp_path / "journal", World(), method, limits=small)
    assert again.backend is None
    assert (tmp_path / "journal").read_bytes() == before
    same(first, again)
    check_rows(first.rows)


@settings(max_examples=40, deadline=None)
@given(
    kills=st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=8),
    seed=st.integers(0, 1000),
    failures=st.sampled_from([0.0, 0.02]),
    method=st.sampled_from([ASHA, SYNCHB, MEDIAN, RS]),
)
def test_killed_anywhere_nothing_is_lost_or_doubled(
    tmp_path_factory: pytest.TempPathFactory,
    kills: list[tuple[int, bool]],
    seed: int,
    failures: float,
    method: Method,
) -> None:
    path, world = tmp_path_factory.mktemp("kills") / "journal", World()
    for number, (left, after) in enumerate(kills):
        before = path.read_bytes() if path.exists() else b""
        with suppress(Killed):
            go(path, world, method, journal=Dying(path, left, after=after), failures=failures, seed=seed + number)
        assert path.read_bytes().startswith(before), "what was written stays"
    last = go(path, world, method, failures=failures, seed=seed + 99)
    check_rows(last.rows)
    assert len(last.rows) >= 150 or method is SYNCHB
    same(last, go(path, World(), method, failures=failures))


def test_trials_that_ran_are_taken_over_and_time_between_does_not_count(tmp_path: Path) -> None:
    path, world = tmp_path / "journal", World()
    with pytest.raises(Killed):
        go(path, world, journal=Dying(path, 30, after=True))
    *_, last = read_records(path)
    result = go(path, world)
    assert result.backend is not None
    assert result.backend.recovered
    assert result.journaled.resumed > 0
    times = [record["t"] for record in read_records(path)]
    assert times == sorted(times)
    session = [record for record in read_records(path) if record["kind"] == "session"][1]
    assert session["t"] == last["t"]


def test_a_larger_budget_continues(tmp_path: Path) -> None:
    path, world = tmp_path / "journal", World()
    small = go(path, world, limits=Limits(3, max_num_evaluations=60))
    large = go(path, world, limits=Limits(3, max_num_evaluations=150))
    assert large.backend is not None
    check_rows(large.rows)
    count = len(small.rows)
    assert count >= 60
    np.testing.assert_array_equal(small.rows.resources, large.rows.resources[:count])
    same(large, go(path, World(), limits=Limits(3, max_num_evaluations=150)))
    assert len(large.rows) >= 150


def test_more_trials_and_more_retries_continue(tmp_path: Path) -> None:
    path, world = tmp_path / "journal", World()
    small = go(path, world, limits=Limits(3, max_num_trials=10))
    assert len(small.rows.configs) == 10
    between = go(path, world, limits=Limits(3, max_num_trials=20, trial_retries=1), failures=0.05)
    assert len(between.rows.configs) == 20
    large = go(path, world, limits=Limits(3, max_num_trials=30))
    assert list(large.rows.configs[:20]) == list(between.rows.configs)
    assert len(large.rows.configs) == 30
    check_rows(large.rows)
    same(large, go(path, World(), limits=Limits(3, max_num_trials=30)))


def test_another_method_or_a_changed_one_is_refused_and_named(tmp_path: Path) -> None:
    go(tmp_path / "journal", World())
    before = (tmp_path / "journal").read_bytes()
    with pytest.raises(HpoctlError, match=r"does not fit: then trial .*, now") as caught:
        go(tmp_path / "journal", World(), replace(ASHA, options=replace(ASHA.options, grace_period=3)))
    assert "`hpoctl clean`" in caught.value.fix
    assert (tmp_path / "journal").read_bytes() == before
