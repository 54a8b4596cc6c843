"""`hpoctl studies` and `hpoctl studies show`, and a study file in the place of a name."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import CommandLine
from hpoctl.ops.studies.choose_study import load_study

WISHES = """
from hpoctl.plugins import Settings, Study, hookimpl


@hookimpl
def hpoctl_studies():
    yield Study(
        "late",
        "What comes later [x] :tada:",
        ("RS", "ASHA"),
        ("toy",),
        num_seeds=20,
        start_seed=1,
        tag="docs-2",
        experiment=Settings(n_workers=8, max_wallclock_time=600.0),
        fixed={"ASHA": {"activation": "relu", "units": 8}},
        launcher="local",
        launcher_options={"jobs": 2},
        default=True,
    )
    yield Study("wish", "", ("RS", "GO\\nLEM"), ("toy", "moor"), extra_results=("tracks",), launcher="moon")
"""


@pytest.fixture
def wishes(cli: CommandLine) -> CommandLine:
    cli.install("wishes", WISHES)
    cli.environment["HPOCTL_PLUGINS"] = "toys-plugin,wishes"
    return cli


def test_studies_are_listed_with_all_that_they_say(wishes: CommandLine) -> None:
    answer = wishes("studies", "--wide")
    assert answer.code == 0
    late = answer.out[answer.out.index("late (default)") : answer.out.index("wish\n")]
    assert [" ".join(line.split()) for line in late.splitlines()] == [
        "late (default): What comes later [x] :tada:",
        "methods: RS, ASHA",
        "benchmarks: toy",
        "seeds: 1 to 19",
        "experiments: 38",
        "fixed: ASHA activation=relu, units=8",
        "launcher options: jobs=2",
        "also: tag=docs-2, n_workers=8, max_wallclock_time=600.0",
        "from: wishes 1.0 (wishes_module)",
    ]
    missing = "missing: method GO LEM, benchmark moor, extra-result composer tracks, launcher moon"
    assert missing in " ".join(answer.out.split())
    assert answer.err == "`hpoctl studies show NAME` prints one as TOML, to start a study file from\n"


def test_a_narrow_terminal_breaks_lines_between_names_only(wishes: CommandLine) -> None:
    answer = wishes("studies", COLUMNS="40")
    words = {word.rstrip(",") for line in answer.out.splitlines() for word in line.split()}
    assert {"ASHA", "MOBSTER", "toy-max", "toy-nan", "ASHA.grace_period=3", "max_wallclock_time=600.0"} <= words
    assert all(len(line) <= 40 for line in answer.out.splitlines() if line.startswith("  methods"))


def test_studies_as_json(wishes: CommandLine) -> None:
    answer = wishes("studies", "--json")
    assert answer.json["command"] == "studies"
    studies = {study["name"]: study for study in answer.json["data"]["studies"]}
    assert list(studies) == ["toys", "nan", "toys-3", "late", "wish"]
    late = studies["late"]
    assert (late["start_seed"], late["num_seeds"], late["experiments"], late["missing"]) == (1, 20, 38, [])
    assert late["overrides"] == {
        "tag": "docs-2",
        "n_workers": 8,
        "max_wallclock_time": 600.0,
        "fixed": {"ASHA": {"activation": "relu", "units": 8}},
        "launcher_options": {"jobs": 2},
        "default": True,
    }
    assert (late["source"], late["origin"]["distribution"]) == ("late", "wishes")
    assert studies["toys"]["overrides"] == {}
    assert studies["wish"]["missing"] == [
        "method GO\nLEM",
        "benchmark moor",
        "extra-result composer tracks",
        "launcher moon",
    ]
    assert wishes("studies", "show", "late", "--json").json["data"]["studies"] == [late]
    assert wishes("studies", "--json", "show", "late").json["data"]["studies"] == [late]


def test_a_study_is_shown_as_a_file_to_start_from(wishes: CommandLine, tmp_path: Path) -> None:
    answer = wishes("studies", "show", "late", PYTHONIOENCODING="ascii")
    assert answer.code == 0
    assert answer.err == ""
    assert answer.out.splitlines()[:3] == [
        "# late: 2 methods x 1 benchmark x 19 seeds = 38 experiments",
        "# from: wishes 1.0 (wishes_module)",
        'name = "late"',
    ]
    assert 'summary = "What comes later [x] :tada:"' in answer.out
    (tmp_path / "mine.toml").write_text(answer.out)
    study = load_study(tmp_path / "mine.toml")
    assert (study.seeds, study.fixed, study.default) == (
        range(1, 20),
        {"ASHA": {"activation": "relu", "units": 8}},
        False,
    )
    again = wishes("studies", "show", "mine.toml")
    assert again.out.splitlines()[1] == f"# from: {tmp_path / 'mine.toml'}"
    assert again.out.splitlines()[2:] == answer.out.splitlines()[2:]
    (info,) = wishes("studies", "show", "./mine.toml", "--json").json["data"]["studies"]
    assert (info["source"], info["origin"]) == (str(tmp_path / "mine.toml"), None)


def test_what_is_missing_here_is_a_comment_on_one_line(wishes: CommandLine) -> None:
    answer = wishes("studies", "show", "wish")
    comments = [line for line in answer.out.splitlines() if line.startswith("#")]
    assert comments[0] == "# wish: 2 methods x 2 benchmarks x 1 seed = 4 experiments"
    assert comments[2] == (
        "# missing here: method GO\\nLEM, benchmark moor, extra-result composer tracks, launcher moon"
    )
    assert tomllib.loads(answer.out)["methods"] == ["RS", "GO\nLEM"]


def test_an_unknown_study_is_an_error_in_two_lines(wishes: CommandLine) -> None:
    answer = wishes("studies", "show", "toyz")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.splitlines() == [
        "error: Unknown study 'toyz'.",
        "  fix: Did you mean toys or toys-3? `hpoctl studies` lists all of them.",
    ]
    answer = wishes("studies", "show", "absent.toml", "--json")
    assert answer.code == 2
    assert answer.json["errors"][0]["what"] == "There is no study file absent.toml."


def test_a_study_file_can_be_run(cli: CommandLine, results: Callable[[], list[Path]], tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(
        """
        methods = ["RS", "ASHA"]
        benchmarks = ["toy"]
        settings = ["ASHA.grace_period=3"]
        n_workers = 2
        max_wallclock_time = 300
        fixed.ASHA.activation = "relu"
        """
    )
    answer = cli("run", "--study", "my.toml", "--method", "ASHA", "--tag", "a", "--random-seed", "1")
    assert answer.code == 0, answer.err
    (path,) = results()
    metadata = json.loads((path.parent / "metadata.json").read_text())
    assert (metadata["n_workers"], metadata["max_wallclock_time"]) == (2, 300.0)
    assert json.loads(metadata["config_space"])["activation"] == "relu"
    assert metadata["determinants"]["method"]["options"]["grace_period"] == 3
    assert "--study my.toml" in answer.err

    (tmp_path / "my.toml").write_text("method = 1")
    broken = cli("run", "--study", "my.toml", "--method", "ASHA")
    assert broken.code == 2
    assert broken.err.splitlines()[0] == "error: my.toml has an unknown key 'method' (line 1)."


def test_a_run_puts_results_where_the_folder_says(cli: CommandLine, tmp_path: Path) -> None:
    del cli.environment["HPOCTL_ROOT"]
    (tmp_path / "hpoctl.toml").write_text('results = "here"\n')
    answer = cli("run", "-m", "RS", "-b", "toy", "--max-wallclock-time", "100", "--tag", "a")
    assert answer.code == 0, answer.err
    assert len(list((tmp_path / "here" / "a" / "RS").iterdir())) == 1
    (tmp_path / "hpoctl.toml").write_text("result = 1\n")
    broken = cli("run", "-m", "RS", "-b", "toy")
    assert broken.code == 2
    assert "Did you mean results?" in broken.err
