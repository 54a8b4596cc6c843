"""Elo-type ratings from wins."""

import numpy as np
import pytest

from hpoctl.analysis.ratings import ratings, win_rates, win_shares


def test_wins_are_counted_with_ties_half() -> None:
    found = win_shares(np.array([[1.0, 2.0, 2.0], [np.inf, 3.0, np.inf]]))
    assert found[0].tolist() == [[0.5, 1.0, 1.0], [0.0, 0.5, 0.5], [0.0, 0.5, 0.5]]
    assert found[1].tolist() == [[0.5, 0.0, 0.5], [1.0, 0.5, 1.0], [0.5, 0.0, 0.5]]


def test_the_win_rate_by_hand() -> None:
    # The first wins both runs against the second and one of two against the third, with which the second ties once.
    wins = np.array([[0.0, 2.0, 1.0], [0.0, 0.0, 0.5], [1.0, 1.5, 0.0]])
    assert win_rates(wins).tolist() == pytest.approx([3 / 4, 0.5 / 4, 2.5 / 4])


def test_odds_of_ten_to_one_are_400_points() -> None:
    wins = np.array([[0.0, 10_000.0], [1000.0, 0.0]])
    first, second = ratings(wins)
    assert first - second == pytest.approx(400.0, abs=1.0)
    assert first + second == pytest.approx(0.0, abs=1e-9)


def test_ratings_are_those_that_the_wins_came_from() -> None:
    true = np.array([150.0, 40.0, 0.0, -190.0])
    odds = 1.0 / (1.0 + 10.0 ** ((true[None, :] - true[:, None]) / 400.0))
    wins = 5000.0 * odds
    assert ratings(np.stack([wins, wins]))[1] == pytest.approx(true, abs=2.0)


def test_a_method_that_always_wins_has_a_finite_rating() -> None:
    assert np.all(np.isfinite(ratings(np.array([[0.0, 20.0], [0.0, 0.0]]))))
