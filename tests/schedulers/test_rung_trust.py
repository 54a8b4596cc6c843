"""Which rungs are trusted, worked out by hand, and what ASHA makes of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from hpoctl.core.entries import Goal, MethodContext
from hpoctl.core.protocols import Outcome, Report, Start
from hpoctl.core.rng import Streams
from hpoctl.core.space import Space, Uniform
from hpoctl.schedulers.asha import Asha
from hpoctl.schedulers.options import AshaOptions
from hpoctl.schedulers.random_search import RandomConfigs, RandomSearcher
from hpoctl.schedulers.rung_trust import ENOUGH, RungTrust, rank_correlation

LEVELS = (1, 3, 9)


def pass_levels(trust: RungTrust, trial_id: int, first: float, second: float) -> None:
    trust.reported(trial_id, np.array([1, 2, 3]), np.array([first, 0.0, second]))


def trust_after(pairs: list[tuple[float, float]], least: float = 0.6) -> RungTrust:
    trust = RungTrust(LEVELS, least)
    for trial_id, (first, second) in enumerate(pairs):
        assert trust.start(trial_id, watch=False) == 1
        pass_levels(trust, trial_id, first, second)
    return trust


def test_the_lowest_rung_has_to_earn_its_trust() -> None:
    trust = trust_after([(float(i), float(i)) for i in range(ENOUGH)])
    assert trust.start(99, watch=False) == 0


def test_a_rung_that_says_nothing_is_passed() -> None:
    trust = trust_after([(float(i), float(-i)) for i in range(ENOUGH)])
    assert trust.start(99, watch=False) == 1


def test_watching_trials_pass_one_more_level() -> None:
    trust = trust_after([(float(i), float(-i)) for i in range(ENOUGH)])
    assert trust.start(99, watch=True) == 2
    for trial_id in range(100, 100 + ENOUGH):
        trust.start(trial_id, watch=True)
        trust.reported(trial_id, np.arange(1, 10), np.linspace(0.0, float(trial_id % 3), 9))
    assert trust.start(200, watch=False) == 1  # levels 3 and 9 agree: 3 keeps its trust


def test_a_second_rung_can_lose_its_trust() -> None:
    trust = RungTrust(LEVELS, 0.6)
    for trial_id in range(4 * ENOUGH):
        trust.start(trial_id, watch=True)
        noise = np.array([0, 3, 1, 2, 5, 4, 7, 6])[trial_id % 8]
        trust.reported(trial_id, np.array([1, 3, 9]), np.array([trial_id, -trial_id, trial_id + noise]))
    assert trust.start(99, watch=False) == 2


def test_with_the_least_correlation_all_rungs_are_trusted() -> None:
    trust = RungTrust(LEVELS, -1.0)
    assert [trust.start(trial_id, watch=True) for trial_id in range(5)] == [0] * 5


def test_one_rung_leaves_no_choice() -> None:
    trust = RungTrust((1,), 0.6)
    assert [trust.start(trial_id, watch=True) for trial_id in range(5)] == [0] * 5


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=3, max_size=40))
def test_rank_correlation_is_spearmans(pairs: list[tuple[int, int]]) -> None:
    array = np.array(pairs, dtype=float)
    if len(set(array[:, 0])) > 1 and len(set(array[:, 1])) > 1:
        assert rank_correlation(array) == pytest.approx(spearmanr(*array.T).statistic)
    else:
        assert rank_correlation(array) == 1.0


def test_diverged_values_are_worst() -> None:
    pairs = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [np.nan, np.inf], [-np.inf, np.nan]])
    assert rank_correlation(pairs) == pytest.approx(1.0)


def run(asha: Asha, later: float, trials: int) -> list[int]:
    """Where trials are decided on first, when values at level 3 are `later` times those at level 1."""
    firsts = []
    for trial_id in range(trials):
        step = asha.suggest(trial_id)
        if not isinstance(step, Start):
            continue
        assert step.until is not None
        firsts.append(step.until)
        value = (trial_id * 7) % 11 + 1.0
        levels = np.arange(1, step.until + 1)
        values = np.where(levels < 3, value, later * value)[:, None]
        asha.on_report(Report(trial_id, levels, values, levels * 1.0, levels * 1.0))
        asha.on_end(trial_id, Outcome.PAUSED)
    return firsts


@pytest.mark.parametrize(("later", "first"), [(1.0, 1), (-1.0, 3)])
def test_asha_starts_trials_at_the_lowest_trusted_rung(later: float, first: int) -> None:
    context = MethodContext(Space({"x": Uniform(0.0, 1.0)}), Goal(0, 1.0), 27, Streams(1, 2))
    searcher = RandomSearcher(RandomConfigs(context.space, context.streams))
    asha = Asha(searcher, context, AshaOptions(), RungTrust((1, 3, 9), 0.6))
    firsts = run(asha, later, 200)
    assert firsts[:ENOUGH] == [3] * ENOUGH
    assert max(set(firsts[30:]), key=firsts[30:].count) == first
