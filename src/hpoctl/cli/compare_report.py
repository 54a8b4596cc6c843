"""What `hpoctl compare` shows: its verdict in sentences, and with `--full` every table of the comparison."""

from collections.abc import Sequence

from hpoctl.analysis.comparison_model import BenchmarkComparison, PairLine
from hpoctl.analysis.comparison_tables import method_table, overall_tables, pair_table, run_time_table
from hpoctl.analysis.findings import (
    family_words,
    findings,
    interim_words,
    pair_finding,
)
from hpoctl.analysis.overall_findings import overall_words, rank_notes
from hpoctl.analysis.overall_model import Overall
from hpoctl.analysis.shown import Table, text_of
from hpoctl.analysis.study_comparison import Comparison
from hpoctl.cli.decided_report import SEQUENTIAL_TEST, interim_lines
from hpoctl.cli.documents import Block, Grid, Heading, Lines
from hpoctl.cli.words import many
from hpoctl.ops.answers.compare import ComparedTags
from hpoctl.ops.launching.seed_commands import ImportedSeeds
from hpoctl.ops.reading.load_traces import Skipped
from hpoctl.ops.studies.seed_ranges import seeds_text

MOST_LINES = 20
MOST_FINDINGS = 16
"""So many sentences at most are shown without `--full`."""


def verdict(found: ComparedTags) -> list[Block]:
    """The outcome in sentences, about 25 lines, with the commands that run more seeds."""
    comparison = found.comparison
    lines = [text_of(sentence) for sentence in findings(comparison)]
    if len(lines) > MOST_FINDINGS:
        more = many(len(lines) - MOST_FINDINGS, "more line")
        lines = [*lines[: MOST_FINDINGS - 1], f"... {more}: --full", lines[-1]]
    shown: list[Block] = [Heading(_title(found)), Lines(lines)]
    if len(comparison.methods) == 2:
        for each in comparison.benchmarks:
            shown += [Lines(each_pair) for pair in each.pairs if (each_pair := _pair_lines(each, pair, found))]
    if found.until_decided is not None:
        shown.append(Lines([SEQUENTIAL_TEST, f"$ {found.until_decided}"]))
    remarks = [remark for each in comparison.benchmarks for remark in [*_lost(each), *_unpaired(each), *each.notes]]
    remarks += [*found.notes, *_skipped(found.skipped)]
    if remarks:
        shown.append(Lines(_at_most(remarks, 6)))
    return shown


def blocks(found: ComparedTags) -> list[Block]:
    """Everything: the verdict, the tables of each benchmark and of all of them, what is left out."""
    comparison = found.comparison
    shown = verdict(found)
    for place, each in enumerate(comparison.benchmarks):
        shown += _benchmark(each, f"comparison.benchmarks.{place}", found)
    if comparison.overall is not None:
        shown += _overall(comparison, comparison.overall)
    shown += _left_out(found)
    return [*shown, Lines(how_to_read(found))]


def how_to_read(found: ComparedTags) -> list[str]:
    """What the columns mean, a line each."""
    level = found.comparison.level
    verdicts = (
        f"A is better or worse where p, adjusted ({family_words(found.comparison)}), is at most {level:g}; otherwise "
        "it is undecided, which is not the same as equal."
    )
    numbers = (
        "The test is the signed-rank test, paired by seed; the first difference or ratio is the shift of Hodges and "
        f"Lehmann. A run without a finite value counts as the worst. Intervals are of {100 * (1 - level):g} % each and "
        "not adjusted."
    )
    rules = found.comparison.interim
    if rules is None:
        return [verdicts, numbers]
    interim = (
        f"Pairs without p are decided by another test: {interim_words(rules)}. The tables show their shifts, intervals "
        "and speed-ups of all seeds that were run, without a correction for an early stop; the lines about interim "
        "analyses are corrected."
    )
    return [*([verdicts] if found.comparison.pairs > found.comparison.interim_pairs else []), interim, numbers]


def _title(found: ComparedTags) -> str:
    comparison = found.comparison
    counts = f"{many(len(comparison.methods), 'method')}, {many(len(comparison.benchmarks), 'benchmark')}"
    return f"{', '.join(found.tags)}: {counts}, at {100 * comparison.at:g} % of the budget"


def _benchmark(found: BenchmarkComparison, path: str, compared: ComparedTags) -> list[Block]:
    comparison = compared.comparison
    goal = "minimised" if found.mode == "min" else "maximised"
    lines = [
        f"{found.metric}, {goal}, at {found.time:g} s, {100 * comparison.at:g} % of the budget",
        f"compared by the {'ratio A / B' if found.log else 'difference A - B'}, as values "
        + ("are positive and span more than a decade" if found.log else _why_difference(found)),
    ]
    shown: list[Block] = [Heading(found.benchmark), Lines(lines), _grid(method_table(found, path))]
    if found.pairs:
        shown.append(_grid(pair_table(found, path, comparison.level, comparison.margin)))
    if found.targets:
        shown.append(_grid(run_time_table(found, path)))
    remarks = [*_remarks(found, comparison.level), *interim_lines(found, compared.in_looks), *found.notes]
    return [*shown, Lines(remarks)] if remarks else shown


def _why_difference(found: BenchmarkComparison) -> str:
    return "are maximised" if found.mode == "max" else "do not span a decade, or are not all positive"


def _grid(table: Table) -> Grid:
    rows = [[text_of(cell) for cell in row] for row in table.rows]
    return Grid(table.titles, rows, keys=table.keys)


