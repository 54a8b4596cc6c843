"""Headings, sentences and tables in three formats."""

from hpoctl.cli.documents import Grid, Heading, Lines, render

BLOCKS: list[Heading | Lines | Grid] = [
    Heading("a_b"),
    Lines(["50 % of {all} & more", "$ hpoctl launch --tag a_b"]),
    Grid(["method", "n", "interval"], [["RS|x", "12", "[0.1, 2]"], ["ASHA", "3", "-"]]),
]


def test_text() -> None:
    assert render(BLOCKS, "text", 80) == (
        "a_b\n===\n\n50 % of {all} & more\n  $ hpoctl launch --tag a_b\n\n"
        "method   n  interval\n------  --  --------\nRS|x    12  [0.1, 2]\nASHA     3         -\n"
    )


def test_a_table_that_is_too_wide_is_cut_and_its_keys_repeated() -> None:
    shown = render([Grid(["key", "first", "second"], [["a", "11111", "22222"]])], "text", 12)
    assert shown == "key  first\n---  -----\na    11111\n\nkey  second\n---  ------\na     22222\n"


def test_commands_are_never_broken() -> None:
    command = "$ hpoctl launch " + "--method LONG-NAME " * 10
    assert command in render([Lines([command])], "text", 40)


def test_markdown() -> None:
    assert render(BLOCKS, "markdown", 80) == (
        "## a_b\n\n50 % of {all} & more\n\n    hpoctl launch --tag a_b\n\n"
        "| method | n | interval |\n| --- | ---: | ---: |\n| RS\\|x | 12 | [0.1, 2] |\n| ASHA | 3 | - |\n"
    )


def test_latex() -> None:
    shown = render(BLOCKS, "latex", 80)
    assert "\\paragraph{a\\_b}" in shown
    assert "50 \\% of \\{all\\} \\& more" in shown
    assert "\\begin{tabular}{lrr}\n\\hline\nmethod & n & interval \\\\\n\\hline\n" in shown
    assert "RS|x & 12 & {}[0.1, 2] \\\\" in shown
    assert "\\begin{verbatim}\nhpoctl launch --tag a_b\n\\end{verbatim}" in shown
