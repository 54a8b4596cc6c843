"""Many pairs, and repeated tests: how often any difference is claimed where there is none."""

from collections.abc import Sequence

import numpy as np
from coverage_shared import DIFFERENCES, normal, percent, rejects, row, share, titles
from scipy.stats import rankdata

from hpoctl.analysis.paired import LEVEL
from hpoctl.analysis.power import predict_power
from hpoctl.analysis.ranks import critical_difference, friedman
from hpoctl.analysis.sequential import decided_after
from hpoctl.analysis.signed_rank import signed_rank


def families(repeats: int) -> None:
    titles(
        "Methods that are all equal: how often any difference is claimed",
        repeats,
        "procedure",
        "studies with a false claim",
    )
    generator = np.random.default_rng(5)
    values = generator.normal(size=(repeats, 12, 8)) + generator.normal(size=(repeats, 12, 1))
    pairs = [values[:, :, one] - values[:, :, other] for one in range(8) for other in range(one)]
    row("8 methods, 12 seeds, 28 pairs, each p by itself", share(any_of(pairs, LEVEL)))
    # Where all are equal, Holm's procedure claims a difference exactly if the smallest p passes its first step.
    row("8 methods, 12 seeds, 28 pairs, Holm over the pairs of one benchmark", share(any_of(pairs, LEVEL / 28)))
    pairs = list(generator.normal(size=(12, repeats, 12)))
    row("3 pairs on 4 benchmarks, Holm over each benchmark alone", share(any_of(pairs, LEVEL / 3)))
    row("3 pairs on 4 benchmarks, Holm over all of them (`--family all`)", share(any_of(pairs, LEVEL / 12)))
    for methods, benchmarks, count in ((3, 4, repeats), (4, 3, repeats), (8, 4, repeats), (5, 20, repeats)):
        ranks = [rankdata(generator.normal(size=(benchmarks, methods)), axis=1) for _ in range(count)]
        row(
            f"{methods} methods on {benchmarks} benchmarks, Friedman by permutation",
            share([friedman(each, 999)[0] <= LEVEL for each in ranks]),
        )
        critical = critical_difference(methods, benchmarks)
        row(
            f"{methods} methods on {benchmarks} benchmarks, Nemenyi",
            share([bool(np.ptp(np.mean(each, axis=0)) >= critical) for each in ranks]),
        )
    row("two methods, signed-rank test repeated after every seed from 6 to 60", percent(repeated(repeats)))
    row("two methods, 12 seeds, then once those that `compare` proposes (at most 60)", percent(added_once(repeats)))


def evidence(repeats: int) -> None:
    titles(
        "Evidence checked after every seed, at most 60, until it reaches 20: how often it does, after how many seeds",
        repeats,
        "differences",
        "reached",
        "seeds used, mean",
        "signed-rank test, once, with 60 seeds",
    )
    cases = {f"normal, shift of {shift:g} deviations": (normal, shift) for shift in (0.0, 0.3, 0.5, 0.8)}
    others = {f"{name}, no shift": (draw, 0.0) for name, draw in list(DIFFERENCES.items())[1:]}
    for name, (draw, shift) in {**cases, **others}.items():
        samples = draw(np.random.default_rng(len(name)), (repeats, 60)) + shift
        after = [decided_after(sample) for sample in samples]
        once = [signed_rank(sample).p <= LEVEL for sample in samples]
        seeds = f"{np.mean([count or 60 for count in after]):.0f}"
        row(name, share([count is not None for count in after]), seeds, share(once))


def any_of(pairs: Sequence[np.ndarray], level: float) -> list[bool]:
    """Whether the test rejects any pair of each study, by differences of shape (repeats, n) for each pair."""
    return np.any([rejects(differences, level) for differences in pairs], axis=0).tolist()


def repeated(repeats: int) -> float:
    samples = np.random.default_rng(6).normal(size=(repeats, 60))
    return float(np.mean(any_of([samples[:, :count] for count in range(6, 61)], LEVEL)))


def added_once(repeats: int) -> float:
    generator = np.random.default_rng(7)
    called = 0
    for _ in range(repeats):
        sample = generator.normal(size=60)
        decided = signed_rank(sample[:12]).p <= 0.05
        if not decided:
            more = predict_power(sample[:12]).more
            decided = signed_rank(sample[: min(12 + max(more or 48, 1), 60)]).p <= 0.05
        called += decided
    return called / repeats
