"""Names complete in shells, through the protocol that each shell has."""

import inspect
import json
from pathlib import Path
from typing import get_args

import pytest

from command_line import CommandLine
from hpoctl.cli import completion
from hpoctl.cli.app import app
from hpoctl.cli.completion import OPTIONS

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


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No plugin, a cache of its own and two tags; returns the file of the cache."""
    monkeypatch.setenv("HPOCTL_PLUGINS", "")
    monkeypatch.setenv("HPOCTL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HPOCTL_ROOT", str(tmp_path / "results"))
    monkeypatch.chdir(tmp_path)
    for tag in ("docs-2", "docs-3", ".trash"):
        (tmp_path / "results" / tag).mkdir(parents=True)
    return tmp_path / "cache" / completion.FILE


def completed(line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
    monkeypatch.setenv("_HPOCTL_COMPLETE", "complete_bash")
    with pytest.raises(SystemExit) as ended:
        app(prog_name="hpoctl")
    assert ended.value.code == 0
    return capsys.readouterr().out.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("hpoctl run --method MED", ["MEDIAN"]),
        ("hpoctl compare --method BO", ["BO"]),
        ("hpoctl methods AS", ["ASHA"]),
        ("hpoctl launch --on lo", ["local"]),
        ("hpoctl run --set ASHA.g", ["ASHA.grace_period="]),
        ("hpoctl status --tag docs", ["docs-2", "docs-3"]),
        ("hpoctl status --tag x", []),
        ("hpoctl run --benchmark fcnet-", []),
    ],
)
@pytest.mark.usefixtures("names")
def test_what_completes(
    line: str, expected: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert completed(line, monkeypatch, capsys) == expected


def test_names_come_from_a_cache_until_it_is_old_or_something_is_installed(
    names: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    line = "hpoctl run --method MED"
    assert completed(line, monkeypatch, capsys) == ["MEDIAN"]
    kept = json.loads(names.read_bytes())
    kept["names"]["methods"] = {"MEDAL": ""}
    names.write_text(json.dumps(kept))
    assert completed(line, monkeypatch, capsys) == ["MEDAL"]
    names.write_text(json.dumps({**kept, "time": kept["time"] - 2 * completion.LASTS}))
    assert completed(line, monkeypatch, capsys) == ["MEDIAN"]
    names.write_text(json.dumps(kept))
    monkeypatch.syspath_prepend(tmp_path)
    assert completed(line, monkeypatch, capsys) == ["MEDIAN"]
    names.write_text("{")
    assert completed(line, monkeypatch, capsys) == ["MEDIAN"]


def test_every_option_that_takes_a_name_completes() -> None:
    for command in app.registered_commands:
        assert command.callback is not None
        for name, parameter in inspect.signature(command.callback).parameters.items():
            if name in OPTIONS:
                assert get_args(parameter.annotation)[1].autocompletion is not None, (command.callback, name)
