"""The tables of a report. Each number stands beside its key and its full value, so that it can be checked."""

from collections.abc import Callable, Iterable, Sequence

from hpoctl.analysis.comparison_figure import COLOURS
from hpoctl.analysis.markup import Html, element, joined
from hpoctl.analysis.report_data import ReportData
from hpoctl.analysis.report_numbers import Numbers
from hpoctl.analysis.report_words import Sentence, mode_of, ranking, show
from hpoctl.analysis.scores import THRESHOLDS

Cell = str | Html
NOTHING = Html("&ndash;")


def number(numbers: Numbers, key: str, form: str, name: str = "data") -> Html:
    """A number with its key and its full value; a dash where there is none."""
    if key not in numbers:
        return NOTHING
    return element(name, show(numbers[key], form), data_n=key, data_v=repr(float(numbers[key])))


def interval(numbers: Numbers, key: str, form: str, ends: tuple[str, str] | None = None) -> Html:
    """A number with its interval behind it."""
    low, high = ends or (f"{key}.low", f"{key}.high")
    if key not in numbers:
        return NOTHING
    if low not in numbers:
        return number(numbers, key, form)
    both = (number(numbers, low, form), ", ", number(numbers, high, form))
    return joined([number(numbers, key, form), " ", element("span", "[", *both, "]", class_="ends")])


def sentence_html(sentence: Sentence, numbers: Numbers) -> Html:
    """A sentence with its numbers."""
    return joined(part if isinstance(part, str) else number(numbers, part.key, part.form) for part in sentence)


def table(
    caption: str, titles: Sequence[str], rows: Iterable[Sequence[Cell]], *, heads: int = 1, words: bool = False
) -> Html:
    """A table that scrolls on its own where the screen is narrow.

    Args:
        caption: What it is about.
        titles: The titles of the columns.
        rows: The rows.
        heads: How many columns at the left name the row.
        words: Whether most cells are words, which begin at the left.
    """
    left = ["head" if place < heads else None for place in range(len(titles))]
    head = element(
        "tr", *(element("th", title, scope="col", class_=kind) for title, kind in zip(titles, left, strict=True))
    )
    body = [
        element("tr", *(element("th", cell, scope="row") for cell in row[:heads]), *map(_cell, row[heads:]))
        for row in rows
    ]
    whole = element(
        "table", element("thead", head), element("tbody", *body), aria_label=caption, class_="text" if words else None
    )
    # The caption stays where it is while the table scrolls.
    scrolled = element("div", whole, class_="scroll", tabindex="0", role="region", aria_label=caption)
    return joined([element("p", caption, class_="caption"), scrolled])


def _cell(cell: Cell) -> Html:
    return element("td", cell, class_=None if isinstance(cell, Html) else "words")


def name_of(data: ReportData, method: int) -> Html:
    """The name of a method with its colour."""
    swatch = element("span", class_=f"swatch c{method % len(COLOURS)}", aria_hidden="true")
    return joined([swatch, data.methods[method]])


def method_table(data: ReportData, numbers: Numbers, place: int) -> Html:
    """The methods of a benchmark, the best first."""
    rows = []
    for method in ranking(data, numbers, place):
        key = f"b{place}.m{method}"
        ends = (f"{key}.low", f"{key}.high")
        row: list[Cell] = [name_of(data, method), number(numbers, f"{key}.n", ".0f")]
        row += [interval(numbers, f"{key}.iqm", "#.4g", ends), number(numbers, f"{key}.median", "#.4g")]
        row += [number(numbers, f"{key}.height", "#.4g")]
        row += [number(numbers, f"{key}.{verdict}", ".0f") for verdict in ("better", "undecided", "worse")]
        rows.append(row)
    titles = ["method", "seeds", "interquartile mean at the end [95 %]", "median", "mean over time"]
    titles += ["better than", "undecided", "worse than"]
    return table(f"Methods on {data.benchmarks[place]}, the best first", titles, rows)


def verdict_table(data: ReportData, numbers: Numbers, place: int) -> Html:
    """What is decided between each two methods: the row beside the column."""
    order = ranking(data, numbers, place)
    rows: list[list[Cell]] = []
    for first in order:
        row: list[Cell] = [name_of(data, first)]
        for second in order:
            key = f"b{place}.p{first}-{second}.verdict"
            if first == second or key not in numbers:
                row.append(NOTHING)
            else:
                word = show(numbers[key], "verdict")
                row.append(element("span", number(numbers, key, "verdict"), class_=f"verdict {word}"))
        rows.append(row)
    titles = ["is \\ than", *(data.methods[method] for method in order)]
    return table(f"Which method is better on {data.benchmarks[place]}, at the end", titles, rows)


def pair_table(data: ReportData, numbers: Numbers, place: int) -> Html:
    """All pairs of methods of a benchmark."""
    count = len(data.methods)
    rows = []
    for first in range(count):
        for second in range(first + 1, count):
            key = f"b{place}.p{first}-{second}"
            if f"{key}.n" not in numbers:
                continue
            row: list[Cell] = [name_of(data, first), name_of(data, second)]
            row += [number(numbers, f"{key}.verdict", "verdict"), interval(numbers, f"{key}.shift", ".3g")]
            row += [number(numbers, f"{key}.p", "p"), number(numbers, f"{key}.holm", "p")]
            row += [interval(numbers, f"{key}.chance", ".2f"), number(numbers, f"{key}.n", ".0f")]
            row += [interval(numbers, f"{key}.at{share}", ".3g") for share in (25, 50, 75)]
            row += [_time(numbers, f"b{place}.p{first}-{second}.reaches")]
            row += [_time(numbers, f"b{place}.p{second}-{first}.reaches")]
            rows.append(row)
    kind = "ratio A / B" if numbers[f"b{place}.log"] else "difference A - B"
    better = "higher" if mode_of(data, place) == "max" else "lower"
    titles = ["A", "B", "A is", f"{kind} [95 %]", "p", "p Holm", f"P(A {better}) [95 %]", "seeds"]
    titles += [f"at {share} %" for share in (25, 50, 75)]
    titles += ["A gets to the last value of B in so much of its time", "B to that of A"]
    return table(f"All pairs on {data.benchmarks[place]}", titles, rows, heads=2)


