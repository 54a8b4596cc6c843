"""Elo-type ratings from wins: the model of Bradley and Terry (1952), fitted to many tables of wins at once."""

import numpy as np

from hpoctl.core.protocols import FloatArray

SCALE = 400.0 / np.log(10.0)
"""Points of a rating: 400 more are odds of ten to one."""

STEPS = 60
PRIOR = 0.5
"""Wins that are added to each side of each pair, so that a method that always wins has a finite rating."""


def win_shares(losses: FloatArray) -> FloatArray:
    """For each row the wins of each method over each other one, ties counted half, shape (rows, methods, methods).

    Args:
        losses: Lower is better; infinite where a run has no value, shape (rows, methods).
    """
    one, other = losses[:, :, None], losses[:, None, :]
    return np.where(one == other, 0.5, (one < other).astype(float))


def win_rates(wins: FloatArray) -> FloatArray:
    """The share of comparisons with all others that each method wins, shape (..., methods).

    Args:
        wins: Wins of each method over each other one, shape (..., methods, methods); the diagonal does not count.
    """
    methods = wins.shape[-1]
    others = wins * (1.0 - np.eye(methods))
    games = others + np.swapaxes(others, -1, -2)
    return np.asarray(np.sum(others, axis=-1) / np.sum(games, axis=-1))


def ratings(wins: FloatArray) -> FloatArray:
    """The rating of each method, their mean being 0, shape (..., methods).

    Wins are fitted by minorisation and maximisation (Hunter 2004).

    Args:
        wins: Wins of each method over each other one, ties counted half, shape (..., methods, methods).
    """
    methods = wins.shape[-1]
    played = (wins + PRIOR) * (1.0 - np.eye(methods))
    games, won = played + np.swapaxes(played, -1, -2), np.sum(played, axis=-1)
    strength = np.ones(wins.shape[:-1])
    for _ in range(STEPS):
        each = games / (strength[..., :, None] + strength[..., None, :])
        strength = won / np.sum(each, axis=-1)
        strength = strength / np.exp(np.mean(np.log(strength), axis=-1, keepdims=True))
    return np.asarray(SCALE * np.log(strength))
