"""`hpoctl compare`: the methods of one or several tags, compared with one another, and the figure of their ranks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hpoctl.analysis.comparison import by_benchmark
from hpoctl.analysis.comparison_model import CompareOptions
from hpoctl.analysis.critical_difference import RanksPicture, draw_ranks, ordered
from hpoctl.analysis.drawing import figure_format
from hpoctl.analysis.overall_findings import rank_notes
from hpoctl.analysis.shown import text_of
from hpoctl.analysis.study_comparison import Comparison, compare_study, with_interim_verdicts
from hpoctl.analysis.traces import Trace
from hpoctl.core.errors import UsageError, unknown_name
from hpoctl.ops.launching.decided_pairs import DecidedPairs, decided_pairs
from hpoctl.ops.launching.seed_commands import ImportedSeeds, SeedCommands, seed_commands
from hpoctl.ops.reading.load_traces import LoadRequest, Skipped, load_traces
from hpoctl.ops.reading.setups import bare_name
from hpoctl.ops.reading.tag_contents import failed_experiments
from hpoctl.ops.reading.written_files import check_file, write_file
from hpoctl.ops.studies.config import Root


@dataclass(frozen=True, slots=True)
class ComparedTags:
    """The methods of one or several tags, compared with one another.

    Attributes:
        tags: The tags.
        comparison: The comparison.
        skipped: Results that were left out, and experiments that are missing.
        notes: What a person should know before believing any of it.
        modelled: The benchmarks whose data are modelled, so far as the results say so.
        launches: The commands that run more seeds, by benchmark; only for two methods and all
            seeds, where it is not decided.
        imported: What takes the place of these commands where results of the two are imported.
        until_decided: The command that adds new seeds until it is decided, with an error that holds; None: there are
            not two methods of one tag, or all is decided or hopeless.
        in_looks: The pairs that interim analyses decide; None: no pairs, or not all of their results are compared.
    """

    tags: tuple[str, ...]
    comparison: Comparison
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]
    modelled: tuple[str, ...] = ()
    launches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    imported: Mapping[str, ImportedSeeds] = field(default_factory=dict)
    until_decided: str | None = None
    in_looks: DecidedPairs | None = None


def compare(load: LoadRequest, named: Sequence[str], options: CompareOptions, root: Root) -> ComparedTags:
    """Compare methods on each benchmark, pair by pair, and over all benchmarks.

    Args:
        load: Which results are read; `methods` of it are not used.
        named: The methods, in the order in which they are judged; none: all.
        options: How they are compared.
        root: The root of results, for the commands that are proposed.

    Raises:
        UsageError: There are fewer than two methods, one is unknown, the time is not positive, or results cannot be
            compared.
        IncompleteError: There is nothing of a tag, or no completed experiment fits.
        HpoctlError: The store cannot be read.
    """
    at = options.at
    if not 0.0 < at <= 1.0:
        raise UsageError(f"--at is {at:g}.", "Use a share of the budget: above 0, at most 1.")
    if len(named) == 1:
        raise UsageError(f"{named[0]} alone cannot be compared.", "Name another method, or none for all.")
    bases = tuple(dict.fromkeys(bare_name(name) for name in named))
    loaded = load_traces(replace(load, filters=replace(load.filters, methods=bases)))
    tag_words = [word for tag in load.tags for word in ("--tag", tag)]
    chosen = _chosen(loaded.traces, named, root.command("compare", *tag_words))
    grouped = by_benchmark(chosen)
    methods = tuple(dict.fromkeys(trace.method for trace in chosen))
    if len(methods) < 2:
        raise UsageError(
            f"There are results of {methods[0]} only.", "Name another --tag too, or launch a second method."
        )
    comparison = compare_study(grouped, options, failed_experiments(loaded.skipped))
    in_looks, notes = decided_pairs(root, load.tags, whole=at == 1.0 and load.every_seed)
    if in_looks is not None:
        comparison = with_interim_verdicts(comparison, in_looks.verdicts)
    names = ", ".join(loaded.modelled)
    modelled = [f"data of {names}: modelled curves, not measured ones"] if names else []
    more = SeedCommands()
    if len(methods) == 2 and load.filters.seeds is None:  # otherwise it is not known which seeds there are
        more = seed_commands(comparison.benchmarks, chosen, loaded.imported, loaded.options, in_looks, root)
    return ComparedTags(
        tags=tuple(dict.fromkeys(load.tags)),
        comparison=comparison,
        skipped=loaded.skipped,
        notes=(*loaded.notes, *notes, *modelled),
        modelled=loaded.modelled,
        launches=more.launches,
        imported=more.imported,
        until_decided=more.until_decided,
        in_looks=in_looks,
    )


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
        matching = [method for method in known if name in (method, bare_name(method))]
        if not matching:
            raise unknown_name("method", name, known, listing)
        chosen |= dict.fromkeys(matching)
    return [trace for method in chosen for trace in traces if trace.method == method]


def check_picture(path: Path) -> None:
    """Refuse a file that no picture can go to, before any work is done.

    Raises:
        UsageError: Its suffix is not a format, or there is no such folder.
    """
    figure_format(path)
    check_file(path)


def write_ranks(found: ComparedTags, path: Path) -> None:
    """Draw the mean ranks over all benchmarks, with what the test can show.

    Raises:
        UsageError: There are not two methods that have two benchmarks in common, or matplotlib is missing.
        HpoctlError: The file cannot be written.
    """
    overall = found.comparison.overall
    if overall is None:
        raise UsageError(
            "There are no ranks: that takes two methods that have two benchmarks in common.",
            "Leave --critical-difference out, or name more --benchmark.",
        )
    names, ranks = ordered([line.method for line in overall.methods], overall.ranks)
    seeds = ", ".join(f"{name} ({count} seeds)" for name, count in zip(overall.benchmarks, overall.seeds, strict=True))
    notes = [text_of(note) for note in rank_notes(overall, "overall")]
    if ranks.friedman_p is not None:
        notes.append(f"Friedman's test over benchmarks, by permutation: p = {ranks.friedman_p:.2g}.")
    notes += [
        f"Bars join methods that Nemenyi's test at {100 * found.comparison.level:g} % does not separate.",
        f"Ranks by the median over the seeds that all methods have: {seeds}.",
        *overall.left_out,
        *([f"Data of {', '.join(found.modelled)}: modelled curves, not measured ones."] if found.modelled else []),
    ]
    at = "" if found.comparison.at == 1.0 else f" at {100 * found.comparison.at:g} % of the budget"
    title = f"{', '.join(found.tags)}: mean ranks over benchmarks{at}, 1 is the best"
    write_file(path, draw_ranks(RanksPicture(title, names, ranks, notes), figure_format(path)))
