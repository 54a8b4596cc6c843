"""Methods over all benchmarks: ranks, normalised regret, ratings, and pairwise tests as the verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy.stats import rankdata

from hpoctl.analysis.aggregate import interquartile_mean
from hpoctl.analysis.comparison import budget_of, refusal, uses_ratios, values_of
from hpoctl.analysis.comparison_model import Failed, Traces, Verdict
from hpoctl.analysis.equivalence import REGRET, signed_rank_posterior
from hpoctl.analysis.overall_model import AcrossEstimate, Overall, OverallLine, OverallPair
from hpoctl.analysis.paired import LEVEL, holm, paired_differences, same_but_for_rounding
from hpoctl.analysis.ranks import mean_ranks
from hpoctl.analysis.ratings import ratings, win_rates, win_shares
from hpoctl.analysis.resampling import Statistic, intervals, weighted_middle_means
from hpoctl.analysis.scores import normalised, profile
from hpoctl.analysis.signed_rank import SignedRank, sign_flip_test, signed_rank
from hpoctl.core.protocols import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The runs of one benchmark on the seeds that all methods have.

    Attributes:
        seeds: The seeds.
        losses: Lower is better; infinite where a run has no value, shape (seeds, methods).
        scores: The normalised regrets, shape (seeds, methods).
        log: Whether two methods are compared by the logarithms of their losses.
    """

    seeds: Sequence[int]
    losses: FloatArray
    scores: FloatArray
    log: bool = False


def compare_overall(
    traces: Mapping[str, Traces],
    failed: Mapping[str, Failed] | None = None,
    *,
    at: float = 1.0,
    level: float = LEVEL,
    margin: float = REGRET,
) -> Overall | None:
    """Methods over all benchmarks; None: there are not two methods that have two benchmarks in common.

    Args:
        traces: The traces by benchmark, method and seed.
        failed: The seeds that failed, by benchmark and method: where only one method of a pair has them, the pair gets
            no verdict.
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
        pairs=tuple(
            _refused(pair, {name: traces[name] for name in blocks}, failed or {})
            for pair in _pairs(methods, every, margin, level)
        ),
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
    losses = without_rounding(values if next(iter(here[methods[0]].values())).mode == "min" else -values)
    log = uses_ratios({name: here[name] for name in methods}, at)
    return Block(seeds, losses, normalised(losses, log=log), log)


def without_rounding(losses: FloatArray) -> FloatArray:
    """Losses in which those of a row that differ by no more than rounding are equal, shape (rows, columns)."""
    order = np.argsort(losses, axis=1)
    ordered = np.take_along_axis(losses, order, axis=1)
    same = same_but_for_rounding(ordered[:, 1:], ordered[:, :-1])
    for place in range(same.shape[1]):
        ordered[:, place + 1] = np.where(same[:, place], ordered[:, place], ordered[:, place + 1])
    levelled = np.empty_like(losses)
    np.put_along_axis(levelled, order, ordered, axis=1)
    return levelled


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
        differences = paired_differences(block.losses[:, one], block.losses[:, other], log=block.log)
        signed = np.sign(differences) * rankdata(np.abs(differences))
        for seed, rank in zip(block.seeds, signed, strict=True):
            sums[seed] = sums.get(seed, 0.0) + float(rank)
    return sign_flip_test(np.array(list(sums.values())))


def _refused(pair: OverallPair, traces: Mapping[str, Traces], failed: Mapping[str, Failed]) -> OverallPair:
    """The pair without verdicts where one of the two failed on seeds that the other one completed."""
    names = pair.first, pair.second
    reasons = {
        benchmark: refusal(names, (set(here[names[0]]), set(here[names[1]])), failed.get(benchmark, {}))
        for benchmark, here in traces.items()
    }
    places = [benchmark for benchmark, reason in reasons.items() if reason is not None]
    if not places:
        return pair
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    reason = f"on {places[0]}{more} {reasons[places[0]]}"
    return replace(pair, verdict="undecided", verdict_alike="undecided", refused=reason)


def _verdict(test: SignedRank, p: float, level: float) -> Verdict:
    if p > level or test.lead == 0:
        return "undecided"
    return "better" if test.lead < 0 else "worse"
