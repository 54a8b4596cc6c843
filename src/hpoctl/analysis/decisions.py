"""Group-sequential decisions about pairs of methods on benchmarks: only undecided pairs get more seeds.

The decisions follow from the results alone: repeating the earlier interim analyses gives the same answers. Holm's
procedure (1979) splits the level over the questions, at each interim analysis anew: each open question is tested at the
level that is left for it. This is valid over repeated analyses (Maurer and Bretz 2013): the smallest level at which a
question would have been decided so far is a p value that only decreases, as Holm's procedure requires. Equivalence
within a margin is a second family of tests with its own level. Futility is not binding: it closes a question and
changes no level.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from hpoctl.analysis.comparison_model import Verdict
from hpoctl.analysis.group_sequential import look_levels, median_unbiased
from hpoctl.analysis.interim import InterimAnalysis, Question, Rules
from hpoctl.analysis.paired import LEVEL

FUTILE = 0.1
"""A question is futile if the probability that it is decided by the last interim analysis is smaller."""

SMALLEST = 1e-15
"""Smaller p values say no more about the estimate."""

UNDECIDED: Verdict = "undecided"
EQUIVALENT: Verdict = "equivalent"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a question after an interim analysis.

    Attributes:
        question: The question.
        look: The analysis that decided it, which may be an earlier one, if the level that is left for it has grown
            since; else the last one.
        level: The level of that analysis: a p value of a difference at or below it decides.
        level_equivalent: That of its p value of equivalence; None: there is no margin.
        verdict: What the first method is.
        futile: Whether the question was closed because a decision had become unlikely.
        estimate: The median-unbiased estimate of the shift at that analysis; None: there is no shift.
    """

    question: Question
    look: InterimAnalysis
    level: float
    verdict: Verdict
    futile: bool = False
    estimate: float | None = None
    level_equivalent: float | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """The answers of an interim analysis.

    Attributes:
        seeds: The number of seeds of each question that was open before it.
        answers: The answers to those questions.
    """

    seeds: int
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """The interim analyses so far.

    Attributes:
        stages: The analyses.
        open: The questions that are not decided; at the end futile ones are among them.
        next_seeds: The number of seeds of the next analysis; None: all questions are decided, or no analysis is left.
    """

    stages: tuple[Stage, ...]
    open: tuple[Question, ...]
    next_seeds: int | None

    @property
    def answers(self) -> Mapping[Question, Answer]:
        """The latest answer to each question that has been analysed."""
        return {answer.question: answer for stage in self.stages for answer in stage.answers}

    @property
    def experiments(self) -> int:
        """How many experiments the analyses so far needed; pairs on one benchmark share those of a method."""
        used: dict[tuple[str, str], int] = {}
        for stage in self.stages:
            for answer in stage.answers:
                for method in (answer.question.first, answer.question.second):
                    used[method, answer.question.benchmark] = stage.seeds
        return sum(used.values())


def follow(
    questions: Sequence[Question], rules: Rules, see: Callable[[Question, int], InterimAnalysis | None]
) -> Course:
    """Make all interim analyses that have results.

    Args:
        questions: The questions.
        rules: How they are decided.
        see: Tests a question with a number of seeds; None: not all of them have been run.
    """
    still, seen = list(dict.fromkeys(questions)), dict[Question, list[InterimAnalysis]]()
    count, closed = len(still), list[Answer]()
    stages: list[Stage] = []
    for seeds in rules.looks:
        found = {question: see(question, seeds) for question in still}
        whole = {question: look for question, look in found.items() if look is not None}
        if len(whole) < len(still):
            return Course(tuple(stages), tuple(still), seeds)
        for question, look in whole.items():
            seen.setdefault(question, []).append(look)
        answers = _answers({question: seen[question] for question in still}, count, closed, rules)
        stages.append(Stage(seeds, tuple(answers)))
        closed += [answer for answer in answers if answer.verdict != "undecided" or answer.futile]
        still = [answer.question for answer in answers if answer.verdict == "undecided" and not answer.futile]
        if not still:
            break
    futile = [answer.question for answer in closed if answer.futile]
    return Course(tuple(stages), (*still, *futile), None)


