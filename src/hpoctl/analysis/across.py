"""Methods over all benchmarks: ranks, normalised regret, ratings, and pairwise tests as the verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy.stats import rankdata

from hpoctl.analysis.aggregate import interquartile_mean
from hpoctl.analysis.comparison import budget_of, uses_ratios, values_of
from hpoctl.analysis.comparison_model import Traces, Verdict
from hpoctl.analysis.equivalence import REGRET, Posterior, signed_rank_posterior
from hpoctl.analysis.paired import LEVEL, Interval, holm
from hpoctl.analysis.ranks import Ranks, mean_ranks
from hpoctl.analysis.ratings import ratings, win_rates, win_shares
from hpoctl.analysis.resampling import Statistic, intervals, weighted_middle_means
from hpoctl.analysis.scores import normalised, profile
from hpoctl.analysis.signed_rank import SignedRank, sign_flip_test, signed_rank
from hpoctl.core.protocols import FloatArray, IntArray


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
    """

    first: str
    second: str
    difference: float
    p_holm: float
    verdict: Verdict
    p_alike_holm: float
    verdict_alike: Verdict
    posterior: Posterior


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


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The runs of one benchmark on the seeds that all methods have.

    Attributes:
        seeds: The seeds.
        losses: Lower is better; infinite where a run has no value, shape (seeds, methods).
        scores: The normalised regrets, shape (seeds, methods).
    """

    seeds: Sequence[int]
    losses: FloatArray
    scores: FloatArray


def compare_overall(
    traces: Mapping[str, Traces], *, at: float = 1.0, level: float = LEVEL, margin: float = REGRET
) -> Overall | None:
    """Methods over all benchmarks; None: there are not two methods that have two benchmarks in common.

    Args:
        traces: The traces by benchmark, method and seed.
        at: The share of the budget at which they are compared.
        level: The level of the tests, and one less the confidence of the intervals.
        margin: The region of practical equivalence, in normalised regret.
    """
    methods, left_out = _methods(traces)
    blocks: dict[str, Block] = {}
    for benchmark, here in traces.items():
        block = _block(here, methods, at) if methods and set(methods) <= set(here) else None
        if block is None:
            left_out.append(f"{benchmark} is left out: it has no seed with runs of all {len(methods)} methods")
        else:
            blocks[benchmark] = block
    if len(methods) < 2 or len(blocks) < 2:
        return None
    every = list(blocks.values())
    return Overall(
        benchmarks=tuple(blocks),
        seeds=tuple(len(block.seeds) for block in every),
        methods=_lines(methods, every, level),
        pairs=_pairs(methods, every, margin, level),
        ranks=mean_ranks(np.array([np.median(block.losses, axis=0) for block in every]), level),
        margin=margin,
        smallest_p_alike=min(2.0 * 0.5 ** len(every) * len(methods) * (len(methods) - 1) / 2.0, 1.0),
        left_out=tuple(left_out),
    )


def _methods(traces: Mapping[str, Traces]) -> tuple[list[str], list[str]]:
    """The methods that every benchmark has, in order, and what is said about the others."""
    every = list(dict.fromkeys(method for here in traces.values() for method in here))
    missing = {method: [name for name, here in traces.items() if method not in here] for method in every}
    said = [f"{method} is left out: it has nothing on {', '.join(names)}" for method, names in missing.items() if names]
    return [method for method in every if not missing[method]], said


def _block(here: Traces, methods: Sequence[str], at: float) -> Block | None:
    """The seeds that all methods have; None: no such seed, or no run has a value."""
    time = at * budget_of(here)
    seeds = sorted(set.intersection(*(set(here[method]) for method in methods)))
    if not seeds:
        return None
    values = np.stack([values_of([here[method][seed] for seed in seeds], time) for method in methods], axis=1)
    if not np.any(np.isfinite(values)):
        return None
    losses = values if next(iter(here[methods[0]].values())).mode == "min" else -values
    return Block(seeds, losses, normalised(losses, log=uses_ratios({name: here[name] for name in methods}, at)))


def _lines(methods: Sequence[str], blocks: Sequence[Block], level: float) -> tuple[OverallLine, ...]:
    pooled = np.concatenate([block.scores for block in blocks])
    by_median = np.mean([rankdata(np.median(block.losses, axis=0)) for block in blocks], axis=0)
    by_seed = _estimates(blocks, seed_ranks(blocks), level)
    scores = _estimates(blocks, _middle_scores(pooled), level, interquartile_mean(pooled))
    rated = _estimates(blocks, _ratings(blocks), level)
    wins = _estimates(blocks, lambda weights: win_rates(win_tables(blocks, weights)), level)
    return tuple(
        OverallLine(
            method=method,
            mean_rank=float(by_median[place]),
            mean_seed_rank=by_seed[place],
            score=scores[place],
            rating=rated[place],
            win_rate=wins[place],
            profile=profile(pooled[:, place]),
        )
        for place, method in enumerate(methods)
    )


def _estimates(
    blocks: Sequence[Block], statistic: Statistic, level: float, centre: FloatArray | None = None
) -> list[AcrossEstimate]:
    """A statistic of each method with both intervals."""
    seeds = [block.seeds for block in blocks]
    if centre is None:
        centre = statistic([np.ones((1, len(own)), dtype=np.int64) for own in seeds])[0]
    here = intervals(seeds, statistic, benchmarks=False, level=level)
    alike = intervals(seeds, statistic, benchmarks=True, level=level)
    return [AcrossEstimate(float(value), *ends) for value, *ends in zip(centre, here, alike, strict=True)]


def seed_ranks(blocks: Sequence[Block]) -> Statistic:
    """The mean rank of each method over benchmarks and seeds, every benchmark counting alike."""
    ranks = [rankdata(block.losses, axis=1) for block in blocks]

    def statistic(weights: Sequence[IntArray]) -> FloatArray:
        total = np.sum([own @ rank / len(rank) for own, rank in zip(weights, ranks, strict=True)], axis=0)
        return np.asarray(total / np.sum([np.mean(own, axis=1) for own in weights], axis=0)[:, None])

    return statistic


def _middle_scores(pooled: FloatArray) -> Statistic:
    def statistic(weights: Sequence[IntArray]) -> FloatArray:
        joined = np.concatenate(list(weights), axis=1)
        return np.stack([weighted_middle_means(column, joined) for column in pooled.T], axis=1)

    return statistic


def win_tables(blocks: Sequence[Block], weights: Sequence[IntArray]) -> FloatArray:
    """The wins of each method over each other one in each sample, every benchmark counting alike.

    Args:
        blocks: The benchmarks.
        weights: How often each seed of each benchmark is drawn, shape (samples, seeds) each.

    Returns:
        The wins, shape (samples, methods, methods).
    """
    parts = [
        np.tensordot(own, win_shares(block.losses), axes=1) / len(block.seeds)
        for block, own in zip(blocks, weights, strict=True)
    ]
    return np.asarray(np.sum(parts, axis=0))


def _ratings(blocks: Sequence[Block]) -> Statistic:
    return lambda weights: ratings(win_tables(blocks, weights))


def _pairs(methods: Sequence[str], blocks: Sequence[Block], margin: float, level: float) -> tuple[OverallPair, ...]:
    found, tests = [], []
    for one, other in combinations(range(len(methods)), 2):
        means = np.array([np.mean(block.scores[:, one] - block.scores[:, other]) for block in blocks])
        here = _flipped_seeds(blocks, one, other)
        tests.append((here, signed_rank(means)))
        posterior = signed_rank_posterior(means, margin)
        mean = float(np.mean(means))
        found.append(OverallPair(methods[one], methods[other], mean, 1.0, "undecided", 1.0, "undecided", posterior))
    adjusted = holm([here.p for here, _ in tests]), holm([alike.p for _, alike in tests])
    return tuple(
        replace(
            pair,
            p_holm=p,
            verdict=_verdict(here, p, level),
            p_alike_holm=p_alike,
            verdict_alike=_verdict(alike, p_alike, level),
        )
        for pair, (here, alike), p, p_alike in zip(found, tests, *adjusted, strict=True)
    )


def _flipped_seeds(blocks: Sequence[Block], one: int, other: int) -> SignedRank:
    """The exact test of the signed ranks of all benchmarks: those of a seed could as well all have the other sign."""
    sums: dict[int, float] = {}
    for block in blocks:
        with np.errstate(invalid="ignore"):
            differences = np.nan_to_num(
                block.losses[:, one] - block.losses[:, other], nan=0.0, posinf=np.inf, neginf=-np.inf
            )
        signed = np.sign(differences) * rankdata(np.abs(differences))
        for seed, rank in zip(block.seeds, signed, strict=True):
            sums[seed] = sums.get(seed, 0.0) + float(rank)
    return sign_flip_test(np.array(list(sums.values())))


def _verdict(test: SignedRank, p: float, level: float) -> Verdict:
    if p > level or test.lead == 0:
        return "undecided"
    return "better" if test.lead < 0 else "worse"
