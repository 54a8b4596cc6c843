"""HTML and SVG of a report: text is escaped, and each number stands beside its path and its full value."""

import html
from collections.abc import Iterable, Sequence

from hpoctl.analysis.comparison_figure import COLOURS
from hpoctl.analysis.comparison_model import TURNED, BenchmarkComparison
from hpoctl.analysis.report_data import Fact, LeftOut
from hpoctl.analysis.report_model import Cell
from hpoctl.analysis.shown import NOTHING, Column, Number, Sentence, Table, filled, table

COSTS = (
    Column("benchmark", "{benchmark}"),
    Column("method", "{method}"),
    Column("trials", "{costs.trials:,.1f}"),
    Column("reports", "{costs.rows:,.1f}"),
    Column("decisions, real time (s)", "{costs.decision:.3g}"),
    Column("decisions per trial, real time (ms)", "{decision_per_trial:.3g}"),
    Column("experiment, processor time (s)", "{costs.cpu:.3g}"),
    Column("experiment, real time (s)", "{costs.wall:.3g}"),
)


class Html(str):
    """Markup that may stand on a page as it is."""

    __slots__ = ()


VOID = frozenset({"meta", "br", "line", "rect", "path", "circle"})
"""Elements that have no content and no end."""


def element(name: str, *children: str | Html | Iterable[str], **attributes: str | float | bool | None) -> Html:
    """An element with its children; text among them is escaped.

    Args:
        name: The name of the element.
        children: Text, markup, or several of them.
        attributes: Attributes, `class_` for `class` and `data_n` for `data-n`; None and False leave one out, True gives
            one without a value.
    """
    shown = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID and not children:
        return Html(f"<{name}{shown}/>")
    return Html(f"<{name}{shown}>{joined(children)}</{name}>")


def joined(children: Iterable[str | Html | Iterable[str]]) -> Html:
    """Children one after another."""
    return Html("".join(escaped(child) if isinstance(child, str) else joined(child) for child in children))


def escaped(text: str) -> Html:
    """Text as markup."""
    return text if isinstance(text, Html) else Html(html.escape(text))


