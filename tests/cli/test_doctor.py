"""`hpoctl doctor`: what would stop a launch is found before, with its remedy."""

import pytest

from command_line import CommandLine

BROKEN = "raise RuntimeError('no such table')\n"

FAR = """
from dataclasses import dataclass
from hpoctl.core.entries import LauncherEntry
from hpoctl.core.errors import HpoctlError
from hpoctl.core.findings import Finding
from hpoctl.plugins import hookimpl

@dataclass(frozen=True)
class Options:
    host: str = "nowhere"

def check(options):
    yield Finding("gate", "ok", "it is open")
    yield Finding("bridge", "problem", f"no bridge to {options.host}", "Build one.")
    raise HpoctlError("The river cannot be asked.", "Wait for the ferry.")

@hookimpl
def hpoctl_launchers():
    return [LauncherEntry("far", "Far away", lambda options: None, Options(), outlives=True, check=check)]
"""


DEEP = """
from dataclasses import dataclass
from hpoctl.core.findings import Finding
from hpoctl.core.trial_backends import BackendEntry
from hpoctl.plugins import hookimpl

@dataclass(frozen=True)
class Options:
    well: str = "none"

def check(options):
    yield Finding("well", "ok", f"it is {options.well}")

@hookimpl
def hpoctl_trial_backends():
    return [BackendEntry("deep", "Deep down", lambda context, options: None, Options(), "script", check=check)]
"""
BENCHMARK = """
script = "train.py"
metric = "loss"
max_wallclock_time = 10
[space]
x = { type = "uniform", lower = 0.0, upper = 1.0 }
"""
STUDY = """
methods = ["RS"]
benchmarks = ["toy.toml"]
num_seeds = 1
backend = "deep"
[backend_options]
well = "full"
"""


def _found(data: dict) -> list[tuple[str, str]]:
    return [(finding["subject"], finding["verdict"]) for finding in data["findings"]]


def test_nothing_would_stop_a_launch(cli: CommandLine) -> None:
    answer = cli("doctor", "--results", str(cli.root))
    assert answer.code == 0, answer.err
    assert answer.out.splitlines()[-1].startswith("nothing would stop a launch")
    assert f"{cli.root} can be written, read and claimed in" in answer.out
    assert sorted(path.name for path in cli.root.iterdir()) == [".claims"]  # no probe is left
    data = cli("doctor", "--results", str(cli.root), "--json").json["data"]
    assert ("results", "ok") in _found(data)
    assert all(finding["remedy"] for finding in data["findings"] if finding["verdict"] != "ok")


def test_a_broken_plugin_is_a_warning(cli: CommandLine) -> None:
    cli.install("hpoctl-broken", BROKEN)
    answer = cli("doctor", "--results", str(cli.root), HPOCTL_PLUGINS="hpoctl-broken")
    assert answer.code == 0
    assert "warning  plugin: hpoctl-broken" in answer.out
    assert "no such table" in answer.out


def test_what_a_launcher_finds_stops_a_launch(cli: CommandLine) -> None:
    cli.install("hpoctl-far", FAR)
    answer = cli("doctor", "--on", "far", "--results", str(cli.root), "--json", HPOCTL_PLUGINS="hpoctl-far")
    assert answer.code == 1
    assert answer.json["status"] == "error"
    found = _found(answer.json["data"])
    assert [entry for entry in found if entry[0] in {"gate", "bridge", "far"}] == [
        ("gate", "ok"),
        ("bridge", "problem"),
        ("far", "problem"),
    ]
    assert {error["fix"] for error in answer.json["errors"]} == {"Build one.", "Wait for the ferry."}


def test_the_configured_launcher_is_looked_at_with_its_options(cli: CommandLine) -> None:
    cli.install("hpoctl-far", FAR)
    (cli.root.parent / "hpoctl.toml").write_text('launcher = "far"\n[launcher_options]\nhost = "Avalon"\n')
    words = ("doctor", "--results", str(cli.root), "--launcher-option", "host=Thule")
    assert "problem  bridge: no bridge to Thule" in cli(*words, HPOCTL_PLUGINS="hpoctl-far").out
    answer = cli("doctor", "--results", str(cli.root), HPOCTL_PLUGINS="hpoctl-far")
    assert answer.code == 1
    assert "problem  bridge: no bridge to Avalon\n           fix: Build one." in answer.out
    assert answer.out.splitlines()[-1] == "2 problems would stop a launch"


