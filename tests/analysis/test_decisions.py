"""Pairs that interim analyses decide: by hand, over several questions, and again from the same results."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.analysis.comparison import by_benchmark
from hpoctl.analysis.comparison_model import Traces
from hpoctl.analysis.decisions import Course, Look, Question, fewest_that_decide, follow, look_at
from hpoctl.analysis.group_sequential import look_levels, planned_looks
from hpoctl.analysis.paired import signed_rank
from traces import trace

LOOKS = (10, 20, 30)
FIRST, SECOND = Question("A", "B", "toy"), Question("A", "C", "toy")


def told(p: Mapping[Question, Sequence[float]], known: int = 3) -> Course:
    """The course of questions with these p values at the looks, of which only some have been run."""

    def see(question: Question, seeds: int) -> Look | None:
        place = LOOKS.index(seeds)
        return Look(seeds, seeds, p[question][place], "better") if place < known else None

    return follow(list(p), LOOKS, see)


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
    course = follow([FIRST], LOOKS, lambda _, seeds: Look(seeds, 0, 0.0, "undecided"))
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
    found = look_at(traces, FIRST, range(8))
    assert found == Look(8, 8, pytest.approx(signed_rank(shifts[:8]).p), "worse")  # type: ignore[arg-type]
    assert look_at(traces, Question("B", "A", "toy"), range(8)).leads == "better"  # type: ignore[union-attr]


def test_a_seed_that_is_missing_is_no_look() -> None:
    traces = traces_of({"A": np.zeros(8), "B": np.zeros(7)}, 8)
    assert look_at(traces, FIRST, range(7)) is not None
    assert look_at(traces, FIRST, range(8)) is None
    assert look_at({}, FIRST, range(1)) is None


def test_seeds_without_a_value_count_as_run() -> None:
    made = [trace([1.0], method="A", seed=seed) for seed in range(8)]
    made += [trace([2.0] if seed else [], method="B", seed=seed) for seed in range(8)]
    found = look_at(by_benchmark(made)["toy"], FIRST, range(8))
    assert found is not None
    assert (found.seeds, found.pairs, found.leads) == (8, 8, "better")  # the run without a value is the worst
    none = [trace([], method=name, seed=0) for name in "AB"]
    assert look_at(by_benchmark(none)["toy"], FIRST, range(1)) == Look(1, 1, 1.0, "undecided")


def test_higher_is_better_where_the_metric_is_maximised() -> None:
    made = [
        trace([value], method=name, seed=seed, mode="max")
        for name, value in (("A", 2.0), ("B", 1.0))
        for seed in range(8)
    ]
    assert look_at(by_benchmark(made)["toy"], FIRST, range(8)).leads == "better"  # type: ignore[union-attr]


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

        def see(question: Question, seeds: int, values: np.ndarray = values) -> Look:
            here = values[int(question.benchmark == "toy-2")]
            test = signed_rank(here[0, :seeds] - here["ABC".index(question.second), :seeds])
            return Look(seeds, seeds, test.p, "better" if test.lead < 0 else "worse")

        course = follow(questions, looks, see)
        called = {question for question, answer in course.answers.items() if answer.verdict != "undecided"}
        wrong += bool(called - {questions[0]})
    assert wrong / repeats <= 0.05 + 3.3 * np.sqrt(0.05 * 0.95 / repeats)
