"""The pairs of a tag that interim analyses decide, as `hpoctl compare` and `report` show them, with their answers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hpoctl.analysis.comparison_model import TURNED, PairLine
from hpoctl.analysis.decisions import Answer
from hpoctl.analysis.interim import Question, Rules
from hpoctl.analysis.paired import Interval
from hpoctl.analysis.study_comparison import InterimVerdicts
from hpoctl.core.errors import IncompleteError
from hpoctl.ops.launching.sequential_design import SequentialDesign, course_of, read_design
from hpoctl.ops.studies.config import Root


@dataclass(frozen=True, slots=True)
class DecidedPairs:
    """The pairs of a tag that interim analyses decide.

    Attributes:
        questions: The pairs on each benchmark.
        rules: How they are decided.
        start_seed: The first seed.
        seen: How many experiments of these pairs were complete before the interim analyses were fixed.
        answers: The latest answer to each question that has been analysed.
        next_look: The number of seeds of the next interim analysis; None: none is left.
        command: The command that continues.
    """

    questions: tuple[Question, ...]
    rules: Rules
    start_seed: int
    seen: int
    answers: tuple[Answer, ...]
    next_look: int | None
    command: str

    @property
    def verdicts(self) -> InterimVerdicts:
        """The verdict of each question."""
        known = {answer.question: answer.verdict for answer in self.answers}
        return InterimVerdicts(self.rules, {question: known.get(question, "undecided") for question in self.questions})

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
        if not look.log or math.isinf(value):  # an end of a ratio that is not known is infinite, too
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


def decided_pairs(root: Root, names: Sequence[str], *, whole: bool) -> tuple[DecidedPairs | None, list[str]]:
    """The pairs that interim analyses decide, and notes on tags of which their answers cannot be shown.

    The answers are about all seeds of one tag at the end of the budget. Of any other selection of results the tests
    are shown, with a note that they are not valid.

    Args:
        root: The root of results.
        names: The tags that are compared.
        whole: Whether all of their seeds are, at the end of the budget.

    Returns:
        The pairs, or None if no answers are shown, and the notes.

    Raises:
        HpoctlError: The store cannot be read.
    """
    tags, notes = list(dict.fromkeys(names)), []
    for tag in tags:
        try:
            design = read_design(root.store, tag)
        except IncompleteError as error:
            # A report says nothing about the folders of a machine.
            notes.append(error.what.replace(root.store.location(""), "").lstrip("/").removesuffix("."))
            continue
        if design is not None and whole and len(tags) == 1:
            return _pairs_of(root, tag, design), notes
        if design is not None:
            pairs = ", ".join(f"{first}:{second}" for first, second in design.pairs)
            notes.append(
                f"interim analyses decided how many seeds of tag {tag} were run for {pairs} on "
                f"{', '.join(design.benchmarks)}: p values and verdicts of these pairs are not valid here; "
                f"`hpoctl compare --tag {tag}` shows the valid ones, of all seeds at the end of the budget"
            )
    return None, notes


def _pairs_of(root: Root, tag: str, design: SequentialDesign) -> DecidedPairs:
    course = course_of(root, tag, design)
    return DecidedPairs(
        questions=design.questions,
        rules=design.rules,
        start_seed=design.start_seed,
        seen=design.seen,
        answers=tuple(course.answers.values()),
        next_look=course.next_seeds,
        command=root.command("launch", "--tag", tag, "--until-decided"),
    )


def _asks(question: Question, pair: PairLine, benchmark: str) -> bool:
    return question.benchmark == benchmark and {question.first, question.second} == {pair.first, pair.second}
