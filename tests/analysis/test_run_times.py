"""Run times to fixed targets: by hand, twice and four times as fast, censored runs, coverage."""

import numpy as np
import pytest

from hpoctl.analysis.paired import Interval
from hpoctl.analysis.run_times import CURVE, expected_times, hit_times, run_times, speed, targets_of
from hpoctl.analysis.traces import Trace
from hpoctl.core.protocols import Mode
from traces import trace


def test_hit_times_by_hand() -> None:
    falling = trace([8.0, 4.0, 2.0], [1.0, 3.0, 7.0])
    late = trace([4.0], [120.0], budget=200.0)
    nothing = trace([], seed=2)
    found = hit_times([falling, late, nothing], [8.0, 4.5, 2.0, 1.0], 100.0)
    assert found.tolist() == [[1.0, 3.0, 7.0, np.inf], [np.inf] * 4, [np.inf] * 4]
    rising = trace([0.5, 0.8], [1.0, 3.0], mode="max")
    assert hit_times([rising], [0.5, 0.7, 0.9], 100.0).tolist() == [[1.0, 3.0, np.inf]]


def test_expected_running_times_by_hand() -> None:
    # 10 and 30 seconds, and a run that spends the whole budget of 100: 140 seconds for two successes.
    times = np.array([[10.0], [30.0], [np.inf]])
    assert expected_times(times, 100.0).tolist() == [70.0]
    assert expected_times(np.array([[np.inf]]), 100.0).tolist() == [np.inf]


@pytest.mark.parametrize("mode", ["min", "max"])
def test_targets_are_quantiles_of_what_was_reached(mode: Mode) -> None:
    sign = 1.0 if mode == "min" else -1.0
    runs = [trace([sign * value], seed=seed, mode=mode) for seed, value in enumerate((4.0, 1.0, 3.0, 2.0))]
    assert targets_of(runs, (0.25, 0.5, 1.0), 100.0) == (sign * 4.0, sign * 2.0, sign * 1.0)
    runs.append(trace([], seed=9, mode=mode))
    # A run without a value reaches nothing: three of five reach what the third of the others reached.
    assert targets_of(runs, (0.6,), 100.0) == (sign * 3.0,)
    assert targets_of([runs[-1]], (0.5,), 100.0) == ()


def runs(count: int, fast: float, generator: np.random.Generator, budget: float = 100.0) -> dict[int, Trace]:
    """Runs of a method that is faster by a factor: all times are divided by it."""
    found = {}
    for seed in range(count):
        steps = generator.exponential(size=30) * np.exp(0.3 * generator.normal())
        times = 4.0 * np.cumsum(steps) / fast
        values = np.exp(-np.cumsum(generator.exponential(0.3, size=30)))
        found[seed] = trace(list(values[times <= budget]), list(times[times <= budget]), seed=seed, budget=budget)
    return found


@pytest.mark.parametrize("fast", [1.0, 2.0, 4.0])
def test_the_same_runs_in_half_and_a_quarter_of_the_time_are_twice_and_four_times_as_fast(fast: float) -> None:
    one, other = (runs(20, times, np.random.default_rng(7)) for times in (fast, 1.0))
    found = speed(one, other, 100.0)
    assert found.ratio is not None
    assert found.interval is not None
    assert found.interval.low <= fast <= found.interval.high
    assert found.ratio == pytest.approx(fast, rel=0.25)


@pytest.mark.parametrize("fast", [2.0, 4.0])
def test_the_interval_holds_the_speed_up_of_the_same_runs_of_any_seeds(fast: float) -> None:
    # With common random numbers a faster method has the same runs: all ratios of a seed are alike.
    both = [[runs(20, times, np.random.default_rng(repeat)) for times in (fast, 1.0)] for repeat in range(30)]
    found = [speed(one, other, 100.0) for one, other in both]
    held = np.mean([each.interval is not None and each.interval.holds(fast) for each in found])
    assert held >= 0.95 - 3.3 * np.sqrt(0.95 * 0.05 / 30)
    assert np.median([each.ratio for each in found if each.ratio is not None]) == pytest.approx(fast, rel=0.1)


@pytest.mark.parametrize("fast", [2.0, 4.0])
def test_the_interval_holds_a_speed_up_of_two_and_four(fast: float) -> None:
    generator = np.random.default_rng(int(fast))
    found = [speed(runs(20, fast, generator), runs(20, 1.0, generator), 100.0) for _ in range(60)]
    held = np.mean([each.interval is not None and each.interval.holds(fast) for each in found])
    assert held >= 0.93 - 3.3 * np.sqrt(0.93 * 0.07 / 60)


def test_runs_that_never_get_there_have_no_speed() -> None:
    good = {seed: trace([1.0], [5.0], seed=seed) for seed in range(6)}
    bad = {seed: trace([2.0], [5.0], seed=seed) for seed in range(6)}
    found = speed(good, bad, 100.0, targets=[1.0])
    assert (found.reached, found.reached_other, found.ratio, found.interval) == ((6,), (0,), None, None)
    some = {**bad, 0: trace([1.0], [10.0], seed=0)}
    found = speed(good, some, 100.0, targets=[1.0])
    assert found.ratio == pytest.approx((10.0 + 5 * 100.0) / 5.0)
    assert found.interval is not None
    assert found.interval.high == np.inf


def test_one_run_bounds_no_speed_up() -> None:
    one, other = ({0: trace([2.0, 1.0], [step, 2.0 * step])} for step in (1.0, 4.0))
    found = speed(one, other, 100.0)
    assert found.ratio == pytest.approx(4.0)
    assert found.interval == Interval(-np.inf, np.inf)


def test_profiles_count_targets_and_seeds() -> None:
    traces = {
        "A": {seed: trace([3.0, 1.0], [10.0, 50.0], seed=seed) for seed in range(2)},
        "B": {0: trace([3.0], [25.0], method="B"), 1: trace([], method="B", seed=1)},
    }
    here, there = run_times(traces, 100.0, (3.0, 1.0))
    assert here.profile == (0.5, 0.5, 1.0, 1.0)
    assert there.profile == (0.0, 0.25, 0.25, 0.25)
    assert (here.expected, there.expected) == ((10.0, 50.0), (125.0, None))
    assert (there.reached, there.runs) == ((1, 0), 2)
    assert len(here.curve) == len(CURVE)
    assert here.curve[-1] == 1.0
    assert list(here.curve) == sorted(here.curve)