def _time(numbers: Numbers, key: str) -> Html:
    if f"{key}.n" not in numbers:
        return NOTHING
    seeds = [" (", number(numbers, f"{key}.reached", ".0f"), " of ", number(numbers, f"{key}.n", ".0f"), " seeds)"]
    ratio = interval(numbers, key, ".2g") if key in numbers else "too few get there"
    return joined([ratio, *seeds])


def rung_table(data: ReportData, numbers: Numbers, place: int) -> Html:
    """How many trials reach each rung, so far as methods have rungs; nothing: none has."""
    levels = sorted(
        {
            level
            for each in data.experiments
            if each.rungs is not None and each.trace.benchmark == data.benchmarks[place]
            for level in each.rungs.levels
        }
    )
    rows = []
    for method in range(len(data.methods)):
        keys = [f"b{place}.m{method}.r{level}" for level in levels]
        if any(key in numbers for key in keys):
            rows.append([name_of(data, method), *(number(numbers, key, ".1f") for key in keys)])
    if not rows:
        return Html("")
    titles = ["method", *(f"rung {level}" for level in levels)]
    return table(f"Trials at each rung at the end on {data.benchmarks[place]}, median over seeds", titles, rows)


def rank_table(data: ReportData, numbers: Numbers) -> Html:
    """The methods over all benchmarks."""
    rows = []
    known = [method for method in range(len(data.methods)) if f"all.m{method}.rank" in numbers]
    for method in sorted(known, key=lambda method: numbers[f"all.m{method}.rank"]):
        key = f"all.m{method}"
        row: list[Cell] = [name_of(data, method), number(numbers, f"{key}.rank", ".2f")]
        row += [number(numbers, f"{key}.seedrank", ".2f")]
        row += [interval(numbers, f"{key}.score", ".3f", (f"{key}.these.low", f"{key}.these.high"))]
        such = (number(numbers, f"{key}.such.low", ".3f"), ", ", number(numbers, f"{key}.such.high", ".3f"))
        row += [element("span", "[", *such, "]", class_="ends")]
        row += [number(numbers, f"{key}.profile{step}", ".0%") for step in range(len(THRESHOLDS))]
        rows.append(row)
    titles = ["method", "mean rank", "mean rank by seed", "score [95 %]", "benchmarks like these [95 %]"]
    titles += [f"score <= {level:g}" for level in THRESHOLDS]
    return table("Methods over all benchmarks", titles, rows)


def grid(data: ReportData, caption: str, cell: Callable[[int, int], Cell]) -> Html:
    """A table of benchmarks and methods."""
    rows = [
        [data.benchmarks[place], *(cell(place, method) for method in range(len(data.methods)))]
        for place in range(len(data.benchmarks))
    ]
    return table(caption, ["benchmark", *data.methods], rows)


def coverage_table(data: ReportData, numbers: Numbers) -> Html:
    """How many seeds there are of each method on each benchmark."""

    def cell(place: int, method: int) -> Html:
        complete, wanted = (f"b{place}.m{method}.{kind}" for kind in ("complete", "wanted"))
        if not numbers[wanted]:
            return NOTHING
        whole = numbers[complete] == numbers[wanted]
        text = (number(numbers, complete, ".0f"), " of ", number(numbers, wanted, ".0f"))
        return element("span", *text, class_=None if whole else "verdict worse")

    return grid(data, "Seeds with a result", cell)


def left_out_table(data: ReportData) -> Html:
    """What is not read, and why."""
    rows: list[list[Cell]] = [
        [each.kind, each.tag, each.method, each.benchmark, each.seeds, each.what, each.policy, each.path]
        for each in data.left_out
    ]
    titles = ["kind", "tag", "method", "benchmark", "seeds", "what is wrong", "what follows", "where"]
    return table("Results that are not read, and experiments that are missing", titles, rows, words=True)


def cost_table(data: ReportData, numbers: Numbers) -> Html:
    """What experiments took."""
    rows: list[list[Cell]] = []
    forms = {"trials": ",.1f", "rows": ",.1f", "decision": ".3g", "each": ".3g", "cpu": ".3g", "wall": ".3g"}
    for place in range(len(data.benchmarks)):
        for method in range(len(data.methods)):
            key = f"b{place}.m{method}"
            if numbers[f"{key}.complete"]:
                cells = [number(numbers, f"{key}.{name}", form) for name, form in forms.items()]
                rows.append([data.benchmarks[place], name_of(data, method), *cells])
    titles = ["benchmark", "method", "trials", "reports", "decisions (s)", "decisions per trial (ms)"]
    titles += ["processor (s)", "real time (s)"]
    return table(
        "What one experiment took, median over seeds; decisions per trial: over all seeds together",
        titles,
        rows,
        heads=2,
    )


def fact_tables(data: ReportData) -> Html:
    """Where the results come from, a table for each kind of fact."""
    kinds = dict.fromkeys(fact.kind for fact in data.provenance)
    return joined(
        table(
            kind,
            ["what", "value", "experiments"],
            [[fact.what, fact.value, f"{fact.count:,}"] for fact in data.provenance if fact.kind == kind],
            words=True,
        )
        for kind in kinds
    )
