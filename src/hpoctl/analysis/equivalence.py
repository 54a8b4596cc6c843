"""Equal is an answer: equivalence within a margin, on one benchmark and over many.

On one benchmark two one-sided signed-rank tests (Schuirmann 1987) reject that the shift is as large as the margin on
either side. Over benchmarks a Bayesian signed-rank test gives the probabilities that one method is better by more than
the margin, that the two are equivalent, and that the other is better (Benavoli, Corani, Demsar and Zaffalon 2017).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from hpoctl.analysis.signed_rank import signed_rank
from hpoctl.core.errors import UsageError
from hpoctl.core.protocols import FloatArray

DRAWS = 20_000
"""Samples of the posterior distribution."""

SEED = 20231
PRIOR = 0.5
"""The weight of the pseudo-benchmark on which the methods are equal, beside 1 of each benchmark."""

SURE = 0.95
"""A posterior probability that decides."""

REGRET = 0.01
"""The margin over benchmarks if none is given, in normalised regret."""


@dataclass(frozen=True, slots=True)
class Margin:
    """Within what two methods count as equivalent.

    Attributes:
        size: The margin, such as 0.01.
        of: What it is a share of: `metric`, the value itself; `regret`, the range from the best value on a benchmark
            to the worst.
    """

    size: float
    of: Literal["metric", "regret"]

    def __str__(self) -> str:
        return f"{100 * self.size:g}%" if self.of == "metric" else f"regret:{self.size:g}"


@dataclass(frozen=True, slots=True)
class Posterior:
    """What benchmarks say about two methods on benchmarks like these.

    Attributes:
        better: The probability that the first is better by more than the margin.
        equivalent: The probability that they differ by less.
        worse: The probability that the first is worse by more.
    """

    better: float
    equivalent: float
    worse: float

    @property
    def verdict(self) -> str:
        """The answer that has a probability of 95 % or more."""
        found = {"better": self.better, "equivalent": self.equivalent, "worse": self.worse}
        return next((word for word, probability in found.items() if probability >= SURE), "undecided")


def parse_margin(text: str) -> Margin:
    """A margin as people type it: `1%` of the metric, or `regret:0.01`.

    Raises:
        UsageError: It is neither.
    """
    kind, _, size = text.rpartition(":")
    try:
        value = float(size.removesuffix("%")) / (100.0 if size.endswith("%") else 1.0)
    except ValueError:
        value = np.nan
    percent = size.endswith("%")
    if not 0.0 < value < 1.0 or kind not in ("", "regret") or (kind == "" and not percent):
        raise UsageError(
            f"--equivalent-within cannot be {text[:40]!r}.",
            "Give a share of the metric, such as 1%, or of the range of values on a benchmark, such as regret:0.01.",
        )
    return Margin(value, "regret" if kind else "metric")


def margin_on(margin: Margin, values: FloatArray, *, log: bool) -> float:
    """A margin in the unit of the differences of a benchmark.

    Args:
        margin: The margin.
        values: All values of the benchmark, any shape; those that are not finite do not count.
        log: Whether differences are of logarithms.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return 0.0
    if margin.of == "regret":
        known = np.log(known) if log else known
        return margin.size * float(np.max(known) - np.min(known))
    return float(np.log1p(margin.size)) if log else margin.size * float(np.abs(np.median(known)))


def equivalence_p(differences: FloatArray, margin: float) -> float:
    """The p value of the hypothesis that the shift is as large as the margin: the larger one of two one-sided tests.

    Args:
        differences: Paired differences, shape (n,).
        margin: The margin, in their unit, above 0.
    """
    below, above = signed_rank(differences - margin), signed_rank(differences + margin)
    sides = [0.5 * test.p if test.lead == sign else 1.0 - 0.5 * test.p for test, sign in ((below, -1), (above, 1))]
    return max(sides)


def signed_rank_posterior(differences: FloatArray, margin: float) -> Posterior:
    """The Bayesian signed-rank test of differences over benchmarks, lower is better.

    The distribution of differences has a Dirichlet process prior. Weights of the benchmarks, and of one
    pseudo-benchmark without a difference, are drawn from the posterior; the mean of two differences decides
    (Benavoli et al. 2014).

    Args:
        differences: One difference a benchmark, shape (n,).
        margin: The region of practical equivalence reaches from minus the margin to the margin.
    """
    values = np.concatenate([[0.0], differences])
    sums = values[:, None] + values
    weights = _posterior_weights(len(differences))

    def shares(region: FloatArray) -> FloatArray:
        return np.asarray(np.sum((weights @ region.astype(float)) * weights, axis=1))

    better, worse = shares(sums < -2.0 * margin), shares(sums > 2.0 * margin)
    parts = np.stack([better, 1.0 - better - worse, worse])
    chosen = np.argmax(parts, axis=0)
    counts = [float(np.mean(chosen == place)) for place in range(3)]
    return Posterior(*counts)


@lru_cache(maxsize=8)
def _posterior_weights(benchmarks: int) -> FloatArray:
    """Weights of the pseudo-benchmark and the benchmarks, shape (DRAWS, 1 + benchmarks): the same for all pairs."""
    return np.random.default_rng(SEED).dirichlet([PRIOR, *np.ones(benchmarks)], size=DRAWS)
