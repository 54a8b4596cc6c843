"""The median stopping rule: by hand, and against its definition on random curves."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.core.errors import UsageError
from hpoctl.core.protocols import Action, Decision, Outcome, Report, Start
from hpoctl.core.space import Choice, Space, Uniform
from hpoctl.schedulers.median_stopping import MedianStopping
from hpoctl.schedulers.options import MedianOptions
from hpoctl.schedulers.random_search import RandomConfigs, RandomSearcher
from support import context, report

SPACE = Space({"x": Uniform(0.0, 1.0)})


def median(options: MedianOptions | None = None, *, max_resource: int = 8, sign: float = 1.0) -> MedianStopping:
    made = context(SPACE, max_resource=max_resource, sign=sign)
    return MedianStopping(RandomSearcher(RandomConfigs(SPACE, made.streams)), made, options or MedianOptions())


def started(scheduler: MedianStopping, trial: int) -> int:
    step = scheduler.suggest(trial)
    assert isinstance(step, Start)
    assert step.until is not None
    return step.until


def rows(trial: int, first: int, values: Sequence[float]) -> Report:
    """A report of the resources from `first` on."""
    resources = np.arange(first, first + len(values))
    return Report(trial, resources, np.array(values)[:, None], resources * 1.0, resources * 1.0)


def test_levels_are_doubled_up_to_the_largest() -> None:
    scheduler = median()
    assert started(scheduler, 0) == 1
    following = []
    for first, count in ((1, 1), (2, 1), (3, 2), (5, 4)):
        decision = scheduler.on_report(rows(0, first, [0.5] * count))
        following.append((decision.action, decision.until))
    assert following == [(Action.CONTINUE, 2), (Action.CONTINUE, 4), (Action.CONTINUE, 8), (Action.STOP, None)]
    assert [(rung.level, rung.entries) for rung in scheduler.rungs()] == [(4, 1), (2, 1), (1, 1)]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_by_hand(sign: float) -> None:
    """At level 4 the others' averages are 3 and 5: their median is 4, and the best value so far is what counts."""
    scheduler = median(MedianOptions(grace_period=4, min_trials=2), sign=sign)

    def judge(trial: int, *values: float) -> tuple[Action, str]:
        assert started(scheduler, trial) == 4
        decision = scheduler.on_report(rows(trial, 1, [sign * value for value in values]))
        return decision.action, decision.reason

    assert judge(0, 6, 4, 2, 0)[0] is Action.CONTINUE
    assert judge(1, 8, 6, 4, 2)[0] is Action.CONTINUE  # worse, but there is one other only
    bad = judge(2, 9, 8, 7, 5)
    numbers = ("5", "4") if sign > 0 else ("-5", "-4")
    assert bad == (Action.STOP, f"level 4: best {numbers[0]}, median {numbers[1]} of 2 others")
    assert judge(3, 9, 5, 9, 9)[0] is Action.CONTINUE  # averages 3, 5 and 7.25 (the stopped one): 5 is not worse than 5
    assert judge(4, 7, 7, 7, 7)[0] is Action.STOP  # averages 3, 5, 7.25 and 8: 6.125
    assert judge(5, 1, 1, 1, math.nan) == (Action.STOP, "diverged at level 4")


def test_nothing_is_stopped_before_the_grace_period() -> None:
    scheduler = median(MedianOptions(grace_period=4, min_trials=1))
    for trial in range(3):
        started(scheduler, trial)
        decision = scheduler.on_report(report(trial, 1, float(trial)))
        assert (decision.action, decision.until) == (Action.CONTINUE, 4)


def test_a_failed_trial_keeps_what_it_reported() -> None:
    scheduler = median(MedianOptions(min_trials=1))
    started(scheduler, 0)
    scheduler.on_report(report(0, 1, 0.5))
    scheduler.on_end(0, Outcome.FAILED)
    started(scheduler, 1)
    assert scheduler.on_report(report(1, 1, 0.75)).action is Action.STOP


CURVES = st.lists(
    st.lists(
        st.one_of(st.integers(0, 8).map(lambda n: n / 4), st.sampled_from([math.nan, math.inf])), min_size=8, max_size=8
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=80)
@given(CURVES, st.integers(1, 4), st.integers(1, 3), st.integers(0, 9))
def test_decisions_are_those_of_the_definition(
    curves: list[list[float]], min_trials: int, grace: int, choice: int
) -> None:
    scheduler = median(MedianOptions(grace_period=grace, min_trials=min_trials))
    levels = [grace * 2**power for power in range(4) if grace * 2**power < 8]
    seen: dict[int, list[float]] = {level: [] for level in levels}
    running: list[tuple[int, int, int]] = []  # trial, what it has reported, what it reports next
    waiting = list(range(len(curves)))
    while waiting or running:
        while waiting and len(running) < 3:
            trial = waiting.pop(0)
            running.append((trial, 0, started(scheduler, trial)))
        trial, done, until = running.pop(choice % len(running))
        decision: Decision = scheduler.on_report(rows(trial, done + 1, curves[trial][done:until]))
        if until == 8:
            assert decision.action is Action.STOP
            scheduler.on_end(trial, Outcome.COMPLETED)
            continue
        values = np.array(curves[trial][:until])
        finite = values[np.isfinite(values)]
        others = seen[until]
        bound = np.median(others) if len(others) >= min_trials else np.inf
        stops = not np.isfinite(values[-1]) or finite.min() > bound
        assert decision.action is (Action.STOP if stops else Action.CONTINUE)
        others.append(float(values.mean()) if len(finite) == len(values) else np.inf)
        if stops:
            scheduler.on_end(trial, Outcome.STOPPED)
        else:
            assert decision.until == next((level for level in levels if level > until), 8)
            running.append((trial, until, decision.until or 0))
    assert [(rung.level, rung.entries) for rung in scheduler.rungs()] == [
        (level, len(seen[level])) for level in reversed(levels)
    ]


def test_an_exhausted_space() -> None:
    space = Space({"x": Choice(("a", "b"))})
    made = context(space, max_resource=8)
    scheduler = MedianStopping(RandomSearcher(RandomConfigs(space, made.streams)), made, MedianOptions())
    assert [scheduler.suggest(trial) is None for trial in range(3)] == [False, False, True]


def test_nothing_to_judge_is_an_error_and_a_passed_level_is_not() -> None:
    with pytest.raises(UsageError, match="grace_period is 1, but trials run to 1"):
        median(max_resource=1)
    scheduler = median()
    scheduler.suggest(0)
    decision = scheduler.on_report(report(0, 2, 0.5))
    assert (decision.action, decision.until) == (Action.CONTINUE, 4)
    assert {rung.level: rung.entries for rung in scheduler.rungs()}[1] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"grace_period": 0}, "grace_period is 0"),
        ({"level_factor": 1}, "level_factor is 1"),
        ({"min_trials": 0}, "is 0"),
    ],
)
def test_options_are_checked(options: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        MedianOptions(**options)
