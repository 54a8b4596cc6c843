"""Ranks over benchmarks, and what their tests can show."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import friedmanchisquare, rankdata

from hpoctl.analysis.ranks import critical_difference, friedman, mean_ranks

DEMSAR = {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949, 8: 3.031, 9: 3.102, 10: 3.164}
"""Critical values at .05 as published by Demsar (2006), table 5."""


@pytest.mark.parametrize("methods", DEMSAR)
def test_critical_differences_are_those_published(methods: int) -> None:
    expected = DEMSAR[methods] * np.sqrt(methods * (methods + 1) / (6 * 14))
    assert critical_difference(methods, 14) == pytest.approx(expected, abs=2e-3)


def test_the_example_of_demsar() -> None:
    # Four classifiers on 14 data sets: critical difference 1.25.
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)


def test_ranks_by_hand() -> None:
    found = mean_ranks(np.array([[0.1, 0.2, 0.3], [0.2, 0.2, 0.1], [1.0, 2.0, 3.0]]))
    assert found.mean_ranks == pytest.approx(((1 + 2.5 + 1) / 3, (2 + 2.5 + 2) / 3, (3 + 1 + 3) / 3))
    assert found.blocks == 3


def test_friedman_by_hand() -> None:
    # Three methods in the same order on three blocks: of 6^2 orders of the two other blocks 1 agrees with the first.
    assert mean_ranks(np.array([[1.0, 2.0, 3.0]] * 3)).friedman_p == pytest.approx(1 / 36)
    p, exact = friedman(np.array([[1.0, 2.0, 3.0]] * 2))
    assert exact
    assert p == pytest.approx(1 / 6)


@pytest.mark.parametrize(("methods", "blocks"), [(3, 4), (4, 3)])
def test_the_size_of_friedman_is_at_most_its_level(methods: int, blocks: int) -> None:
    # By chi square it is 7 % and 1.75 %.
    generator = np.random.default_rng([methods, blocks])
    found = [friedman(rankdata(generator.normal(size=(blocks, methods)), axis=1)) for _ in range(1500)]
    assert all(exact for _, exact in found)
    size = np.mean([p <= 0.05 for p, _ in found])
    assert 0.02 <= size <= 0.05 + 3.3 * np.sqrt(0.05 * 0.95 / 1500)


def test_friedman_of_the_reference_study() -> None:
    # Ranks of the medians of 8 methods on 4 benchmarks: .0033 by chi square, about 1e-4 by permutation.
    ranks = np.array(
        [
            [6.0, 2.0, 5.0, 3.0, 7.0, 8.0, 4.0, 1.0],
            [7.0, 1.0, 4.0, 2.0, 8.0, 6.0, 5.0, 3.0],
            [8.0, 3.0, 7.0, 1.0, 6.0, 5.0, 4.0, 2.0],
            [8.0, 2.0, 7.0, 1.0, 5.0, 3.0, 6.0, 4.0],
        ]
    )
    assert friedmanchisquare(*ranks.T).pvalue == pytest.approx(0.0033, abs=5e-5)
    p, exact = friedman(ranks)
    assert not exact
    assert 5e-5 < p < 2e-4


@pytest.mark.parametrize("shape", [(1, 5), (6, 2)])
def test_friedman_needs_blocks_and_methods(shape: tuple[int, int]) -> None:
    assert mean_ranks(np.random.default_rng(1).normal(size=shape)).friedman_p is None


def test_methods_that_tie_everywhere() -> None:
    found = mean_ranks(np.ones((3, 4)))
    assert found.friedman_p == pytest.approx(1.0)
    assert found.mean_ranks == (2.5, 2.5, 2.5, 2.5)


@pytest.mark.parametrize(("blocks", "separated"), [(2, 0), (4, 1), (40, 3)])
def test_it_counts_the_pairs_that_the_critical_difference_separates(blocks: int, separated: int) -> None:
    assert mean_ranks(np.tile([1.0, 2.0, 3.0], (blocks, 1))).separated == separated


@given(st.integers(2, 6), st.integers(1, 6), st.integers(0, 10**6))
def test_ranks_move_with_their_methods(methods: int, blocks: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    losses, order = generator.integers(0, 5, (blocks, methods)).astype(float), generator.permutation(methods)
    one, other = mean_ranks(losses), mean_ranks(losses[:, order])
    assert other.mean_ranks == pytest.approx(tuple(np.array(one.mean_ranks)[order]))
    assert sum(one.mean_ranks) == pytest.approx(methods * (methods + 1) / 2)