def fewest_that_decide(questions: int, looks_of: Callable[[int], tuple[int, ...]], level: float = LEVEL) -> int:
    """The smallest value of the largest number of seeds that can decide a question whose differences all have one sign.

    Args:
        questions: The number of questions.
        looks_of: The interim analyses, by the largest number of seeds.
        level: The family-wise error rate.
    """
    most = looks_of(1)[-1]  # the fewest seeds of an interim analysis
    while 2.0 * 0.5**most > look_levels(looks_of(most), level / questions)[-1]:
        most += 1
    return most


def _answers(
    seen: Mapping[Question, Sequence[InterimAnalysis]], count: int, closed: Sequence[Answer], rules: Rules
) -> list[Answer]:
    """The answers to the questions that were open: as they are decided, more of the level is left for the others."""
    left_equal, left = _left(closed, count, ("equivalent",)), _left(closed, count, ("better", "worse"))
    equal = _decided(seen, left_equal, rules, equivalence=True)
    different = _decided(seen, left, rules, equivalence=False)
    levels = _levels(rules, left - len(different), equivalence=False)
    levels_equal = _levels(rules, left_equal - len(equal), equivalence=True)
    answers = []
    for question, past in seen.items():
        look, verdict = past[-1], UNDECIDED
        # Equivalence has priority: a difference that is smaller than the margin does not count.
        if question in equal:
            look, verdict = equal[question][0], EQUIVALENT
        elif question in different:
            look = different[question][0]
            verdict = look.leads
        place = list(past).index(look)
        bound, bound_equal = levels[place], levels_equal[place]
        if question in equal:
            bound_equal = equal[question][1]
        elif question in different:
            bound = different[question][1]
        futile = verdict == UNDECIDED and look.chance is not None and look.chance < FUTILE
        known = None if look.p_equivalent is None else bound_equal
        answers.append(Answer(question, look, bound, verdict, futile, _estimate(past, look, rules), known))
    return answers


def _levels(rules: Rules, left: int, *, equivalence: bool) -> tuple[float, ...]:
    """The level of each analysis for the p values of a family of which so many questions are left.

    Tests of equivalence are one-sided: a level on two sides of twice the size has the size on each of them.
    """
    sides = 2.0 if equivalence else 1.0
    return tuple(bound / sides for bound in look_levels(rules.looks, sides * rules.level / max(left, 1)))


def _left(closed: Sequence[Answer], count: int, words: tuple[Verdict, ...]) -> int:
    """The number of questions that have no such verdict yet; futile ones are among them."""
    return count - sum(answer.verdict in words for answer in closed)


def _decided(
    seen: Mapping[Question, Sequence[InterimAnalysis]], left: int, rules: Rules, *, equivalence: bool
) -> dict[Question, tuple[InterimAnalysis, float]]:
    """The questions that one family of tests decides by Holm's procedure, each with its analysis and its level.

    Args:
        seen: The analyses of the open questions so far.
        left: How many questions of the family are not decided; some of them may be closed.
        rules: How they are decided.
        equivalence: Whether it is the family of tests of equivalence.
    """
    decided: dict[Question, tuple[InterimAnalysis, float]] = {}
    while True:
        levels = _levels(rules, left - len(decided), equivalence=equivalence)
        new = {
            question: (look, bound)
            for question, past in seen.items()
            if question not in decided
            for look, bound in reversed(list(zip(past, levels, strict=False)))  # of several, the first analysis decides
            if _rejects(look, bound, equivalence=equivalence)
        }
        if not new:
            return decided
        decided |= new


def _rejects(look: InterimAnalysis, bound: float, *, equivalence: bool) -> bool:
    if equivalence:
        return look.p_equivalent is not None and look.p_equivalent <= bound
    return look.p <= bound and look.leads != UNDECIDED


def _estimate(past: Sequence[InterimAnalysis], stopped: InterimAnalysis, rules: Rules) -> float | None:
    """The median-unbiased estimate of the shift at the analysis that decided, or at the last one."""
    if stopped.shift is None or not np.isfinite(stopped.shift):
        return stopped.shift
    z = -float(ndtri(max(stopped.p, SMALLEST) / 2.0))
    factor = median_unbiased(rules.looks, look_levels(rules.looks, rules.level), list(past).index(stopped), z)
    return float(stopped.shift**factor) if stopped.log else factor * stopped.shift
