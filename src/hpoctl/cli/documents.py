"""Headings, sentences and tables as text of a given width, as Markdown and as LaTeX."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Literal

Format = Literal["text", "markdown", "latex"]
FORMATS: tuple[Format, ...] = ("text", "markdown", "latex")
GAP = "  "
SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading."""

    text: str


@dataclass(frozen=True, slots=True)
class Lines:
    """Sentences, a paragraph each; a command is a paragraph that starts with `$`."""

    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table.

    Attributes:
        titles: The titles of the columns.
        rows: Its rows.
        keys: How many columns at the left say what a row is: they are repeated where a table is too wide for one line.
    """

    titles: Sequence[str]
    rows: Sequence[Sequence[str]]
    keys: int = 1


Block = Heading | Lines | Grid


def render(blocks: Sequence[Block], form: Format, width: int) -> str:
    """The blocks as a text that ends with a line break.

    Args:
        blocks: What is shown, in order.
        form: The format.
        width: The columns of a terminal; only `text` asks for them.
    """
    renderers: dict[Format, Callable[[Block], Iterator[str]]] = {
        "text": lambda block: _text(block, width),
        "markdown": _markdown,
        "latex": _latex,
    }
    parts = ["\n".join(renderers[form](block)) for block in blocks]
    return "\n\n".join(parts) + "\n"


def _text(block: Block, width: int) -> Iterator[str]:
    if isinstance(block, Heading):
        yield from _wrapped(block.text, width, "")
        yield "=" * min(len(block.text), width)
    elif isinstance(block, Lines):
        for line in block.lines:
            # Commands stay whole, so that they can be copied.
            yield from [f"  {line}"] if line.startswith("$") else _wrapped(line, width, "  ")
    else:
        for place, columns in enumerate(_fitting(block, width)):
            if place:
                yield ""
            yield from _aligned(block, columns)


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return wrap(text, max(width, 20), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _widths(grid: Grid) -> list[int]:
    return [max(len(row[place]) for row in [grid.titles, *grid.rows]) for place in range(len(grid.titles))]


def _fitting(grid: Grid, width: int) -> Iterator[list[int]]:
    """The columns of each table that is narrow enough, the keys at the left of each."""
    widths = _widths(grid)
    keys = list(range(grid.keys))
    columns: list[int] = []
    for place in range(grid.keys, len(widths)):
        wanted = [*keys, *columns, place]
        if columns and sum(widths[column] + len(GAP) for column in wanted) - len(GAP) > width:
            yield [*keys, *columns]
            columns = []
        columns.append(place)
    yield [*keys, *columns]


def _aligned(grid: Grid, columns: Sequence[int]) -> Iterator[str]:
    widths = _widths(grid)
    for row in [grid.titles, ["-" * wide for wide in widths], *grid.rows]:
        cells = [
            row[place].ljust(widths[place]) if place < grid.keys else row[place].rjust(widths[place])
            for place in columns
        ]
        yield GAP.join(cells).rstrip()


def _markdown(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        yield f"## {block.text}"
    elif isinstance(block, Lines):
        for place, line in enumerate(block.lines):
            if place:
                yield ""
            yield f"    {line.removeprefix('$ ')}" if line.startswith("$") else line
    else:
        marks = ["---" if place < block.keys else "---:" for place in range(len(block.titles))]
        for row in [block.titles, marks, *block.rows]:
            cells = [cell.replace("|", r"\|") for cell in row]
            yield f"| {' | '.join(cells)} |"


def _latex(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        yield f"\\paragraph{{{_escaped(block.text)}}}"
    elif isinstance(block, Lines):
        for place, line in enumerate(block.lines):
            if place:
                yield ""
            yield (
                f"\\begin{{verbatim}}\n{line.removeprefix('$ ')}\n\\end{{verbatim}}"
                if line.startswith("$")
                else _escaped(line)
            )
    else:
        yield f"\\begin{{tabular}}{{{'l' * block.keys}{'r' * (len(block.titles) - block.keys)}}}"
        yield "\\hline"
        for place, row in enumerate([block.titles, *block.rows]):
            # A row that starts with a bracket would be taken for an option of the line break before it.
            yield " & ".join(f"{{}}{cell}" if cell.startswith("[") else cell for cell in map(_escaped, row)) + " \\\\"
            if not place:
                yield "\\hline"
        yield "\\hline"
        yield "\\end{tabular}"


def _escaped(text: str) -> str:
    return "".join(SPECIAL.get(character, character) for character in text)
