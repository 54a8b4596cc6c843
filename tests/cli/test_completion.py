"""Names complete in shells: through the protocol of each, and in the shells themselves where they are installed."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from command_line import CommandLine
from hpoctl.cli import completion
from hpoctl.cli.commands import COMMANDS
from hpoctl.cli.completion import Line, complete
from hpoctl.cli.completion_cache import NAMES, commands
from hpoctl.core.settings import DEFINITIONS

PROTOCOLS = {
    "bash": {"COMP_WORDS": "hpoctl launch --method MO", "COMP_CWORD": "3"},
    "zsh": {"_TYPER_COMPLETE_ARGS": "hpoctl launch --method MO"},
    "fish": {"_TYPER_COMPLETE_ARGS": "hpoctl launch --method MO", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
}


@pytest.mark.parametrize("shell", PROTOCOLS)
def test_a_method_completes_in_each_shell(cli: CommandLine, shell: str) -> None:
    answer = cli(_HPOCTL_COMPLETE=f"complete_{shell}", **PROTOCOLS[shell])
    assert (answer.code, answer.err) == (0, "")
    assert "MOBSTER" in answer.out
    assert "ASHA" not in answer.out.replace("MOBSTER", "").split()


@pytest.mark.parametrize(("method", "code"), [("MO", 0), ("no-such", 1)])
def test_fish_learns_by_the_exit_code_whether_there_is_an_answer(cli: CommandLine, method: str, code: int) -> None:
    line = {"_TYPER_COMPLETE_ARGS": f"hpoctl launch --method {method}", "_TYPER_COMPLETE_FISH_ACTION": "is-args"}
    answer = cli(_HPOCTL_COMPLETE="complete_fish", **line)
    assert (answer.code, answer.out, answer.err) == (code, "", "")


def test_without_an_answer_zsh_completes_files(cli: CommandLine) -> None:
    answer = cli(_HPOCTL_COMPLETE="complete_zsh", _TYPER_COMPLETE_ARGS="hpoctl launch --study some")
    assert (answer.code, answer.out, answer.err) == (0, "_files", "")


def test_with_a_cache_neither_typer_nor_plugins_nor_numpy_are_imported(cli: CommandLine) -> None:
    line = {"_HPOCTL_COMPLETE": "complete_bash", **PROTOCOLS["bash"]}
    assert "MOBSTER" in cli(**line).out
    environment = {**cli.environment, **line, "PYTHONPROFILEIMPORTTIME": "1"}
    done = subprocess.run(
        cli.command(), env=environment, cwd=cli.root.parent, capture_output=True, text=True, check=True, timeout=100
    )
    assert "MOBSTER" in done.stdout
    imports = done.stderr
    assert "hpoctl.cli.completion" in imports
    for module in ("typer", "rich", "pluggy", "numpy", "msgspec", "hpoctl.core.settings"):
        assert not any(line.split("|")[-1].strip() == module for line in imports.splitlines()), module


@pytest.fixture
def shell(tmp_path: Path, cli: CommandLine) -> Mapping[str, str]:
    """The environment of a shell that has `hpoctl` on its path, without files that configure it."""
    program = tmp_path / "bin" / "hpoctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hpoctl "$@"\n')
    program.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    path = f"{program.parent}:/usr/local/bin:/usr/bin:/bin"
    return {**cli.environment, "PATH": path, "HOME": str(home), "TERM": "xterm", "COLUMNS": "400"}


def in_shell(name: str, script: str, shell: Mapping[str, str]) -> str:
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed")
    words = [program, "-f", "-c", script] if name == "zsh" else [program, "-c", script]
    done = subprocess.run(
        words, env=dict(shell), cwd=shell["HOME"], capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


LINES = [
    ("hpoctl launch --method MED", "MEDIAN"),
    ("hpoctl launch --method=MED", "MEDIAN"),
    ("hpoctl run --set MEDIAN.gr", "MEDIAN.grace_period="),
    ("hpoctl plot --ki", "--kind"),
    ("hpoctl plot --kind st", "strip"),
    ("hpoctl stat", "status"),
]


EXPECTED = [expected for _, expected in LINES]


@pytest.mark.studies
def test_bash_completes(shell: Mapping[str, str]) -> None:
    script = 'eval "$(_HPOCTL_COMPLETE=source_bash hpoctl)"\n'
    for line, _ in LINES:
        words = line.replace("=", " = ").split()
        script += f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; _hpoctl_completion hpoctl\n"
        script += 'echo "${COMPREPLY[@]}"\n'
    assert in_shell("bash", script, shell).splitlines() == EXPECTED


@pytest.mark.studies
def test_fish_completes(shell: Mapping[str, str]) -> None:
    script = "_HPOCTL_COMPLETE=source_fish hpoctl | source\n"
    script += "\n".join(f"complete -C '{line}'" for line, _ in LINES)
    found = [found.split("\t")[0] for found in in_shell("fish", script, shell).splitlines()]
    assert [name.removeprefix("--method=") for name in found] == EXPECTED


@pytest.mark.studies
def test_zsh_completes(shell: Mapping[str, str]) -> None:
    # In a terminal inside zsh, where Ctrl-X writes the line into a file and empties it.
    script = """zmodload zsh/zpty; zpty it zsh -f -i
    zpty -w it 'autoload -Uz compinit; compinit -u -D; eval "$(_HPOCTL_COMPLETE=source_zsh hpoctl)"'
    zpty -w it 'keep() { print -r -- $BUFFER >> ~/lines; BUFFER=; print KE""PT }; zle -N keep; bindkey "^X" keep'
    zpty -w it 'print RE""ADY'; zpty -r it out '*READY*'
    """
    for line, _ in LINES:
        script += f"zpty -w -n it '{line}'$'\\t\\C-x'; zpty -r it out '*KEPT*'\n"
    in_shell("zsh", script + "zpty -d it\n", shell)
    lines = Path(shell["HOME"], "lines").read_text().splitlines()
    whole = [re.sub("[^ =]*$", expected, line, count=1) for line, expected in LINES]
    assert [line.rstrip(" ") for line in lines] == whole


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No plugin, an empty cache and two tags; returns the file of the cache."""
    monkeypatch.setenv("HPOCTL_PLUGINS", "")
    monkeypatch.setenv("HPOCTL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HPOCTL_ROOT", str(tmp_path / "results"))
    monkeypatch.chdir(tmp_path)
    for tag in ("docs-2", "docs-3", ".trash"):
        (tmp_path / "results" / tag).mkdir(parents=True)
    return tmp_path / "cache" / completion.FILE


