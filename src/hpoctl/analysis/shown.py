"""Sentences and tables whose numbers know where they come from: one form for terminal, documents and web page.

A number stands beside its path in the model that it is taken from, such as `comparison.benchmarks.0.pairs.2.p`. So a
page can be checked against its model, and a column of a table is one line: a title and a template.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any

from hpoctl.analysis.paired import Interval

NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Number:
    """A number that is shown.

    Attributes:
        path: Where it stands in the model.
        value: The number.
        form: How it is shown: a format of Python, `p` for a p value.
    """

    path: str
    value: float
    form: str

    @property
    def text(self) -> str:
        """The number as people read it."""
        return show(self.value, self.form)


Sentence = tuple[str | Number, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        title: Its title.
        template: What stands in a row: text with fields of the row's item in braces, as in `{median:.3g}`.
    """

    title: str
    template: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        caption: What it is about.
        titles: The titles of the columns.
        rows: Its rows.
        keys: How many columns at the left name a row.
    """

    caption: str
    titles: tuple[str, ...]
    rows: tuple[tuple[Sentence, ...], ...]
    keys: int = 1


def show(value: float, form: str) -> str:
    """A number as people read it; a number that is not finite is unknown."""
    if not math.isfinite(value):
        return "unknown"
    if form == "p":
        return "< 0.0001" if value < 0.0001 else f"{value:.4f}"
    return format(int(value) if form.endswith("d") else value, form)


def filled(template: str, item: object, path: str) -> Sentence:
    """A template with the fields of an item; a dash if one of them is None.

    Args:
        template: Text with fields in braces; `{shift_interval:.2f}` of an interval gives `[0.10, 0.30]`, and a bracket
            that is turned, as in `[0.10, 0.30[`, says that the interval does not contain this end.
        item: What has the fields; numbers in a field, as in `moments.0.shift`, are places in a sequence.
        path: Where the item stands in the model.
    """
    parts: list[str | Number] = []
    for literal, name, form, _ in Formatter().parse(template):
        parts += [literal] if literal else []
        if name is None:
            continue
        value = field(item, name)
        if value is None:
            return (NOTHING,)
        parts += _shown(value, f"{path}.{name}", form or "g")
    return tuple(parts)


def field(item: object, name: str) -> Any:
    """A field of a field of an item; None where one on the way is None, or a sequence ends before it."""
    for part in name.split("."):
        if item is None:
            return None
        if isinstance(item, Sequence) and part.isdecimal():
            item = item[int(part)] if int(part) < len(item) else None
        else:
            item = item[part] if isinstance(item, Mapping) else getattr(item, part)
    return item


def table(
    caption: str, columns: Sequence[Column], items: Iterable[tuple[object, str]], *, keys: int = 1, **words: str
) -> Table:
    """A table of items.

    Args:
        caption: What it is about.
        columns: Its columns.
        items: The items with their paths, one a row.
        keys: How many columns at the left name a row.
        words: What stands for the names in braces in titles.
    """
    titles = tuple(column.title.format(**words) for column in columns)
    rows = tuple(tuple(filled(column.template, item, path) for column in columns) for item, path in items)
    return Table(caption, titles, rows, keys)


def text_of(sentence: Iterable[str | Number]) -> str:
    """A sentence as plain text."""
    return "".join(part if isinstance(part, str) else part.text for part in sentence)


def _shown(value: object, path: str, form: str) -> list[str | Number]:
    if isinstance(value, Interval):
        ends = [Number(f"{path}.{end}", getattr(value, end), form) for end in ("low", "high")]
        return ["]" if value.open_low else "[", ends[0], ", ", ends[1], "[" if value.open_high else "]"]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [Number(path, float(value), form)]
    return [str(value)]
