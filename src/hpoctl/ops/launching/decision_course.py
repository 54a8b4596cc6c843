"""How far the decisions of a tag are: found again from its results each time, and kept nowhere."""

from functools import partial

from hpoctl.analysis.comparison import Traces, by_benchmark
from hpoctl.analysis.decisions import Course, Look, Question, follow, look_at
from hpoctl.core.errors import IncompleteError
from hpoctl.ops.launching.sequential_design import SequentialDesign
from hpoctl.ops.reading.load_traces import LoadRequest, load_traces
from hpoctl.ops.studies.roots import Root


def course_of(root: Root, tag: str, design: SequentialDesign) -> Course:
    """How far the decisions of a tag are.

    Raises:
        HpoctlError: The store cannot be read.
    """
    return follow(design.questions, design.looks, partial(_see, _traces(root, tag, design), design), design.level)


def _traces(root: Root, tag: str, design: SequentialDesign) -> dict[str, Traces]:
    """The traces that there are of the methods and benchmarks of a design, by benchmark."""
    seeds = frozenset(design.seeds(design.looks[-1]))
    try:
        loaded = load_traces(LoadRequest((tag,), root.given, seeds=seeds))
    except IncompleteError:
        return {}  # nothing is complete yet
    wanted = [
        trace for trace in loaded.traces if trace.method in design.methods and trace.benchmark in design.benchmarks
    ]
    return dict(by_benchmark(wanted))


def _see(traces: dict[str, Traces], design: SequentialDesign, question: Question, seeds: int) -> Look | None:
    return look_at(traces.get(question.benchmark, {}), question, design.seeds(seeds))
