"""A credential that is given anywhere occurs in no file that hpoctl writes."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from command_line import Answer, CommandLine
from toy_launchers import launcher_plugin

LAUNCHER = launcher_plugin(
    "shell",
    ['setup: str = ""', 'login: str = field(default="", metadata={"secret": True})', 'queue: str = ""'],
    'JobStatus("failed", reason="nothing is run here")',
)
LEAKS = """
import os
import sys
from dataclasses import replace

from hpoctl.plugins import hookimpl
from hpoctl.testing import toy_benchmark


def leaks():
    print("connecting with", os.environ["LEAKED_TOKEN"], file=sys.stderr)
    raise RuntimeError("refused: " + os.environ["LEAKED_TOKEN"])


@hookimpl
def hpoctl_benchmarks():
    yield replace(toy_benchmark(), name="leaks", blackbox=leaks)
"""
BREAKS = launcher_plugin("breaks", ['queue: str = ""'], '{}[__import__("os").environ["LEAKED_TOKEN"]]')
RUN = ("run", "--method", "RS", "--tag", "t", "--max-wallclock-time", "50")
LAUNCH = ("launch", "--method", "RS", "--study", "toys", "--tag", "t", "--max-wallclock-time", "50")
BENCHMARK = """
name = "mine"
script = "train.py"
metric = "loss"
max_wallclock_time = 5
{more}
[space]
lr = {{ type = "uniform", lower = 0.0, upper = 1.0 }}
{space}
"""
STUDY = """
name = "s"
summary = "S"
methods = ["RS"]
benchmarks = ["toy"]
{more}
"""


def _written(cli: CommandLine, name: str, text: str) -> str:
    file = cli.root.parent / name
    file.write_text(text)
    return str(file)


def _of_benchmark(cli: CommandLine, more: str = "", space: str = "") -> Answer:
    (cli.root.parent / "train.py").write_text("import hpoctl\nhpoctl.report(loss=1.0)\n")
    file = _written(cli, "benchmark.toml", BENCHMARK.format(more=more, space=space))
    return cli(*RUN, "--benchmark", file, "--max-num-trials", "1")


def _of_study(cli: CommandLine, more: str) -> Answer:
    file = _written(cli, "study.toml", STUDY.format(more=more))
    return cli("launch", "--study", file, "--tag", "t")


def _of_folder(cli: CommandLine, option: str) -> Answer:
    _written(cli, "hpoctl.toml", f'launcher = "shell"\n[launcher_options]\n{option}\n')
    return cli(*LAUNCH)


UNKNOWN = ("an option that there is not", "an address", "a fixed value of a study")
"""What is refused for another reason."""

REFUSED: dict[str, Callable[[CommandLine, str], Answer]] = {
    "a launcher's option": lambda cli, s: cli(*LAUNCH, "--on", "shell", "--launcher-option", f"queue=TOKEN={s}"),
    "shell lines": lambda cli, s: cli(*LAUNCH, "--on", "shell", "--launcher-option", f"setup=export API_KEY='{s}'"),
    "an option that is secret": lambda cli, s: cli(*LAUNCH, "--on", "shell", "--launcher-option", f"login={s}"),
    "the folder's configuration": lambda cli, s: _of_folder(cli, f"setup = \"export MY_PASSWORD='{s}'\""),
    "a study's launcher": lambda cli, s: _of_study(cli, f'launcher = "shell"\nlauncher_options = {{ login = "{s}" }}'),
    "a fixed value of a study": lambda cli, s: _of_study(cli, f'[fixed.RS]\napi_key = "{s}"'),
    "a script's environment": lambda cli, s: _of_benchmark(cli, f'environment = {{ WANDB_API_KEY = "{s}" }}'),
    "a script's arguments": lambda cli, s: _of_benchmark(cli, f'args = ["--api-key", "{s}"]'),
    "a fixed value of a space": lambda cli, s: _of_benchmark(cli, space=f'api_token = "{s}"'),
    UNKNOWN[0]: lambda cli, s: cli(*RUN, "--benchmark", "toy", "--set", f"RS.token={s}"),
    UNKNOWN[1]: lambda cli, s: cli(*RUN, "--benchmark", "toy", "--results", f"https://me:{s}@example.org"),
}
CONCEALED: dict[str, Callable[[CommandLine, str], Answer]] = {
    "an error while running": lambda cli, s: cli(*RUN, "--benchmark", "leaks", LEAKED_TOKEN=s),
    "an error in a worker": lambda cli, s: cli(*LAUNCH, "--benchmark", "leaks", LEAKED_TOKEN=s),
    "an unforeseen error": lambda cli, s: cli(*LAUNCH, "--on", "breaks", LEAKED_TOKEN=s),
    "a command line": lambda cli, s: cli("run", "--method", "RS", "--benchmark", f"token={s}", "--tag", "t"),
}
CONCEALED_CODES = {
    "an error while running": 1,
    "an error in a worker": 1,
    "an unforeseen error": 4,
    "a command line": 2,
}
secrets = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+%", min_size=12, max_size=40).filter(
    lambda text: text.upper() != text and not text[0].isdigit()
)


@pytest.fixture
def shell(cli: CommandLine) -> CommandLine:
    cli.install("shell", LAUNCHER)
    cli.install("leaks", LEAKS)
    cli.install("breaks", BREAKS)
    return replace(cli, environment=cli.environment | {"HPOCTL_PLUGINS": "toys-plugin,shell,leaks,breaks"})


def _files(folder: Path) -> Iterator[Path]:
    """What was written by hpoctl."""
    for name in ("results", "cache", "data"):
        yield from (path for path in (folder / name).rglob("*") if path.is_file())


@pytest.mark.parametrize("place", sorted(REFUSED.keys() | CONCEALED.keys()))
@settings(max_examples=2, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=secrets)
def test_a_secret_occurs_in_no_file(shell: CommandLine, place: str, secret: str) -> None:
    for old in ("hpoctl.toml", "study.toml", "benchmark.toml"):
        (shell.root.parent / old).unlink(missing_ok=True)
    answer = {**REFUSED, **CONCEALED}[place](shell, secret)
    assert answer.code == (2 if place in REFUSED else CONCEALED_CODES[place]), answer
    if place in REFUSED and place not in UNKNOWN:
        assert "credential" in answer.err or "is secret" in answer.err, answer
    holding = [path for path in _files(shell.root.parent) if secret.encode() in path.read_bytes()]
    assert not holding, (answer, holding)


def test_an_error_in_a_worker_is_told_without_the_secret(shell: CommandLine) -> None:
    answer = CONCEALED["an error in a worker"](shell, "correct-horse-battery")
    assert answer.code == 1
    said = shell("logs", "--tag", "t").out
    assert "refused: ***" in said
    assert "connecting with ***" in said
    assert "correct-horse" not in said + answer.out + answer.err


def test_a_secret_option_takes_the_name_of_a_variable(shell: CommandLine) -> None:
    words = (*LAUNCH, "--on", "shell", "--launcher-option", "login=FAR_LOGIN")
    unset = shell(*words)
    assert unset.code == 2
    assert "is secret: it takes the name of an environment variable" in unset.err
    answer = shell(*words, FAR_LOGIN="hunter2")
    assert "nothing is run here" in answer.err


def test_files_with_options_are_private(cli: CommandLine) -> None:
    answer = cli("launch", "--study", "toys", "--method", "RS", "--benchmark", "toy", "--tag", "t", "-j", "1")
    assert answer.code == 0, answer.err
    kept = list((cli.root / "t" / ".hpoctl").rglob("*.json"))
    assert {path.parent.name for path in kept} >= {"plans", "launches"}
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    results = list(cli.root.glob("t/*/*/results.parquet"))
    assert results
    mask = os.umask(0o022)
    os.umask(mask)
    assert {path.stat().st_mode & 0o777 for path in results} == {0o666 & ~mask}
