"""Methods over all benchmarks: ranks with their tests, normalised scores with intervals, performance profiles."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from hpoctl.analysis.comparison import RANDOM_SEED, Traces, budget_of, uses_ratios
from hpoctl.analysis.paired import LEVEL, Interval
from hpoctl.analysis.ranks import Ranks, mean_ranks
from hpoctl.analysis.scores import bootstrapped, normalised, profile
from hpoctl.core.protocols import FloatArray


@dataclass(frozen=True, slots=True)
class OverallLine:
    """A method over all benchmarks.

    Attributes:
        method: The method.
        mean_rank: Its mean rank over benchmarks, by the median over seeds.
        mean_seed_rank: Its mean rank over benchmarks and seeds.
        score: The interquartile mean of its normalised score over benchmarks and seeds: 0 is the best value on a
            benchmark, 1 the worst.
        these: Its interval for these benchmarks: seeds are drawn.
        such: Its interval for benchmarks such as these: benchmarks are drawn, then seeds.
        profile: The share of its experiments with a score at or below each of `THRESHOLDS`.
    """

    method: str
    mean_rank: float
    mean_seed_rank: float
    score: float
    these: Interval
    such: Interval
    profile: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Overall:
    """Methods over all benchmarks.

    Attributes:
        benchmarks: The benchmarks, with how many seeds that all methods have.
        methods: The methods.
        ranks: The ranks over benchmarks, with their tests.
        left_out: What is left out, a sentence each.
    """

    benchmarks: Mapping[str, int]
    methods: tuple[OverallLine, ...]
    ranks: Ranks
    left_out: tuple[str, ...]


def compare_overall(traces: Mapping[str, Traces], at: float = 1.0, level: float = LEVEL) -> Overall | None:
    """Methods over all benchmarks; None: there are not two methods that have two benchmarks in common.

    Args:
        traces: The traces by benchmark, method and seed.
        at: The share of each budget.
        level: One less the confidence, and the level of the tests.
    """
    methods, left_out = _methods(traces)
    losses: dict[str, FloatArray] = {}
    scores: list[FloatArray] = []
    for benchmark, here in traces.items():
        values = _values(here, methods, at) if set(methods) <= set(here) else np.empty((0, len(methods)))
        if not len(values):
            left_out.append(f"{benchmark} is left out: it has no seed with values of all {len(methods)} methods")
            continue
        first = next(iter(next(iter(here.values())).values()))
        losses[benchmark] = values if first.mode == "min" else -values
        scores.append(normalised(losses[benchmark], log=uses_ratios({name: here[name] for name in methods}, at)))
    if len(methods) < 2 or len(losses) < 2:
        return None
    ranks = mean_ranks(np.array([np.median(values, axis=0) for values in losses.values()]), level)
    seed_ranks = np.mean([np.mean(rankdata(values, axis=1), axis=0) for values in losses.values()], axis=0)
    these = bootstrapped(scores, np.random.default_rng(RANDOM_SEED), benchmarks=False, level=level)
    such = bootstrapped(scores, np.random.default_rng(RANDOM_SEED), benchmarks=True, level=level)
    pooled = np.concatenate(scores)
    lines = tuple(
        OverallLine(
            method=method,
            mean_rank=ranks.mean_ranks[place],
            mean_seed_rank=float(seed_ranks[place]),
            score=these[place][0],
            these=these[place][1],
            such=such[place][1],
            profile=tuple(profile(pooled[:, place])),
        )
        for place, method in enumerate(methods)
    )
    return Overall({name: len(values) for name, values in losses.items()}, lines, ranks, tuple(left_out))


def _methods(traces: Mapping[str, Traces]) -> tuple[list[str], list[str]]:
    """The methods that every benchmark has, in order, and what is said about the others."""
    every = list(dict.fromkeys(method for here in traces.values() for method in here))
    missing = {method: [name for name, here in traces.items() if method not in here] for method in every}
    said = [f"{method} is left out: it has nothing on {', '.join(names)}" for method, names in missing.items() if names]
    return [method for method in every if not missing[method]], said


def _values(here: Traces, methods: list[str], at: float) -> FloatArray:
    """The values of the methods for the seeds with values of all of them, shape (seeds, methods)."""
    time = np.array([at * budget_of(here)])
    common = sorted(set.intersection(*(set(here[method]) for method in methods))) if methods else []
    values = np.array([[float(here[method][seed].at(time)[0]) for method in methods] for seed in common])
    values = values.reshape(-1, len(methods))
    return np.asarray(values[np.all(np.isfinite(values), axis=1)])
