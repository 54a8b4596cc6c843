"""How many more seeds two methods need where it is not decided, and the commands that run them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hpoctl.analysis.comparison_model import BenchmarkComparison, PairLine
from hpoctl.analysis.group_sequential import most_seeds
from hpoctl.analysis.paired import LEVEL
from hpoctl.analysis.power import FEWEST
from hpoctl.analysis.traces import Trace
from hpoctl.ops.launching.decided_pairs import DecidedPairs
from hpoctl.ops.reading.load_traces import Group
from hpoctl.ops.reading.setups import bare_name
from hpoctl.ops.studies.config import Root

MOST_PROPOSED = 200
"""More seeds than this are not proposed as the most to be run; who wants them says so."""


@dataclass(frozen=True, slots=True)
class ImportedSeeds:
    """Seeds that cannot be launched here, as results of the two methods are imported.

    Attributes:
        methods: Those of the two that are imported.
        tags: The tags that they are in.
        more: How many more seeds would decide.
    """

    methods: tuple[str, ...]
    tags: tuple[str, ...]
    more: int


@dataclass(frozen=True, slots=True)
class SeedCommands:
    """What is proposed where it is not decided.

    Attributes:
        launches: The commands that run more seeds, by benchmark.
        imported: What takes their place where results are imported, by benchmark.
        until_decided: The command that adds new seeds until it is decided; None: no such command.
    """

    launches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    imported: Mapping[str, ImportedSeeds] = field(default_factory=dict)
    until_decided: str | None = None


def seed_commands(
    benchmarks: Sequence[BenchmarkComparison],
    traces: Sequence[Trace],
    imported: frozenset[Group],
    options: Mapping[Group, tuple[str, ...]],
    in_looks: DecidedPairs | None,
    root: Root,
) -> SeedCommands:
    """What runs as many more seeds of two methods as would decide; nothing where it is decided, or hopeless.

    Args:
        benchmarks: The benchmarks, with one pair at most.
        traces: All results of the two methods.
        imported: Whose results are imported.
        options: The options of results that `hpoctl run` made.
        in_looks: The pairs that interim analyses decide: for these no seeds are proposed.
        root: The root of results.
    """
    launches: dict[str, tuple[str, ...]] = {}
    elsewhere: dict[str, ImportedSeeds] = {}
    for found in benchmarks:
        for pair in found.pairs:
            more = _more(pair)
            if more is None or (in_looks is not None and in_looks.covers(pair, found.benchmark)):
                continue
            here = [each for each in traces if each.benchmark == found.benchmark]
            others = [each for each in here if Group(each.tag, each.method, each.benchmark) in imported]
            if others:
                methods, tags = ({each.method: None for each in others}, {each.tag: None for each in others})
                elsewhere[found.benchmark] = ImportedSeeds(tuple(methods), tuple(tags), more)
            else:
                launches[found.benchmark] = tuple(_launches(here, more, options, root))
    until_decided = None
    undecided = [found for found in benchmarks if found.benchmark in launches]
    if in_looks is None and len({options.get(_group(trace), ()) for trace in traces}) == 1:
        until_decided = _until_decided(undecided, traces, options.get(_group(traces[0]), ()), root)
    return SeedCommands(launches, elsewhere, until_decided)


def _more(pair: PairLine) -> int | None:
    """How many more seeds would decide; None: it is decided, or hopeless."""
    more = FEWEST - pair.paired.n if pair.more is None else pair.more.more
    if pair.verdict != "undecided" or pair.refused is not None or more is None:
        return None
    return max(more, 1)


def _group(trace: Trace) -> Group:
    return Group(trace.tag, trace.method, trace.benchmark)


def _launches(traces: Sequence[Trace], more: int, options: Mapping[Group, tuple[str, ...]], root: Root) -> list[str]:
    """The commands that run more seeds of some results on one benchmark, one for each tag and its options."""
    start = max(trace.seed for trace in traces) + 1
    methods: dict[tuple[str, tuple[str, ...]], dict[str, None]] = {}
    for trace in traces:
        methods.setdefault((trace.tag, options.get(_group(trace), ())), {})[bare_name(trace.method)] = None
    seeds = ["--benchmark", traces[0].benchmark, "--start-seed", str(start), "--num-seeds", str(start + more)]
    return [
        root.command("launch", "--tag", tag, *(word for name in names for word in ("--method", name)), *seeds, *same)
        for (tag, same), names in methods.items()
    ]


def _until_decided(
    undecided: Sequence[BenchmarkComparison], traces: Sequence[Trace], options: tuple[str, ...], root: Root
) -> str | None:
    """The command that decides two methods of one tag with new seeds: those that were looked at do not count."""
    tags = {trace.tag for trace in traces}
    pairs = [pair for found in undecided for pair in found.pairs]
    if len(tags) != 1 or not pairs:
        return None
    needed = max(FEWEST if pair.more is None else pair.paired.n + (pair.more.more or 0) for pair in pairs)
    most = min(most_seeds(needed, len(pairs), LEVEL), MOST_PROPOSED)
    start = max(trace.seed for trace in traces) + 1
    names = [word for found in undecided for word in ("--benchmark", found.benchmark)]
    words = ["--tag", *tags, *names, "--until-decided", "--pairs", f"{pairs[0].first}:{pairs[0].second}"]
    return root.command("launch", *words, "--start-seed", str(start), "--max-seeds", str(most), *options)
