import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.gp.subsets import subset


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_everything_is_kept_where_it_fits() -> None:
    np.testing.assert_array_equal(subset(np.ones(5, dtype=int), np.arange(5.0), 5, rng()), np.arange(5))


def test_half_of_the_room_goes_to_the_highest_levels_and_best_values() -> None:
    levels = np.array([1, 1, 1, 1, 3, 3, 1, 1])
    values = np.array([0.0, 9.0, 8.0, 7.0, 5.0, 4.0, 6.0, np.nan])
    for seed in range(20):
        kept = subset(levels, values, 6, rng(seed))
        assert {0, 4, 5} <= set(kept.tolist())


def test_the_other_half_is_uniform() -> None:
    counts = np.zeros(40)
    for seed in range(2000):
        counts[subset(np.ones(40, dtype=int), np.arange(40.0), 20, rng(seed))] += 1
    assert (counts[:10] == 2000).all()
    assert abs(counts[10:] - 2000 / 3).max() < 110  # five standard deviations


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([1, 3, 9]), st.floats(allow_nan=True)), max_size=60), st.integers(2, 30))
def test_indices_increase_and_respect_the_limit(data: list[tuple[int, float]], limit: int) -> None:
    levels = np.array([level for level, _ in data], dtype=int)
    values = np.array([value for _, value in data], dtype=float)
    kept = subset(levels, values, limit, rng())
    assert len(kept) == min(limit, len(data))
    assert (np.diff(kept) > 0).all()


def test_misuse_is_refused() -> None:
    with pytest.raises(ValueError, match="limit"):
        subset(np.ones(3, dtype=int), np.ones(3), 1, rng())
    with pytest.raises(ValueError, match="shape"):
        subset(np.ones(3, dtype=int), np.ones(4), 2, rng())
