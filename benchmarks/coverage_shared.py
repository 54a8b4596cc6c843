"""Differences that are drawn, tests of many samples at once, and tables that are printed, for all simulations."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import rankdata

from hpoctl.analysis.paired import LEVEL
from hpoctl.analysis.signed_rank import critical_sum

Generator = np.random.Generator
Draw = Callable[[Generator, tuple[int, ...]], np.ndarray]


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


def share(found: Sequence[bool]) -> str:
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
