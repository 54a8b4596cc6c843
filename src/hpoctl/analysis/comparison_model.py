"""What a comparison of methods says, on one benchmark: methods, pairs, verdicts; and what is asked for."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from hpoctl.analysis.equivalence import Margin
from hpoctl.analysis.paired import (
    LEVEL,
    Interval,
    Paired,
)
from hpoctl.analysis.power import PowerPrediction
from hpoctl.analysis.run_times import RunTimes, Speed
from hpoctl.analysis.traces import Trace
from hpoctl.core.protocols import Mode

Verdict = Literal["better", "worse", "equivalent", "undecided"]


Family = Literal["benchmark", "all"]


Traces = Mapping[str, Mapping[int, Trace]]
"""The traces of one benchmark by method and seed."""


Failed = Mapping[str, Collection[int]]
"""The seeds of one benchmark that failed, by method."""


FRACTIONS = (0.25, 0.5, 0.75, 1.0)


RANDOM_SEED = 20231


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """How methods are compared.

    Attributes:
        at: The share of the budget, above 0 and at most 1.
        level: The level of the tests, and one less the confidence of the intervals.
        family: Over what p values are adjusted: the pairs of a benchmark, or those of all benchmarks.
        margin: Within what methods count as equivalent; None: they are not tested for equivalence.
        targets: Values to which run times are measured; none: quantiles of the values that are reached.
    """

    at: float = 1.0
    level: float = LEVEL
    family: Family = "benchmark"
    margin: Margin | None = None
    targets: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class MethodLine:
    """One method on one benchmark.

    Attributes:
        method: The method.
        n: How many seeds there are.
        without_value: Seeds whose run has no finite value by then: they count as worse than every value.
        median: The median over seeds; infinite: half of them or more have no value.
        interquartile_mean: The mean of the middle half of the seeds; infinite in the same way.
        interquartile_interval: Its bootstrap interval; None: there is one seed, or a seed has no value.
        mean_height: The area under the best-so-far curve, as its mean over time: the median over seeds; None: a curve
            begins too late, or a seed has no value.
        better: How many other methods it is better than.
        worse: How many it is worse than.
        undecided: How many comparisons with it are undecided.
        equivalent: How many it is equivalent to.
    """

    method: str
    n: int
    without_value: tuple[int, ...]
    median: float
    interquartile_mean: float
    interquartile_interval: Interval | None
    mean_height: float | None
    better: int = 0
    worse: int = 0
    undecided: int = 0
    equivalent: int = 0


@dataclass(frozen=True, slots=True)
class Moment:
    """The shift at a share of the budget.

    Attributes:
        fraction: The share.
        n: How many pairs there are; a run without a value by then counts as worse than every value.
        shift: The shift of Hodges and Lehmann; None: no run has a value.
        interval: Its interval.
    """

    fraction: float
    n: int
    shift: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class PairLine:
    """A method beside another one.

    Attributes:
        first: The one that is judged.
        second: The one it is judged by.
        seeds: The seeds that both have.
        unpaired: Seeds that only one of them has.
        lost: Seeds on which a run of the first has no finite value, and those of the second.
        paired: What the pairs say.
        p: The p value of the signed-rank test; None: interim analyses decide the pair, so that it is invalid.
        p_holm: The same, adjusted for all pairs of the family.
        p_equivalent: The p value of the hypothesis that they differ by the margin, adjusted for all pairs of the
            family; None: no margin is given.
        verdict: Whether the first is better, worse or equivalent, or whether that is not decided.
        refused: Why there is no verdict; None: there is one.
        moments: The shift at shares of the budget.
        speed: The speed-up of the first over the second in reaching targets.
        more: What the seeds can detect, and how many more would decide; None: fewer than six pairs.
        evidence: The largest wealth of a gambler on the signs, seed after seed: 1 / level decides, however often one
            looks.
    """

    first: str
    second: str
    seeds: tuple[int, ...]
    unpaired: tuple[int, ...]
    lost: tuple[tuple[int, ...], tuple[int, ...]]
    paired: Paired
    p: float | None
    p_holm: float | None
    p_equivalent: float | None
    verdict: Verdict
    refused: str | None
    moments: tuple[Moment, ...]
    speed: Speed
    more: PowerPrediction | None
    evidence: float


@dataclass(frozen=True, slots=True)
class BenchmarkComparison:
    """The methods on one benchmark.

    Attributes:
        benchmark: The benchmark.
        metric: The metric.
        mode: Whether it is minimised or maximised.
        log: Whether values are compared by their ratios; otherwise by their differences.
        budget: The budget in seconds.
        time: The time of the comparison in seconds.
        margin: The margin of equivalence in the unit of the metric, or as a ratio; None: there is none.
        methods: The methods.
        pairs: All pairs that have a seed in common.
        targets: The targets of run times, the easiest first.
        run_times: The run times of the methods to them.
        smallest_p: The smallest adjusted p value that a pair of it can have; None: no pair has a p value.
        notes: What else has to be known, a sentence each.
    """

    benchmark: str
    metric: str
    mode: Mode
    log: bool
    budget: float
    time: float
    margin: float | None
    methods: tuple[MethodLine, ...]
    pairs: tuple[PairLine, ...]
    targets: tuple[float, ...]
    run_times: tuple[RunTimes, ...]
    smallest_p: float | None
    notes: tuple[str, ...]


TURNED: dict[Verdict, Verdict] = {
    "better": "worse",
    "worse": "better",
    "undecided": "undecided",
    "equivalent": "equivalent",
}
"""A verdict as the second method sees it."""
