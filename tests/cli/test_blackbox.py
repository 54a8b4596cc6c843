"""`hpoctl blackbox`, from the list to the removal, on a plugin and on an imported table."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from command_line import CommandLine
from hpoctl.blackboxes.tables.stored import read_stored
from hpoctl.cli.app import app
from hpoctl.core.errors import HpoctlError, UsageError
from own_tables import Own, description, write_npz
from support import write_distribution

SHOP = """
from dataclasses import replace
from pathlib import Path

import numpy as np

from hpoctl.core.errors import HpoctlError, IncompleteError
from hpoctl.plugins import Imported, Importer, hookimpl
from hpoctl.testing import toy_benchmark, toy_table

def gone():
    raise IncompleteError("The table is gone.", "Bring it back.")

def crash():
    raise RuntimeError("oops")

def looked():
    yield "all bytes are there"
    raise HpoctlError("A byte is wrong.", "Copy it again.")

def load(path, progress):
    progress("reading", 0, None)
    progress("reading", 1, 2)
    if path.name == "crash":
        raise ValueError("cannot digest this")
    return Imported(("toy", "toy-2"), ("a note [x]",))

def fetch(url, progress):
    progress("downloading", 5, 10)
    return Path(f"/somewhere/{url}")

@hookimpl
def hpoctl_benchmarks():
    card = {"source": "made up [x]", "gate R2": ".93 (>= .90)"}
    yield replace(toy_benchmark(), card=card, check=lambda: iter(["the sums are right"]))
    yield replace(toy_benchmark(name="gone"), blackbox=gone)
    yield replace(toy_benchmark(name="crash"), blackbox=crash)
    yield replace(toy_benchmark(name="spoilt"), check=looked)
    yield replace(toy_benchmark(name="short"), space=replace(toy_table().space), metrics=("loss", "error"))
    yield replace(toy_benchmark(name="modelled"), provenance={"curves": "modelled by hand"})
    yield replace(toy_benchmark(lambda: toy_table(change=lambda losses: losses * np.nan)), name="nan")

@hookimpl
def hpoctl_importers():
    return [Importer("stall", "Fruit [x] of all sorts", load, fetch), Importer("cellar", "Old things", load)]
