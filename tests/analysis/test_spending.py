"""What an experiment has spent when a row arrives: the same as counting by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hpoctl.analysis.spending import follows_a_pause, resource_spent, trials_started

TRIALS = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 5), st.booleans()), max_size=30)
"""Rows: a trial, by how much its resource has grown, whether it was paused there."""


def rows(drawn: list[tuple[int, int, bool]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ids, levels and pauses of rows whose levels increase trial by trial."""
    levels: dict[int, int] = {}
    found = []
    for trial, step, paused in drawn:
        levels[trial] = levels.get(trial, 0) + step
        found.append((trial, levels[trial], paused))
    ids, resources, pauses = zip(*found, strict=True) if found else ((), (), ())
    return np.array(ids, dtype=int), np.array(resources, dtype=int), np.array(pauses, dtype=bool)


@given(TRIALS)
def test_the_resource_spent_is_the_sum_of_all_steps(drawn: list[tuple[int, int, bool]]) -> None:
    ids, resources, _ = rows(drawn)
    spent = resource_spent(ids, resources, np.zeros(len(ids), dtype=bool))
    assert spent.tolist() == np.cumsum([step for _, step, _ in drawn]).tolist()


@given(TRIALS)
def test_a_trial_that_starts_over_spends_its_resource_again(drawn: list[tuple[int, int, bool]]) -> None:
    ids, resources, paused = rows(drawn)
    over = follows_a_pause(ids, paused)
    total, by_hand, was_paused, last = 0, [], dict.fromkeys(range(5), False), dict.fromkeys(range(5), 0)
    for trial, level, pauses in zip(ids.tolist(), resources.tolist(), paused.tolist(), strict=True):
        total += level if was_paused[trial] else level - last[trial]
        was_paused[trial], last[trial] = pauses, level
        by_hand.append(total)
    assert resource_spent(ids, resources, over).tolist() == by_hand


def test_trials_started() -> None:
    assert trials_started(np.array([2, 0, 0, 1, 5])).tolist() == [3, 3, 3, 3, 6]
    assert trials_started(np.array([], dtype=int)).tolist() == []
