"""Methods over benchmarks by their ranks: Friedman's test, Nemenyi's critical difference, and what they can show."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import friedmanchisquare, rankdata, studentized_range

from hpoctl.analysis.paired import LEVEL
from hpoctl.core.protocols import FloatArray

FEW = 0.5
"""A test that needs more than this share of the largest possible difference of mean ranks can show little."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """Mean ranks of methods over blocks.

    Attributes:
        mean_ranks: The mean rank of each method, 1 is the best, shape (methods,).
        blocks: How many blocks there are.
        friedman_p: The p value of Friedman's test (chi square); None: it needs two blocks and three methods.
        critical_difference: Mean ranks that differ by less cannot be told apart (Nemenyi).
    """

    mean_ranks: tuple[float, ...]
    blocks: int
    friedman_p: float | None
    critical_difference: float

    @property
    def power_note(self) -> str:
        """What such a test can show at all, as a sentence."""
        methods = len(self.mean_ranks)
        most = methods - 1
        what = (
            f"{methods} methods on {self.blocks} benchmarks: critical difference {self.critical_difference:.2f} ranks"
        )
        if self.critical_difference >= most:
            return f"{what} of at most {most}: this test can show nothing."
        if self.critical_difference > FEW * most:
            return f"{what} of at most {most}: this test can show almost nothing."
        return f"{what} of at most {most}."


def mean_ranks(losses: FloatArray, level: float = LEVEL) -> Ranks:
    """Mean ranks with the tests that go with them.

    Args:
        losses: What is ranked, lower is better, shape (blocks, methods), at least two methods; ties share a mean rank.
        level: The level of the critical difference.
    """
    blocks, methods = losses.shape
    ranks = rankdata(losses, axis=1)
    p = None
    if blocks >= 2 and methods >= 3:
        # Where all methods tie in all blocks the statistic is 0 / 0, and nothing differs.
        p = 1.0 if np.all(losses == losses[:, :1]) else float(friedmanchisquare(*losses.T).pvalue)
    return Ranks(tuple(np.mean(ranks, axis=0).tolist()), blocks, p, critical_difference(methods, blocks, level))


def critical_difference(methods: int, blocks: int, level: float = LEVEL) -> float:
    """Nemenyi's critical difference of mean ranks."""
    quantile = float(studentized_range.ppf(1.0 - level, methods, np.inf)) / np.sqrt(2.0)
    return float(quantile * np.sqrt(methods * (methods + 1.0) / (6.0 * blocks)))


def together(increasing: Sequence[float], difference: float) -> list[tuple[int, int]]:
    """The largest runs of methods that cannot be told apart, as the places of the first and the last one.

    Args:
        increasing: Mean ranks, increasing.
        difference: The critical difference; ranks that differ by less cannot be told apart.
    """
    runs: list[tuple[int, int]] = []
    for first, rank in enumerate(increasing):
        last = max(place for place, other in enumerate(increasing) if other - rank < difference)
        if last > first and (not runs or last > runs[-1][1]):
            runs.append((first, last))
    return runs
