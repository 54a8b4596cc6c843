"""The interim analyses of many samples at once, as `hpoctl launch --until-decided` makes them."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

from hpoctl.analysis.comparison_model import Verdict
from hpoctl.analysis.equivalence import Margin
from hpoctl.analysis.group_sequential import look_levels, planned_looks
from hpoctl.analysis.interim import InterimAnalysis, Question, Rules, analysis_of
from hpoctl.analysis.power import predictive_power
from hpoctl.analysis.signed_rank import critical_sum, sums_of_signs

MOST = 60
"""Seeds of the last interim analysis."""

MARGIN = 0.5
LEVEL = 0.05
CHECKED = 20
"""So many of the samples whose tests are made at once are tested by hpoctl itself, too."""


def rules_with(futility: bool) -> Rules:
    return Rules(planned_looks(MOST), LEVEL, Margin(MARGIN, "metric"), futility)


Looks = Mapping[int, InterimAnalysis]
"""The tests of a sample by the number of seeds."""


def all_looks(samples: np.ndarray) -> list[Looks]:
    """The tests of each sample at each analysis, without shifts and estimates, which decide nothing.

    They are made of all samples at once, which takes a hundredth of the time; those of the first samples are compared
    with those that hpoctl makes.

    Args:
        samples: Differences without ties, shape (samples, n).
    """
    rules = rules_with(futility=True)
    columns = {seeds: looks_at(samples[:, :seeds], rules) for seeds in rules.looks}
    found: list[Looks] = [{seeds: column[place] for seeds, column in columns.items()} for place in range(len(samples))]
    for sample, looks in zip(samples[:CHECKED], found[:CHECKED], strict=True):
        for seeds, look in looks.items():
            check_same(look, analysis_of(sample[:seeds], rules, MARGIN))
    return found


def check_same(look: InterimAnalysis, other: InterimAnalysis) -> None:
    ours, theirs = (np.array((each.p, each.p_equivalent, each.chance), dtype=float) for each in (look, other))
    if look.leads != other.leads or not np.allclose(ours, theirs, rtol=1e-9, atol=1e-12):
        raise SystemExit(f"tests of all samples at once differ from those of hpoctl: {look}, {other}")


def looks_at(samples: np.ndarray, rules: Rules) -> list[InterimAnalysis]:
    """The tests of samples with one number of seeds."""
    count = samples.shape[1]
    p, lead = signed_ranks(samples)
    below, above = signed_ranks(samples - MARGIN), signed_ranks(samples + MARGIN)
    sides = [np.where(sign == side, 0.5 * p, 1.0 - 0.5 * p) for (p, sign), side in ((below, -1), (above, 1))]
    chance = np.concatenate([chances(samples[start : start + 1000], rules) for start in range(0, len(samples), 1000)])
    words: dict[int, Verdict] = {-1: "better", 0: "undecided", 1: "worse"}
    every = zip(p, lead, np.maximum(*sides), chance, strict=True)
    return [
        InterimAnalysis(count, float(p), words[int(sign)], p_equivalent=float(equal), chance=float(outlook))
        for p, sign, equal, outlook in every
    ]


def positive_ranks(samples: np.ndarray) -> np.ndarray:
    """The sum of the ranks of the positive differences of each sample, shape (samples,)."""
    return np.asarray(np.sum(rankdata(np.abs(samples), axis=1) * (samples > 0.0), axis=1))


def signed_ranks(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The p value of each sample, and the sign of what leads, shape (samples,) each."""
    count = samples.shape[1]
    positive, total = positive_ranks(samples), count * (count + 1) / 2
    below = np.cumsum(sums_of_signs(np.arange(1, count + 1)))
    less = np.minimum(positive, total - positive).astype(int)
    return np.minimum(2.0 * below[less], 1.0), np.sign(2.0 * positive - total)


def chances(samples: np.ndarray, rules: Rules) -> np.ndarray:
    """The probability that each sample is decided by the last analysis: see `_chance` of interim.py."""
    count, last = samples.shape[1], rules.looks[-1]
    if count >= last:
        return np.ones(len(samples))
    level, cut = look_levels(rules.looks, rules.level)[-1], critical_sum(count, LEVEL)
    pairs = np.rint(positive_ranks(samples) - np.sum(samples > 0.0, axis=1))  # sums of two differences above 0
    effects = pairs / (0.5 * count * (count - 1)) - 0.5
    known = {effect: predictive_power(effect, count, last - count, level=level) for effect in np.unique(effects)}
    different = np.array([known[effect] for effect in effects])
    rows, columns = np.triu_indices(count)
    means = np.sort(0.5 * (samples[:, rows] + samples[:, columns]), axis=1)
    quantile = float(ndtri(1.0 - LEVEL / 2.0))
    error = 0.5 * (means[:, -1 - cut] - means[:, cut]) / quantile
    room = MARGIN - float(ndtri(1.0 - level)) * error * np.sqrt(count / last)
    moves, shift = error * np.sqrt((last - count) / last), np.median(means, axis=1)
    equal = ndtr((room - shift) / moves) - ndtr((-room - shift) / moves)
    return np.asarray(different + np.where(room > 0.0, equal, 0.0))


def looked_up(tests: Mapping[Question, Looks], futility: bool, question: Question, seeds: int) -> InterimAnalysis:
    look = tests[question][seeds]
    return look if futility else replace(look, chance=None)
