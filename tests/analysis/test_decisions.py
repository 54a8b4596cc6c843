"""Pairs that interim analyses decide: by hand, over several questions, and again from the same results."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.analysis.comparison import by_benchmark
from hpoctl.analysis.comparison_model import Traces
from hpoctl.analysis.decisions import Course, fewest_that_decide, follow
from hpoctl.analysis.equivalence import Margin
from hpoctl.analysis.group_sequential import look_levels, planned_looks
from hpoctl.analysis.interim import InterimAnalysis, Question, Rules, analysis_at, analysis_of
from hpoctl.analysis.signed_rank import signed_rank
from traces import trace

LOOKS = (10, 20, 30)
ONE = Rules((8,))
FIRST, SECOND = Question("A", "B", "toy"), Question("A", "C", "toy")


def told(p: Mapping[Question, Sequence[float]], known: int = 3) -> Course:
    """The course of questions with these p values at the looks, of which only some have been run."""

    def see(question: Question, seeds: int) -> InterimAnalysis | None:
        place = LOOKS.index(seeds)
        return InterimAnalysis(seeds, p[question][place], "better") if place < known else None

    return follow(list(p), Rules(LOOKS), see)


def test_a_question_is_decided_at_the_first_look_that_is_below_its_level() -> None:
    levels = look_levels(LOOKS, 0.05)
    course = told({FIRST: (0.9, 0.99 * levels[1], 1.0)})
    assert [stage.seeds for stage in course.stages] == [10, 20]
    answer = course.answers[FIRST]
    assert (answer.look.seeds, answer.verdict, answer.level) == (20, "better", levels[1])
    assert (course.open, course.next_seeds) == ((), None)


def test_one_that_is_not_decided_is_looked_at_to_the_end() -> None:
    levels = look_levels(LOOKS, 0.05)
    course = told({FIRST: [1.01 * level for level in levels]})
    assert [stage.seeds for stage in course.stages] == [10, 20, 30]
    assert course.answers[FIRST].verdict == "undecided"
    assert (course.open, course.next_seeds) == ((FIRST,), None)


def test_the_level_is_split_by_holm() -> None:
    half, whole = look_levels(LOOKS, 0.025), look_levels(LOOKS, 0.05)
    # Neither is below its share at the first look; at the second one the first is, and all is left for the second.
    course = told({FIRST: (1.0, half[1], 1.0), SECOND: (1.0, 1.0, whole[2])})
    assert [len(stage.answers) for stage in course.stages] == [2, 2, 1]
    assert [answer.level for answer in course.stages[1].answers] == [half[1], whole[1]]
    assert course.open == ()
    # Alone, the same p value of the second is above its half.
    course = told({FIRST: (1.0, 1.0, 1.0), SECOND: (1.0, 1.0, whole[2])})
    assert course.open == (FIRST, SECOND)


def test_more_of_the_level_can_decide_what_an_earlier_look_has_seen() -> None:
    half, whole = look_levels(LOOKS, 0.025), look_levels(LOOKS, 0.05)
    assert half[0] < whole[0]
    course = told({FIRST: (1.0, half[1], 1.0), SECOND: (whole[0], 1.0, 1.0)})
    assert course.answers[SECOND].look.seeds == 10
    assert (len(course.stages), course.open) == (2, ())


def test_no_direction_is_no_decision() -> None:
    course = follow([FIRST], Rules(LOOKS), lambda _, seeds: InterimAnalysis(seeds, 0.0, "undecided"))
    assert course.open == (FIRST,)


@given(st.lists(st.lists(st.floats(0.0, 0.1), min_size=3, max_size=3), min_size=1, max_size=4), st.integers(0, 3))
def test_what_comes_later_changes_nothing_of_what_was_found(p: list[list[float]], known: int) -> None:
    questions = {Question("A", f"B{place}", "toy"): row for place, row in enumerate(p)}
    early, late = told(questions, known), told(questions)
    assert late.stages[: len(early.stages)] == early.stages
    if early.next_seeds is not None:
        assert early.next_seeds == LOOKS[known]
        assert early.open
    else:
        assert early == late


def traces_of(differences: Mapping[str, np.ndarray], seeds: int) -> Traces:
    values = [(name, seed, 2.0 + shift) for name, shifts in differences.items() for seed, shift in enumerate(shifts)]
    made = [trace([value], method=name, seed=seed) for name, seed, value in values if seed < seeds]
    return by_benchmark(made)["toy"]


def test_a_look_is_the_signed_rank_test_of_its_seeds() -> None:
    shifts = np.random.default_rng(1).normal(0.1, 0.05, 12)
    traces = traces_of({"A": shifts, "B": np.zeros(12)}, 12)
    found = analysis_at(traces, FIRST, range(8), ONE)
    assert found is not None
    assert (found.seeds, found.leads) == (8, "worse")
    assert found.p == pytest.approx(signed_rank(shifts[:8]).p)
    assert analysis_at(traces, Question("B", "A", "toy"), range(8), ONE).leads == "better"  # type: ignore[union-attr]


def test_a_seed_that_is_missing_is_no_look() -> None:
    traces = traces_of({"A": np.zeros(8), "B": np.zeros(7)}, 8)
    assert analysis_at(traces, FIRST, range(7), ONE) is not None
    assert analysis_at(traces, FIRST, range(8), ONE) is None
    assert analysis_at({}, FIRST, range(1), ONE) is None


def test_seeds_without_a_value_count_as_run() -> None:
    made = [trace([1.0], method="A", seed=seed) for seed in range(8)]
    made += [trace([2.0] if seed else [], method="B", seed=seed) for seed in range(8)]
    found = analysis_at(by_benchmark(made)["toy"], FIRST, range(8), ONE)
    assert found is not None
    assert (found.seeds, found.p, found.leads) == (8, 2.0 * 0.5**8, "better")  # the run without a value is the worst
    none = [trace([], method=name, seed=0) for name in "AB"]
    alone = analysis_at(by_benchmark(none)["toy"], FIRST, range(1), ONE)
    assert alone is not None
    assert (alone.seeds, alone.p, alone.leads) == (1, 1.0, "undecided")


def test_higher_is_better_where_the_metric_is_maximised() -> None:
    made = [
        trace([value], method=name, seed=seed, mode="max")
        for name, value in (("A", 2.0), ("B", 1.0))
        for seed in range(8)
    ]
    assert analysis_at(by_benchmark(made)["toy"], FIRST, range(8), ONE).leads == "better"  # type: ignore[union-attr]


@settings(max_examples=10)
@given(st.integers(1, 60))
def test_the_fewest_seeds_that_decide(questions: int) -> None:
    most = fewest_that_decide(questions, planned_looks)
    for seeds, decides in ((most, True), (most - 1, False)):
        if seeds >= 6:
            last = look_levels(planned_looks(seeds), 0.05 / questions)[-1]
            assert (signed_rank(np.arange(1.0, seeds + 1.0)).p <= last) is decides


def test_all_questions_together_keep_the_level() -> None:
    generator = np.random.default_rng(11)
    looks = planned_looks(20)
    questions = [Question("A", other, name) for name in ("toy", "toy-2") for other in "BC"]
    repeats, wrong = 250, 0
    for _ in range(repeats):
        values = generator.normal(size=(2, 3, 20))
        values[0, 1] += 2.0  # B differs on the first benchmark: the level that is left there goes to the others

        def see(question: Question, seeds: int, values: np.ndarray = values) -> InterimAnalysis:
            here = values[int(question.benchmark == "toy-2")]
            test = signed_rank(here[0, :seeds] - here["ABC".index(question.second), :seeds])
            return InterimAnalysis(seeds, test.p, "better" if test.lead < 0 else "worse")

        course = follow(questions, Rules(looks), see)
        called = {question for question, answer in course.answers.items() if answer.verdict != "undecided"}
        wrong += bool(called - {questions[0]})
    assert wrong / repeats <= 0.05 + 3.3 * np.sqrt(0.05 * 0.95 / repeats)


def seen(differences: np.ndarray, rules: Rules) -> Course:
    """The course of one question with these differences."""
    traces = traces_of({"A": differences, "B": np.zeros(len(differences))}, len(differences))
    return follow([FIRST], rules, lambda question, seeds: analysis_at(traces, question, range(seeds), rules))


def test_methods_that_hardly_differ_are_equivalent() -> None:
    rules = Rules(planned_looks(30), margin=Margin(0.05, "metric"))
    course = seen(np.random.default_rng(1).normal(0.0, 0.01, 30), rules)
    answer = course.answers[FIRST]
    assert (answer.verdict, answer.look.seeds < 30, course.open) == ("equivalent", True, ())
    assert answer.look.p_equivalent is not None
    assert answer.level_equivalent is not None
    assert answer.look.p_equivalent <= answer.level_equivalent
    # Each p value has its level: the difference is not decided.
    assert answer.look.p > answer.level
    assert answer.look.interval is not None
    assert answer.look.interval.holds(0.0)


def look_of_first(sample: np.ndarray, rules: Rules, margin: float, _: Question, seeds: int) -> InterimAnalysis:
    return analysis_of(sample[:seeds], rules, margin)


def test_methods_that_differ_by_the_margin_are_seldom_equivalent() -> None:
    generator = np.random.default_rng(2)
    rules, margin, repeats, wrong = Rules(planned_looks(24)), 0.5, 200, 0
    for _ in range(repeats):
        shifts = generator.normal(margin, 0.4, 24)
        course = follow([FIRST], rules, partial(look_of_first, shifts, rules, margin))
        wrong += course.answers[FIRST].verdict == "equivalent"
    assert 0 < wrong <= repeats * (0.05 + 3.3 * np.sqrt(0.05 * 0.95 / repeats))


def test_a_question_that_is_unlikely_to_be_decided_is_closed() -> None:
    differences = np.tile([0.3, -0.3, 0.1, -0.1], 15)
    course = seen(differences, Rules(planned_looks(60), futility=True))
    answer = course.answers[FIRST]
    assert (answer.verdict, answer.futile, course.open, course.next_seeds) == ("undecided", True, (FIRST,), None)
    assert answer.look.seeds < 60
    whole = seen(differences, Rules(planned_looks(60)))
    assert (whole.answers[FIRST].futile, whole.answers[FIRST].look.seeds) == (False, 60)


def test_closing_leaves_no_level_to_others() -> None:
    half = look_levels(LOOKS, 0.025)

    def see(question: Question, seeds: int) -> InterimAnalysis:
        if question == FIRST:
            return InterimAnalysis(seeds, 1.0, "better", chance=0.0)
        return InterimAnalysis(seeds, 0.999 * look_levels(LOOKS, 0.05)[LOOKS.index(seeds)], "better")

    course = follow([FIRST, SECOND], Rules(LOOKS, futility=True), see)
    assert course.answers[FIRST].futile
    assert course.answers[SECOND].verdict == "undecided"
    assert course.answers[SECOND].level == half[-1]


def test_the_estimate_after_an_early_stop_is_smaller_than_that_of_the_last_analysis_alone() -> None:
    course = seen(np.random.default_rng(3).normal(0.15, 0.1, 40), Rules(planned_looks(40)))
    answer = course.answers[FIRST]
    assert answer.verdict == "worse"
    assert answer.look.shift is not None
    assert answer.estimate is not None
    assert 0.0 < answer.estimate <= answer.look.shift


def test_repeated_intervals_all_hold_the_shift_with_the_confidence() -> None:
    rules, repeats, missed = Rules(planned_looks(24)), 200, 0
    for sample in np.random.default_rng(5).normal(0.3, 1.0, (repeats, 24)):
        found = [analysis_of(sample[:seeds], rules).interval for seeds in rules.looks]
        missed += not all(interval is not None and interval.holds(0.3) for interval in found)
    assert 0 < missed <= repeats * (0.05 + 3.3 * np.sqrt(0.05 * 0.95 / repeats))
