"""Lines, facts and tables in the width of the terminal."""

from collections.abc import Iterable, Mapping, Sequence

from hpoctl.cli.output import NARROW, fitted, out

WIDE = 240
"""Columns of a table with `--wide`, unless the terminal has more."""


def print_lines(lines: Iterable[str]) -> None:
    """Print lines. Plugins wrote them, so they are not markup."""
    for line in lines:
        out().print(line, markup=False, emoji=False, soft_wrap=True)


def print_facts(title: str, facts: Mapping[str, str]) -> None:
    """A title, and one line for each fact that there is."""
    print_lines([title, *(f"  {key}: {fact}" for key, fact in facts.items() if fact)])


def print_block(title: str, facts: Mapping[str, str]) -> None:
    """A title, and the facts below it in two columns."""
    known = {key: fact for key, fact in facts.items() if fact}
    indent = max((len(key) for key in known), default=0) + 4
    lines = [title] if title else []
    for key, fact in known.items():
        lines += fitted(fact, out().width, first=f"  {f'{key}:':<{indent - 2}}", rest=" " * indent)
    print_lines(lines)


def print_table(columns: Mapping[str, Sequence[object]], *, right: Sequence[str] = (), wide: bool = False) -> None:
    """Print columns of texts. Plugins wrote them, so they are not markup.

    Args:
        columns: The cells of each column, by its title. Those of the first one are names and are never broken.
        right: Columns that are aligned to the right.
        wide: Whether the table may be wider than the terminal.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    rows = list(zip(*columns.values(), strict=True))
    if not rows:
        print_lines(["none"])
        return
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for place, (title, cells) in enumerate(columns.items()):
        longest = max(len(word) for cell in (title, *cells) for word in str(cell).split() or [""])
        table.add_column(
            title,
            justify="right" if title in right else "left",
            no_wrap=place == 0,
            overflow="fold",
            min_width=min(longest, NARROW),
        )
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    out(WIDE if wide else 0).print(table)
