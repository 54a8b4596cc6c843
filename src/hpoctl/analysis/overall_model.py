"""What a comparison of methods says over all benchmarks: methods, pairs, ranks."""

from dataclasses import dataclass

from hpoctl.analysis.comparison_model import Verdict
from hpoctl.analysis.equivalence import Posterior
from hpoctl.analysis.paired import Interval
from hpoctl.analysis.ranks import Ranks


@dataclass(frozen=True, slots=True)
class AcrossEstimate:
    """A number over several benchmarks.

    Attributes:
        value: The number.
        here: Its interval for these benchmarks: seeds are drawn.
        alike: Its interval for benchmarks like these: benchmarks are drawn, then seeds.
    """

    value: float
    here: Interval
    alike: Interval


@dataclass(frozen=True, slots=True)
class OverallLine:
    """A method over all benchmarks.

    Attributes:
        method: The method.
        mean_rank: Its mean rank over benchmarks, by the median over seeds.
        mean_seed_rank: Its mean rank over benchmarks and seeds. This one has intervals: ranks of medians jump where
            medians are close, so that a bootstrap says nothing about them.
        score: The interquartile mean of its normalised regret over benchmarks and seeds: 0 is the best value on a
            benchmark, 1 the worst.
        rating: Its Elo-type rating by wins over benchmarks and seeds: 400 points are odds of ten to one.
        win_rate: The share of runs, over benchmarks, seeds and other methods, in which it is better, ties counted half.
        profile: The share of its runs with a normalised regret at or below each of `THRESHOLDS`.
    """

    method: str
    mean_rank: float
    mean_seed_rank: AcrossEstimate
    score: AcrossEstimate
    rating: AcrossEstimate
    win_rate: AcrossEstimate
    profile: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class OverallPair:
    """A method beside another one over all benchmarks.

    Attributes:
        first: The one that is judged.
        second: The one it is judged by.
        difference: The mean over benchmarks of the mean difference of their normalised regrets; below 0: the first is
            better.
        p_holm: The p value on these benchmarks, adjusted for all pairs by Holm's procedure: signed ranks of each
            benchmark are added up, and the signs of a seed are flipped together on all of them.
        verdict: What the first is on these benchmarks.
        p_alike_holm: The p value on benchmarks like these, adjusted in the same way: the signed-rank test of one
            difference a benchmark.
        verdict_alike: What the first is on benchmarks like these.
        posterior: What the Bayesian signed-rank test says of benchmarks like these.
        refused: Why there are no verdicts; None: there are.
    """

    first: str
    second: str
    difference: float
    p_holm: float
    verdict: Verdict
    p_alike_holm: float
    verdict_alike: Verdict
    posterior: Posterior
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Overall:
    """Methods over all benchmarks.

    Attributes:
        benchmarks: The benchmarks.
        seeds: How many seeds of each all methods have.
        methods: The methods.
        pairs: All pairs of methods.
        ranks: The ranks over benchmarks, with their tests.
        margin: The region of practical equivalence, in normalised regret.
        smallest_p_alike: The smallest adjusted p value that so few benchmarks can have.
        left_out: What is left out, a sentence each.
    """

    benchmarks: tuple[str, ...]
    seeds: tuple[int, ...]
    methods: tuple[OverallLine, ...]
    pairs: tuple[OverallPair, ...]
    ranks: Ranks
    margin: float
    smallest_p_alike: float
    left_out: tuple[str, ...]
