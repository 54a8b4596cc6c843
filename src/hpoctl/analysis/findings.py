"""The findings of a comparison in sentences, the most important first, for terminal and report."""

import math
from collections.abc import Sequence

from hpoctl.analysis.comparison_model import BenchmarkComparison, MethodLine, PairLine
from hpoctl.analysis.comparison_tables import order_of
from hpoctl.analysis.interim import Rules
from hpoctl.analysis.overall_findings import names_of, overall_findings
from hpoctl.analysis.power import FEWEST, MOST
from hpoctl.analysis.shown import Sentence, filled, show
from hpoctl.analysis.study_comparison import Comparison

SIMULATED = "simulated coverage 85 to 90 %"
"""How far the interval of additional seeds is from its level, as docs/explanation/statistics.md has it in detail."""


def findings(comparison: Comparison, path: str = "comparison") -> list[Sentence]:
    """The outcome in sentences: over all benchmarks, on each, how many pairs are decided."""
    said: list[Sentence] = []
    said += few_seeds(comparison)
    if comparison.overall is not None:
        said += overall_findings(
            comparison.overall, f"{path}.overall", comparison.level, interim=comparison.interim is not None
        )
    for place, found in enumerate(comparison.benchmarks):
        said.append(_benchmark(found, f"{path}.benchmarks.{place}"))
    said += [(f"{name}: no run has a finite value.",) for name in comparison.without_value]
    if comparison.pairs > comparison.interim_pairs:
        said.append(_decided_by_tests(comparison))
    if comparison.interim is not None:
        said.append(_decided_by_interim_analyses(comparison, comparison.interim))
    return said


def few_seeds(comparison: Comparison) -> list[Sentence]:
    """The number of seeds that is needed, if there are too few to decide any pair."""
    known = [found for found in comparison.benchmarks if found.smallest_p is not None]
    if not known or any((found.smallest_p or 0.0) <= comparison.level for found in known):
        return []
    most = max(pair.paired.n for found in known for pair in found.pairs)
    family = comparison.pairs if comparison.family == "all" else min(len(found.pairs) for found in known)
    needed = seeds_to_decide(family, comparison.level)
    seeds = f"{most} seed{'s' if most > 1 else ''}"
    pairs = "a pair of methods" if family == 1 else f"any of {family} pairs of methods"
    return [(f"{seeds} cannot decide: to decide {pairs} at {100 * comparison.level:g} % takes {needed} seeds.",)]


def seeds_to_decide(pairs: int, level: float) -> int:
    """The smallest number of seeds with which a pair of a family can be decided: all differences point one way."""
    return max(math.ceil(math.log2(2.0 * pairs / level) - 1e-12), FEWEST)


def lost_runs(found: BenchmarkComparison) -> list[str]:
    """Which runs have no finite value, a sentence for each method."""
    return [
        f"{line.method} has no value in {len(line.without_value)} of {line.n} seeds: tables and tests count them as "
        "the worst, figures show the other seeds."
        for line in found.methods
        if line.without_value
    ]


def pair_finding(found: BenchmarkComparison, pair: PairLine, path: str, margin: str | None = None) -> list[Sentence]:
    """The estimate of one pair, and how many more seeds would decide it; with a margin, p of equivalence, too."""
    kind = "ratio" if found.log else "difference"
    estimate = f"{kind} {{paired.shift:.3g}} {{paired.shift_interval:.3g}}, p Holm {{p_holm:p}}"
    if margin is not None and pair.p_equivalent is not None:
        estimate += f", that of a difference of {margin} or more {{p_equivalent:p}}"
    said = [filled(estimate, pair, path)]
    if pair.refused is not None:
        return [*said, (f"No verdict: {pair.refused}.",)]
    more = pair.more
    if more is None:
        seeds = f"{pair.paired.n} pair{'s' if pair.paired.n > 1 else ''} of seeds"
        return [*said, (f"{seeds} cannot decide: the test needs {FEWEST}, and more for smaller differences.",)]
    if more.detectable is not None:
        unit = "{more.detectable:.3g}" if not found.log else f"{math.exp(more.detectable):.3g}"
        said.append(
            filled(f"{{more.n:d}} pairs of seeds can detect a {kind} of {unit} with a power of 80 %.", pair, path)
        )
    if pair.verdict == "undecided":
        said.append(_more_seeds(pair, path))
    return said


def _more_seeds(pair: PairLine, path: str) -> Sentence:
    more = pair.more
    if more is None or more.contradicts:
        return ("Not decided. No number of seeds is proposed: the mean and the shift point to different methods.",)
    known = "(predictive power)"
    if more.more is None:
        return filled(
            f"Not decided. Even {MOST - more.n:,} more seeds decide with a probability of only "
            f"{{more.predictive:.0%}} {known}.",
            pair,
            path,
        )
    low, high = (f"more than {MOST - more.n:,}" if end is None else f"{max(end, 1):,}" for end in more.interval)
    return filled(
        "Not decided. {more.half:d} more seeds decide with a probability of 50 %, {more.more:d} with 80 % "
        f"{known}. For a power of 80 % the true effect needs {low} to {high} more (80 % interval; {SIMULATED}).",
        pair,
        path,
    )


