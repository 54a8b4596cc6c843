"""What `hpoctl compare` shows: a block for each benchmark, a block for all of them, what is left out."""

from collections.abc import Sequence

from hpoctl.analysis.across import Overall
from hpoctl.analysis.comparison import BenchmarkComparison, PairLine
from hpoctl.analysis.paired import Interval
from hpoctl.analysis.power import FEWEST, MOST
from hpoctl.analysis.scores import THRESHOLDS
from hpoctl.analysis.time_to_target import TimeRatio
from hpoctl.cli.decided_report import VALID_WAY, looks_lines
from hpoctl.cli.documents import Block, Grid, Heading, Lines
from hpoctl.cli.words import many
from hpoctl.ops.answers.compare import Comparison
from hpoctl.ops.launching.more_seeds import ImportedSeeds
from hpoctl.ops.reading.load_traces import Skipped
from hpoctl.ops.studies.seed_ranges import seeds_text

MOST_LINES = 20


def blocks(comparison: Comparison) -> list[Block]:
    """All that is shown, in order."""
    two = len(comparison.methods) == 2
    shown: list[Block] = []
    for found in comparison.benchmarks:
        shown += _benchmark(found, comparison, seeds=two)
    if comparison.until_decided is not None:
        shown.append(Lines([VALID_WAY, f"$ {comparison.until_decided}"]))
    if comparison.overall is not None:
        shown += _overall(comparison.overall)
    shown += _left_out(comparison)
    return shown


def how_to_read(comparison: Comparison) -> list[str]:
    """What the columns mean, a line each."""
    confidence = f"{100 * (1 - comparison.level):g} %"
    verdicts = (
        f"A is better or worse where p, adjusted by Holm for all pairs of the benchmark, is at most "
        f"{comparison.level:g}; otherwise it is undecided, which is not the same as equal."
    )
    numbers = (
        "The test is the signed-rank test, paired by seed; the first difference or ratio is the shift of Hodges and "
        f"Lehmann. Intervals are of {confidence} each and not adjusted."
    )
    return [verdicts, numbers]


def _benchmark(found: BenchmarkComparison, comparison: Comparison, *, seeds: bool) -> list[Block]:
    goal = "minimised" if found.mode == "min" else "maximised"
    kind = "ratio" if found.log else "difference"
    lines = [
        f"{found.metric}, {goal}, at {found.time:g} s, {100 * comparison.at:g} % of the budget",
        f"compared by the {'ratio A / B' if found.log else 'difference A - B'}, as values "
        + ("are positive and span more than a decade" if found.log else _why_difference(found)),
    ]
    heights = any(line.mean_height is not None for line in found.methods)
    methods = Grid(
        ["method", "seeds", "median", "IQM", *(["mean over time"] if heights else [])],
        [
            [
                line.method,
                str(line.n),
                _number(line.median),
                _number(line.interquartile_mean),
                *([_maybe(line.mean_height)] if heights else []),
            ]
            for line in found.methods
        ],
    )
    shown: list[Block] = [Heading(found.benchmark), Lines(lines), methods]
    if found.pairs:
        shown += [_pairs(found, comparison, kind), _targets(found)]
    remarks = [*_remarks(found, comparison.level), *looks_lines(found, comparison.in_looks), *found.notes]
    if remarks:
        shown.append(Lines(remarks))
    if seeds:
        for pair in found.pairs:
            if comparison.in_looks is None or not comparison.in_looks.covers(pair, found.benchmark):
                shown.append(Lines(_more(found, pair, comparison)))
    return shown


def _why_difference(found: BenchmarkComparison) -> str:
    return "are maximised" if found.mode == "max" else "do not span a decade, or are not all positive"


