"""Benchmarks compared pair by pair, and all of them together."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.analysis.across import compare_overall
from hpoctl.analysis.comparison import BenchmarkComparison, by_benchmark, compare_benchmark
from hpoctl.analysis.traces import Trace
from hpoctl.core.errors import UsageError
from hpoctl.core.protocols import Mode
from traces import trace

SEEDS = 12


def study(
    finals: Mapping[str, Callable[[int], float]], *, benchmark: str = "toy", mode: Mode = "min", seeds: int = SEEDS
) -> list[Trace]:
    """Methods that begin at their value's fourfold (a maximised one at its half), and get there at 50 seconds."""
    begin = 4.0 if mode == "min" else 0.5
    return [
        trace([begin * final(seed), final(seed)], [1.0, 50.0], method=method, benchmark=benchmark, seed=seed, mode=mode)
        for method, final in finals.items()
        for seed in range(seeds)
    ]


def compared(traces: list[Trace], at: float = 1.0) -> BenchmarkComparison:
    ((benchmark, found),) = by_benchmark(traces).items()
    return compare_benchmark(benchmark, found, at)


def noise(seed: int, stream: int = 0) -> float:
    return float(np.random.default_rng([seed, stream]).normal())


def test_a_clear_difference_has_a_word_for_it() -> None:
    found = compared(study({"A": lambda seed: 2.0 + 0.1 * seed, "B": lambda seed: 2.5 + 0.11 * seed}))
    (pair,) = found.pairs
    assert (pair.first, pair.second, pair.verdict) == ("A", "B", "better")
    assert pair.paired.lower == 1.0
    assert pair.p_holm == 2 * 0.5**SEEDS
    assert pair.seeds == tuple(range(SEEDS))
    turned = compared(study({"B": lambda seed: 2.5 + 0.11 * seed, "A": lambda seed: 2.0 + 0.1 * seed}))
    assert turned.pairs[0].verdict == "worse"


def test_higher_is_better_where_the_metric_is_maximised() -> None:
    finals = {"A": lambda seed: 2.0 + 0.1 * seed, "B": lambda seed: 2.5 + 0.11 * seed}
    assert compared(study(finals, mode="max")).pairs[0].verdict == "worse"


def test_equal_methods_are_undecided() -> None:
    (pair,) = compared(study({"A": lambda seed: 2.0 + seed, "B": lambda seed: 2.0 + seed})).pairs
    assert (pair.verdict, pair.p_holm, pair.paired.test.zeros) == ("undecided", 1.0, SEEDS)


def test_all_pairs_are_adjusted_together() -> None:
    finals = {name: partial(lambda name, seed: 5.0 + noise(seed, ord(name)), name) for name in "ABCD"}
    pairs = compared(study(finals)).pairs
    assert len(pairs) == 6
    smallest = min(pairs, key=lambda pair: pair.paired.test.p)
    assert smallest.p_holm == pytest.approx(min(6 * smallest.paired.test.p, 1.0))
    assert all(pair.p_holm >= pair.paired.test.p for pair in pairs)


@pytest.mark.parametrize(
    ("values", "mode", "log"),
    [((1.0, 11.0), "min", True), ((3.0, 5.0), "min", False), ((-1.0, 11.0), "min", False), ((1.0, 11.0), "max", False)],
)
def test_values_that_span_a_decade_are_compared_by_ratios(values: tuple[float, float], mode: Mode, log: bool) -> None:
    found = compared(study({"A": lambda _: values[0], "B": lambda _: values[1]}, mode=mode))
    assert found.log is log
    expected = values[0] / values[1] if log else values[0] - values[1]
    assert found.pairs[0].paired.shift == pytest.approx(expected)


def test_the_shift_over_time_and_at_another_time() -> None:
    traces = study({"A": lambda seed: 2.0 + 0.01 * seed, "B": lambda seed: 2.5 + 0.01 * seed})
    (pair,) = compared(traces).pairs
    assert [moment.fraction for moment in pair.moments] == [0.25, 0.5, 0.75, 1.0]
    assert [moment.shift for moment in pair.moments] == pytest.approx([-2.0, -0.5, -0.5, -0.5])
    early = compared(traces, at=0.25)
    assert (early.time, early.budget) == (25.0, 100.0)
    assert early.pairs[0].paired.shift == pytest.approx(-2.0)


def test_seeds_that_are_not_paired_are_named() -> None:
    traces = [one for one in study({"A": lambda seed: 1.0 + seed, "B": lambda seed: 2.0 + seed}) if one.seed != 3]
    traces += [trace([9.0], method="A", seed=3), trace([], method="A", seed=20), trace([1.0], method="B", seed=20)]
    found = compared(traces)
    (pair,) = found.pairs
    assert pair.unpaired == (3,)
    assert 20 not in pair.seeds
    assert (pair.paired.n, found.methods[0].without_value) == (SEEDS - 1, (20,))


def test_methods_without_a_seed_in_common() -> None:
    traces = [trace([1.0], method="A", seed=0), trace([1.0], method="B", seed=1)]
    found = compared(traces)
    assert (found.pairs, found.smallest_p) == ((), None)
    assert found.notes == ("A and B have no seed with values of both on toy",)


