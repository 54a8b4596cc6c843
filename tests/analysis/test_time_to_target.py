"""Times to the value of another method, some of which are never reached."""

import numpy as np
import pytest
from scipy import stats

from hpoctl.analysis.time_to_target import time_ratios, time_to_target
from hpoctl.analysis.traces import Trace
from traces import trace

END = 100.0


def pairs(ratios: list[float | None]) -> tuple[list[Trace], list[Trace]]:
    """Pairs with the given ratios of times, the second one's time being 50; None: the first never gets there."""
    first = [trace([2.0, 1.0], [1.0, 50.0 * ratio]) if ratio else trace([2.0]) for ratio in ratios]
    return first, [trace([3.0, 1.5], [1.0, 50.0]) for _ in ratios]


def test_ratios_by_hand() -> None:
    first, second = pairs([0.5, 1.6, None])
    ratios, bounds = time_ratios(first, second, END)
    assert list(ratios) == [0.5, 1.6, np.inf]
    assert list(bounds) == [0.5, 1.6, 2.0]  # 100 of 50 seconds were not enough


def test_a_larger_value_is_the_target_where_the_metric_is_maximised() -> None:
    first = [trace([0.1, 0.9], [1.0, 20.0], mode="max")]
    second = [trace([0.2, 0.8], [1.0, 40.0], mode="max")]
    assert list(time_ratios(first, second, END)[0]) == [0.5]


def test_only_what_is_within_the_time_counts() -> None:
    first = [trace([2.0, 1.0], [1.0, 30.0])]
    second = [trace([1.5, 0.5], [10.0, 60.0])]
    assert list(time_ratios(first, second, 40.0)[0]) == [3.0]
    ratios, bounds = time_ratios(first, second, END)
    assert (ratios[0], bounds[0]) == (np.inf, pytest.approx(100.0 / 60.0))


def test_a_pair_without_a_target_is_left_out() -> None:
    assert len(time_ratios([trace([1.0])], [trace([])], END)[0]) == 0
    assert time_to_target([trace([1.0])], [trace([])], END).median is None


def test_the_median_with_its_interval() -> None:
    ratios: list[float | None] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1]
    found = time_to_target(*pairs(ratios), END)
    expected = stats.quantile_test(ratios, p=0.5).confidence_interval(0.95)  # type: ignore[arg-type]
    assert found.median == pytest.approx(0.6)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((expected.low, expected.high))  # type: ignore[attr-defined]


def test_a_few_censored_seeds_leave_the_median_as_it_is() -> None:
    found = time_to_target(*pairs([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, None, None, None]), END)
    assert (found.n, found.reached) == (9, 6)
    assert found.median == pytest.approx(0.5)
    assert found.interval is not None
    assert found.interval.low == pytest.approx(0.2)
    assert found.interval.high == np.inf


@pytest.mark.parametrize("ratios", [[0.1, None], [0.1, 0.2, None, None, None], [None, None], [1.9, 3.0, None]])
def test_no_number_where_too_many_are_censored(ratios: list[float | None]) -> None:
    first, second = pairs(ratios)
    found = time_to_target(first, second, END)
    assert found.median is None
    assert found.interval is None
    assert found.reached == sum(1 for one in first if np.any((one.values <= 1.5) & (one.times <= END)))


def test_a_bound_that_could_be_the_median_is_no_median() -> None:
    # Ratios 0.5, 3 and more than 2: the median is between 2 and 3.
    first = [trace([1.0], [25.0]), trace([1.0], [60.0]), trace([2.0], [1.0])]
    second = [trace([1.5], [50.0]), trace([1.5], [20.0]), trace([1.5], [50.0])]
    found = time_to_target(first, second, END)
    assert (found.reached, found.median) == (2, None)


@pytest.mark.parametrize("median", [0.4, 0.9])
def test_coverage_with_censoring(median: float) -> None:
    generator = np.random.default_rng(11)
    repeats, covered, given = 600, 0, 0
    for _ in range(repeats):
        drawn = median * np.exp(generator.normal(0.0, 0.8, 12))
        found = time_to_target(*pairs([float(ratio) if ratio < 2.0 else None for ratio in drawn]), END)
        if found.interval is not None:
            given += 1
            covered += found.interval.low <= median <= found.interval.high
    assert given > 0.9 * repeats
    assert covered / given >= 0.95 - 3.3 * np.sqrt(0.05 * 0.95 / given)
