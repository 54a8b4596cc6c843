"""Tables that list some configurations, on the command line: restricted or not, told, recorded, planned again."""

import json
import tomllib
from pathlib import Path

import pytest

from command_line import Answer, CommandLine

SOURCE = """
from dataclasses import replace

from hpoctl.core.space import LogUniform, Space, TableSpace
from hpoctl.plugins import hookimpl
from hpoctl.testing import toy_benchmark, toy_space, toy_table


class Listed:
    metrics = ("loss",)
    num_seeds = 3

    def __init__(self):
        space = toy_space()
        self._table = toy_table()
        self.space = TableSpace.of(space, [space.at(row) for row in range(3, 120, 4)])
        self.content_hash = self._table.content_hash + "listed"

    def curve(self, config, seed):
        self.space.validate(config)
        return self._table.curve(config, seed)


class Endless:
    space = Space({**toy_space().domains, "units": LogUniform(8.0, 256.0)})
    metrics = ("loss",)
    num_seeds = 1
    content_hash = "endless"


@hookimpl
def hpoctl_benchmarks():
    yield replace(toy_benchmark(name="listed"), blackbox=Listed)
    yield replace(toy_benchmark(name="pool"), blackbox=Listed, restricted=True)
    yield replace(toy_benchmark(name="endless"), blackbox=Endless, space=Endless.space)
"""
WORDS = ("-m", "RS", "--tag", "a", "--random-seed", "5")


@pytest.fixture
def tables(cli: CommandLine) -> CommandLine:
    cli.install("tables-plugin", SOURCE)
    cli.environment["HPOCTL_PLUGINS"] = "toys-plugin,tables-plugin"
    return cli


def metadata(cli: CommandLine) -> list[dict[str, object]]:
    return [json.loads(path.read_text()) for path in sorted(cli.root.glob("*/*/*/metadata.json"))]


def notes(answer: Answer) -> list[str]:
    return [line for line in answer.out.splitlines() if "nearest configuration of the table" in line]


def test_a_run_says_how_many_trials_were_off_the_table(tables: CommandLine) -> None:
    answer = tables("run", *WORDS, "-b", "listed")
    assert answer.code == 0, answer.err
    (recorded,) = metadata(tables)
    counted = recorded["off_table"]
    assert isinstance(counted, dict)
    (note,) = notes(answer)
    assert note.startswith(f"RS listed seed 0: {counted['off_table']} of {counted['trials']} trials got the curve of")
    assert note.endswith(f"distance {counted['mean_distance']:.2g} on average, {counted['max_distance']:.2g} at most")
    again = tables("run", *WORDS, "-b", "listed", "--json")
    assert again.json["data"]["experiments"][0]["off_table"] == counted


@pytest.mark.parametrize("words", [("-b", "listed", "--restrict-configurations"), ("-b", "pool"), ("-b", "toy")])
def test_a_run_says_nothing_where_all_trials_were_on_the_table(tables: CommandLine, words: tuple[str, ...]) -> None:
    answer = tables("run", *WORDS, *words, "--max-wallclock-time", "1e6")
    assert answer.code == 0, answer.err
    assert notes(answer) == []
    (recorded,) = metadata(tables)
    assert recorded["off_table"] is None
    assert recorded["trials"] == (120 if "toy" in words else 30)
    assert f"--benchmark {words[1]}" in answer.err
    assert ("--restrict-configurations" in answer.err) == ("--restrict-configurations" in words)


@pytest.mark.parametrize("command", ["run", "launch"])
def test_what_lists_nothing_cannot_be_restricted_to_it(tables: CommandLine, command: str) -> None:
    study = tables.root.parent / "study.toml"
    study.write_text('methods = ["RS"]\nbenchmarks = ["toy", "endless"]\nrestrict_configurations = true\n')
    answer = tables(command, "--study", str(study), *WORDS)
    assert answer.code == 2
    assert "error: endless cannot be restricted to its table, which lists no configurations." in answer.err
    assert "--restrict-configurations" in answer.err.splitlines()[-1]
    assert not tables.root.exists()


def test_fixed_values_that_no_row_has_are_refused_before_anything_runs(tables: CommandLine) -> None:
    study = tables.root.parent / "study.toml"
    study.write_text('methods = ["RS"]\nbenchmarks = ["pool"]\n[fixed.RS]\nrate = 0.0\n')
    answer = tables("run", "--study", str(study), *WORDS)
    assert answer.code == 2
    assert "RS does not fit pool: No configuration of the table has rate=0.0." in answer.err
    assert not tables.root.exists()


def test_a_launch_keeps_what_was_said_about_restriction(tables: CommandLine) -> None:
    words = ("launch", *WORDS, "-b", "listed", "-j", "1", "--json")
    study = tables.root.parent / "study.toml"
    study.write_text('methods = ["RS"]\nbenchmarks = ["listed"]\n')
    first = tables(*words, "--study", str(study), "--restrict-configurations")
    assert first.code == 0, first.err
    (recorded,) = metadata(tables)
    assert recorded["determinants"]["restricted"] is True  # type: ignore[index]
    # The tag remembers: more seeds are restricted, too, and the others are not made again.
    assert tables("launch", "--tag", "a", "--num-seeds", "2", "-j", "1", "--json").code == 0
    both = metadata(tables)
    assert [entry["determinants"]["restricted"] for entry in both] == [True, True]  # type: ignore[index]
    other = tables("launch", "--tag", "a", "--num-seeds", "2", "--no-restrict-configurations")
    assert other.code == 2
    assert "restricted: True -> nothing" in other.err


def test_a_study_file_says_it(tables: CommandLine) -> None:
    study = tables.root.parent / "study.toml"
    study.write_text('methods = ["RS"]\nbenchmarks = ["listed"]\nrestrict_configurations = true\n')
    shown = tables("studies", "show", str(study))
    assert tomllib.loads(shown.out)["restrict_configurations"] is True
    assert tables("run", "--study", str(study), *WORDS).code == 0
    assert tables("run", "--study", str(study), *WORDS, "--no-restrict-configurations").code == 0
    counted = [entry["off_table"] for entry in metadata(tables)]
    assert counted[0] is None
    assert counted[1] is not None


def test_a_launch_of_another_table_is_named(tables: CommandLine, tmp_path: Path) -> None:
    words = ("launch", *WORDS, "--study", str(tmp_path / "study.toml"), "-j", "1")
    (tmp_path / "study.toml").write_text('methods = ["RS"]\nbenchmarks = ["pool"]\n')
    assert tables(*words).code == 0
    module = tables.plugins / "tables_plugin_module.py"
    module.write_text(SOURCE.replace("range(3, 120, 4)", "range(3, 120, 5)").replace('"listed"\n', '"other"\n'))
    same_tag = tables(*words)
    assert same_tag.code == 2
    assert "benchmark.table: " in same_tag.err
    other_tag = tables(*words, "--tag", "b")
    assert other_tag.code == 0, other_tag.err
    identities = {str(entry["identity"]) for entry in metadata(tables)}
    assert len(identities) == 2
