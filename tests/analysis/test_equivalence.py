"""Equivalence within a margin: margins as people type them, both tests, their error rates."""

import numpy as np
import pytest

from hpoctl.analysis.equivalence import (
    Margin,
    equivalence_p,
    margin_on,
    parse_margin,
    signed_rank_posterior,
)
from hpoctl.core.errors import UsageError


@pytest.mark.parametrize(
    ("text", "margin"),
    [("1%", Margin(0.01, "metric")), ("0.5%", Margin(0.005, "metric")), ("regret:0.02", Margin(0.02, "regret"))],
)
def test_margins_as_people_type_them(text: str, margin: Margin) -> None:
    assert parse_margin(text) == margin
    assert parse_margin(str(margin)) == margin


@pytest.mark.parametrize(
    "text", ["1", "", "%", "0%", "100%", "-1%", "regret", "regret:", "regret:2", "loss:1%", "nan%"]
)
def test_what_is_no_margin(text: str) -> None:
    with pytest.raises(UsageError, match="--equivalent-within cannot be"):
        parse_margin(text)


def test_margins_in_the_unit_of_differences() -> None:
    values = np.array([1.0, 2.0, 3.0, np.nan])
    assert margin_on(Margin(0.01, "metric"), values, log=False) == pytest.approx(0.02)
    assert margin_on(Margin(0.01, "metric"), values, log=True) == pytest.approx(np.log(1.01))
    assert margin_on(Margin(0.01, "regret"), values, log=False) == pytest.approx(0.02)
    assert margin_on(Margin(0.01, "regret"), values, log=True) == pytest.approx(0.01 * np.log(3.0))


def test_equivalence_by_hand() -> None:
    # Six differences near zero, all within the margin: on both sides all signs agree, 1 of 2^6.
    assert equivalence_p(np.array([0.1, -0.1, 0.2, 0.0, 0.05, -0.2]), 1.0) == pytest.approx(1 / 64)
    assert equivalence_p(np.array([0.1, -0.1, 0.2, 0.0, 0.05, -1.2]), 1.0) > 1 / 64
    assert equivalence_p(np.full(6, np.inf), 1.0) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("count", [8, 20])
def test_methods_as_different_as_the_margin_are_seldom_called_equivalent(count: int) -> None:
    generator = np.random.default_rng(count)
    for shift in (1.0, -1.0):
        called = np.mean([equivalence_p(generator.normal(shift, 0.4, count), 1.0) <= 0.05 for _ in range(600)])
        assert 0.0 < called <= 0.05 + 3.3 * np.sqrt(0.05 * 0.95 / 600)
    assert np.mean([equivalence_p(generator.normal(0.0, 0.4, count), 1.0) <= 0.05 for _ in range(100)]) > 0.9


def test_the_posterior_of_benchmarks() -> None:
    generator = np.random.default_rng(1)
    better = signed_rank_posterior(generator.normal(-0.1, 0.05, 15), 0.01)
    assert (better.verdict, better.better > 0.99) == ("better", True)
    equal = signed_rank_posterior(generator.normal(0.0, 0.002, 15), 0.01)
    assert (equal.verdict, equal.equivalent > 0.99) == ("equivalent", True)
    open_still = signed_rank_posterior(generator.normal(0.0, 0.1, 6), 0.01)
    assert open_still.verdict == "undecided"
    turned = signed_rank_posterior(-generator.normal(-0.1, 0.05, 15), 0.01)
    assert turned.verdict == "worse"


def test_the_posterior_is_the_closed_form_of_one_benchmark() -> None:
    # With one benchmark its weight w is Beta(1, 1/2). The mean of two differences is beyond the margin with weight
    # w^2 (twice the benchmark, 0.04) and 2 w (1 - w) (benchmark and pseudo-benchmark, 0.02), within it otherwise.
    generator = np.random.default_rng(2)
    weights = generator.beta(1.0, 0.5, 200_000)
    beyond = weights**2 + 2 * weights * (1 - weights)
    found = signed_rank_posterior(np.array([0.04]), 0.01)
    assert found.worse == pytest.approx(np.mean(beyond > 0.5), abs=0.01)
    assert found.better == 0.0
