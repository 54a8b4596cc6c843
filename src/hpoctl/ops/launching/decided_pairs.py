"""The pairs of a tag that interim analyses decide, as `hpoctl compare` shows them, with their valid answers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hpoctl.analysis.comparison_model import TURNED, BenchmarkComparison, PairLine
from hpoctl.analysis.decisions import Answer
from hpoctl.analysis.interim import Question
from hpoctl.analysis.paired import Interval
from hpoctl.ops.launching.sequential_design import course_of, read_design
from hpoctl.ops.studies.config import Root


@dataclass(frozen=True, slots=True)
class DecidedPairs:
    """The pairs of a tag that interim analyses decide.

    Attributes:
        questions: The pairs on each benchmark.
        looks: The numbers of seeds of the interim analyses.
        level: The family-wise error rate.
        start_seed: The first seed.
        seen: How many experiments of these pairs were complete before the interim analyses were fixed.
        answers: The latest answer to each question that has been analysed.
        next_look: The number of seeds of the next interim analysis; None: none is left.
        command: The command that continues.
    """

    questions: tuple[Question, ...]
    looks: tuple[int, ...]
    level: float
    start_seed: int
    seen: int
    answers: tuple[Answer, ...]
    next_look: int | None
    command: str

    def covers(self, pair: PairLine, benchmark: str) -> bool:
        """Whether interim analyses decide a pair."""
        return any(_asks(question, pair, benchmark) for question in self.questions)

    def answer(self, pair: PairLine, benchmark: str) -> Answer | None:
        """The answer about a pair in either order; None: not analysed yet."""
        for answer in self.answers:
            if _asks(answer.question, pair, benchmark):
                same = answer.question.first == pair.first
                return answer if same else turned_answer(answer)
        return None


def turned_answer(answer: Answer) -> Answer:
    """An answer as the second method of its question sees it."""
    look = answer.look

    def turned(value: float) -> float:
        if not look.log:
            return -value
        return 1.0 / value if value else math.inf

    interval = look.interval
    if interval is not None:
        ends = turned(interval.high), turned(interval.low)
        interval = Interval(*ends, open_low=interval.open_high, open_high=interval.open_low)
    seen = replace(
        look,
        leads=TURNED[look.leads],
        shift=None if look.shift is None else turned(look.shift),
        interval=interval,
    )
    estimate = None if answer.estimate is None else turned(answer.estimate)
    return replace(answer, look=seen, verdict=TURNED[answer.verdict], estimate=estimate)


def decided_pairs(root: Root, tags: Sequence[str]) -> DecidedPairs | None:
    """The pairs of a tag that interim analyses decide; None: there are no such pairs, or several tags.

    Raises:
        IncompleteError: The design of the tag is damaged.
        HpoctlError: The store cannot be read.
    """
    if len(set(tags)) != 1:
        return None
    tag = tags[0]
    design = read_design(root.store, tag)
    if design is None:
        return None
    course = course_of(root, tag, design)
    return DecidedPairs(
        questions=design.questions,
        looks=design.looks,
        level=design.level,
        start_seed=design.start_seed,
        seen=design.seen,
        answers=tuple(course.answers.values()),
        next_look=course.next_seeds,
        command=root.command("launch", "--tag", tag, "--until-decided"),
    )


def with_answers(found: BenchmarkComparison, decided: DecidedPairs) -> BenchmarkComparison:
    """The comparison with the verdicts of the interim analyses, and without the p values, which are invalid there."""
    pairs = []
    for pair in found.pairs:
        judged = pair
        if decided.covers(pair, found.benchmark):
            answer = decided.answer(pair, found.benchmark)
            verdict = "undecided" if answer is None else answer.verdict
            judged = replace(pair, verdict=verdict, p=None, p_holm=None, p_equivalent=None)
        pairs.append(judged)
    return replace(found, pairs=tuple(pairs))


def _asks(question: Question, pair: PairLine, benchmark: str) -> bool:
    return question.benchmark == benchmark and {question.first, question.second} == {pair.first, pair.second}
