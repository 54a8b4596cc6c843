"""`hpoctl methods`, `benchmarks`, `studies` and `plugins`, on plugins that are really installed."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hpoctl import __version__
from hpoctl.cli.app import app
from hpoctl.core.errors import UsageError
from support import write_distribution

GARDEN = """
from dataclasses import dataclass, field
from typing import Literal

from hpoctl.plugins import ExtraResults, Method, Study, hookimpl
from hpoctl.testing import toy_benchmark

@dataclass(frozen=True)
class Options:
    depth: int | None = field(default=None, metadata={"help": "how deep [x]"})
    way: Literal["left", "right"] = "left"
    mirror: bool = False
    rate: float = 0.5

MOLE = Method("MOLE", "Digs [deep]", "mole", lambda context, options: None, Options(), expensive=True)

@hookimpl
def hpoctl_methods():
    return [MOLE, MOLE.with_fixed({"activation": "relu"}, name="MOLE-RELU")]

@hookimpl
def hpoctl_benchmarks():
    return [toy_benchmark(name="meadow", mode="max")]

@hookimpl
def hpoctl_extra_results():
    return [ExtraResults("tunnels", "How many", lambda: None)]

@hookimpl
def hpoctl_studies():
    yield Study("dig", "Where to dig?", ("MOLE", "RS"), ("meadow",), 5, ("tunnels",))
    yield Study("wish", "What is lacking?", ("MOLE", "GOLEM"), ("meadow", "moor"), 1, ("tracks",))
