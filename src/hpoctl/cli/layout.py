"""Lines, facts and tables in the width of the terminal: lines break between words, names and commands stay whole."""

import re
from collections.abc import Iterable, Mapping, Sequence
from textwrap import wrap

COMMAND = re.compile(r"`[^`\n]*`")
"""A command in a sentence: kept on one line, so that it can be copied."""

BARE_COMMAND = re.compile(r"(^|\s)(\$ |hpoctl )")
"""A command that is not in backticks: its line is left to the terminal, which copies it as one."""

SPACE = "\0"
NARROW = 40
WIDE = 240
"""Columns of a table with `--wide`, unless the terminal has more."""


def fitted(text: str, width: int, *, first: str = "", rest: str | None = None) -> list[str]:
    """The lines of a text in a number of columns.

    Args:
        text: The text; its own line breaks are kept.
        width: The columns; fewer than 40 count as 40.
        first: What the first line begins with.
        rest: What later lines begin with. None: the indentation of the text and two spaces more.
    """
    if first or rest is not None:
        return _wrapped(text, width, first, rest or "")
    lines = []
    for line in text.split("\n"):
        indent = " " * (len(line) - len(line.lstrip(" ")))
        lines += _wrapped(line[len(indent) :], width, indent, f"{indent}  ")
    return lines


def _wrapped(text: str, width: int, first: str, rest: str) -> list[str]:
    whole = COMMAND.sub(lambda found: found[0].replace(" ", SPACE), text)
    if len(first) + len(text) <= width or BARE_COMMAND.search(whole):
        return [first + text]
    lines = wrap(
        whole,
        max(width, NARROW),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(SPACE, " ") for line in lines] or [first]


def print_lines(lines: Iterable[str]) -> None:
    """Print lines. Plugins wrote them, so they are no markup."""
    from hpoctl.cli.output import out

    for line in lines:
        out().print(line, markup=False, emoji=False, soft_wrap=True)


def print_facts(title: str, facts: Mapping[str, str]) -> None:
    """A title, and one line for each fact that there is."""
    print_lines([title, *(f"  {key}: {fact}" for key, fact in facts.items() if fact)])


def print_block(title: str, facts: Mapping[str, str]) -> None:
    """A title, and the facts below it in two columns."""
    from hpoctl.cli.output import out

    known = {key: fact for key, fact in facts.items() if fact}
    indent = max((len(key) for key in known), default=0) + 4
    lines = [title] if title else []
    for key, fact in known.items():
        lines += fitted(fact, out().width, first=f"  {f'{key}:':<{indent - 2}}", rest=" " * indent)
    print_lines(lines)


def print_table(
    columns: Mapping[str, Sequence[object]], *, right: Sequence[str] = (), whole: Sequence[str] = (), wide: bool = False
) -> None:
    """Print columns of texts. Plugins wrote them, so they are no markup.

    Args:
        columns: The cells of each column, by its title. Those of the first one are names and are never broken.
        right: Columns that are aligned to the right.
        whole: More columns that are never broken.
        wide: Whether the table may be wider than the terminal.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from hpoctl.cli.output import out

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
            no_wrap=place == 0 or title in whole,
            overflow="fold",
            min_width=min(longest, NARROW),
        )
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    out(WIDE if wide else 0).print(table)