"""


@dataclass
class Shell:
    """Runs commands in this process, with the plugin `shop`."""

    folder: Path

    def run(self, *words: str, code: int = 0) -> Result:
        result = CliRunner().invoke(app, ["blackbox", *words], catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    def json(self, *words: str, code: int = 0) -> dict[str, Any]:
        result = self.run(*words, "--json", code=code)
        assert result.stderr == ""
        envelope = json.loads(result.stdout)
        assert (envelope["format"], envelope["command"]) == (1, "blackbox")
        return dict(envelope)

    def refused(self, *words: str) -> HpoctlError:
        with pytest.raises(HpoctlError) as caught:
            self.run(*words)
        return caught.value


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    write_distribution(plugins, "shop", SHOP)
    monkeypatch.syspath_prepend(plugins)
    monkeypatch.setenv("HPOCTL_PLUGINS", "shop")
    monkeypatch.setenv("HPOCTL_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "160")
    yield Shell(tmp_path)
    del sys.modules["shop_module"]


@pytest.fixture
def table(shell: Shell) -> Path:
    """A table that was imported."""
    told = {"source": "measured [x]", "licence": "CC0", "citation": "A. Lovelace, 1843"}
    path = write_npz(shell.folder, Own().arrays(), description(**told))
    shell.run("import", "table", str(path))
    return path


def test_the_list_has_blackboxes_and_importers(shell: Shell, table: Path) -> None:
    result = shell.run("list", "--wide")
    rows = [" ".join(line.split()) for line in result.stdout.splitlines()]
    for row in (
        "mine A table of my own as in the imported table 6 configurations, 2 seeds, epoch to 9 loss (min) imported",
        (
            "short A toy table with made-up curves made up 120 configurations, seeds known when opened, epoch to 27 "
            "loss (min), error shop 1.0"
        ),
        "stall Fruit [x] of all sorts (shop 1.0, downloads with `hpoctl blackbox fetch stall`)",
        "cellar Old things (shop 1.0)",
    ):
        assert row in rows
    narrow = shell.run("list")
    assert [line.split()[0] for line in narrow.stdout.splitlines() if line.startswith("mine ")] == ["mine"]
    assert "imported" not in narrow.stdout.splitlines()[0]
    assert "hpoctl blackbox info NAME" in result.stderr


def test_the_list_as_json(shell: Shell, table: Path) -> None:
    data = shell.json("list")["data"]
    rows = {row["name"]: row for row in data["blackboxes"]}
    assert (rows["mine"]["imported"], rows["mine"]["configurations"], rows["mine"]["seeds"]) == (True, 6, 2)
    assert (rows["toy"]["imported"], rows["toy"]["configurations"], rows["toy"]["seeds"]) == (False, 120, None)
    assert [row["name"] for row in data["importers"]] == ["table", "stall", "cellar"]


def test_a_damaged_table_is_in_the_list_as_a_warning(shell: Shell, table: Path) -> None:
    (read_stored("mine").folder / "description.json").write_text("{}")
    result = shell.run("list")
    assert "The imported table mine" in result.stderr
    names = [line.split()[0] for line in result.stdout.splitlines() if line.strip()]
    assert "mine" not in names
    assert "toy" in names
    envelope = shell.json("list")
    assert envelope["status"] == "partial"
    assert "hpoctl blackbox remove" in envelope["errors"][0]["fix"]
    shell.run("remove", "mine", "--yes")
    assert shell.json("list")["status"] == "success"


def test_info_shows_all_that_is_known(shell: Shell, table: Path) -> None:
    result = shell.run("info", "mine")
    for line in (
        "mine: A table of my own",
        "  metric: loss (min)",
        "  resource: epoch to 9 (epochs)",
        "  budget: 500 s",
        "  configurations: 6",
        "  other configurations: get the curve of the nearest one",
        "  seeds: 2",
        "  levels: 3",
        f"  content hash: {read_stored('mine').table.content_hash}",
        "  source: measured [x]",
        "  licence: CC0",
        "  citation: A. Lovelace, 1843",
        f"  lies in: {read_stored('mine').folder}",
    ):
        assert line in result.stdout.splitlines()
    assert "one of 8, 16, 32" in result.stdout
    assert "  gate R2: .93 (>= .90)\n" in shell.run("info", "toy").stdout


def test_info_as_json(shell: Shell) -> None:
    data = shell.json("info", "toy")["data"]
    assert data["card"] == {"source": "made up [x]", "gate R2": ".93 (>= .90)"}
    assert data["benchmark"]["space"][1]["name"] == "units"
    assert data["opened"]["seeds"] == 3
    assert not data["opened"]["listed"]


@pytest.mark.parametrize(("name", "code", "words"), [("gone", 3, "The table is gone."), ("crash", 1, "oops")])
def test_info_of_what_cannot_be_opened(shell: Shell, name: str, code: int, words: str) -> None:
    result = shell.run("info", name, code=code)
    assert f"{name}: A toy table" in result.stdout
    assert words in result.stderr
    envelope = shell.json("info", name, code=code)
    assert (envelope["status"], envelope["data"]["opened"]) == ("partial", None)
    assert words in envelope["errors"][0]["what"]


@pytest.mark.parametrize("words", [("info", "tay"), ("check", "tay"), ("plot", "tay", "--output", "x.png")])
def test_a_name_that_is_none(shell: Shell, words: tuple[str, ...]) -> None:
    error = shell.refused(*words)
    assert isinstance(error, UsageError)
    assert "toy" in error.fix


def test_import_says_what_to_do_next(shell: Shell) -> None:
    result = shell.run("import", "stall", "fruit")
    assert result.stdout == "imported toy, toy-2\n  a note [x]\n"
    assert "`hpoctl run --method ASHA --benchmark toy`" in result.stderr
    data = shell.json("import", "stall", "fruit")["data"]
    assert data == {"kind": "stall", "benchmarks": ["toy", "toy-2"], "notes": ["a note [x]"]}


def test_an_importer_that_fails_or_is_none(shell: Shell) -> None:
    error = shell.refused("import", "stall", "crash")
    assert "ValueError: cannot digest this" in error.what
    assert "stall" in shell.refused("import", "stal", "x").fix


def test_fetch(shell: Shell) -> None:
    result = shell.run("fetch", "stall", "--url", "fruit")
    assert result.stdout == "/somewhere/fruit\n"
    assert "`hpoctl blackbox import stall /somewhere/fruit`" in result.stderr
    assert shell.json("fetch", "stall", "--url", "x")["data"] == {"kind": "stall", "path": "/somewhere/x"}
    error = shell.refused("fetch", "table")
    assert isinstance(error, UsageError)
    assert "stall can be downloaded" in error.fix


def test_check_tells_each_thing_that_is_right(shell: Shell, table: Path) -> None:
    result = shell.run("check", "mine")
    assert "✓ values.npy is what was imported (SHA-256)" in result.stdout.splitlines()
    assert "✓ curves end at epoch 9" in result.stdout.splitlines()
    *checks, last = result.stdout.splitlines()
    assert last == f"mine is sound: {len(checks)} checks"
    assert "✓ the sums are right" in shell.run("check", "toy").stdout.splitlines()
    envelope = shell.json("check", "toy")
    assert (envelope["status"], envelope["data"]["sound"]) == ("success", True)
    assert envelope["data"]["checks"][0] == "the sums are right"


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("spoilt", "all bytes are there", "A byte is wrong."),
        ("gone", None, "The table is gone."),
        ("crash", None, "oops"),
        ("short", None, "metrics are ('loss', 'error')"),
    ],
)
def test_check_ends_at_the_first_thing_that_is_wrong(shell: Shell, name: str, right: str | None, wrong: str) -> None:
    result = shell.run("check", name, code=1)
    lines = result.stdout.splitlines()
    assert lines[:-1] == ([f"✓ {right}"] if right else [])
    assert lines[-1].startswith("✗ ")
    assert wrong in lines[-1]
    assert f"{name} is not sound" in result.stderr
    envelope = shell.json("check", name, code=1)
    assert (envelope["status"], envelope["data"]["sound"]) == ("error", False)
    assert wrong in envelope["errors"][0]["what"]


def test_check_sees_a_changed_byte_anywhere(shell: Shell, table: Path) -> None:
    file = read_stored("mine").folder / "elapsed.npy"
    whole = file.read_bytes()
    file.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    assert "✗" in shell.run("check", "mine", code=1).stdout


@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_plot_writes_the_format_of_the_suffix(shell: Shell, suffix: str, start: bytes) -> None:
    output = shell.folder / f"curves.{suffix}"
    assert shell.run("plot", "toy", "--output", str(output)).stdout == f"{output}\n"
    first = output.read_bytes()
    assert first.startswith(start)
    shell.run("plot", "toy", "--output", str(output))
    assert output.read_bytes() == first
    shell.run("plot", "toy", "--output", str(output), "--seed", "1")
    assert output.read_bytes() != first
    assert [path.name for path in shell.folder.glob("*.*")] == [output.name]


def svg(shell: Shell, *words: str) -> str:
    """The texts of a plot: in an SVG each glyph is drawn, and the text is a comment."""
    output = shell.folder / "curves.svg"
    shell.run("plot", *words, "--output", str(output))
    return output.read_text(encoding="utf-8")


def test_plot_says_what_it_shows(shell: Shell, table: Path) -> None:
    assert "<!-- modelled curves of 30 of 120 configurations, sample 0 -->" in svg(shell, "modelled")
    drawn = svg(shell, "mine", "--num", "30", "--seed", "4")
    assert "<!-- curves of 6 of 6 configurations, sample 4 -->" in drawn
    for text in ("mine: loss", "epoch", "loss", "best at the end"):
        assert f"<!-- {text} -->" in drawn
    data = shell.json("plot", "mine", "--num", "2", "--output", str(shell.folder / "x.svg"))["data"]
    assert (data["configurations"], data["metric"], data["not_finite"]) == (2, "loss", 0)


def test_plot_of_curves_that_are_not_finite_says_so(shell: Shell) -> None:
    result = shell.run("plot", "nan", "--output", str(shell.folder / "nan.png"))
    assert "loss is NaN or infinite somewhere in 30 curves" in result.stderr


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--output", "curves.gif"), "no format of pictures"),
        (("--output", "curves"), "no format of pictures"),
        (("--output", "nowhere/curves.png"), "There is no folder"),
        (("--output", "curves.png", "--metric", "los"), "Unknown metric 'los'"),
    ],
)
def test_plots_that_cannot_be(shell: Shell, words: tuple[str, ...], what: str) -> None:
    error = shell.refused("plot", "toy", *words)
    assert isinstance(error, UsageError)
    assert what in error.what


def test_plot_without_matplotlib_says_how_to_get_it(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    error = shell.refused("plot", "toy", "--output", str(shell.folder / "curves.png"))
    assert "hpoctl[plots]" in error.fix
    assert not (shell.folder / "curves.png").exists()


def test_a_picture_that_cannot_be_written(shell: Shell) -> None:
    (shell.folder / "curves.png").mkdir()
    assert "is a folder, not a file" in shell.refused("plot", "toy", "--output", str(shell.folder / "curves.png")).what
    assert [path.name for path in shell.folder.glob(".curves*")] == []


def test_remove_asks_and_takes_imported_tables_only(shell: Shell, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "--yes" in shell.refused("remove", "mine").fix
    assert "comes with shop 1.0" in shell.refused("remove", "toy", "--yes").what
    assert "No table 'other'" in shell.refused("remove", "other", "--yes").what
    monkeypatch.setattr("hpoctl.cli.output.agreed", lambda what, as_json: False)
    assert "still there" in shell.run("remove", "mine").stderr
    monkeypatch.setattr("hpoctl.cli.output.agreed", lambda what, as_json: True)
    assert shell.run("remove", "mine").stdout == "removed mine\n"
    assert "Unknown benchmark" in shell.refused("info", "mine").what
    shell.run("import", "table", str(table))
    assert shell.json("remove", "mine", "--yes")["data"] == {"removed": "mine"}


def wide(folder: Path, mode: str) -> Path:
    """200 configurations of two numbers; the best lie near (.3, .6)."""
    rng = np.random.default_rng(1)
    x, y = rng.random(200), rng.random(200)
    loss = (x - 0.3) ** 2 + (y - 0.6) ** 2
    curves = loss[:, None] + 1.0 / np.arange(1, 10)
    space = {name: {"type": "uniform", "lower": 0.0, "upper": 1.0} for name in "xy"}
    arrays = {"param_names": ["x", "y"], "x": x, "y": y, "fidelities": np.arange(1, 10)}
    arrays |= {"score": -curves if mode == "max" else curves, "seconds": np.cumsum(1.0 + np.ones((200, 9)), axis=1)}
    return write_npz(folder, arrays, description(space={**space, "epochs": 9}, mode=mode, metric="score"))


def test_methods_run_on_an_imported_table_off_its_configurations_too(cli: CommandLine, tmp_path: Path) -> None:
    for mode in ("min", "max"):
        assert cli("blackbox", "import", "table", str(wide(tmp_path, mode))).code == 0
        words = ("--method", "ASHA", "--benchmark", "mine", "--tag", mode, "--random-seed", "1")
        answer = cli("run", *words, "--json")
        assert answer.code == 0, answer.err
        (result,) = answer.json["data"]["experiments"]
        assert result["trials"] > 50
        assert result["off_table"]["off_table"] == result["trials"]
        best = result["best_config"]
        assert abs(best["x"] - 0.3) + abs(best["y"] - 0.6) < 0.3
        restricted = cli(
            "run", *words[:-3], f"{mode}-listed", "--random-seed", "1", "--restrict-configurations", "--json"
        )
        assert restricted.code == 0, restricted.err
        (result,) = restricted.json["data"]["experiments"]
        assert result["off_table"] is None


def test_errors_of_the_command_line(cli: CommandLine, tmp_path: Path) -> None:
    answer = cli("blackbox", "import", "table", str(tmp_path / "none.npz"))
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.splitlines()[0].startswith("error: There is no file")
    assert answer.err.splitlines()[1].startswith("  fix: ")
    answer = cli("blackbox", "import", "table", str(tmp_path / "none.npz"), "--json")
    assert (answer.json["command"], answer.json["status"], answer.err) == ("blackbox", "error", "")
    assert not (tmp_path / "data").exists()