def _remarks(found: BenchmarkComparison, level: float) -> list[str]:
    lines = []
    if found.smallest_p is not None and found.smallest_p > level:
        least = f"{found.smallest_p:.4f}"
        lines.append(f"So few seeds cannot decide any pair: no adjusted p value can be below {least}.")
    lines += _lost(found)
    for pair in found.pairs:
        if pair.unpaired:
            lines.append(f"{pair.first} and {pair.second}: {_seeds(pair.unpaired)} only one of them has, left out.")
        test = pair.paired.test
        if test.zeros:
            lines.append(f"{pair.first} and {pair.second} are equal in {many(test.zeros, 'seed')} of {pair.paired.n}.")
        if not test.exact:
            lines.append(f"{pair.first} and {pair.second}: p from the normal distribution, as there are many seeds.")
    return _at_most(lines, MOST_LINES)


def _lost(found: BenchmarkComparison) -> list[str]:
    """Which runs have no value, and which pairs get no verdict."""
    lines = [
        f"{line.method} has no value on {found.benchmark} for {_seeds(line.without_value)}: they count as the worst."
        for line in found.methods
        if line.without_value
    ]
    refused = dict.fromkeys(pair.refused for pair in found.pairs if pair.refused is not None)
    return [*lines, *(f"No verdict on {found.benchmark}: {reason}." for reason in refused)]


def _unpaired(found: BenchmarkComparison) -> list[str]:
    """Which methods have fewer seeds than others, so that pairs leave seeds out."""
    seeds = len({seed for pair in found.pairs for seed in (*pair.seeds, *pair.unpaired)})
    return [
        f"{line.method} has results of {line.n} of {seeds} seeds on {found.benchmark}: pairs leave the others out."
        for line in found.methods
        if line.n < seeds
    ]


def _pair_lines(found: BenchmarkComparison, pair: PairLine, compared: ComparedTags) -> list[str]:
    """The result of the only pair of a benchmark, and how to decide it."""
    if compared.in_looks is not None and compared.in_looks.covers(pair, found.benchmark):
        return [f"{found.benchmark}:", *interim_lines(found, compared.in_looks)]
    comparison = compared.comparison
    sentences = [text_of(sentence) for sentence in pair_finding(found, pair, "pair", comparison.margin)]
    lines = [f"{found.benchmark}: {pair.first} is {pair.verdict}: {sentences[0]}.", *sentences[1:]]
    lines += [f"$ {command}" for command in compared.launches.get(found.benchmark, ())]
    if found.benchmark in compared.imported:
        lines.append(_imported(compared.imported[found.benchmark]))
    if pair.verdict == "undecided" and pair.more is not None and pair.refused is None:
        lines.append(
            f"Evidence, valid under optional stopping: {pair.evidence:.3g}; {1 / comparison.level:g} decides. "
            "Repeating the test until it decides is not valid."
        )
    return lines


def _imported(seeds: ImportedSeeds) -> str:
    """A hint instead of a command: hpoctl cannot run more seeds of imported results."""
    return (
        f"Imported in tag {', '.join(seeds.tags)}: {', '.join(seeds.methods)}. hpoctl cannot launch more of these: run "
        f"{many(seeds.more, 'more seed')} where the others were made, and import them."
    )


def _overall(comparison: Comparison, overall: Overall) -> list[Block]:
    path = "comparison.overall"
    counts = zip(overall.benchmarks, overall.seeds, strict=True)
    named = ", ".join(f"{name} ({many(count, 'seed')})" for name, count in counts)
    lines = ["seeds with runs of all methods: " + named, *overall.left_out]
    shown: list[Block] = [Heading("all benchmarks"), Lines(lines)]
    for table in overall_tables(overall, path):
        shown += [Lines([table.caption]), _grid(table)]
    notes = [text_of(note) for note in rank_notes(overall, path)]
    return [*shown, Lines([*overall_words(overall, interim=comparison.interim is not None), *notes])]


def _left_out(found: ComparedTags) -> list[Block]:
    lines = [*found.notes, *_skipped(found.skipped)]
    return [Heading("left out, and notes"), Lines(lines)] if lines else []


def _skipped(skipped: Sequence[Skipped]) -> list[str]:
    """Experiments without a result by method and benchmark, and results that are not read with their paths."""
    groups: dict[tuple[str, str, str, str], list[int]] = {}
    lines = []
    for entry in skipped:
        if entry.kind in {"missing", "interrupted", "running", "failed"} and entry.cell is not None:
            key = (entry.kind, entry.cell.method, entry.cell.benchmark, entry.tag)
            groups.setdefault(key, []).append(entry.cell.seed)
        else:
            lines.append(f"{entry.kind}: {entry.path}: {entry.what} ({entry.policy})")
    grouped = [
        f"{kind}: {method} on {benchmark}, tag {tag}, {_seeds(seeds)}"
        for (kind, method, benchmark, tag), seeds in groups.items()
    ]
    return _at_most([*grouped, *lines], MOST_LINES)


def _at_most(lines: list[str], most: int) -> list[str]:
    more = len(lines) - most
    return lines if more <= 0 else [*lines[:most], f"and {many(more, 'more line')}; --json has all of them"]


def _seeds(seeds: Sequence[int]) -> str:
    return f"{'seed' if len(set(seeds)) == 1 else 'seeds'} {seeds_text(seeds)}"
