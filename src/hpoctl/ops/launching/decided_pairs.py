"""What `hpoctl compare` knows of the pairs of a tag that were decided in looks: the answer that holds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hpoctl.analysis.comparison_model import TURNED, BenchmarkComparison, PairLine
from hpoctl.analysis.decisions import Answer, Question
from hpoctl.ops.launching.sequential_design import course_of, read_design
from hpoctl.ops.studies.config import Root


@dataclass(frozen=True, slots=True)
class DecidedPairs:
    """How pairs of a tag were decided in looks.

    Attributes:
        questions: What was asked.
        looks: The numbers of seeds at which one looks.
        level: The chance to call any difference that is none.
        start_seed: The first seed.
        seen: How many experiments of these pairs were complete before the looks were settled.
        answers: The last answer to each question that has been looked at.
        next_look: The number of seeds of the next look; None: the looks are over.
        command: The command that goes on.
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
        """Whether a pair is one of those that are decided in looks."""
        return any(_asks(question, pair, benchmark) for question in self.questions)

    def answer(self, pair: PairLine, benchmark: str) -> Answer | None:
        """The answer about a pair, whichever of the two is judged; None: there is none yet."""
        for answer in self.answers:
            if _asks(answer.question, pair, benchmark):
                same = answer.question.first == pair.first
                return answer if same else replace(answer, verdict=TURNED[answer.verdict])
        return None


def decided_pairs(root: Root, tags: Sequence[str]) -> DecidedPairs | None:
    """How pairs of a tag were decided in looks; None: they were not, or there are several tags.

    Raises:
        IncompleteError: What the tag keeps of it is damaged.
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
    """The comparison with the verdicts of the pairs that were decided in looks, without p values that do not hold."""
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
