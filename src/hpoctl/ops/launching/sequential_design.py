"""The design of a group-sequential test, stored with a tag: its pairs and its interim analyses.

    <tag>/.hpoctl/until-decided.json

It is written before the first interim analysis and never changed: choosing them after seeing results is not valid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from hpoctl.analysis.comparison import by_benchmark
from hpoctl.analysis.comparison_model import Traces
from hpoctl.analysis.decisions import Course, fewest_that_decide, follow
from hpoctl.analysis.equivalence import parse_margin
from hpoctl.analysis.group_sequential import planned_looks
from hpoctl.analysis.interim import InterimAnalysis, Question, Rules, analysis_at
from hpoctl.analysis.paired import LEVEL
from hpoctl.core.cells import CONTROL, Filters
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.sealed import DamagedError, RecordType
from hpoctl.core.storage import Store
from hpoctl.ops.reading.load_traces import LoadRequest, load_traces
from hpoctl.ops.studies.config import Root
from hpoctl.ops.studies.overrides import Overrides


@dataclass(frozen=True)
class SequentialDesign:
    """How the pairs of a tag are decided.

    Attributes:
        pairs: The pairs, as the first method is judged by the second.
        benchmarks: The benchmarks.
        start_seed: The first seed.
        looks: The numbers of seeds of the interim analyses.
        level: The family-wise error rate.
        seen: How many experiments of these pairs were complete before the design was fixed.
        source: What the study was read from.
        changes: Changes by options of the command line.
        margin: Within what methods count as equivalent, such as `1%`; None: they are not tested for equivalence.
        futility: Whether futile questions are closed.
    """

    pairs: tuple[tuple[str, str], ...]
    benchmarks: tuple[str, ...]
    start_seed: int
    looks: tuple[int, ...]
    level: float
    seen: int
    source: str
    changes: Overrides
    margin: str | None = None
    futility: bool = False

    @property
    def rules(self) -> Rules:
        """How the questions are decided."""
        margin = None if self.margin is None else parse_margin(self.margin)
        return Rules(self.looks, self.level, margin, self.futility)

    @property
    def questions(self) -> tuple[Question, ...]:
        """Each pair on each benchmark."""
        return tuple(Question(first, second, name) for name in self.benchmarks for first, second in self.pairs)

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods of all pairs."""
        return tuple(dict.fromkeys(method for pair in self.pairs for method in pair))

    @property
    def most_experiments(self) -> int:
        """The number of experiments if no pair is decided early."""
        return len(self.methods) * len(self.benchmarks) * self.looks[-1]

    def seeds(self, count: int) -> range:
        """The first `count` seeds."""
        return range(self.start_seed, self.start_seed + count)


DESIGNS = RecordType("until-decided design", SequentialDesign)


def parse_pairs(texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The pairs that a person typed, such as `MOBSTER:ASHA`.

    Raises:
        UsageError: One is not a pair, or is given twice.
    """
    pairs: list[tuple[str, str]] = []
    for text in texts:
        first, _, second = (part.strip() for part in text.partition(":"))
        if not first or not second or ":" in second or first == second:
            raise UsageError(f"--pairs cannot be {text[:60]!r}.", "Give two methods, as in --pairs MOBSTER:ASHA.")
        if (first, second) in pairs or (second, first) in pairs:
            raise UsageError(f"--pairs names {first} and {second} twice.", "Name each pair once.")
        pairs.append((first, second))
    return tuple(pairs)


def settled_looks(max_seeds: int, questions: int) -> tuple[int, ...]:
    """The numbers of seeds of the interim analyses, up to `max_seeds`.

    Raises:
        UsageError: `max_seeds` is too small to decide any question.
    """
    fewest = fewest_that_decide(questions, planned_looks)
    if max_seeds < fewest:
        among = "a pair on a benchmark" if questions == 1 else f"{questions} questions (pairs times benchmarks)"
        raise UsageError(
            f"{max_seeds} seeds can never decide {among}.",
            f"Use --max-seeds {fewest} or more; --max-seeds 60 finds differences of 0.4 standard deviations.",
        )
    return planned_looks(max_seeds)


def keep_design(store: Store, tag: str, design: SequentialDesign) -> SequentialDesign:
    """Store a design with its tag, unless the tag has one; returns the design of the tag.

    Raises:
        IncompleteError: The design of the tag is damaged.
    """
    try:
        store.put(_file(tag), DESIGNS.seal(design), create=True)
    except FileExistsError:
        return read_design(store, tag) or design
    return design


def read_design(store: Store, tag: str) -> SequentialDesign | None:
    """The design of a tag; None: the tag has no design.

    Raises:
        IncompleteError: It is damaged.
    """
    try:
        design = DESIGNS.unseal(store.get(_file(tag)))
        if design.margin is not None:
            parse_margin(design.margin)
    except FileNotFoundError:
        return None
    except (DamagedError, UsageError) as error:
        raise IncompleteError(
            f"{store.location(_file(tag))} is damaged ({error}): the interim analyses are unknown.",
            "Use another --tag; for this one the error rate cannot be guaranteed any more.",
        ) from error
    return design


def new_design(
    pairs: Sequence[tuple[str, str]],
    benchmarks: Sequence[str],
    seeds: tuple[int, int],
    seen: int,
    study: tuple[str, Overrides],
    closing: tuple[str | None, bool] = (None, False),
) -> SequentialDesign:
    """A new design.

    Args:
        pairs: The pairs.
        benchmarks: The benchmarks.
        seeds: The first seed, and the largest number of seeds.
        seen: How many experiments of these pairs are complete.
        study: What the study was read from, and its changes by options of the command line.
        closing: The margin of equivalence, and whether futile questions are closed.

    Raises:
        UsageError: There are too few seeds to decide any question.
    """
    start, most = seeds
    source, changes = study
    looks = settled_looks(most, len(pairs) * len(benchmarks))
    return SequentialDesign(tuple(pairs), tuple(benchmarks), start, looks, LEVEL, seen, source, changes, *closing)


def _file(tag: str) -> str:
    return f"{tag}/{CONTROL}/until-decided.json"


def course_of(root: Root, tag: str, design: SequentialDesign) -> Course:
    """How far the decisions of a tag are.

    Raises:
        HpoctlError: The store cannot be read.
    """
    return follow(design.questions, design.rules, partial(_see, _traces(root, tag, design), design))


def _traces(root: Root, tag: str, design: SequentialDesign) -> dict[str, Traces]:
    """The traces that there are of the methods and benchmarks of a design, by benchmark."""
    seeds = frozenset(design.seeds(design.looks[-1]))
    try:
        loaded = load_traces(LoadRequest((tag,), root.given, Filters(seeds=seeds)))
    except IncompleteError:
        return {}  # nothing is complete yet
    wanted = [
        trace for trace in loaded.traces if trace.method in design.methods and trace.benchmark in design.benchmarks
    ]
    return dict(by_benchmark(wanted))


def _see(traces: dict[str, Traces], design: SequentialDesign, question: Question, seeds: int) -> InterimAnalysis | None:
    return analysis_at(traces.get(question.benchmark, {}), question, design.seeds(seeds), design.rules)
