"""What fits in a terminal: lines break between words; names, options and commands stay whole."""

from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from command_line import CommandLine
from hpoctl.cli.app import app
from hpoctl.cli.errors import parser_error
from hpoctl.cli.output import fitted
from support import write_distribution

LONG = """
from hpoctl.plugins import Study, hookimpl
from hpoctl.builtins import ASHA
from hpoctl.testing import toy_benchmark
from dataclasses import replace

@hookimpl
def hpoctl_methods():
    summary = "Asynchronous successive halving, told in a sentence that no terminal of eighty columns has room for"
    yield replace(ASHA, name="ASHA-WITH-A-NAME-OF-ITS-OWN", summary=summary)

@hookimpl
def hpoctl_benchmarks():
    summary = "A network of two layers on a data set with a rather long name, tabulated, and what else there is to say"
    yield replace(toy_benchmark(name="a-benchmark-with-a-long-name"), summary=summary)

@hookimpl
def hpoctl_studies():
    methods = ("ASHA-WITH-A-NAME-OF-ITS-OWN", "RS", "BO", "MOBSTER", "HYPERBAND")
    yield Study("long", "What is this about? " * 6, methods, ("a-benchmark-with-a-long-name",), 5)
"""


@given(st.text("ab `-.\n", max_size=200), st.integers(40, 90))
def test_no_word_is_lost_or_cut(text: str, width: int) -> None:
    lines = fitted(text, width)
    assert " ".join(lines).split() == text.split()
    for line in lines:
        assert len(line) <= width or len(line.strip().split("`")) > 1 or " " not in line.strip()


def test_later_lines_are_indented_as_the_first_and_two_more() -> None:
    assert fitted("  one two " + "three " * 9, 40) == [
        "  one two three three three three three",
        "    three three three three",
    ]


def test_a_command_in_a_sentence_stays_on_one_line() -> None:
    line = "What you can do now is to repeat it, with `hpoctl launch --tag docs-2 --num-seeds 20`, later."
    assert "  `hpoctl launch --tag docs-2 --num-seeds 20`, later." in fitted(line, 60)


@pytest.mark.parametrize("line", ["next: hpoctl launch --tag docs-2 " + "--method RS " * 9, "$ make " + "check " * 20])
def test_a_line_with_a_command_of_its_own_is_left_to_the_terminal(line: str) -> None:
    assert fitted(line, 60) == [line]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin with long names and sentences, in a terminal of 80 columns."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("HPOCTL_PLUGINS", "long-plugin")
    write_distribution(tmp_path, "long-plugin", LONG)


def shown(*words: str) -> tuple[list[str], str]:
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout.splitlines(), result.stderr


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("words", "whole", "wide"),
    [
        (("methods",), ["ASHA-WITH-A-NAME-OF-ITS-OWN", "Asynchronous"], "reduction_factor=3"),
        (("benchmarks",), ["a-benchmark-with-a-long-name", "1,500 s", "made up"], "epoch to 27"),
        (("studies",), ["ASHA-WITH-A-NAME-OF-ITS-OWN", "a-benchmark-with-a-long-name"], "long-plugin 1.0"),
        (("blackbox", "list"), ["a-benchmark-with-a-long-name"], "long-plugin 1.0"),
    ],
)
def test_a_list_shows_what_matters_in_80_columns_and_the_rest_when_asked(
    words: tuple[str, ...], whole: list[str], wide: str
) -> None:
    lines, _ = shown(*words)
    assert max(map(len, lines)) <= 80
    for name in whole:
        assert any(name in line for line in lines)
    assert not any(wide in line for line in lines)
    lines, _ = shown(*words, "--wide")
    assert any(wide in line for line in lines)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "words", [("plugins",), ("methods", "MOBSTER"), ("benchmarks", "a-benchmark-with-a-long-name")]
)
def test_other_lists_fit_and_break_between_words(words: tuple[str, ...]) -> None:
    lines, _ = shown(*words)
    assert max(map(len, lines)) <= 80
    if "MOBSTER" in words:
        for option in ("min_rank_correlation", "reduction_factor", "promotion or stopping"):
            assert any(option in line for line in lines)


def test_what_is_piped_keeps_its_long_lines(cli: CommandLine) -> None:
    cli.install("long-plugin", LONG)
    answer = cli("studies", HPOCTL_PLUGINS="toys-plugin,long-plugin")
    assert "long: " + ("What is this about? " * 6).strip() in answer.out


@pytest.mark.parametrize(
    ("words", "what", "fix"),
    [
        ("run --methd RS", "There is no option --methd of `hpoctl run`.", "Did you mean --method? `hpoctl run --help`"),
        ("run", "Missing option '--method' / '-m'.", "`hpoctl run --help` lists what it takes."),
        ("launch --num-seeds many", "Invalid value for '--num-seeds'", "`hpoctl launch --help`"),
        ("studies show", "Missing argument 'NAME'.", "`hpoctl studies show --help`"),
        ("lanch", "No such command 'lanch'.", "`hpoctl --help`"),
        ("methods RS BO", "extra argument", "`hpoctl methods --help`"),
    ],
)
def test_errors_of_the_parser_say_what_to_type(words: str, what: str, fix: str) -> None:
    with pytest.raises(typer.TyperException) as caught:
        app(words.split(), prog_name="hpoctl", standalone_mode=False)
    error = parser_error(caught.value)
    assert what in error.what
    assert fix in error.fix


def test_errors_of_the_parser_are_errors_as_all_others(cli: CommandLine) -> None:
    what, fix = "There is no option --methd of `hpoctl run`.", "Did you mean --method? `hpoctl run --help`"
    answer = cli("run", "--methd", "RS")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"error: {what}\n  fix: {fix} lists what it takes.\n"
    answer = cli("run", "--methd", "RS", "--json")
    assert (answer.code, answer.err) == (2, "")
    envelope = answer.json
    assert (envelope["status"], envelope["command"]) == ("error", "run")
    assert envelope["errors"] == [{"what": what, "fix": f"{fix} lists what it takes."}]


def test_commands_are_in_groups_and_no_words_show_them(cli: CommandLine) -> None:
    answer = cli("--help", COLUMNS="80")
    groups = ["Run experiments", "Watch", "Compare", "Results", "Names and plugins"]
    places = [answer.out.index(f" {group} ─") for group in groups]
    assert places == sorted(places)
    assert places[0] < answer.out.index("│ launch") < places[1] < answer.out.index("│ status") < places[2]
    nothing = cli()
    assert nothing.code == 2
    assert "Usage: hpoctl" in nothing.out
    assert nothing.err == ""
