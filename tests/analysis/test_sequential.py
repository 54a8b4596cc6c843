"""Evidence that holds at every look."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpoctl.analysis.sequential import STAKES, decided_after, wealth


def test_by_hand() -> None:
    # The second difference is the smaller of two: half of each stake.
    expected = np.mean([(1 + side * stake) * (1 - side * stake / 2) for stake in STAKES for side in (1, -1)])
    assert wealth(np.array([2.0, -1.0])) == pytest.approx([1.0, expected])


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=7))
def test_over_all_signs_nobody_gains(differences: list[int]) -> None:
    sizes = np.abs(np.array(differences, dtype=float))
    ends = [wealth(sizes * np.array(signs)) for signs in product([-1.0, 1.0], repeat=len(sizes))]
    assert np.mean(ends, axis=0) == pytest.approx(np.ones(len(sizes)))


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=20), st.sampled_from([0.5, 4.0]))
def test_sides_and_units_do_not_matter(differences: list[int], scale: float) -> None:
    values = np.array(differences, dtype=float)
    assert wealth(-scale * values) == pytest.approx(wealth(values))


def test_what_always_points_one_way_is_decided() -> None:
    after = decided_after(np.ones(20))
    assert after is not None
    assert decided_after(np.ones(after - 1)) is None
    assert decided_after(np.zeros(20)) is None


@pytest.mark.parametrize("kind", ["normal", "heavy", "skewed", "tied"])
def test_looking_after_every_seed_keeps_the_level(kind: str) -> None:
    generator = np.random.default_rng(8)
    shape = (800, 60)
    samples = {
        "normal": generator.normal(size=shape),
        "heavy": generator.standard_t(2.0, size=shape),
        "skewed": np.exp(generator.normal(size=shape)) - np.exp(generator.normal(size=shape)),
        "tied": np.round(generator.normal(size=shape)),
    }[kind]
    called = np.mean([decided_after(sample) is not None for sample in samples])
    assert 0.0 < called <= 0.05
