"""The levels of looks: against published bounds and another way to compute them, and the error under repeated looks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri
from scipy.stats import multivariate_normal, norm

from hpoctl.analysis import group_sequential
from hpoctl.analysis.group_sequential import look_levels, median_unbiased, most_seeds, planned_looks, spending
from hpoctl.analysis.power import FEWEST
from hpoctl.analysis.signed_rank import signed_rank

LEVEL = 0.05


def obrien_fleming(shares: np.ndarray, level: float) -> np.ndarray:
    return np.asarray(4.0 * ndtr(ndtri(level / 4.0) / np.sqrt(shares)))


def pocock(shares: np.ndarray, level: float) -> np.ndarray:
    return np.asarray(level * np.log(1.0 + (np.e - 1.0) * shares))


def equal_steps(looks: tuple[int, ...]) -> np.ndarray:
    return np.array(looks) / looks[-1]


@pytest.mark.parametrize(
    ("spend", "published"),
    [
        # Five equally spaced looks, two-sided 5 %, as the programs of Reboussin, DeMets, Kim and Lan (2000) print them.
        (obrien_fleming, (4.8769, 3.3569, 2.6803, 2.2898, 2.0310)),
        (pocock, (2.4380, 2.4268, 2.4101, 2.3966, 2.3859)),
    ],
)
def test_bounds_are_those_published(
    monkeypatch: pytest.MonkeyPatch, spend: group_sequential.Spending, published: tuple[float, ...]
) -> None:
    monkeypatch.setattr(group_sequential, "_information", equal_steps)
    found = [-ndtri(level / 2.0) for level in look_levels.__wrapped__((1, 2, 3, 4, 5), LEVEL, spend)]
    assert found == pytest.approx(published, abs=0.01)


@pytest.mark.parametrize("level", [0.05, 0.05 / 8])
def test_what_is_spent_is_the_chance_to_leave_the_region_as_scipy_computes_it(level: float) -> None:
    looks = (12, 20, 30)
    bounds = np.array([-ndtri(each / 2.0) for each in look_levels(looks, level)])
    counts = np.array(looks, dtype=float)
    information = counts * (2.0 * counts + 1.0) / (counts + 1.0)
    correlation = np.sqrt(np.minimum.outer(information, information) / np.maximum.outer(information, information))
    for count in (1, 2, 3):
        normal = multivariate_normal(np.zeros(count), correlation[:count, :count], seed=1)
        inside = normal.cdf(bounds[:count], lower_limit=-bounds[:count], rng=np.random.default_rng(1))
        spent = float(spending(information[count - 1 : count] / information[-1], level)[0])
        assert 1.0 - inside == pytest.approx(spent, abs=2e-4)


def test_signed_ranks_of_fewer_and_of_more_pairs_are_correlated_as_is_assumed() -> None:
    generator = np.random.default_rng(2)
    sums = []
    for _ in range(4000):
        sample = generator.normal(size=24)
        sums.append(
            [(np.sign(part) * (np.argsort(np.argsort(np.abs(part))) + 1)).sum() for part in (sample[:8], sample)]
        )
    small, large = (count * (2.0 * count + 1.0) / (count + 1.0) for count in (8.0, 24.0))
    assert np.corrcoef(np.array(sums).T)[0, 1] == pytest.approx(np.sqrt(small / large), abs=0.03)


@given(st.integers(FEWEST, 500))
def test_looks_grow_to_the_largest_number(most: int) -> None:
    looks = planned_looks(most)
    assert looks[0] >= FEWEST
    assert looks[-1] == most
    assert list(looks) == sorted(set(looks))


@settings(max_examples=20)
@given(st.integers(FEWEST, 200), st.floats(1e-5, 0.1))
def test_levels_grow_from_look_to_look_and_with_the_level(most: int, level: float) -> None:
    looks = planned_looks(most)
    levels, more = look_levels(looks, level), look_levels(looks, 1.5 * level)
    assert all(0.0 < one <= level * (1.0 + 1e-6) for one in levels)  # the last one is what is left, and never more
    assert all(one < other for one, other in zip(levels, more, strict=True))
    assert sum(levels) >= level * (1.0 - 1e-6)  # the looks share the level: what depends on one another costs less


def test_one_look_is_one_test() -> None:
    assert look_levels((20,), LEVEL) == pytest.approx((LEVEL,))


def test_looks_have_the_power_of_one_test_with_fewer_seeds() -> None:
    most, needed = most_seeds(50, 1, LEVEL), 50
    looks = planned_looks(most)
    generator = np.random.default_rng(4)
    samples = generator.normal(0.41, 1.0, (400, most))  # 50 pairs find this with a chance of 80 %
    once = np.mean([signed_rank(sample[:needed]).p <= LEVEL for sample in samples])
    found = np.mean([decided(sample, looks) for sample in samples])
    assert found >= once - 0.03
    assert most_seeds(50, 8, LEVEL) > most
    assert most_seeds(1, 1, LEVEL) == 10


def decided(sample: np.ndarray, looks: tuple[int, ...]) -> bool:
    levels = look_levels(looks, LEVEL)
    return any(signed_rank(sample[:count]).p <= level for count, level in zip(looks, levels, strict=True))


@pytest.mark.parametrize("kind", ["normal", "heavy", "skewed", "tied", "mostly zero"])
def test_repeated_looks_keep_the_level(kind: str) -> None:
    generator = np.random.default_rng([9, len(kind)])
    shape = (700, 30)
    samples = {
        "normal": generator.normal(size=shape),
        "heavy": generator.standard_t(2.0, size=shape),
        "skewed": np.exp(generator.normal(size=shape)) - np.exp(generator.normal(size=shape)),
        "tied": np.round(generator.normal(size=shape)),
        "mostly zero": generator.normal(size=shape) * (generator.random(shape) < 0.3),
    }[kind]
    called = float(np.mean([decided(sample, planned_looks(30)) for sample in samples]))
    assert 0.0 < called <= LEVEL + 3.3 * np.sqrt(LEVEL * (1.0 - LEVEL) / shape[0])


def test_looks_that_are_not_corrected_do_not() -> None:
    samples = np.random.default_rng(10).normal(size=(300, 30))
    called = np.mean([any(signed_rank(sample[:count]).p <= LEVEL for count in planned_looks(30)) for sample in samples])
    assert called > 0.1


def test_the_estimate_of_the_first_analysis_is_unchanged() -> None:
    looks = (10, 20, 30)
    assert median_unbiased(looks, look_levels(looks, 0.05), 0, 3.0) == pytest.approx(1.0, abs=1e-3)


def test_estimates_after_interim_analyses_are_median_unbiased() -> None:
    # A sum with independent increments, stopped at the bounds: half of the estimates are below the true drift.
    looks = planned_looks(40)
    levels = look_levels(looks, 0.05)
    counts = np.array(looks, dtype=float)
    shares = counts * (2 * counts + 1) / (counts + 1)
    shares /= shares[-1]
    generator = np.random.default_rng(4)
    for drift in (1.5, 3.0):
        below, plain = [], []
        for _ in range(150):
            steps = np.diff(shares, prepend=0.0)
            z = np.cumsum(generator.normal(drift * steps, np.sqrt(steps))) / np.sqrt(shares)
            last = next((k for k in range(len(looks)) if 2 * norm.sf(abs(z[k])) <= levels[k]), len(looks) - 1)
            alone = z[last] / np.sqrt(shares[last])
            below.append(median_unbiased(looks, levels, last, abs(z[last])) * alone < drift)
            plain.append(alone < drift)
        assert abs(np.mean(below) - 0.5) <= 3.3 * 0.5 / np.sqrt(150)
        assert np.mean(below) >= np.mean(plain)  # alone, estimates are too large