"""


class Site:
    """A folder of installed distributions, and the command line that sees them."""

    def __init__(self, folder: Path, select: Callable[[str], None]) -> None:
        self._folder = folder
        self._select = select
        self._names: list[str] = []

    def install(self, name: str, source: str) -> None:
        write_distribution(self._folder, name, source, version="2.0")
        self._names.append(name)
        self._select(",".join(self._names))

    def text(self, *words: str) -> tuple[str, str]:
        """Standard output and standard error of a command that works."""
        result = CliRunner().invoke(app, words, catch_exceptions=False)
        assert result.exit_code == 0
        return result.stdout, result.stderr

    def json(self, *words: str) -> dict[str, Any]:
        stdout, stderr = self.text(*words, "--json")
        assert stderr == ""
        envelope = json.loads(stdout)
        assert (envelope["format"], envelope["command"]) == (1, words[0])
        assert set(envelope) == {"format", "command", "status", "data", "errors"}
        assert isinstance(envelope, dict)
        return envelope


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The site with the plugin `garden`; no plugin from outside is loaded."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    site = Site(tmp_path, lambda names: monkeypatch.setenv("HPOCTL_PLUGINS", names))
    site.install("garden", GARDEN)
    yield site
    for name in [name for name in sys.modules if name.endswith("_module")]:
        del sys.modules[name]


def break_a_plugin(site: Site) -> str:
    site.install("broken", "import no_such_module_anywhere")
    return "Plugin broken 2.0: cannot be loaded: ModuleNotFoundError: No module named 'no_such_module_anywhere'"


def test_methods_are_listed_with_what_they_do_their_options_and_their_origin(site):
    stdout, _ = site.text("methods", "--wide")
    (line,) = [line for line in stdout.splitlines() if "MOLE-RELU" in line]
    assert "MOLE with activation=relu" in line
    assert "depth=none, way=left, mirror=false, rate=0.5" in line
    assert "garden 2.0" in line
    for name in ("RS", "BO", "ASHA", "MOBSTER"):
        assert any(name in line and f"hpoctl {__version__}" in line for line in stdout.splitlines())


def test_one_method_is_explained(site):
    stdout, _ = site.text("methods", "MOLE-RELU")
    for fact in ("from: garden 2.0 (garden_module)", "fixed: activation=relu", "jobs: one for each seed"):
        assert f"  {fact}\n" in stdout
    assert "how deep [x]" in stdout
    assert "int or none" in stdout
    assert "jobs: one for all seeds" in site.text("methods", "ASHA")[0]
    assert "options: none" in site.text("methods", "RS")[0]


def test_text_of_plugins_is_no_markup(site):
    assert "Digs [deep]" in site.text("methods")[0]
    assert "Digs [deep]" in site.text("methods", "MOLE")[0]


def test_methods_as_json(site):
    envelope = site.json("methods", "MOLE")
    assert envelope["status"] == "success"
    assert envelope["errors"] == []
    (method,) = envelope["data"]["methods"]
    assert method["options"] == [
        {"name": "depth", "type": "int or none", "default": None, "help": "how deep [x]"},
        {"name": "way", "type": "left or right", "default": "left", "help": ""},
        {"name": "mirror", "type": "bool", "default": False, "help": ""},
        {"name": "rate", "type": "float", "default": 0.5, "help": ""},
    ]
    assert method["origin"] == {
        "distribution": "garden",
        "version": "2.0",
        "entry_point": "garden",
        "target": "garden_module",
        "built_in": False,
    }
    names = [method["name"] for method in site.json("methods")["data"]["methods"]]
    assert {"RS", "BO", "ASHA", "MOBSTER"} <= set(names[:-2])
    assert names[-2:] == ["MOLE", "MOLE-RELU"]


def test_benchmarks_are_listed_with_their_defaults_and_what_is_known_of_the_data(site):
    stdout, _ = site.text("benchmarks", "--wide")
    (line,) = [line for line in stdout.splitlines() if "meadow" in line]
    for cell in ("loss (max)", "epoch to 27", " 4 ", "1,500 s", "curves: made up", "garden 2.0"):
        assert cell in line

    stdout, _ = site.text("benchmarks", "meadow")
    assert "  data: curves: made up\n" in stdout
    assert "  configurations: 120\n" in stdout
    assert "one of 'tanh', 'relu'" in stdout


def test_benchmarks_as_json(site):
    (benchmark,) = site.json("benchmarks")["data"]["benchmarks"]
    assert benchmark["provenance"] == {"curves": "made up"}
    assert (benchmark["metric"], benchmark["mode"]) == ("loss", "max")
    assert (benchmark["max_wallclock_time"], benchmark["max_num_evaluations"]) == (1500.0, None)
    activation = benchmark["space"][0]
    assert activation["name"] == "activation"
    assert activation["domain"] == {"type": "choice", "values": ["tanh", "relu"]}
    assert benchmark["space"][-1]["domain"] == benchmark["max_resource"] == 27


def test_plugins_shows_what_is_loaded_and_what_each_registers(site):
    stdout, _ = site.text("plugins")
    assert "methods: RS, BO, ASHA" in stdout
    for line in ("methods: MOLE, MOLE-RELU", "benchmarks: meadow", "extra results: tunnels", "studies: dig, wish"):
        assert line in stdout
    reports = {report["origin"]["distribution"]: report for report in site.json("plugins")["data"]["plugins"]}
    assert reports["hpoctl"]["origin"]["built_in"]
    assert reports["garden"]["state"] == "loaded"
    assert reports["garden"]["registers"]["extra_results"] == ["tunnels"]


def test_plugins_names_a_broken_plugin_and_what_to_do(site):
    what = break_a_plugin(site)
    stdout, stderr = site.text("plugins")
    assert what in stdout
    assert "methods: MOLE, MOLE-RELU" in stdout
    assert "Update or uninstall broken, or leave it out with `HPOCTL_PLUGINS=garden`." in stderr

    envelope = site.json("plugins")
    assert envelope["status"] == "partial"
    (error,) = envelope["errors"]
    assert error["what"].startswith(what)
    (report,) = [report for report in envelope["data"]["plugins"] if report["state"] == "failed"]
    assert report["origin"]["distribution"] == "broken"


def test_plugins_shows_what_the_environment_leaves_out(site, monkeypatch):
    break_a_plugin(site)
    monkeypatch.setenv("HPOCTL_PLUGINS", "garden")
    envelope = site.json("plugins")
    assert envelope["status"] == "success"
    states = {report["origin"]["distribution"]: report["state"] for report in envelope["data"]["plugins"]}
    assert states["broken"] == "skipped"


@pytest.mark.parametrize("command", ["methods", "benchmarks", "studies"])
def test_a_list_without_a_broken_plugin_is_partial_and_says_so(site, command):
    complete = site.json(command)
    what = break_a_plugin(site)
    stdout, stderr = site.text(command)
    assert stderr.startswith(f"warning: {what}")
    assert what not in stdout
    envelope = site.json(command)
    assert envelope["status"] == "partial"
    assert envelope["errors"][0]["what"].startswith(what)
    assert envelope["data"] == complete["data"]


def test_what_a_plugin_prints_does_not_reach_the_json(site):
    site.install("chatty", "print('hello')")
    result = CliRunner().invoke(app, ["plugins", "--json"], catch_exceptions=False)
    assert json.loads(result.stdout)["command"] == "plugins"
    assert result.stderr == "hello\n"


@pytest.mark.parametrize(
    ("command", "name", "close"),
    [("methods", "MOLE-RELLU", "MOLE-RELU"), ("benchmarks", "medow", "meadow"), ("studies show", "digg", "dig")],
)
def test_a_mistyped_name_is_an_error_with_close_matches(site, command, name, close):
    with pytest.raises(UsageError) as caught:
        CliRunner().invoke(app, [*command.split(), name], catch_exceptions=False)
    assert repr(name) in caught.value.what
    assert close in caught.value.fix
    assert f"`hpoctl {command.split()[0]}`" in caught.value.fix
