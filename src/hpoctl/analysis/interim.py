"""One interim analysis of one question: a test of difference, one of equivalence, the shift, and the outlook."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri

from hpoctl.analysis.comparison import budget_of, uses_ratios, values_of
from hpoctl.analysis.comparison_model import TURNED, Traces, Verdict
from hpoctl.analysis.equivalence import Margin, equivalence_p, margin_on
from hpoctl.analysis.group_sequential import look_levels
from hpoctl.analysis.paired import LEVEL, Interval, hodges_lehmann, paired_differences, ratio_interval
from hpoctl.analysis.power import predictive_power, rank_effect, tied_spread
from hpoctl.analysis.signed_rank import signed_rank
from hpoctl.core.protocols import FloatArray


@dataclass(frozen=True, slots=True)
class Rules:
    """How questions are decided.

    Attributes:
        looks: The numbers of seeds of the interim analyses, increasing.
        level: The family-wise error rate of differences, and that of equivalence.
        margin: Within what methods count as equivalent; None: they are not tested for equivalence.
        futility: Whether futile questions are closed.
    """

    looks: tuple[int, ...]
    level: float = LEVEL
    margin: Margin | None = None
    futility: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Question:
    """Which of two methods is better on a benchmark.

    Attributes:
        first: The method that is judged.
        second: The one it is judged by.
        benchmark: The benchmark.
    """

    first: str
    second: str
    benchmark: str

    def __str__(self) -> str:
        return f"{self.first}:{self.second} on {self.benchmark}"


@dataclass(frozen=True, slots=True)
class InterimAnalysis:
    """One interim analysis of a question: its tests.

    Attributes:
        seeds: How many seeds had been run.
        p: The p value of the signed-rank test, unadjusted.
        leads: What the first method is, if a difference is decided.
        log: Whether `shift` and `interval` are ratios.
        shift: The shift of Hodges and Lehmann with these seeds; None: not computed.
        interval: Its repeated confidence interval: those of all analyses together contain the shift with the
            confidence; None: not computed.
        p_equivalent: The p value of the hypothesis that they differ by the margin; None: there is no margin.
        chance: The probability that the question is decided by the last analysis, given these seeds; None: there is no
            futility rule.
    """

    seeds: int
    p: float
    leads: Verdict
    log: bool = False
    shift: float | None = None
    interval: Interval | None = None
    p_equivalent: float | None = None
    chance: float | None = None


def analysis_at(traces: Traces, question: Question, seeds: Sequence[int], rules: Rules) -> InterimAnalysis | None:
    """Test a question; None: a seed is missing.

    A run without a finite value counts as worse than every run that has one.

    Args:
        traces: The traces of the benchmark by method and seed.
        question: The question.
        seeds: The seeds of the interim analysis.
        rules: How it is decided.
    """
    pair = [traces.get(name, {}) for name in (question.first, question.second)]
    if not all(seed in runs for runs in pair for seed in seeds):
        return None
    names = (question.first, question.second)
    here = {name: {seed: runs[seed] for seed in seeds} for name, runs in zip(names, pair, strict=True)}
    end, log = budget_of(here), uses_ratios(here, 1.0)
    values = [values_of(list(here[name].values()), end) for name in names]
    margin = None if rules.margin is None else margin_on(rules.margin, np.concatenate(values), log=log)
    look = analysis_of(paired_differences(*values, log=log), rules, margin)
    if pair[0][seeds[0]].mode == "max":
        look = replace(look, leads=TURNED[look.leads])
    return shown_as_ratios(look) if log else look


def analysis_of(differences: FloatArray, rules: Rules, margin: float | None = None) -> InterimAnalysis:
    """The tests of differences of values that are minimised, at the interim analysis with as many seeds.

    Args:
        differences: Paired differences, shape (n,).
        rules: How they are decided.
        margin: The margin of equivalence in their unit; None: they are not tested for equivalence.
    """
    count = len(differences)
    test = signed_rank(differences)
    levels = dict(zip(rules.looks, look_levels(rules.looks, rules.level), strict=True))
    shift, interval = hodges_lehmann(differences, levels.get(count, rules.level))
    return InterimAnalysis(
        seeds=count,
        p=test.p,
        leads=("worse" if test.lead > 0 else "better") if test.lead else "undecided",
        shift=shift,
        interval=interval,
        p_equivalent=equivalence_p(differences, margin) if margin else None,
        chance=_chance(differences, rules, margin) if rules.futility else None,
    )


def shown_as_ratios(look: InterimAnalysis) -> InterimAnalysis:
    """The tests of differences of logarithms, with the shift as a ratio."""
    shift, interval = look.shift, look.interval
    if shift is None or interval is None:
        return look
    return replace(look, log=True, shift=float(np.exp(shift)), interval=ratio_interval(interval))


def _chance(differences: FloatArray, rules: Rules, margin: float | None) -> float:
    """The probability that a question is decided by the last interim analysis, given these differences."""
    count, last = len(differences), rules.looks[-1]
    if count >= last or count < 2:
        return 1.0
    level = look_levels(rules.looks, rules.level)[-1]
    effect, spread = rank_effect(differences), tied_spread(differences)
    different = predictive_power(effect, count, last - count, level=level, spread=spread)
    if not margin:
        return different
    shift, interval = hodges_lehmann(differences)
    if not np.all(np.isfinite([interval.low, interval.high])):
        return 1.0
    # The shift of all seeds is normal around that of these; its interval shrinks with the root of their number.
    error = max(0.5 * (interval.high - interval.low) / float(ndtri(1.0 - LEVEL / 2.0)), 1e-300)
    room = margin - float(ndtri(1.0 - level)) * error * float(np.sqrt(count / last))
    if room <= 0.0:
        return different
    moves = error * float(np.sqrt((last - count) / last))
    return different + float(ndtr((room - shift) / moves) - ndtr((-room - shift) / moves))
