"""Benchmarks compared pair by pair, and all of them together."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.analysis.across import compare_overall, without_rounding
from hpoctl.analysis.comparison import by_benchmark
from hpoctl.analysis.comparison_model import BenchmarkComparison, CompareOptions, Verdict
from hpoctl.analysis.equivalence import Margin
from hpoctl.analysis.findings import findings, seeds_to_decide
from hpoctl.analysis.interim import Question, Rules
from hpoctl.analysis.paired import Interval
from hpoctl.analysis.shown import text_of
from hpoctl.analysis.study_comparison import Comparison, InterimVerdicts, compare_study, with_interim_verdicts
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


def whole(traces: list[Trace], options: CompareOptions | None = None) -> Comparison:
    return compare_study(by_benchmark(traces), options)


def compared(traces: list[Trace], at: float = 1.0) -> BenchmarkComparison:
    (found,) = whole(traces, CompareOptions(at=at)).benchmarks
    return found


def noise(seed: int, stream: int = 0) -> float:
    return float(np.random.default_rng([seed, stream]).normal())


def test_a_clear_difference_has_a_word_for_it() -> None:
    found = compared(study({"A": lambda seed: 2.0 + 0.1 * seed, "B": lambda seed: 2.5 + 0.11 * seed}))
    (pair,) = found.pairs
    assert (pair.first, pair.second, pair.verdict) == ("A", "B", "better")
    assert pair.paired.improvement == 1.0
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
    assert all(pair.p_holm is not None and pair.p_holm >= pair.paired.test.p for pair in pairs)


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
    # A run without a value is a pair all the same: it counts as the worst.
    assert (pair.paired.n, found.methods[0].without_value, pair.lost) == (SEEDS, (20,), ((20,), ()))


def test_methods_without_a_seed_in_common() -> None:
    traces = [trace([1.0], method="A", seed=0), trace([1.0], method="B", seed=1)]
    found = compared(traces)
    assert (found.pairs, found.smallest_p) == ((), None)
    assert found.notes == ("A and B have no seed in common on toy",)


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
        assert (mirrored.speed.reached, mirrored.speed.reached_other) == (pair.speed.reached_other, pair.speed.reached)
        assert pair.speed.ratio is not None
        assert mirrored.speed.ratio == pytest.approx(1.0 / pair.speed.ratio)


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
    assert (found.benchmarks, found.seeds) == (("toy", "toy-2"), (SEEDS, 6))
    assert [line.mean_rank for line in found.methods] == [1.0, 2.0, 3.0]
    assert [line.mean_seed_rank.value for line in found.methods] == [1.0, 2.0, 3.0]
    scores = [line.score.value for line in found.methods]
    assert scores == sorted(scores)
    assert all(line.score.here.holds(line.score.value) for line in found.methods)
    ratings = [line.rating.value for line in found.methods]
    assert ratings == sorted(ratings, reverse=True)
    assert sum(ratings) == pytest.approx(0.0, abs=1e-6)
    assert found.left_out == ()


def test_a_maximised_benchmark_ranks_the_highest_first() -> None:
    finals = {"A": lambda seed: 0.2 + 0.01 * seed, "B": lambda seed: 0.6 + 0.01 * seed}
    traces = study(finals, mode="max") + study(finals, benchmark="toy-2", mode="max")
    found = compare_overall(by_benchmark(traces))
    assert found is not None
    assert [line.mean_rank for line in found.methods] == [2.0, 1.0]
    assert found.methods[1].score.value < found.methods[0].score.value


def test_what_is_left_out_of_all_benchmarks() -> None:
    finals = {"A": lambda seed: 2.0 + seed, "B": lambda seed: 2.5 + seed}
    traces = study(finals) + study(finals, benchmark="toy-2") + study({"C": lambda _: 1.0})
    traces += [trace([1.0], method="A", benchmark="toy-3"), trace([1.0], method="B", benchmark="toy-3", seed=1)]
    found = compare_overall(by_benchmark(traces))
    assert found is not None
    assert [line.method for line in found.methods] == ["A", "B"]
    assert found.left_out == (
        "C is left out: it has nothing on toy-2, toy-3",
        "toy-3 is left out: it has no seed with runs of all 2 methods",
    )


def test_one_benchmark_is_not_several() -> None:
    finals = {"A": lambda seed: 2.0 + seed, "B": lambda seed: 2.5 + seed}
    assert compare_overall(by_benchmark(study(finals))) is None


def test_all_benchmarks_can_be_one_family() -> None:
    finals = {"A": lambda seed: 2.0 + 0.1 * noise(seed), "B": lambda seed: 2.08 + 0.1 * noise(seed, 1)}
    traces = study(finals) + study(finals, benchmark="toy-2") + study(finals, benchmark="toy-3")
    alone, together = whole(traces), whole(traces, CompareOptions(family="all"))
    p = alone.benchmarks[0].pairs[0].p
    assert p is not None
    assert [found.pairs[0].p_holm for found in alone.benchmarks] == [p, p, p]
    assert [found.pairs[0].p_holm for found in together.benchmarks] == pytest.approx([min(3 * p, 1.0)] * 3)
    assert "Holm over the 1 pair of each benchmark alone" in text_of(findings(alone)[-1])
    assert "Holm over all 3 pairs of all benchmarks" in text_of(findings(together)[-1])


def test_methods_that_differ_by_less_than_the_margin_are_equivalent() -> None:
    finals = {"A": lambda seed: 2.0 + 0.1 * seed, "B": lambda seed: 2.001 + 0.1 * seed + 0.0001 * noise(seed)}
    traces = study(finals)
    assert compared(traces).pairs[0].verdict == "better"
    for margin in (Margin(0.01, "metric"), Margin(0.01, "regret")):
        found = whole(traces, CompareOptions(margin=margin))
        (pair,) = found.benchmarks[0].pairs
        assert (pair.verdict, found.benchmarks[0].methods[0].equivalent) == ("equivalent", 1)
        assert f"1 is equivalent within {margin}" in text_of(findings(found)[-1])
    (narrow,) = whole(traces, CompareOptions(margin=Margin(0.0001, "metric"))).benchmarks[0].pairs
    assert narrow.verdict == "better"


def test_a_method_that_loses_its_seeds_loses() -> None:
    # On its 13 other seeds A is better with p = .0002; it has no value on 7 of 20.
    traces = study({"A": lambda seed: 1.0 + 0.01 * seed, "B": lambda seed: 2.0 + 0.01 * seed}, seeds=20)
    traces = [trace([], method="A", seed=one.seed) if one.method == "A" and one.seed < 7 else one for one in traces]
    found = compared(traces)
    (pair,) = found.pairs
    assert (pair.verdict, pair.paired.n, pair.paired.mean) == ("undecided", 20, None)
    assert (found.methods[0].n, found.methods[0].interquartile_interval) == (20, None)
    assert np.isfinite(found.methods[0].median)
    most = [trace([], method="A", seed=one.seed) if one.method == "A" and one.seed < 18 else one for one in traces]
    assert compared(most).pairs[0].verdict == "worse"


def test_survivors_of_failures_give_no_verdict() -> None:
    traces = study({"A": lambda seed: 1.0 + 0.01 * seed, "B": lambda seed: 2.0 + 0.01 * seed}, seeds=20)
    survivors = [one for one in traces if one.method == "B" or one.seed >= 7]
    found = compare_study(by_benchmark(survivors), failed=[("toy", "A", seed) for seed in range(7)])
    (pair,) = found.benchmarks[0].pairs
    assert pair.paired.n == 13
    assert pair.verdict == "undecided"
    assert pair.refused == "A failed on 7 of 20 seeds: survivors alone give no verdict"
    # Seeds that neither has say nothing about the others.
    both = compare_study(by_benchmark(traces), failed=[("toy", "A", 30)])
    assert both.benchmarks[0].pairs[0].verdict == "better"


def test_survivors_of_failures_give_no_verdict_over_all_benchmarks() -> None:
    finals = {name: (lambda seed, name=name: float(ord(name)) + 0.01 * seed) for name in "ABC"}
    traces = [one for place in range(8) for one in study(finals, benchmark=f"toy-{place}", seeds=20)]
    survivors = [one for one in traces if one.method != "A" or one.benchmark not in ("toy-0", "toy-1") or one.seed >= 7]
    failed = [(benchmark, "A", seed) for benchmark in ("toy-0", "toy-1") for seed in range(7)]
    found = compare_study(by_benchmark(survivors), failed=failed)
    assert found.overall is not None
    one, other, both = found.overall.pairs
    assert both.refused is None
    assert (both.verdict, both.verdict_alike) == ("better", "better")
    for pair in (one, other):
        assert (pair.verdict, pair.verdict_alike) == ("undecided", "undecided")
        assert pair.refused == "on toy-0 and 1 more A failed on 7 of 20 seeds: survivors alone give no verdict"
    said = [text_of(sentence) for sentence in findings(found)]
    assert any("On these benchmarks together it is better than 0 of 2 other methods" in sentence for sentence in said)
    assert f"No verdict over all benchmarks on A and B: {one.refused}." in said
    # Seeds that the other one has not completed either say nothing.
    shared = compare_study(by_benchmark(survivors), failed=[("toy-0", "A", 30)])
    assert shared.overall is not None
    assert shared.overall.pairs[0].verdict == "better"


def test_values_that_differ_by_rounding_are_equal_over_all_benchmarks_too() -> None:
    finals = {"A": lambda seed: 1.1 + 0.1 * seed, "B": lambda seed: (1.1 + 0.1 * seed) * (1.0 + 3e-16)}
    traces = [one for place in range(8) for one in study(finals, benchmark=f"toy-{place}")]
    half = len(traces) // 16
    assert any(one.values[-1] != two.values[-1] for one, two in zip(traces[:half], traces[half:], strict=False))
    found = whole(traces)
    assert {pair.p for each in found.benchmarks for pair in each.pairs} == {1.0}
    assert found.overall is not None
    (pair,) = found.overall.pairs
    assert (pair.p_holm, pair.verdict, pair.p_alike_holm, pair.verdict_alike) == (1.0, "undecided", 1.0, "undecided")
    for line in found.overall.methods:
        assert (line.mean_rank, line.mean_seed_rank.value, line.win_rate.value) == (1.5, 1.5, 0.5)
    chain = np.array([[1.0, np.inf, 1.0 + 2e-14, 2.0, 1.0 + 1e-14, np.inf, -1.0]])
    assert len(np.unique(without_rounding(chain)[0])) == 4


def test_pairs_over_all_benchmarks_are_about_the_differences_of_each() -> None:
    # Ratios: the large values of the last seeds count no more than the small ones.
    finals = {
        "A": lambda seed: 10.0 ** (seed - 4.0) * (0.5 if seed < 9 else 1.1),
        "B": lambda seed: 10.0 ** (seed - 4.0),
    }
    traces = study(finals) + study(finals, benchmark="toy-2")
    found = whole(traces)
    assert found.overall is not None
    assert all(each.log for each in found.benchmarks)
    p = {pair.p for each in found.benchmarks for pair in each.pairs}
    assert {found.overall.pairs[0].p_holm} == p
    assert found.overall.pairs[0].p_holm <= 0.05


def test_an_end_of_an_interval_of_ratios_that_is_not_known_is_infinite_and_not_zero() -> None:
    finals = {"A": lambda seed: 1.0 + noise(seed) ** 2, "B": lambda seed: 20.0 + noise(seed, 1) ** 2}
    found = whole(study(finals, seeds=4)).benchmarks[0]
    assert found.log
    (pair,) = found.pairs
    unknown = Interval(-np.inf, np.inf)
    assert [pair.paired.shift_interval, *(moment.interval for moment in pair.moments)] == [unknown] * 5


def test_methods_that_share_the_best_mean_rank_are_all_named() -> None:
    finals = {name: (lambda seed: 2.0 + 0.001 * seed) for name in "ABC"}
    said = [text_of(sentence) for sentence in findings(whole(study(finals) + study(finals, benchmark="toy-2")))]
    assert said[0] == (
        "Over 2 benchmarks A, B and C have the best mean rank, 2.00; rank by seed of A 2.00 [2.00, 2.00]; Friedman's "
        "test by permutation: p 1.0000."
    )
    assert said[1].startswith("On these benchmarks together A is better than 0 of 2 other methods")


@pytest.mark.parametrize("names", ["AB", "BA"])
def test_how_many_times_as_fast_is_said_in_either_order(names: str) -> None:
    steps = {"A": 1.0, "B": 4.0}
    traces = [
        trace(
            [9.0 - 0.1 * seed, 5.0 - 0.1 * seed, 2.0 if name == "A" else 4.0],
            [steps[name] * place * (1.0 + 0.1 * seed) for place in (1, 2, 3)],
            method=name,
            seed=seed,
        )
        for name in names
        for seed in range(8)
    ]
    said = text_of(findings(whole(traces))[0])
    assert said.endswith(" times as fast as B." if names == "AB" else " times as fast.")
    assert ("; B is 0.2" in said) == (names == "BA")


def test_one_seed_is_told_what_is_needed() -> None:
    finals = {name: (lambda seed, name=name: ord(name) + 0.01 * seed) for name in "ABCDEFGH"}
    said = text_of(findings(whole(study(finals, seeds=1)))[0])
    assert said == "1 seed cannot decide: to decide any of 28 pairs of methods at 5 % takes 11 seeds."
    assert seeds_to_decide(28, 0.05) == 11
    assert 28 * 2 * 0.5**11 <= 0.05 < 28 * 2 * 0.5**10
    assert seeds_to_decide(1, 0.05) == 6


def test_two_that_tie_are_both_named() -> None:
    finals = {"A": lambda seed: 2.0 + 0.001 * seed, "B": lambda seed: 2.0 + 0.001 * seed, "C": lambda _: 3.0}
    assert text_of(findings(whole(study(finals)))[0]).startswith("toy: A and B end lowest, at 2")


def test_what_decides_a_pair_is_said() -> None:
    finals = {"A": lambda seed: 2.0 + 0.001 * seed, "B": lambda seed: 2.5 + 0.001 * seed, "C": lambda _: 3.0}
    single = whole(study(finals) + study(finals, benchmark="toy-2"))
    tests = "(signed-rank test at 5 %, Holm over the 3 pairs of each benchmark alone)"
    assert text_of(findings(single)[-1]).startswith(f"Of 6 pairs of methods on a benchmark 6 are decided {tests};")
    verdicts: dict[Question, Verdict] = {Question("B", "A", "toy"): "equivalent", Question("C", "A", "toy"): "better"}
    rules = Rules((6, 8), margin=Margin(0.5, "metric"))
    mixed = with_interim_verdicts(single, InterimVerdicts(rules, verdicts))
    assert [(pair.verdict, pair.p is None) for pair in mixed.benchmarks[0].pairs] == [
        ("equivalent", True),
        ("worse", True),  # of A beside C: the question has the other order
        ("better", False),
    ]
    assert [line.worse for line in mixed.benchmarks[0].methods] == [1, 0, 1]
    *_, by_tests, by_interim_analyses = map(text_of, findings(mixed))
    assert by_tests.startswith(f"Of 4 pairs of methods on a benchmark 4 are decided {tests};")
    assert by_interim_analyses.startswith(
        "Of 2 pairs of methods on a benchmark 1 is decided, 1 is equivalent within 50% (signed-rank test in interim "
        "analyses at 6, 8 seeds, Lan-DeMets spending, family-wise error rate at most 5 %);"
    )
    # Which seeds there are depends on the results, and the tests over all benchmarks take them as given.
    assert not any("better than 2 of 2" in text_of(sentence) for sentence in findings(mixed)[:2])
    elsewhere = InterimVerdicts(rules, {Question("A", "B", "toy-3"): "better"})
    assert with_interim_verdicts(single, elsewhere) == single


def test_pairs_over_all_benchmarks() -> None:
    finals = {
        "A": lambda seed: 2.0 + 0.1 * noise(seed),
        "B": lambda seed: 2.5 + 0.1 * noise(seed, 1),
        "C": lambda seed: 2.5 + 0.1 * noise(seed, 2),
    }
    traces = [one for place in range(4) for one in study(finals, benchmark=f"toy-{place}")]
    found = compare_overall(by_benchmark(traces))
    assert found is not None
    verdicts = {(pair.first, pair.second): pair for pair in found.pairs}
    assert verdicts["A", "B"].verdict == verdicts["A", "C"].verdict == "better"
    assert verdicts["B", "C"].verdict == "undecided"
    # Four benchmarks can say nothing about others by a signed-rank test.
    assert {pair.verdict_alike for pair in found.pairs} == {"undecided"}
    assert found.smallest_p_alike == pytest.approx(3 * 2 * 0.5**4)
    many = [one for place in range(12) for one in study(finals, benchmark=f"toy-{place}")]
    more = compare_overall(by_benchmark(many))
    assert more is not None
    assert {(pair.first, pair.second): pair.verdict_alike for pair in more.pairs}["A", "B"] == "better"
    posterior = more.pairs[0].posterior
    assert posterior.better > 0.95
    assert posterior.better + posterior.equivalent + posterior.worse == pytest.approx(1.0)


def test_the_pairwise_verdict_does_not_depend_on_who_else_is_compared() -> None:
    finals = {name: (lambda seed, name=name: 5.0 + noise(seed, ord(name))) for name in "ABCD"}
    traces = [one for place in range(3) for one in study(finals, benchmark=f"toy-{place}")]
    few = [one for one in traces if one.method in "AB"]
    all_of_them, two = compare_overall(by_benchmark(traces)), compare_overall(by_benchmark(few))
    assert all_of_them is not None
    assert two is not None
    # The adjusted p value changes with the family, the test itself does not.
    assert all_of_them.pairs[0].p_holm <= min(6 * two.pairs[0].p_holm, 1.0) + 1e-12
