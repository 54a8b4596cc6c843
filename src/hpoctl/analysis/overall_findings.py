"""The findings over all benchmarks in sentences, for terminal and report."""

from collections.abc import Iterable, Sequence

from hpoctl.analysis.comparison_model import TURNED
from hpoctl.analysis.overall_model import Overall
from hpoctl.analysis.shown import Sentence, filled, show

MOST_NAMES = 4
"""A list of more names is a number."""

ADDED_SEEDS = (
    "Interim analyses decided which seeds were run: the tests and intervals over all benchmarks do not account for "
    "that."
)

SAME = 1e-9
"""Mean ranks that differ by less differ by rounding."""

FEW_BENCHMARKS = 4
"""With fewer benchmarks intervals about benchmarks like these are too narrow."""


def overall_findings(overall: Overall, path: str, level: float, *, interim: bool) -> list[Sentence]:
    """Who has the best mean rank over all benchmarks, and beside whom that is decided.

    Args:
        overall: The methods over all benchmarks.
        path: Where these stand in the model.
        level: The level of the tests.
        interim: Whether interim analyses decided which seeds were run.
    """
    count, methods = len(overall.benchmarks), len(overall.methods)
    ranks = [(line.mean_rank, line.mean_seed_rank.value) for line in overall.methods]
    best = min(range(methods), key=lambda place: ranks[place])
    line = overall.methods[best]
    tied = [each.method for each, rank in zip(overall.methods, ranks, strict=True) if rank[0] - ranks[best][0] < SAME]
    subject, whose = ("it", "") if len(tied) == 1 else (line.method, "of {method} ")
    numbers = (
        f" the best mean rank, {{mean_rank:.2f}}; rank by seed {whose}{{mean_seed_rank.value:.2f}} "
        "{mean_seed_rank.here:.2f}"
    )
    said: Sentence = (
        f"Over {count} benchmarks {names_of(tied)} {'has' if len(tied) == 1 else 'have'}",
        *filled(numbers, line, f"{path}.methods.{best}"),
    )
    if interim:
        return [(*said, "."), (ADDED_SEEDS,)]
    if overall.ranks.friedman_p is not None:
        said = (
            *said,
            *filled("; Friedman's test by permutation: p {friedman_p:p}", overall.ranks, f"{path}.ranks"),
        )
    sentences: list[Sentence] = [(*said, ".")]
    counts = {word: _verdicts(overall, line.method, "verdict").count(word) for word in ("better", "undecided", "worse")}
    here = (
        f"On these benchmarks together {subject} is better than {counts['better']} of {methods - 1} other methods, "
        f"worse than {counts['worse']} (signed ranks of seeds, Holm over {len(overall.pairs)} "
        f"pair{'s' if methods > 2 else ''})."
    )
    alike = _verdicts(overall, line.method, "verdict_alike").count("better")
    if overall.smallest_p_alike > level:
        there = f"{count} benchmarks cannot decide about benchmarks like these: no adjusted p value can be below "
        there += f"{show(overall.smallest_p_alike, 'p')}."
    else:
        there = (
            f"On benchmarks like these {subject} is better than {alike} of {methods - 1} (signed-rank test over "
            "benchmarks)."
        )
    return [*sentences, (here,), (there,), *((reason,) for reason in refused_overall(overall))]


def refused_overall(overall: Overall) -> list[str]:
    """Which pairs get no verdict over all benchmarks, a sentence each."""
    return [
        f"No verdict over all benchmarks on {pair.first} and {pair.second}: {pair.refused}."
        for pair in overall.pairs
        if pair.refused is not None
    ]


def _verdicts(overall: Overall, method: str, name: str) -> list[str]:
    """The verdicts about a method beside each other one."""
    first = [getattr(pair, name) for pair in overall.pairs if pair.first == method]
    return first + [TURNED[getattr(pair, name)] for pair in overall.pairs if pair.second == method]


def rank_notes(overall: Overall, path: str) -> list[Sentence]:
    """What the critical-difference diagram shows and does not show."""
    ranks = overall.ranks
    methods, most = len(overall.methods), len(overall.methods) - 1
    template = (
        f"{methods} methods on {ranks.blocks} benchmarks: critical difference {{critical_difference:.2f}} ranks of at "
        f"most {most} (Nemenyi at 5 %); {_apart(ranks.separated, methods)}."
    )
    caveat = "The diagram is a picture, not the verdict: whether its bars join two methods depends on which others are "
    caveat += "compared. The pairwise tests do not."
    return [filled(template, ranks, f"{path}.ranks"), (caveat,)]


def _apart(separated: int, methods: int) -> str:
    every = methods * (methods - 1) // 2
    if not separated:
        return "it separates no pair of methods"
    return f"it separates {separated} of {every} pair{'s' if every > 1 else ''} of methods"


def overall_words(overall: Overall, *, interim: bool) -> Iterable[str]:
    """What the tables over all benchmarks say."""
    margin, benchmarks = overall.margin, len(overall.benchmarks)
    if interim:
        yield ADDED_SEEDS
    yield (
        "Rank: by the median over seeds. Rank by seed: the mean of the ranks that it has in each seed. Regret: "
        "interquartile mean over benchmarks and seeds of values between 0, the best on a benchmark, and 1, the worst. "
        "Rating: 400 points more are odds of ten to one that a run ends better."
    )
    yield (
        "Pairs: on these benchmarks by the signed ranks of seeds, all benchmarks together; elsewhere, on benchmarks "
        "like these, by one difference of normalised regret a benchmark. Better, equal and worse are posterior "
        f"probabilities on benchmarks like these (Bayesian signed-rank test; equal: within {margin:g} of regret)."
    )
    if benchmarks < FEW_BENCHMARKS:
        yield (
            f"{benchmarks} benchmarks are too few to tell what others would show: intervals about benchmarks like "
            "these are too narrow."
        )


def names_of(names: Sequence[str]) -> str:
    """Names as a list in words; of many names only their number."""
    if len(names) > MOST_NAMES:
        return f"{len(names)} methods"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
