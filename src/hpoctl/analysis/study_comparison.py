"""The model of a comparison: terminal, Markdown, LaTeX, JSON and the web page all show it, and nothing else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from hpoctl.analysis.across import compare_overall
from hpoctl.analysis.comparison import compare_benchmark, counted, with_verdicts
from hpoctl.analysis.comparison_model import (
    TURNED,
    BenchmarkComparison,
    CompareOptions,
    Family,
    PairLine,
    Traces,
    Verdict,
)
from hpoctl.analysis.equivalence import REGRET
from hpoctl.analysis.interim import Question, Rules
from hpoctl.analysis.overall_model import Overall


@dataclass(frozen=True, slots=True)
class Comparison:
    """Methods compared on each benchmark and over all of them.

    Attributes:
        at: The share of the budget at which they are compared.
        level: The level of the tests, and one less the confidence of the intervals.
        family: Over what p values are adjusted.
        margin: The margin of equivalence as it was given; None: there is none.
        methods: The methods.
        benchmarks: Each benchmark on which a run has a finite value.
        without_value: The benchmarks on which none has.
        overall: All benchmarks together; None: there are not two methods with two benchmarks in common.
        interim: The rules of the interim analyses that decide some pairs, those without a p value; None: no such pairs.
    """

    at: float
    level: float
    family: Family
    margin: str | None
    methods: tuple[str, ...]
    benchmarks: tuple[BenchmarkComparison, ...]
    without_value: tuple[str, ...]
    overall: Overall | None
    interim: Rules | None = None

    @property
    def pairs(self) -> int:
        """How many pairs of a method with another one there are, on all benchmarks."""
        return sum(len(found.pairs) for found in self.benchmarks)

    @property
    def interim_pairs(self) -> int:
        """How many of them interim analyses decide."""
        return sum(pair.p is None for found in self.benchmarks for pair in found.pairs)

    def count(self, *verdicts: str, interim: bool) -> int:
        """How many pairs have one of these verdicts, of those that interim analyses decide or of the others."""
        pairs = [pair for found in self.benchmarks for pair in found.pairs]
        return sum(pair.verdict in verdicts and (pair.p is None) == interim for pair in pairs)


def compare_study(
    traces: Mapping[str, Traces], options: CompareOptions | None = None, failed: Iterable[tuple[str, str, int]] = ()
) -> Comparison:
    """Compare methods on each benchmark, pair by pair, and over all benchmarks.

    Args:
        traces: The traces by benchmark, method and seed.
        options: How to compare.
        failed: Benchmark, method and seed of each experiment that failed.
    """
    options = options or CompareOptions()
    lost: dict[str, dict[str, list[int]]] = {}
    for benchmark, method, seed in failed:
        lost.setdefault(benchmark, {}).setdefault(method, []).append(seed)
    known = {
        name: here
        for name, here in traces.items()
        if any(len(trace.times) for seeds in here.values() for trace in seeds.values())
    }
    found = [compare_benchmark(name, here, options, lost.get(name)) for name, here in known.items()]
    regret = options.margin.size if options.margin is not None and options.margin.of == "regret" else REGRET
    families = [found] if options.family == "all" else [[each] for each in found]
    return Comparison(
        at=options.at,
        level=options.level,
        family=options.family,
        margin=None if options.margin is None else str(options.margin),
        methods=tuple(dict.fromkeys(method for here in traces.values() for method in here)),
        benchmarks=tuple(each for family in families for each in with_verdicts(family, options.level)),
        without_value=tuple(name for name in traces if name not in known),
        overall=compare_overall(known, lost, at=options.at, level=options.level, margin=regret),
    )


@dataclass(frozen=True, slots=True)
class InterimVerdicts:
    """What interim analyses say so far.

    Attributes:
        rules: How they decide.
        verdicts: The verdict of each of their questions; `undecided` before its first analysis.
    """

    rules: Rules
    verdicts: Mapping[Question, Verdict]

    def verdict(self, pair: PairLine, benchmark: str) -> Verdict | None:
        """The verdict about a pair in either order; None: interim analyses do not decide it."""
        same = self.verdicts.get(Question(pair.first, pair.second, benchmark))
        turned = self.verdicts.get(Question(pair.second, pair.first, benchmark))
        return same if turned is None else TURNED[turned]


def with_interim_verdicts(comparison: Comparison, interim: InterimVerdicts) -> Comparison:
    """The comparison with these verdicts, and without p values of their pairs, which repeated analyses make invalid."""
    benchmarks = tuple(_judged(found, interim) for found in comparison.benchmarks)
    judged = replace(comparison, benchmarks=benchmarks)
    return replace(judged, interim=interim.rules) if judged.interim_pairs else comparison


def _judged(found: BenchmarkComparison, interim: InterimVerdicts) -> BenchmarkComparison:
    pairs = []
    for pair in found.pairs:
        verdict = interim.verdict(pair, found.benchmark)
        known = pair
        if verdict is not None:
            known = replace(pair, verdict=verdict, p=None, p_holm=None, p_equivalent=None)
        pairs.append(known)
    tested = any(pair.p is not None for pair in pairs)
    return counted(replace(found, pairs=tuple(pairs), smallest_p=found.smallest_p if tested else None))
