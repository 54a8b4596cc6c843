"""Asynchronous Hyperband: its brackets by hand, and invariants for any reports."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.core.errors import UsageError
from hpoctl.core.protocols import Action, Resume, Scheduler, Start
from hpoctl.core.space import Choice, LogUniform, Space, Uniform
from hpoctl.schedulers.asha import Asha
from hpoctl.schedulers.hyperband import Hyperband
from hpoctl.schedulers.options import AshaOptions, HyperbandOptions
from hpoctl.schedulers.random_search import RandomConfigs, RandomSearcher
from scheduler_runs import STREAMS, Driver, drive
from support import context, report

SPACE = Space({"x": Uniform(0.0, 1.0), "y": LogUniform(1e-4, 1.0)})
NEXT = {1: 3, 3: 9, 9: 27}


def hyperband(
    options: HyperbandOptions | None = None, *, space: Space = SPACE, max_resource: int = 27, sign: float = 1.0
) -> Hyperband:
    made = context(space, max_resource=max_resource, sign=sign)
    return Hyperband(RandomSearcher(RandomConfigs(space, made.streams)), made, options or HyperbandOptions())


def next_steps(scheduler: Scheduler, first: int, count: int) -> list[tuple[str, int | None]]:
    steps = [scheduler.suggest(trial) for trial in range(first, first + count)]
    return [(step.reason.split(", ")[-1], step.until) for step in steps if isinstance(step, Start)]


def test_new_trials_go_to_the_bracket_that_was_granted_least() -> None:
    """Brackets start at 1, 3, 9 and 27. Granted after each step: 1, 3, 9, 27; 2; 3; 4 (a tie); 6; 5; 6; 7; 9."""
    assert next_steps(hyperband(), 0, 12) == [
        ("bracket 0", 1),
        ("bracket 1", 3),
        ("bracket 2", 9),
        ("bracket 3", 27),
        ("bracket 0", 1),
        ("bracket 0", 1),
        ("bracket 0", 1),
        ("bracket 1", 3),
        ("bracket 0", 1),
        ("bracket 0", 1),
        ("bracket 0", 1),
        ("bracket 1", 3),
    ]


@pytest.mark.parametrize(
    ("max_resource", "factor", "brackets", "starts"),
    [
        (81, 3, None, {1, 3, 9, 27, 81}),
        (100, 3, None, {1, 3, 9, 27, 100}),
        (81, 3, 2, {1, 3}),
        (81, 3, 99, {1, 3, 9, 27, 81}),
        (2, 2, None, {1, 2}),
        (3, 5, None, {1, 3}),
    ],
)
def test_where_brackets_start(max_resource: int, factor: int, brackets: int | None, starts: set[int]) -> None:
    options = HyperbandOptions(reduction_factor=factor, brackets=brackets)
    steps = next_steps(hyperband(options, max_resource=max_resource), 0, 300)
    assert {until for _, until in steps} == starts


def test_promotions_are_among_trials_of_one_bracket() -> None:
    driver = Driver(hyperband(HyperbandOptions(brackets=2)), workers=5)
    driver.fill()
    assert driver.starts == [1, 3, 1, 1, 1]  # granted: 4 and 3
    driver.reach(1, 0.1)  # the first of bracket 1 at level 3; granted 3, so it is asked next: a single entry waits
    for trial, value in ((0, 0.4), (2, 0.5), (3, 0.6), (4, 0.7)):
        driver.reach(trial, value)  # the cut-off of bracket 0 at level 1 is .5: two may continue
    driver.fill()
    assert driver.starts[5:] == [3, 3, 1]  # granted: 4, 6; 6, 6 (trial 0 continues); 8, 6 (trial 2 does); 8, 9; 9, 9
    assert [(step.trial, step.level, step.until) for step in driver.promotions] == [(0, 1, 3), (2, 1, 3)]
    driver.reach(0, 0.2)  # level 3 in bracket 0: a single entry, although bracket 1 has one there, too
    driver.reach(2, 0.3)  # cut-off .2333
    assert [(rung.level, rung.entries) for rung in driver.scheduler.rungs()] == [(9, 0), (3, 3), (1, 4)]
    driver.running.clear()
    driver.workers = 2
    driver.fill()
    assert (driver.promotions[-1].trial, driver.promotions[-1].until) == (0, 9)


def test_reasons_name_the_bracket() -> None:
    driver = Driver(hyperband(HyperbandOptions(brackets=1)), workers=3)
    driver.fill()
    for trial, value in enumerate((0.5, 0.25, 0.75)):
        driver.reach(trial, value)
    step = driver.scheduler.suggest(3)
    assert isinstance(step, Resume)
    assert step.reason == "bracket 0, level 1: 0.25 <= 0.416667, 3 entries"


@settings(max_examples=60)
@given(STREAMS, st.integers(1, 12), st.sampled_from(["promotion", "stopping"]))
def test_one_bracket_is_asha(stream: list[tuple[int, float, str]], workers: int, kind: str) -> None:
    made = context(SPACE)
    asha = Asha(RandomSearcher(RandomConfigs(SPACE, made.streams)), made, AshaOptions(type=kind))  # type: ignore[arg-type]
    one = Driver(asha, workers)
    other = Driver(hyperband(HyperbandOptions(type=kind, brackets=1)), workers)  # type: ignore[arg-type]
    for _ in zip(drive(one, stream), drive(other, stream), strict=True):
        assert (one.running, one.paused, one.starts) == (other.running, other.paused, other.starts)
        assert one.scheduler.rungs() == other.scheduler.rungs()


@settings(max_examples=60)
@given(STREAMS, st.integers(1, 12), st.sampled_from([1.0, -1.0]))
def test_promoted_trials_are_good_and_brackets_get_the_same(
    stream: list[tuple[int, float, str]], workers: int, sign: float
) -> None:
    driver = Driver(hyperband(sign=sign), workers)
    for _ in drive(driver, stream):
        pass
    granted = dict.fromkeys((1, 3, 9, 27), 0)
    for until in driver.starts:
        granted[until] += until
    for step in driver.promotions:
        start = driver.starts[step.trial]
        granted[start] += step.until - step.level
        assert step.until == NEXT[step.level]
        rung = {trial: sign * value for trial, value in step.known[step.level].items() if driver.starts[trial] == start}
        worst_last = [value if math.isfinite(value) else 1e9 for value in rung.values()]
        assert len(rung) >= 2
        assert math.isfinite(rung[step.trial])
        assert rung[step.trial] <= np.quantile(worst_last, 1 / 3) + 1e-9
    assert max(granted.values()) - min(granted.values()) <= 27
    expected = [(level, entries) for level, entries in driver.counts() if level < 27]
    assert [(rung.level, rung.entries) for rung in driver.scheduler.rungs() if rung.entries] == expected


def test_an_exhausted_space_ends_with_promotions() -> None:
    space = Space({"x": Choice(tuple("abcdef"))})
    driver = Driver(hyperband(space=space), workers=4, endless=False)
    for _ in drive(driver, [(0, trial / 10, "reaches") for trial in range(100)]):
        pass
    assert len(driver.starts) == 6
    assert not driver.running
    assert driver.scheduler.suggest(6) is None


def test_nothing_to_halve_is_an_error_and_a_passed_level_is_not() -> None:
    with pytest.raises(UsageError, match="grace_period is 1, but trials run to 1"):
        hyperband(max_resource=1)
    scheduler = hyperband()
    scheduler.suggest(0)
    assert scheduler.on_report(report(0, 2, 0.5)).action is Action.PAUSE
    assert {rung.level: rung.entries for rung in scheduler.rungs()}[1] == 1