def _attribute(key: str, value: str | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return (
        f" {name}"
        if value is True
        else f' {name}="{html.escape(f"{value:g}" if isinstance(value, float) else str(value))}"'
    )


def number_html(number: Number, name: str = "data") -> Html:
    """A number with its path in the model and its full value."""
    return element(name, number.text, data_n=number.path, data_v=repr(float(number.value)))


def sentence_html(sentence: Iterable[str | Number]) -> Html:
    """A sentence with its numbers."""
    return joined(part if isinstance(part, str) else number_html(part) for part in sentence)


def table_html(shown: Table, swatches: Sequence[str] = (), *, words: bool = False) -> Html:
    """A table that scrolls on its own where the screen is narrow.

    Args:
        shown: The table.
        swatches: The names that stand beside a colour, in the order of the colours.
        words: Whether most cells are words, which begin at the left.
    """
    heads = shown.keys
    left = ["head" if place < heads else None for place in range(len(shown.titles))]
    head = element(
        "tr", *(element("th", title, scope="col", class_=kind) for title, kind in zip(shown.titles, left, strict=True))
    )
    body = [
        element(
            "tr",
            *(element("th", _named(cell, swatches), scope="row") for cell in row[:heads]),
            *(_cell(cell, words=words) for cell in row[heads:]),
        )
        for row in shown.rows
    ]
    whole = element(
        "table",
        element("thead", head),
        element("tbody", *body),
        aria_label=shown.caption,
        class_="text" if words else None,
    )
    # The caption stays where it is while the table scrolls.
    scrolled = element("div", whole, class_="scroll", tabindex="0", role="region", aria_label=shown.caption)
    return joined([element("p", shown.caption, class_="caption"), scrolled])


def _cell(cell: Sentence, *, words: bool) -> Html:
    if len(cell) == 1 and cell[0] in TURNED:
        return element("td", element("span", str(cell[0]), class_=f"verdict {cell[0]}"))
    text = words and all(isinstance(part, str) for part in cell)
    return element("td", sentence_html(cell), class_="words" if text else None)


def _named(cell: Sentence, swatches: Sequence[str]) -> Html:
    name = "".join(part if isinstance(part, str) else part.text for part in cell)
    if name not in swatches:
        return sentence_html(cell)
    place = swatches.index(name) % len(COLOURS)
    return joined([element("span", class_=f"swatch c{place}", aria_hidden="true"), name])


def verdict_table(found: BenchmarkComparison, order: Sequence[str]) -> Table:
    """What is decided between each two methods: the row beside the column."""
    verdicts = {(pair.first, pair.second): pair.verdict for pair in found.pairs}
    verdicts |= {(pair.second, pair.first): TURNED[pair.verdict] for pair in found.pairs}
    rows = tuple(((first,), *((verdicts.get((first, second), NOTHING),) for second in order)) for first in order)
    titles = ("is \\ than", *order)
    return Table(f"Which method is better on {found.benchmark}, at the end", titles, rows)


def rung_table(cells: Sequence[Cell], benchmark: str) -> Table | None:
    """How many trials reach each rung, so far as methods have rungs; None: none has."""
    own = [(cell, f"cells.{n}") for n, cell in enumerate(cells) if cell.benchmark == benchmark and cell.rungs]
    if not own:
        return None
    levels = sorted({int(level) for cell, _ in own for level in cell.rungs})
    titles = ("method", *(f"rung {level}" for level in levels))

    def shown(level: int, cell: Cell, path: str) -> Sentence:
        return filled(f"{{rungs.{level}:.1f}}", cell, path) if str(level) in cell.rungs else (NOTHING,)

    rows = tuple(((cell.method,), *(shown(level, cell, path) for level in levels)) for cell, path in own)
    return Table(f"Trials at each rung at the end on {benchmark}, median over seeds", titles, rows)


def coverage_table(cells: Sequence[Cell], methods: Sequence[str]) -> Table:
    """How many seeds there are of each method on each benchmark."""
    rows: dict[str, tuple[Sentence, ...]] = {}
    for place, cell in enumerate(cells):
        shown = filled("{complete:d} of {wanted:d}", cell, f"cells.{place}") if cell.wanted else (NOTHING,)
        rows[cell.benchmark] = (*rows.get(cell.benchmark, ((cell.benchmark,),)), shown)
    return Table("Seeds with a result", ("benchmark", *methods), tuple(rows.values()))


def left_out_table(left_out: Iterable[LeftOut]) -> Table:
    """What is not read, and why."""
    columns = (
        Column("kind", "{kind}"),
        Column("tag", "{tag}"),
        Column("method", "{method}"),
        Column("benchmark", "{benchmark}"),
        Column("seeds", "{seeds}"),
        Column("what is wrong", "{what}"),
        Column("what follows", "{policy}"),
        Column("where", "{path}"),
    )
    caption = "Results that are not read, and experiments that are missing"
    return table(caption, columns, ((each, "left_out") for each in left_out))


def cost_table(cells: Iterable[Cell]) -> Table:
    """What experiments took."""
    items = [(cell, f"cells.{place}") for place, cell in enumerate(cells) if cell.complete]
    caption = "What one experiment took, median over seeds; decisions per trial: over all seeds together"
    return table(caption, COSTS, items, keys=2)


def fact_tables(provenance: Sequence[Fact]) -> Iterable[Table]:
    """Where the results come from, a table for each kind of fact."""
    for kind in dict.fromkeys(fact.kind for fact in provenance):
        facts = [fact for fact in provenance if fact.kind == kind]
        rows = tuple(((fact.what,), (fact.value,), (f"{fact.count:,}",)) for fact in facts)
        yield Table(kind, ("what", "value", "experiments"), rows)
