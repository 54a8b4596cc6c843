"""A comparison some of whose pairs interim analyses decide: their verdicts replace those of the single tests."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hpoctl.analysis.comparison import counted
from hpoctl.analysis.comparison_model import TURNED, BenchmarkComparison, PairLine, Verdict
from hpoctl.analysis.interim import Question, Rules
from hpoctl.analysis.study_comparison import Comparison


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
