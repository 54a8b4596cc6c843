"""Differences that are drawn, tests of many samples at once, and tables that are printed, for all simulations."""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from scipy.stats import rankdata

from hpoctl.analysis.paired import LEVEL
from hpoctl.analysis.resampling import Statistic, bootstrap_weights, expanded_tail, intervals
from hpoctl.analysis.signed_rank import critical_sum

Generator = np.random.Generator
Draw = Callable[[Generator, tuple[int, ...]], np.ndarray]
CHECKED = 2
"""So many of the first studies of a row are computed by hpoctl itself, too, where a faster form is used."""


def skewed(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.exp(generator.normal(size=shape)) - np.exp(generator.normal(size=shape))


def normal(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
    return generator.normal(size=shape)


def heavy(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
    return generator.standard_t(2.0, size=shape)


def tied(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.round(generator.normal(size=shape))


def zeros(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.where(generator.random(size=shape) < 0.3, 0.0, generator.normal(size=shape))


def one_sided(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
    return generator.exponential(size=shape) - np.log(2.0)


DIFFERENCES: dict[str, Draw] = {
    "normal": normal,
    "heavy tails, t(2)": heavy,
    "of two skewed values (lognormal)": skewed,
    "tied: normal, rounded to whole deviations": tied,
    "three of ten are zero": zeros,
}


def row(*cells: object) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def titles(text: str, repeats: int, *cells: str, words: int = 1) -> None:
    """The head of a table."""
    print(f"\n{text} ({repeats:,} repetitions)\n")
    row(*cells)
    row(*("---" if place < words else "---:" for place in range(len(cells))))


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def share(found: Sequence[float]) -> str:
    return percent(float(np.mean(found)))


def rejects(samples: np.ndarray, level: float = LEVEL, side: int = 0) -> np.ndarray:
    """Whether the signed-rank test rejects, of many samples without ties and zeros at once, shape (repeats,).

    Args:
        samples: Differences, at most 200 of each sample, shape (repeats, n).
        level: The level of the test.
        side: 1, -1: a test of one side, which rejects where differences are above or below 0; 0: of both.
    """
    count = samples.shape[1]
    ranks = rankdata(np.abs(samples), axis=1)
    above = np.sum(ranks * (samples > 0.0), axis=1)
    against = {1: np.sum(ranks, axis=1) - above, -1: above}
    least = against[side] if side else np.minimum(against[1], against[-1])
    return np.asarray(least <= critical_sum(count, 2.0 * level if side else level))


def within(samples: np.ndarray, margin: float, level: float) -> np.ndarray:
    """Whether both one-sided tests of equivalence reject, of many samples without ties at once, shape (repeats,)."""
    return np.asarray(rejects(samples - margin, level, -1) & rejects(samples + margin, level, 1))


@cache
def bootstrap(benchmarks: int, seeds: int, alike: bool) -> np.ndarray:
    """The bootstrap weights of hpoctl, which are the same for all studies with the same seeds.

    Returns:
        Weights of shape (samples, benchmarks * seeds), those of a benchmark side by side.
    """
    weights = bootstrap_weights([range(seeds)] * benchmarks, benchmarks=alike)
    return np.concatenate(weights, axis=1).astype(float)


def ends(values: np.ndarray, benchmarks: int, seeds: int, *, alike: bool) -> tuple[np.ndarray, np.ndarray]:
    """The lower and upper ends of the intervals of a statistic, shape (methods,) each.

    Args:
        values: Of each sample, shape (methods, samples).
        benchmarks: The number of benchmarks.
        seeds: The number of seeds of each.
        alike: Whether the intervals are about benchmarks like these.
    """
    tail = expanded_tail(benchmarks if alike else seeds, LEVEL)
    low, high = np.quantile(values, [tail, 1.0 - tail], axis=1)
    return low, high


def check_intervals(
    found: tuple[np.ndarray, np.ndarray], benchmarks: int, seeds: int, statistic: Statistic, *, alike: bool
) -> None:
    """Ends the script where hpoctl has other intervals."""
    ours = intervals([range(seeds)] * benchmarks, statistic, benchmarks=alike)
    if not np.allclose([(each.low, each.high) for each in ours], np.transpose(found), rtol=1e-6, atol=1e-6):
        raise SystemExit(f"intervals of the simulation differ from those of hpoctl: {found}, {ours}")