def _pairs(found: BenchmarkComparison, comparison: Comparison, kind: str) -> Grid:
    confidence = f"{100 * (1 - comparison.level):g} %"
    moments = [place for place, moment in enumerate(found.pairs[0].moments) if moment.fraction != comparison.at]
    better = "lower" if found.mode == "min" else "higher"
    titles = ["A", "B", "A is", f"{kind} [{confidence}]", "p", "p Holm", f"P(A {better}) [{confidence}]", "seeds"]
    titles += [f"mean {kind}", f"median {kind}"]
    titles += [f"at {100 * found.pairs[0].moments[place].fraction:g} %" for place in moments]
    rows = []
    for pair in found.pairs:
        paired = pair.paired
        chance, interval = paired.lower, paired.lower_interval
        if found.mode == "max":
            chance, interval = 1.0 - chance, Interval(1.0 - interval.high, 1.0 - interval.low)
        row = [pair.first, pair.second, pair.verdict, _with(paired.shift, paired.shift_interval)]
        in_looks = comparison.in_looks is not None and comparison.in_looks.covers(pair, found.benchmark)
        row += ["in looks", "in looks"] if in_looks else [_p(paired.test.p), _p(pair.p_holm)]
        row += [_share(chance, interval), str(paired.n)]
        row += [_number(paired.mean), _number(paired.median)]
        row += [_with(pair.moments[place].shift, pair.moments[place].interval) for place in moments]
        rows.append(row)
    return Grid(titles, rows, keys=2)


def _targets(found: BenchmarkComparison) -> Grid:
    """How long the better one of each pair takes to the last values of the other."""
    rows = []
    for pair in found.pairs:
        lead = pair.paired.test.lead * (1 if found.mode == "min" else -1)
        first, second, ratio = pair.first, pair.second, pair.reaches
        if lead > 0:
            first, second, ratio = pair.second, pair.first, pair.reached
        rows.append([first, second, _time_share(ratio), f"{ratio.reached} of {ratio.n}"])
    return Grid(["method", "gets to the last value of", "in so much of its time", "seeds that get there"], rows, keys=2)


def _time_share(ratio: TimeRatio) -> str:
    if ratio.median is None or ratio.interval is None:
        return "too few get there"
    return _with(ratio.median, ratio.interval)


def _remarks(found: BenchmarkComparison, level: float) -> list[str]:
    lines = []
    if found.smallest_p is not None and found.smallest_p > level:
        least = _p(found.smallest_p)
        lines.append(f"So few seeds cannot decide any pair: no adjusted p value can be below {least}.")
    lines += [
        f"{line.method} has no value by then for {_seeds(line.without_value)}: left out."
        for line in found.methods
        if line.without_value
    ]
    for pair in found.pairs:
        if pair.unpaired:
            lines.append(f"{pair.first} and {pair.second}: {_seeds(pair.unpaired)} only one of them has, left out.")
        test = pair.paired.test
        if test.zeros:
            lines.append(f"{pair.first} and {pair.second} are equal in {many(test.zeros, 'seed')} of {pair.paired.n}.")
        if not test.exact:
            lines.append(f"{pair.first} and {pair.second}: p from the normal distribution, as there are many seeds.")
    return lines if len(lines) <= MOST_LINES else [*lines[:MOST_LINES], _and_more(len(lines) - MOST_LINES)]


def _more(found: BenchmarkComparison, pair: PairLine, comparison: Comparison) -> list[str]:
    commands = [f"$ {command}" for command in comparison.launches.get(found.benchmark, ())]
    if found.benchmark in comparison.imported:
        commands = [_imported(comparison.imported[found.benchmark])]
    if pair.more is None:
        few = many(pair.paired.n, "pair")
        return [f"{few} of seeds cannot decide anything: the test needs {FEWEST}, and more to find less.", *commands]
    more = pair.more
    lines = [f"{many(more.n, 'pair')} of seeds can detect {_detectable(pair, found)} with a chance of 80 %."]
    if pair.verdict != "undecided":
        return [*lines, f"Decided: {pair.first} is {pair.verdict} than {pair.second}."]
    low, high = (f"more than {MOST - more.n:,}" if end is None else f"{end:,}" for end in more.interval)
    if more.more is None:
        lines.append(
            f"Not decided. If the difference is what these seeds show, it takes more than {MOST - more.n:,} more: it "
            "is too small to be found."
        )
    else:
        lines.append(
            f"Not decided. If the difference is what these seeds show, {max(more.more, 1):,} more would decide with a "
            f"chance of 80 % (80 % interval: {low} to {high})."
        )
    lines += commands
    lines.append(
        f"Evidence that holds however often it is looked at: {_number(pair.evidence)}; {1 / comparison.level:g} "
        "decides. A test that is repeated until it decides does not hold."
    )
    return lines