def completed(text: str, *, whole: bool = True) -> list[str]:
    *words, last = text.split(" ")
    return list(complete(Line(words, last, whole=whole)))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("run --method MED", ["MEDIAN"]),
        ("run --method=MED", ["--method=MEDIAN"]),
        ("run -m MED", ["MEDIAN"]),
        ("compare BO", ["BO"]),
        ("compare ASHA RS BO", ["BO"]),
        ("methods AS", ["ASHA"]),
        ("launch --on lo", ["local"]),
        ("run --set ASHA.g", ["ASHA.grace_period="]),
        ("run --decision-time m", ["measured"]),
        ("run --max-num-t", ["--max-num-trials"]),
        ("run --json --js", []),
        ("run -m ASHA --method", ["--method"]),
        ("run -- --method", []),
        ("status --tag docs", ["docs-2", "docs-3"]),
        ("status --tag x", []),
        ("run --benchmark fcnet-", []),
        ("blackbox pu", ["push", "pull"]),
        ("--debug statu", ["status"]),
        ("no-such --tag ", []),
    ],
)
@pytest.mark.usefixtures("names")
def test_what_completes(line: str, expected: list[str]) -> None:
    assert completed(line) == expected


@pytest.mark.usefixtures("names")
def test_bash_splits_at_the_equals_sign() -> None:
    assert completed("run --method = MED", whole=False) == ["MEDIAN"]
    assert "MEDIAN" in completed("run --method =", whole=False)


def test_tags_are_those_of_the_root_that_is_typed_or_configured(
    names: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere" / "docs-9").mkdir(parents=True)
    assert completed("status --results elsewhere --tag docs") == ["docs-9"]
    assert completed("status --results s3://bucket/x --tag docs") == []
    monkeypatch.delenv("HPOCTL_ROOT")
    (tmp_path / "hpoctl.toml").write_text('results = "elsewhere"\n')
    assert completed("status --tag docs") == ["docs-9"]
    assert names.exists()


def test_names_come_from_a_cache_until_it_is_old_or_something_is_installed(
    names: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    line = "run --method MED"
    assert completed(line) == ["MEDIAN"]
    kept = json.loads(names.read_bytes())
    kept["names"]["methods"] = {"MEDAL": ""}
    names.write_text(json.dumps(kept))
    assert completed(line) == ["MEDAL"]
    names.write_text(json.dumps({**kept, "time": kept["time"] - 2 * completion.LASTS}))
    assert completed(line) == ["MEDIAN"]
    names.write_text(json.dumps(kept))
    (tmp_path / "more").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "more")
    assert completed(line) == ["MEDIAN"]
    names.write_text("{")
    assert completed(line) == ["MEDIAN"]


@pytest.mark.parametrize("damage", ["[1]", '{"key": 1}', '{"time": "x"}', "\0"])
def test_a_damaged_cache_is_made_again(names: Path, damage: str) -> None:
    completed("run --method MED")
    whole = json.loads(names.read_bytes())
    names.write_text(damage)
    assert completed("run --method MED") == ["MEDIAN"]
    names.write_text(json.dumps({"key": whole["key"], "time": "x"}))
    assert completed("run --method MED") == ["MEDIAN"]


def test_every_option_that_takes_a_name_completes() -> None:
    tree = commands()["commands"]
    assert set(tree) == {entry.name for entry in COMMANDS}
    asked: dict[str, Any] = {name: option for command in tree.values() for name, option in command["options"].items()}
    for name, kind in NAMES.items():
        option = {"settings": "--set"}.get(name, f"--{name}")
        assert asked[option]["takes"] == kind
    for setting in DEFINITIONS.values():
        assert setting.option in tree["run"]["options"]
        assert set(tree["run"]["options"][setting.option]["takes"]) == set(setting.words)
