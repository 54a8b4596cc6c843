"""Group-sequential decisions about pairs of methods on benchmarks: only undecided pairs get more seeds.

The decisions follow from the results alone: repeating the earlier interim analyses gives the same answers. Holm's
procedure (1979) splits the level over the questions, at each interim analysis anew: each open question is tested at the
level that is left for it. This is valid over repeated analyses (Maurer and Bretz 2013): the smallest level at which a
question would have been decided so far is a p value that only decreases, as Holm's procedure requires.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hpoctl.analysis.comparison import budget_of, uses_ratios, values_of
from hpoctl.analysis.comparison_model import Traces, Verdict
from hpoctl.analysis.group_sequential import look_levels
from hpoctl.analysis.paired import LEVEL, paired_differences, signed_rank


@dataclass(frozen=True, slots=True, order=True)
class Question:
    """Which of two methods is better on a benchmark.

    Attributes:
        first: The method that is judged.
        second: The one it is judged by.
        benchmark: The benchmark.
    """

    first: str
    second: str
    benchmark: str

    def __str__(self) -> str:
        return f"{self.first}:{self.second} on {self.benchmark}"


@dataclass(frozen=True, slots=True)
class Look:
    """The signed-rank test of a question at one interim analysis.

    Attributes:
        seeds: How many seeds had been run.
        pairs: For how many of them both methods have a value.
        p: The p value, by itself.
        leads: What the first method is, if it is decided.
    """

    seeds: int
    pairs: int
    p: float
    leads: Verdict


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a question after an interim analysis.

    Attributes:
        question: The question.
        look: The analysis that decided it, which may be an earlier one, if the level that is left for it has grown
            since; else the last one.
        level: The level of that analysis: a p value at or below it decides.
        verdict: What the first method is.
    """

    question: Question
    look: Look
    level: float
    verdict: Verdict


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
        open: The questions that are not decided.
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
    questions: Sequence[Question],
    looks: tuple[int, ...],
    see: Callable[[Question, int], Look | None],
    level: float = LEVEL,
) -> Course:
    """Make all interim analyses that have results.

    Args:
        questions: The questions.
        looks: The numbers of seeds of the interim analyses, increasing.
        see: Tests a question with a number of seeds; None: not all of them have been run.
        level: The family-wise error rate.
    """
    still, seen = list(dict.fromkeys(questions)), dict[Question, list[Look]]()
    count = len(still)
    stages: list[Stage] = []
    for seeds in looks:
        found = {question: see(question, seeds) for question in still}
        whole = {question: look for question, look in found.items() if look is not None}
        if len(whole) < len(still):
            return Course(tuple(stages), tuple(still), seeds)
        for question, look in whole.items():
            seen.setdefault(question, []).append(look)
        answers = _answers({question: seen[question] for question in still}, count, looks, level)
        stages.append(Stage(seeds, tuple(answers)))
        still = [answer.question for answer in answers if answer.verdict == "undecided"]
        if not still:
            break
    return Course(tuple(stages), tuple(still), None)


def look_at(traces: Traces, question: Question, seeds: Sequence[int]) -> Look | None:
    """Test a question; None: a seed is missing.

    A run without a finite value counts as worse than every run that has one.

    Args:
        traces: The traces of the benchmark by method and seed.
        question: The question.
        seeds: The seeds of the interim analysis.
    """
    pair = [traces.get(name, {}) for name in (question.first, question.second)]
    if not all(seed in runs for runs in pair for seed in seeds):
        return None
    names = (question.first, question.second)
    here = {name: {seed: runs[seed] for seed in seeds} for name, runs in zip(names, pair, strict=True)}
    end = budget_of(here)
    values = [values_of(list(here[name].values()), end) for name in names]
    test = signed_rank(paired_differences(*values, log=uses_ratios(here, 1.0)))
    mode = pair[0][seeds[0]].mode
    leads: Verdict = "undecided"
    if test.lead:
        leads = "better" if (test.lead < 0) == (mode == "min") else "worse"
    return Look(len(seeds), len(seeds), test.p, leads)


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


def _answers(seen: Mapping[Question, Sequence[Look]], count: int, looks: tuple[int, ...], level: float) -> list[Answer]:
    """The answers to the questions that were open: as they are decided, more of the level is left for the others."""
    decided: dict[Question, tuple[Look, float]] = {}
    done = count - len(seen)
    while True:
        share = level / max(count - done - len(decided), 1)
        levels = look_levels(looks, share)
        new = {
            question: (look, bound)
            for question, past in seen.items()
            if question not in decided
            for look, bound in reversed(list(zip(past, levels, strict=False)))  # of several, the first analysis decides
            if look.p <= bound and look.leads != "undecided"
        }
        if not new:
            break
        decided |= new
    answers = []
    for question, past in seen.items():
        look, bound = decided.get(question, (past[-1], levels[len(past) - 1]))
        answers.append(Answer(question, look, bound, look.leads if question in decided else "undecided"))
    return answers
