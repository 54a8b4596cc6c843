"""Synchronous Hyperband: the sizes of its rungs, promotions by hand, and invariants for any reports."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.core.errors import UsageError
from hpoctl.core.protocols import Action, Outcome, Resume, Start
from hpoctl.core.space import Choice, LogUniform, Space, Uniform
from hpoctl.schedulers.options import SyncHyperbandOptions
from hpoctl.schedulers.random_search import RandomConfigs, RandomSearcher
from hpoctl.schedulers.rungs import bracket_starts
from hpoctl.schedulers.sync_hyperband import SyncHyperband, bracket_plans
from scheduler_runs import STREAMS, Driver, drive
from support import context, report

SPACE = Space({"x": Uniform(0.0, 1.0), "y": LogUniform(1e-4, 1.0)})


def sync(
    options: SyncHyperbandOptions | None = None, *, space: Space = SPACE, max_resource: int = 9, sign: float = 1.0
) -> SyncHyperband:
    made = context(space, max_resource=max_resource, sign=sign)
    return SyncHyperband(RandomSearcher(RandomConfigs(space, made.streams)), made, options or SyncHyperbandOptions())


def test_the_sizes_are_those_of_the_paper() -> None:
    """Table 1 of Li et al. 2018: R = 81, eta = 3."""
    assert bracket_plans(bracket_starts(1, 3, 81), 3) == [
        ((81, 1), (27, 3), (9, 9), (3, 27), (1, 81)),
        ((27, 3), (9, 9), (3, 27), (1, 81)),
        ((9, 9), (3, 27), (1, 81)),
        ((6, 27), (2, 81)),
        ((5, 81),),
    ]


@pytest.mark.parametrize(
    ("grace", "factor", "largest", "plans"),
    [
        (1, 3, 9, [((9, 1), (3, 3), (1, 9)), ((3, 3), (1, 9)), ((3, 9),)]),
        (1, 3, 10, [((9, 1), (3, 3), (1, 10)), ((3, 3), (1, 10)), ((3, 10),)]),
        (2, 4, 52, [((16, 2), (4, 8), (1, 52)), ((4, 8), (1, 52)), ((3, 52),)]),
        (1, 3, 2, [((3, 1), (1, 2)), ((2, 2),)]),
    ],
)
def test_sizes_elsewhere(grace: int, factor: int, largest: int, plans: list[object]) -> None:
    assert bracket_plans(bracket_starts(grace, factor, largest), factor) == plans


def test_a_rung_is_waited_for_and_its_best_go_on() -> None:
    driver = Driver(sync(), workers=4, max_resource=9)
    for trial in range(8):
        driver.fill()
        driver.reach(trial, 0.9 - trial / 10)  # later ones are better
    driver.fill()
    assert driver.starts == [1] * 9 + [3, 3, 3]  # the last of bracket 0, and the others work ahead on bracket 1
    assert driver.promotions == []
    driver.reach(8, 0.15)
    driver.fill()
    driver.reach(9, 0.5)
    driver.fill()
    driver.reach(10, 0.6)
    driver.fill()
    # .15 (trial 8), .2 (trial 7), .3 (trial 6): exactly three, the best one first
    assert [(step.trial, step.until) for step in driver.promotions] == [(8, 3), (7, 3), (6, 3)]
    driver.reach(8, 0.1)
    driver.reach(7, 0.1)
    driver.reach(6, 0.2)
    driver.fill()
    assert (driver.promotions[3].trial, driver.promotions[3].until) == (8, 9)  # of equals the first
    assert driver.starts[12:] == [9, 9]  # bracket 1 is full: the others begin with bracket 2
    assert [(rung.level, rung.entries) for rung in driver.scheduler.rungs()] == [(3, 5), (1, 9)]


def test_reasons() -> None:
    scheduler = sync(SyncHyperbandOptions(brackets=1), max_resource=3, sign=-1.0)
    starts = [scheduler.suggest(trial) for trial in range(4)]
    assert [step.reason for step in starts if isinstance(step, Start)] == [
        "initial, bracket 0",
        "random, bracket 0",
        "random, bracket 0",
        "random, bracket 1",
    ]
    decisions = [scheduler.on_report(report(trial, 1, trial / 10)) for trial in range(3)]
    assert [decision.reason for decision in decisions] == [f"waits at level 1, number {n} of 3" for n in (1, 2, 3)]
    for trial in range(3):
        scheduler.on_end(trial, Outcome.PAUSED)
    step = scheduler.suggest(4)
    assert isinstance(step, Resume)
    assert (step.trial_id, step.until) == (2, 3)
    assert step.reason == "bracket 0, level 1: 0.2 is number 1 of 3, 1 promoted"


def test_brackets_take_turns() -> None:
    driver = Driver(sync(), workers=1, max_resource=9)
    seen = []
    for _ in range(40):
        driver.fill()
        seen.append(next(iter(driver.running.items())))
        driver.reach(seen[-1][0], seen[-1][0] / 100)
    levels = [level for _, level in seen]
    assert levels[:20] == [1] * 9 + [3] * 3 + [9] + [3] * 3 + [9] + [9] * 3
    assert levels[20:] == levels[:20]


def test_a_rung_does_not_wait_for_a_failed_trial() -> None:
    driver = Driver(sync(SyncHyperbandOptions(brackets=1), max_resource=3), workers=3, max_resource=3)
    driver.fill()
    driver.fail(0)
    driver.fail(1, reported=0.1)  # the best value, but it will not come back
    driver.reach(2, 0.5)
    driver.fill()
    assert [(step.trial, step.until) for step in driver.promotions] == [(2, 3)]
    driver.fail(2)
    driver.fill()
    assert len(driver.starts) == 6  # of bracket 0 nothing is left: the worker continues in bracket 1


def test_a_rung_without_finite_values_ends_its_bracket() -> None:
    driver = Driver(sync(SyncHyperbandOptions(brackets=1), max_resource=3), workers=3, max_resource=3)
    for value in (math.nan, math.inf, -math.inf):
        driver.fill()
        trials = list(driver.running)
        for trial in trials:
            driver.reach(trial, value)
    driver.fill()
    assert driver.promotions == []
    assert driver.starts == [1] * 12


def test_the_older_bracket_goes_first() -> None:
    """Two brackets of three trials; the rungs of both are complete when the next worker is free."""
    driver = Driver(sync(SyncHyperbandOptions(brackets=1), max_resource=3), workers=6, max_resource=3)
    driver.fill()
    for trial in (3, 4, 5, 0, 1, 2):
        driver.reach(trial, trial / 10)
    driver.fill()
    assert [step.trial for step in driver.promotions] == [0, 3]


@pytest.mark.parametrize("workers", [1, 4, 9])
def test_an_exhausted_space_ends_with_promotions(workers: int) -> None:
    """Six configurations for a bracket of nine: three of them continue, as planned, and one to the end."""
    space = Space({"x": Choice(tuple("abcdef"))})
    driver = Driver(sync(space=space), workers, max_resource=9, endless=False)
    for _ in drive(driver, [(0, n / 100, "reaches") for n in range(100)]):
        pass
    assert len(driver.starts) == 6
    assert [(step.trial, step.until) for step in driver.promotions] == [(0, 3), (1, 3), (2, 3), (0, 9)]
    assert not driver.running


@settings(max_examples=100)
@given(STREAMS, st.integers(1, 40), st.sampled_from([1.0, -1.0]), st.sampled_from([None, 1, 2]))
def test_exactly_the_best_of_a_complete_rung_go_on(
    stream: list[tuple[int, float, str]], workers: int, sign: float, brackets: int | None
) -> None:
    driver = Driver(sync(SyncHyperbandOptions(brackets=brackets), sign=sign), workers, max_resource=9)
    for _ in drive(driver, stream):
        pass
    plans = bracket_plans(bracket_starts(1, 3, 9), 3)[:brackets]
    first, number = 0, 0
    while first < len(driver.starts):
        plan = plans[number % len(plans)]
        members = set(range(first, first + plan[0][0]))
        first, number = first + len(members), number + 1
        for (_, level), (size, _) in pairwise(plan):
            promoted = [step for step in driver.promotions if step.trial in members and step.level == level]
            if not promoted:
                break
            known = promoted[0].known[level]
            assert max(members) < len(driver.starts)  # the first rung was full
            assert not members & promoted[0].busy  # no trial is running towards it any more
            assert members - driver.failed <= known.keys()
            lost = driver.failed - {step.trial for step in promoted}
            good = [trial for trial in known if trial in members - lost and math.isfinite(known[trial])]
            ranked = sorted(good, key=lambda trial: sign * known[trial])[:size]  # stable: first come, first served
            assert [step.trial for step in promoted] == ranked[: len(promoted)]
            members = set(ranked)
    expected = [(level, entries) for level, entries in driver.counts() if level < 9]
    assert [(rung.level, rung.entries) for rung in driver.scheduler.rungs() if rung.entries] == expected


def test_nothing_to_halve_is_an_error_and_a_passed_level_is_not() -> None:
    with pytest.raises(UsageError, match="grace_period is 1, but trials run to 1"):
        sync(max_resource=1)
    scheduler = sync()
    scheduler.suggest(0)
    assert scheduler.on_report(report(0, 2, 0.5)).action is Action.PAUSE
    assert {rung.level: rung.entries for rung in scheduler.rungs()}[1] == 1