def test_the_trial_backend_of_the_folder_s_study_is_looked_at_with_its_options(cli: CommandLine) -> None:
    cli.install("hpoctl-deep", DEEP)
    folder = cli.root.parent
    (folder / "train.py").write_text("")
    (folder / "toy.toml").write_text(BENCHMARK)
    (folder / "study.toml").write_text(STUDY)
    assert "ok       well: it is none" in cli("doctor", HPOCTL_PLUGINS="hpoctl-deep", HPOCTL_ROOT=str(cli.root)).out
    (folder / "hpoctl.toml").write_text('study = "study.toml"\n')
    answer = cli("doctor", HPOCTL_PLUGINS="hpoctl-deep", HPOCTL_ROOT=str(cli.root))
    assert "ok       well: it is full" in answer.out
    (folder / "study.toml").write_text(STUDY.replace("well", "wheel"))
    answer = cli("doctor", HPOCTL_PLUGINS="hpoctl-deep", HPOCTL_ROOT=str(cli.root))
    assert "problem  deep: " in answer.out


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--on", "nowhere"), "problem  launcher: "),
        (("--results", "ftp://there"), "problem  results: "),
    ],
)
def test_what_cannot_be_used_is_a_problem(cli: CommandLine, words: tuple[str, ...], what: str) -> None:
    answer = cli("doctor", *words, HPOCTL_ROOT=str(cli.root))
    assert answer.code == 1
    assert what in answer.out


def test_a_configuration_that_cannot_be_read(cli: CommandLine) -> None:
    (cli.root.parent / "hpoctl.toml").write_text("launcher = ")
    answer = cli("doctor", "--results", str(cli.root))
    assert answer.code == 1
    assert "problem  configuration: " in answer.out


def test_a_root_that_is_a_file(cli: CommandLine) -> None:
    cli.root.write_text("results")
    answer = cli("doctor", "--results", str(cli.root))
    assert answer.code == 1
    assert f"problem  results: Cannot write {cli.root}" in answer.out


def test_a_small_study_is_run(cli: CommandLine) -> None:
    answer = cli("doctor", "--smoke", "--results", str(cli.root), "--json")
    assert answer.code == 0, answer.out
    found = [entry for entry in _found(answer.json["data"]) if entry[0].startswith("job")]
    assert found == [("job on local", "ok"), ("job on local: pause", "ok"), ("job on local: resume", "ok")]
    assert [path.name for path in cli.root.iterdir()] == [".claims"]  # nothing is left


def test_a_small_study_that_does_not_end_is_stopped(cli: CommandLine) -> None:
    answer = cli("doctor", "--smoke", "--smoke-timeout", "1", "--results", str(cli.root), "--json")
    assert answer.code == 1
    assert [error["what"] for error in answer.json["errors"]] == ["not complete within 1 seconds, and stopped"]
    assert [path.name for path in cli.root.iterdir()] == [".claims"]


def test_a_small_study_is_not_run_where_it_would_be_stopped(cli: CommandLine) -> None:
    cli.install("hpoctl-far", FAR)
    words = ("doctor", "--smoke", "--on", "far", "--results", str(cli.root), "--json")
    answer = cli(*words, HPOCTL_PLUGINS="hpoctl-far")
    assert (answer.code, answer.json["data"]["findings"][-1]["text"]) == (1, "not run because of the problems above")
    wrong = cli("doctor", "--smoke", "--backend", "rai", "--results", str(cli.root), "--json")
    assert (wrong.code, wrong.json["errors"][0]["what"]) == (1, "Unknown trial backend 'rai'.")
    assert cli("doctor", "--backend", "local").code == 2
