"""Coverage of the intervals of mean ranks, ratings and win rates over several benchmarks."""

import numpy as np
from coverage_shared import CHECKED, Generator, bootstrap, check_intervals, ends, row, share, titles
from scipy.stats import norm

from hpoctl.analysis.across import Block, seed_ranks, win_tables
from hpoctl.analysis.ratings import PRIOR, SCALE, STEPS, ratings, win_rates, win_shares
from hpoctl.analysis.resampling import Statistic
from hpoctl.analysis.scores import normalised

SEEDS = 10
MEANS = {"equal": np.zeros(4), "0.3 deviations apart": 0.3 * np.arange(4)}
"""Mean losses of four methods; the values of a benchmark have a standard deviation of 1 over seeds."""
VARIED = 0.5
"""The standard deviation over benchmarks like these of the mean of a method."""
COMMON = float(np.sqrt(0.5))
"""How much of the noise of a seed, in standard deviations, is the same on all benchmarks, where some of it is."""


def rankings(about: str, varied: float, common: float, repeats: int) -> None:
    """The share of the intervals of all methods that contain the truth."""
    titles(
        f"Intervals of 4 methods with {SEEDS} seeds about {about}: share with the truth",
        repeats,
        "methods",
        "benchmarks",
        "rank",
        "rating",
        "win rate",
        words=1,
    )
    for benchmarks in (4, 10, 20):
        for name, means in MEANS.items():
            generator = np.random.default_rng([benchmarks, len(about), len(name)])
            truth = true_numbers(means, benchmarks, varied)
            held: dict[str, list[float]] = {what: [] for what in truth}
            for repeat in range(repeats):
                losses = benchmark_losses(means, benchmarks, varied, common, generator)
                found = fast_intervals(losses, alike=varied > 0.0)
                if repeat < CHECKED:
                    for what, statistic in statistics_of(losses).items():
                        check_intervals(found[what], benchmarks, SEEDS, statistic, alike=varied > 0.0)
                for what, true in truth.items():
                    low, high = found[what]
                    held[what].append(float(np.mean((low <= true) & (true <= high))))
            row(name, benchmarks, *(share(held[what]) for what in truth))


def true_numbers(means: np.ndarray, benchmarks: int, varied: float) -> dict[str, np.ndarray]:
    """The mean rank by seed, rating and win rate of each method with infinitely many seeds, shape (methods,) each.

    Args:
        means: The mean losses.
        benchmarks: The number of benchmarks; the half win that a rating adds to each side counts less with more.
        varied: The standard deviation over benchmarks of the mean of a method; 0: they are all alike.
    """
    behind = means[:, None] - means
    wins = norm.cdf(-behind / np.sqrt(2.0 * (1.0 + varied**2)))
    ranks = 0.5 + np.sum(1.0 - wins, axis=1)  # a method beside itself counts half
    return {"rank": ranks, "rating": ratings(benchmarks * wins), "win rate": win_rates(wins)}


def benchmark_losses(
    means: np.ndarray, benchmarks: int, varied: float, common: float, generator: Generator
) -> np.ndarray:
    """Losses of methods, shape (benchmarks, SEEDS, methods)."""
    shape = (benchmarks, SEEDS, len(means))
    shared = generator.normal(size=shape[1:])
    noise = np.sqrt(1.0 - common**2) * generator.normal(size=shape) + common * shared
    return np.asarray(means + varied * generator.normal(size=(benchmarks, 1, len(means))) + noise)


def fast_intervals(losses: np.ndarray, *, alike: bool) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Lower and upper ends of the intervals of each method, from weights that are drawn once for all studies.

    Args:
        losses: Shape (benchmarks, SEEDS, methods).
        alike: Whether the intervals are about benchmarks like these.
    """
    benchmarks, _, methods = losses.shape
    weights = bootstrap(benchmarks, SEEDS, alike)
    rows = losses.reshape(-1, methods)
    wins = (weights @ win_shares(rows).reshape(len(rows), -1)).T.reshape(methods, methods, -1) / SEEDS
    wins[np.diag_indices(methods)] = 0.0
    total = np.sum(weights, axis=1) / SEEDS
    won = np.sum(wins, axis=1)
    numbers = {
        # A method's rank is 1 and the number of methods that win over it, ties counted half.
        "rank": 1.0 + np.sum(wins, axis=0) / total,
        "rating": fast_ratings(wins),
        "win rate": won / (won + np.sum(wins, axis=0)),
    }
    return {what: ends(values, benchmarks, SEEDS, alike=alike) for what, values in numbers.items()}


def fast_ratings(wins: np.ndarray) -> np.ndarray:
    """`ratings` with samples in the last axis, normalised once and ended when no rating changes any more: faster.

    Args:
        wins: Wins of each method over each other one, 0 over itself, shape (methods, methods, samples).

    Returns:
        Ratings of shape (methods, samples).
    """
    methods = len(wins)
    played = wins + PRIOR * (1.0 - np.eye(methods))[:, :, None]
    won = np.sum(played, axis=1)
    pairs = [(one, other) for one in range(methods) for other in range(one)]
    games = {pair: played[pair] + played[pair[::-1]] for pair in pairs}
    strength = np.ones_like(won)
    for step in range(STEPS):
        divisor = np.zeros_like(won)
        for one, other in pairs:
            each = games[one, other] / (strength[one] + strength[other])
            divisor[one] += each
            divisor[other] += each
        following = won / divisor
        if step % 5 == 4 and np.allclose(following, strength, rtol=1e-8, atol=0.0):
            break
        strength = following
    found = SCALE * np.log(following)
    return np.asarray(found - np.mean(found, axis=0))


def statistics_of(losses: np.ndarray) -> dict[str, Statistic]:
    """The statistics that `compare` gives intervals of, as it computes them."""
    blocks = blocks_of(losses)
    return {
        "rank": seed_ranks(blocks),
        "rating": lambda weights: ratings(win_tables(blocks, weights)),
        "win rate": lambda weights: win_rates(win_tables(blocks, weights)),
    }


def blocks_of(losses: np.ndarray) -> list[Block]:
    return [Block(range(SEEDS), each, normalised(each, log=False)) for each in losses]
