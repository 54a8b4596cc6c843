"""The help is legible in 80 columns: panels, whole names, short words for values, known names, an example."""

import re
import subprocess
import sys
from typing import Any

import pytest
from typer.testing import CliRunner

from hpoctl.cli.app import app
from hpoctl.cli.commands import COMMANDS, CommandEntry, all_commands
from hpoctl.core.settings import DEFINITIONS

PANELS = ["What", "How many", "Budget", "Clock", "Where", "Output"]


def commands() -> list[tuple[str, ...]]:
    """All commands, those of groups included, as a person types them."""
    found: list[tuple[str, ...]] = []
    for name, command in all_commands().items():
        found += [(name,)] if not hasattr(command, "commands") else [(name, inner) for inner in command.commands]
    return found


def help_of(*words: str, columns: int = 80) -> str:
    answer = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": str(columns), "NO_COLOR": "1"})
    assert answer.exit_code == 0, answer.output
    return answer.output


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_no_line_is_too_long_and_no_name_is_cut(command: tuple[str, ...]) -> None:
    text = help_of(*command)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    made: Any = all_commands()[command[0]]
    for name in command[1:]:
        made = made.commands[name]
    words = [word for param in made.params if not getattr(param, "hidden", False) for word in param.opts]
    for word in words:
        if word.startswith("-"):
            plain = word.replace("--", "--[no-]", 1)
            assert re.search(rf"(^| ){re.escape(word)}[ ,\n]", text, re.MULTILINE) or plain in text, word


@pytest.mark.parametrize("command", ["run", "launch"])
def test_options_are_in_panels_with_short_words_for_their_values(command: str) -> None:
    text = help_of(command)
    assert [line for line in text.splitlines() if line in PANELS] == PANELS
    assert not re.search(r"[<>\[]\w*(int|str|list|float|range|x[<>])", text)
    for setting in DEFINITIONS.values():
        shown = setting.option.replace("--", "--[no-]") if setting.is_flag else f"{setting.option} {setting.metavar}"
        budget = text[text.index(f"\n{setting.about.panel}\n") :]
        assert shown in budget.split("\n\n")[0]
        assert f"Default: {setting.default_text}." in " ".join(text.split())


@pytest.mark.parametrize("command", ["run", "launch"])
def test_known_names_are_listed_and_an_example_ends_the_help(command: str) -> None:
    text = help_of(command)
    words = " ".join(text.split())
    assert "Known: RS, BO, ASHA" in words
    if command == "launch":
        assert "Known: local, slurm" in words
    example = text[text.index("\nExample: ") :]
    assert f"\n  hpoctl {command} --" in example
    assert "--help" not in example


def test_a_wider_terminal_has_longer_lines_up_to_a_limit() -> None:
    widths = [max(map(len, help_of("run", columns=columns).splitlines())) for columns in (60, 80, 100, 300)]
    assert 60 < widths[1] <= 80 < widths[2] <= 100 < widths[3] <= 110


def test_a_setting_that_is_mistyped_is_two_lines() -> None:
    answer = CliRunner().invoke(app, ["run", "--method", "ASHA", "--n-workers", "many"])
    assert str(answer.exception) == "--n-workers cannot be 'many'. Use a whole number from 1 to 10,000."


@pytest.mark.parametrize("name", ["-j", "--experiments-at-a-time", "--jobs"])
def test_experiments_at_a_time_has_a_former_name(name: str) -> None:
    answer = CliRunner().invoke(app, ["launch", "--study", "activations", name, "0", "--dry-run"])
    assert "0 experiments at a time cannot be run." in str(answer.exception)
    assert "--jobs" not in help_of("launch")


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_the_help_of_a_command_begins_with_its_line_in_the_list(entry: CommandEntry) -> None:
    command = all_commands()[entry.name]
    assert " ".join(command.help.split("\n\n")[0].split()) == entry.summary
    assert " ".join(help_of(entry.name).split()).replace("│ ", "").find(entry.summary) >= 0


def test_the_list_of_commands_imports_none_of_them() -> None:
    words = [sys.executable, "-X", "importtime", "-m", "hpoctl", "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    imported = {line.split("|")[-1].strip() for line in done.stderr.splitlines()}
    assert "hpoctl.cli.commands" in imported
    assert not imported & {entry.target.split(":")[0] for entry in COMMANDS}
    assert not imported & {"numpy", "pandas", "scipy", "matplotlib", "boto3", "msgspec", "hpoctl.core.settings"}