def _imported(seeds: ImportedSeeds) -> str:
    """What is said instead of a command, as nothing here runs more seeds of what another program made."""
    return (
        f"Imported in tag {', '.join(seeds.tags)}: {', '.join(seeds.methods)}. hpoctl cannot launch more of these: run "
        f"{many(seeds.more, 'more seed')} where the others were made, and import them."
    )


def _detectable(pair: PairLine, found: BenchmarkComparison) -> str:
    if pair.more is None or pair.more.detectable is None:
        return "nothing"
    if found.log:
        from math import exp

        return f"a ratio of {_number(exp(pair.more.detectable))}, or of {_number(exp(-pair.more.detectable))},"
    return f"a difference of {_number(pair.more.detectable)}"


def _overall(overall: Overall) -> list[Block]:
    named = ", ".join(f"{name} ({many(count, 'seed')})" for name, count in overall.benchmarks.items())
    such = "benchmarks like these [95 %]"
    rows = [
        [
            line.method,
            f"{line.mean_rank:.2f}",
            f"{line.mean_seed_rank:.2f}",
            f"{line.score:.3f} {_brackets(line.these, '.3f')}",
            _brackets(line.such, ".3f"),
            *(f"{100 * share:.0f} %" for share in line.profile),
        ]
        for line in overall.methods
    ]
    titles = ["method", "rank", "rank by seed", "score [95 %]", such, *(f"score <= {level:g}" for level in THRESHOLDS)]
    ranks = overall.ranks
    lines = ["seeds with values of all methods: " + named, *overall.left_out]
    after = [ranks.power_note]
    if ranks.friedman_p is not None:
        after.insert(0, f"Friedman's test over benchmarks: p = {_p(ranks.friedman_p)}.")
    after.append(
        "rank: by the median over seeds. score: interquartile mean over benchmarks and seeds of values between 0, the "
        "best on a benchmark, and 1, the worst; its interval is about these benchmarks, the next one about benchmarks "
        "like these."
    )
    if len(overall.benchmarks) < 10:
        few = many(len(overall.benchmarks), "benchmark")
        after.append(f"{few} are too few to tell what others would show: the last interval is too narrow.")
    return [Heading("all benchmarks"), Lines(lines), Grid(titles, rows), Lines(after)]


def _left_out(comparison: Comparison) -> list[Block]:
    lines = [*comparison.notes, *_skipped(comparison.skipped)]
    return [Heading("left out, and to be known"), Lines(lines)] if lines else []


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
    every = [*grouped, *lines]
    return every if len(every) <= MOST_LINES else [*every[:MOST_LINES], _and_more(len(every) - MOST_LINES)]


def _and_more(count: int) -> str:
    return f"and {many(count, 'more line')}; --json has all of them"


def _seeds(seeds: Sequence[int]) -> str:
    return f"{'seed' if len(set(seeds)) == 1 else 'seeds'} {seeds_text(seeds)}"


def _number(value: float) -> str:
    return f"{value:.3g}"


def _maybe(value: float | None) -> str:
    return "-" if value is None else _number(value)


def _with(value: float | None, interval: Interval | None) -> str:
    if value is None or interval is None:
        return "-"
    return f"{_number(value)} {_brackets(interval, '.3g')}"


def _brackets(interval: Interval, form: str) -> str:
    low, high = (f"{end:{form}}".replace("inf", "unknown").replace("-unknown", "unknown") for end in _ends(interval))
    return f"[{low}, {high}]"


def _ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def _share(chance: float, interval: Interval) -> str:
    return f"{chance:.2f} {_brackets(interval, '.2f')}"


def _p(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"