def test_budgets_that_differ_are_cut_to_the_smallest_one() -> None:
    traces = [trace([2.0, 1.0], [1.0, 90.0], method="A", budget=200.0), trace([3.0], method="B", budget=80.0)]
    found = compared(traces)
    assert found.budget == 80.0
    assert found.methods[0].median == 2.0
    assert found.notes == ("budgets on toy differ (80, 200 s): all are compared within the smallest one",)


def test_few_seeds_have_a_smallest_p() -> None:
    finals = {name: partial(lambda name, seed: ord(name) + 0.01 * seed, name) for name in "ABC"}
    found = compared(study(finals, seeds=5))
    assert found.smallest_p == pytest.approx(3 * 2 * 0.5**5)
    assert {pair.verdict for pair in found.pairs} == {"undecided"}


@pytest.mark.parametrize("seeds", [1, 5])
def test_a_few_seeds_say_nothing_of_more(seeds: int) -> None:
    (pair,) = compared(study({"A": lambda _: 1.0, "B": lambda _: 2.0}, seeds=seeds)).pairs
    assert (pair.more, pair.verdict, pair.paired.n) == (None, "undecided", seeds)


def test_what_does_not_go_together() -> None:
    with pytest.raises(UsageError, match="two results of A on toy, seed 0"):
        by_benchmark([trace([1.0]), trace([2.0])])
    with pytest.raises(UsageError, match="several metrics"):
        by_benchmark([trace([1.0]), trace([2.0], seed=1, metric="accuracy")])


@settings(max_examples=15)
@given(st.integers(0, 10**6))
def test_verdicts_turn_with_the_order_of_methods(seed: int) -> None:
    finals = {name: partial(lambda name, place: 3.0 + noise(place, seed + ord(name)), name) for name in "ABC"}
    one, other = compared(study(finals)), compared(study(dict(reversed(list(finals.items())))))
    turned = {"better": "worse", "worse": "better", "undecided": "undecided"}
    here = {(pair.first, pair.second): pair for pair in one.pairs}
    for pair in other.pairs:
        mirrored = here[pair.second, pair.first]
        assert mirrored.verdict == turned[pair.verdict]
        assert mirrored.p_holm == pytest.approx(pair.p_holm)
        assert (mirrored.reaches, mirrored.reached) == (pair.reached, pair.reaches)


def equal_methods(repeat: int) -> list[Trace]:
    return study(
        {name: partial(lambda name, seed: 5.0 + noise(seed, 1000 * repeat + ord(name)), name) for name in "ABC"}
    )


def test_equal_methods_are_seldom_called_different() -> None:
    found = [compared(equal_methods(repeat)) for repeat in range(40)]
    called = [any(pair.verdict != "undecided" for pair in one.pairs) for one in found]
    assert np.mean(called) <= 0.05 + 3.3 * np.sqrt(0.05 * 0.95 / 40)


def test_all_benchmarks_together() -> None:
    finals = {"A": lambda seed: 2.0 + 0.1 * seed, "B": lambda seed: 2.5 + 0.1 * seed, "C": lambda seed: 5.0 + seed}
    traces = study(finals) + study(finals, benchmark="toy-2", seeds=6)
    found = compare_overall(by_benchmark(traces))
    assert found is not None
    assert found.benchmarks == {"toy": SEEDS, "toy-2": 6}
    assert [line.mean_rank for line in found.methods] == [1.0, 2.0, 3.0]
    assert [line.mean_seed_rank for line in found.methods] == [1.0, 2.0, 3.0]
    scores = [line.score for line in found.methods]
    assert scores == sorted(scores)
    assert all(line.these.low <= line.score <= line.these.high for line in found.methods)
    assert found.left_out == ()


def test_a_maximised_benchmark_ranks_the_highest_first() -> None:
    finals = {"A": lambda seed: 0.2 + 0.01 * seed, "B": lambda seed: 0.6 + 0.01 * seed}
    traces = study(finals, mode="max") + study(finals, benchmark="toy-2", mode="max")
    found = compare_overall(by_benchmark(traces))
    assert found is not None
    assert [line.mean_rank for line in found.methods] == [2.0, 1.0]
    assert found.methods[1].score < found.methods[0].score


def test_what_is_left_out_of_all_benchmarks() -> None:
    finals = {"A": lambda seed: 2.0 + seed, "B": lambda seed: 2.5 + seed}
    traces = study(finals) + study(finals, benchmark="toy-2") + study({"C": lambda _: 1.0})
    traces += [trace([1.0], method="A", benchmark="toy-3"), trace([1.0], method="B", benchmark="toy-3", seed=1)]
    found = compare_overall(by_benchmark(traces))
    assert found is not None
    assert [line.method for line in found.methods] == ["A", "B"]
    assert found.left_out == (
        "C is left out: it has nothing on toy-2, toy-3",
        "toy-3 is left out: it has no seed with values of all 2 methods",
    )


def test_one_benchmark_is_not_several() -> None:
    finals = {"A": lambda seed: 2.0 + seed, "B": lambda seed: 2.5 + seed}
    assert compare_overall(by_benchmark(study(finals))) is None
