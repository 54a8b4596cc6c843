"""Files of a folder that choose the launcher or its options are named; those that run code are trusted once."""

from dataclasses import replace
from pathlib import Path

import pytest

from command_line import Answer, CommandLine
from toy_launchers import launcher_plugin

LAUNCHER = launcher_plugin(
    "shell",
    ['setup: str = field(default="", metadata={"runs_code": True})', 'queue: str = ""'],
    'JobStatus("failed", reason="nothing is run here")',
    'open("submitted", "a").write(self.options.setup)',
)
WORDS = ("launch", "--method", "RS", "--benchmark", "toy", "--study", "toys", "--tag", "trust")


@pytest.fixture
def shell(cli: CommandLine) -> CommandLine:
    cli.install("shell", LAUNCHER)
    return replace(cli, environment=cli.environment | {"HPOCTL_PLUGINS": "toys-plugin,shell"})


def _says(cli: CommandLine, text: str) -> Path:
    file = cli.root.parent / "hpoctl.toml"
    file.write_text(text)
    return file


def _submitted(cli: CommandLine) -> bool:
    return (cli.root.parent / "submitted").exists()


def _refused(answer: Answer, file: Path) -> bool:
    return answer.code == 2 and str(file) in answer.err and 'setup = "curl evil"' in answer.err


def test_options_that_run_code_are_refused_until_they_are_trusted_once(shell: CommandLine) -> None:
    file = _says(shell, 'launcher = "shell"\n[launcher_options]\nsetup = "curl evil"\n')
    assert _refused(shell(*WORDS), file)
    assert _refused(shell(*WORDS, "--json"), file) or "not trusted" in shell(*WORDS, "--json").out
    assert not _submitted(shell)
    trusted = shell(*WORDS, "--trust-config")
    assert _submitted(shell)
    assert "nothing is run here" in trusted.err
    assert f'{file} says: launcher shell, setup = "curl evil"' in trusted.err
    assert "not trusted" not in shell(*WORDS).err  # it is asked once
    _says(shell, 'launcher = "shell"\n[launcher_options]\nsetup = "curl evil"\nqueue = "long"\n')
    assert "not trusted" not in shell(*WORDS).err  # only what runs code has to be trusted
    _says(shell, 'launcher = "shell"\n[launcher_options]\nsetup = "curl worse"\n')
    assert shell(*WORDS).code == 2


def test_what_a_file_says_is_named_before_anything_is_submitted(shell: CommandLine) -> None:
    file = _says(shell, 'launcher = "shell"\n[launcher_options]\nqueue = "long"\n')
    planned = shell(*WORDS, "--dry-run")
    assert planned.code == 0
    assert f'{file} says: launcher shell, queue = "long"' in planned.out
    assert shell(*WORDS, "--dry-run", "--json").json["data"]["from_files"] == [
        {"source": str(file), "options": {"queue": "long"}}
    ]
    assert not _submitted(shell)


def test_what_the_command_line_says_needs_no_trust(shell: CommandLine) -> None:
    _says(shell, 'launcher = "shell"\n[launcher_options]\nsetup = "curl evil"\n')
    answer = shell(*WORDS, "--launcher-option", "setup=true", "--dry-run")
    assert "curl" not in answer.out + answer.err
    assert "not trusted" not in shell(*WORDS, "--launcher-option", "setup=true").err
