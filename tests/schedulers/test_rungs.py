"""Rung levels, cut-offs and promotion order, against cases worked out by hand and against numpy's quantile."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpoctl.core.errors import UsageError
from hpoctl.schedulers.rungs import Rung, bracket_weights, make_rungs, next_level, rung_levels, rung_states

FINITE = st.floats(-1e6, 1e6)
VALUES = st.one_of(FINITE, st.sampled_from([0.0, 1.0, 2.0, math.nan, math.inf, -math.inf]))


def filled(values: list[float], level: int = 1, following: int = 3) -> Rung:
    rung = Rung(level, following)
    for trial_id, value in enumerate(values):
        rung.record(trial_id, value)
    return rung


@pytest.mark.parametrize(
    ("grace", "factor", "largest", "levels"),
    [
        (1, 3, 100, (1, 3, 9, 27, 81)),
        (1, 3, 81, (1, 3, 9, 27)),
        (1, 3, 82, (1, 3, 9, 27, 81)),
        (3, 3, 100, (3, 9, 27, 81)),
        (2, 4, 52, (2, 8, 32)),
        (1, 2, 2, (1,)),
    ],
)
def test_levels(grace: int, factor: int, largest: int, levels: tuple[int, ...]) -> None:
    assert rung_levels(grace, factor, largest) == levels


def test_a_grace_period_at_the_end_is_refused() -> None:
    with pytest.raises(UsageError, match="grace_period is 100"):
        rung_levels(100, 3, 100)


def test_quantiles_are_level_over_next_level() -> None:
    rungs = make_rungs((1, 3, 9, 27, 81), 100)
    assert [rung.quantile for rung in rungs] == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1 / 3, 81 / 100])


def test_cutoff_by_hand() -> None:
    assert filled([]).cutoff() is None
    assert filled([0.4]).cutoff() is None
    assert filled([0.5, 0.4]).cutoff() == pytest.approx(0.4 + 0.1 / 3)
    assert filled([4.0, 1.0, 3.0, 2.0]).cutoff() == 2.0  # the 1/3 quantile of four values is the second
    assert filled([1.0, 2.0, 3.0, 4.0, 5.0], 81, 100).cutoff() == pytest.approx(4.24)


@given(st.lists(FINITE, min_size=2, max_size=60), st.sampled_from([(1, 3), (81, 100), (27, 52), (1, 2), (4, 5)]))
def test_cutoff_is_the_linear_quantile(values: list[float], levels: tuple[int, int]) -> None:
    expected = np.quantile(values, levels[0] / levels[1])
    assert filled(values, *levels).cutoff() == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(st.lists(st.integers(0, 5), min_size=2, max_size=40))
def test_a_cutoff_on_an_entry_is_that_entry_exactly(values: list[int]) -> None:
    rung = filled([value / 10 for value in values])
    place, rest = divmod(len(values) - 1, 3)
    if rest == 0:
        assert rung.cutoff() == sorted(values)[place] / 10


def test_non_finite_values_are_worst_and_never_promoted() -> None:
    for bad in (math.nan, math.inf, -math.inf):
        rung = filled([bad, bad, bad])
        for trial_id in range(3):
            rung.paused(trial_id)
        assert rung.promote_best() is None
        assert not rung.is_good(bad)
        assert len(rung) == 3
    rung = filled([math.nan, 1.0, math.nan, 2.0])
    for trial_id in range(4):
        rung.paused(trial_id)
    assert rung.promote_best() == (1, 1.0)


def test_promotion_takes_the_first_of_equals() -> None:
    rung = filled([1.0, 1.0, 1.0, 5.0])
    for trial_id in (2, 1, 0, 3):
        rung.paused(trial_id)
    assert [rung.promote_best() for _ in range(4)] == [(0, 1.0), (1, 1.0), (2, 1.0), None]


def test_only_paused_trials_are_promoted() -> None:
    rung = filled([1.0, 2.0, 3.0, 4.0])
    assert rung.promote_best() is None
    rung.paused(0)
    rung.left(1)
    assert rung.promote_best() == (0, 1.0)
    assert rung.promote_best() is None
    assert len(rung) == 4


@given(st.lists(VALUES, max_size=40))
def test_states_count_every_entry(values: list[float]) -> None:
    rungs = make_rungs((1, 3), 9)
    for trial_id, value in enumerate(values):
        rungs[0].record(trial_id, value)
    states = rung_states(rungs)
    assert [(state.level, state.entries) for state in states] == [(3, 0), (1, len(values))]


def test_next_level() -> None:
    levels = (1, 3, 9)
    assert [next_level(levels, level, 20) for level in levels] == [3, 9, 20]


def test_bracket_weights_by_hand() -> None:
    # K / ((K - s) r_s) with K = 4: levels 1, 3, 9 and the largest resource 27
    assert bracket_weights((1, 3, 9, 27), 9) == pytest.approx([1.0, 4 / 9, 4 / 18, 4 / 27])
    assert bracket_weights((1, 3, 9, 27), 1) == [1.0]