def _benchmark(found: BenchmarkComparison, path: str) -> Sentence:
    order = order_of(found)
    lines = found.methods
    best = lines[order[0]]
    if not math.isfinite(best.interquartile_mean):
        return (f"{found.benchmark}: most runs of every method have no finite value.",)
    template = "{interquartile_mean:.3g} {interquartile_interval:.3g}"
    if best.interquartile_interval is None:
        template = "{interquartile_mean:.3g}"
    value = filled(template, best, f"{path}.methods.{order[0]}")
    end = "highest" if found.mode == "max" else "lowest"
    shown = show(best.interquartile_mean, ".3g")
    tied = [lines[place] for place in order if show(lines[place].interquartile_mean, ".3g") == shown]
    if len(lines) == 1:
        return (f"{found.benchmark}: {best.method} ends at ", *value, ".")
    if len(tied) > 1:
        names = names_of([line.method for line in tied])
        return (f"{found.benchmark}: {names} end {end}, at ", *value, *_judged(found, tied[0], order, path))
    return (f"{found.benchmark}: {best.method} ends {end}, at ", *value, *_judged(found, best, order, path))


def _judged(found: BenchmarkComparison, line: MethodLine, order: Sequence[int], path: str) -> Sentence:
    """The methods that the best one beats, those undecided against it, and its speed-up over the last."""
    place = next(place for place in order if found.methods[place] is line)
    others = line.better + line.worse + line.undecided + line.equivalent
    if not others:
        return (".",)
    said = filled("; {method} is better than {better:d}", line, f"{path}.methods.{place}")
    said = (*said, f" of {others} other method{'s' if others > 1 else ''}")
    for verdict, words in (("equivalent", "equivalent to"), ("undecided", "undecided against")):
        names = _names_with(found, line.method, verdict)
        if names:
            said = (*said, f", {words} {names_of(names)}")
    return (*said, *_speed(found, line.method, found.methods[order[-1]].method, path), ".")


def _speed(found: BenchmarkComparison, best: str, last: str, path: str) -> Sentence:
    """How many times as fast the best method is as the last one, or this one as the best; nothing if unclear."""
    for number, pair in enumerate(found.pairs):
        interval = pair.speed.interval
        if interval is None:
            continue
        fast = filled("{speed.ratio:.2g} {speed.interval:.2g}", pair, f"{path}.pairs.{number}")
        if (pair.first, pair.second) == (best, last) and interval.low > 1.0:
            return (", ", *fast, f" times as fast as {last}")
        if (pair.first, pair.second) == (last, best) and interval.high < 1.0:
            return (f"; {last} is ", *fast, " times as fast")
    return ()


def _names_with(found: BenchmarkComparison, method: str, verdict: str) -> list[str]:
    return [
        pair.second if pair.first == method else pair.first
        for pair in found.pairs
        if pair.verdict == verdict and method in (pair.first, pair.second)
    ]


def _decided_by_tests(comparison: Comparison) -> Sentence:
    """How many pairs one test each decides, and the family of the adjustment."""
    how = f"signed-rank test at {100 * comparison.level:g} %, {family_words(comparison)}"
    return (_counts(comparison, how, comparison.margin, interim=False),)


def _decided_by_interim_analyses(comparison: Comparison, rules: Rules) -> Sentence:
    """How many pairs interim analyses decide."""
    margin = None if rules.margin is None else str(rules.margin)
    return (_counts(comparison, interim_words(rules), margin, interim=True),)


def interim_words(rules: Rules) -> str:
    """How interim analyses decide."""
    looks = ", ".join(map(str, rules.looks))
    return (
        f"signed-rank test in interim analyses at {looks} seeds, Lan-DeMets spending, family-wise error rate at most "
        f"{100 * rules.level:g} %"
    )


def _counts(comparison: Comparison, how: str, margin: str | None, *, interim: bool) -> str:
    """How many of the pairs are decided that interim analyses decide, or of the others."""
    count = comparison.interim_pairs if interim else comparison.pairs - comparison.interim_pairs
    decided = comparison.count("better", "worse", interim=interim)
    equal = comparison.count("equivalent", interim=interim)
    said = f"Of {count:,} pair{'s' if count > 1 else ''} of methods on a benchmark {decided:,} "
    said += f"{'is' if decided == 1 else 'are'} decided"
    if margin is not None:
        said += f", {equal:,} {'is' if equal == 1 else 'are'} equivalent within {margin}"
    return f"{said} ({how}); undecided is not the same as equal."


def family_words(comparison: Comparison) -> str:
    """The scope of Holm's procedure, as in `Holm over the 28 pairs of each benchmark`."""
    if comparison.family == "all":
        return f"Holm over all {comparison.pairs:,} pairs of all benchmarks"
    counts = sorted({len(found.pairs) for found in comparison.benchmarks if found.pairs})
    number = "" if not counts else f"{counts[0]} " if len(counts) == 1 else f"{counts[0]} to {counts[-1]} "
    return f"Holm over the {number}pair{'' if counts == [1] else 's'} of each benchmark alone"
