"""Ranks over benchmarks, and what their tests can show."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from hpoctl.analysis.ranks import critical_difference, mean_ranks

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


def test_friedman_is_that_of_scipy() -> None:
    losses = np.random.default_rng(1).normal(size=(6, 4))
    expected = float(stats.friedmanchisquare(*losses.T).pvalue)
    assert mean_ranks(losses).friedman_p == pytest.approx(expected)


@pytest.mark.parametrize("shape", [(1, 5), (6, 2)])
def test_friedman_needs_blocks_and_methods(shape: tuple[int, int]) -> None:
    assert mean_ranks(np.random.default_rng(1).normal(size=shape)).friedman_p is None


def test_methods_that_tie_everywhere() -> None:
    found = mean_ranks(np.ones((3, 4)))
    assert found.friedman_p == 1.0
    assert found.mean_ranks == (2.5, 2.5, 2.5, 2.5)


@pytest.mark.parametrize(
    ("methods", "blocks", "said"),
    [
        (8, 4, "critical difference 5.25 ranks of at most 7: this test can show almost nothing."),
        (3, 2, "critical difference 2.34 ranks of at most 2: this test can show nothing."),
        (4, 30, "critical difference 0.86 ranks of at most 3."),
    ],
)
def test_it_says_what_it_can_show(methods: int, blocks: int, said: str) -> None:
    found = mean_ranks(np.random.default_rng(2).normal(size=(blocks, methods)))
    assert found.power_note == f"{methods} methods on {blocks} benchmarks: {said}"


@given(st.integers(2, 6), st.integers(1, 6), st.integers(0, 10**6))
def test_ranks_move_with_their_methods(methods: int, blocks: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    losses, order = generator.integers(0, 5, (blocks, methods)).astype(float), generator.permutation(methods)
    one, other = mean_ranks(losses), mean_ranks(losses[:, order])
    assert other.mean_ranks == pytest.approx(tuple(np.array(one.mean_ranks)[order]))
    assert sum(one.mean_ranks) == pytest.approx(methods * (methods + 1) / 2)
