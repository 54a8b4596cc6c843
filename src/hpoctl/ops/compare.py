"""`hpoctl compare`: the methods of one or several tags, compared with one another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from hpoctl.analysis.across import Overall, compare_overall
from hpoctl.analysis.comparison import BenchmarkComparison, PairLine, by_benchmark, compare_benchmark
from hpoctl.analysis.paired import LEVEL
from hpoctl.analysis.power import FEWEST
from hpoctl.analysis.traces import Trace
from hpoctl.core.errors import UsageError, unknown_name
from hpoctl.ops.load_traces import LoadRequest, Skipped, load_traces
from hpoctl.ops.roots import Root


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """What is compared.

    Attributes:
        load: Which results are read; `methods` of it are not used.
        methods: The methods, in the order in which they are judged; none: all.
        at: The share of the budget at which they are compared.
    """

    load: LoadRequest
    methods: tuple[str, ...] = ()
    at: float = 1.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """The methods of one or several tags, compared with one another.

    Attributes:
        tags: The tags.
        at: The share of the budget at which they are compared.
        level: The level of the tests, and one less the confidence of the intervals.
        methods: The methods.
        benchmarks: Each benchmark.
        overall: All benchmarks together; None: there are not two methods with two benchmarks in common.
        skipped: Results that were left out, and experiments that are missing.
        notes: What a person should know before believing any of it.
        launches: The commands that run more seeds, by benchmark; only for two methods and all
            seeds, where it is not decided.
    """

    tags: tuple[str, ...]
    at: float
    level: float
    methods: tuple[str, ...]
    benchmarks: tuple[BenchmarkComparison, ...]
    overall: Overall | None
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]
    launches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def compare(request: CompareRequest, root: Root) -> Comparison:
    """Compare methods on each benchmark, pair by pair, and over all benchmarks.

    Args:
        request: What is compared.
        root: The root of results, for the commands that are proposed.

    Raises:
        UsageError: There are fewer than two methods, one is unknown, the time is none, or results do not go together.
        IncompleteError: There is nothing of a tag, or no completed experiment fits.
        HpoctlError: The store cannot be read.
    """
    if not 0.0 < request.at <= 1.0:
        raise UsageError(f"--at is {request.at:g}.", "Use a share of the budget: above 0, at most 1.")
    if len(request.methods) == 1:
        raise UsageError(f"{request.methods[0]} alone cannot be compared.", "Name another method, or none for all.")
    bases = tuple(dict.fromkeys(_base(name) for name in request.methods))
    loaded = load_traces(replace(request.load, methods=bases))
    chosen = _chosen(loaded.traces, request.methods, root.command("compare", *_tag_words(request.load.tags)))
    grouped = by_benchmark(chosen)
    methods = tuple(dict.fromkeys(trace.method for trace in chosen))
    if len(methods) < 2:
        raise UsageError(
            f"There are results of {methods[0]} only.", "Name another --tag too, or launch a second method."
        )
    benchmarks = tuple(compare_benchmark(name, traces, request.at) for name, traces in grouped.items())
    launches: dict[str, tuple[str, ...]] = {}
    if len(methods) == 2 and request.load.seeds is None:  # otherwise it is not known which seeds there are
        for found in benchmarks:
            commands = [word for pair in found.pairs for word in _launches(found.benchmark, pair, chosen, root)]
            if commands:
                launches[found.benchmark] = tuple(commands)
    return Comparison(
        tags=tuple(dict.fromkeys(request.load.tags)),
        at=request.at,
        level=LEVEL,
        methods=methods,
        benchmarks=benchmarks,
        overall=compare_overall(grouped, request.at),
        skipped=loaded.skipped,
        notes=loaded.notes,
        launches=launches,
    )


def _base(name: str) -> str:
    """The name of a method without the tag that tells it from the same method of another tag."""
    return name.partition(" (")[0]


def _tag_words(tags: Sequence[str]) -> list[str]:
    return [word for tag in tags for word in ("--tag", tag)]


def _chosen(traces: Sequence[Trace], names: Sequence[str], listing: str) -> list[Trace]:
    """The traces of the methods that are named, in the order of the names; none: all.

    Raises:
        UsageError: A name is unknown.
    """
    if not names:
        return list(traces)
    known = dict.fromkeys(trace.method for trace in traces)
    chosen: dict[str, None] = {}
    for name in names:
        these = [method for method in known if name in (method, _base(method))]
        if not these:
            raise unknown_name("method", name, known, listing)
        chosen |= dict.fromkeys(these)
    return [trace for method in chosen for trace in traces if trace.method == method]


def _launches(benchmark: str, pair: PairLine, traces: Sequence[Trace], root: Root) -> list[str]:
    """The commands that run as many more seeds as would decide; none: it is decided, or hopeless."""
    more = FEWEST - pair.paired.n if pair.more is None else pair.more.more
    if pair.verdict != "undecided" or more is None:
        return []
    here = [trace for trace in traces if trace.benchmark == benchmark and trace.method in (pair.first, pair.second)]
    start = max(trace.seed for trace in here) + 1
    seeds = ["--start-seed", str(start), "--num-seeds", str(start + max(more, 1))]
    by_tag: dict[str, list[str]] = {}
    for trace in here:
        names = by_tag.setdefault(trace.tag, [])
        if _base(trace.method) not in names:
            names.append(_base(trace.method))
    return [
        root.command(
            "launch",
            "--tag",
            tag,
            *(word for name in names for word in ("--method", name)),
            "--benchmark",
            benchmark,
            *seeds,
        )
        for tag, names in by_tag.items()
    ]
