"""A benchmark.toml says what it takes to tune a script; what does not fit is named with a remedy."""

from pathlib import Path
from typing import Any

import pytest

from hpoctl.core.entries import Benchmark
from hpoctl.core.errors import UsageError
from hpoctl.core.records import keys_of
from hpoctl.core.script import REPORT_NUMBER
from hpoctl.core.script_benchmark import ScriptBenchmark, benchmark_from_table
from hpoctl.core.toml_files import Document

TABLE: dict[str, Any] = {
    "name": "toy-script",
    "script": "train.py",
    "metric": "loss",
    "mode": "min",
    "resource_attr": "epoch",
    "max_resource_attr": "epochs",
    "n_workers": 2,
    "max_wallclock_time": 20,
    "space": {"lr": {"type": "loguniform", "lower": 0.001, "upper": 1.0}, "epochs": 9},
}


def read(folder: Path, **changes: Any) -> Benchmark:
    table = {key: value for key, value in (TABLE | changes).items() if value is not None}
    return benchmark_from_table(Document(table, "benchmark.toml"), folder=folder, name="folder")


def test_the_example_of_the_design(tmp_path: Path) -> None:
    benchmark = read(tmp_path)
    assert (benchmark.name, benchmark.metrics, benchmark.mode) == ("toy-script", ("loss",), "min")
    assert (benchmark.resource_attr, benchmark.max_resource) == ("epoch", 9)
    assert (benchmark.n_workers, benchmark.max_wallclock_time) == (2, 20.0)
    assert benchmark.script is not None
    assert (benchmark.script.command, benchmark.script.python) == (("train.py",), "python")
    assert (benchmark.script.folder, benchmark.script.runs_in) == (tmp_path, tmp_path)
    assert benchmark.provenance


def test_every_key(tmp_path: Path) -> None:
    changes: dict[str, Any] = {
        "summary": "A network",
        "args": ["--data", "x y"],
        "python": "env",
        "working_folder": "work",
        "files": ["*.py"],
        "arguments": "json",
        "syne_tune_arguments": True,
        "environment": {"DATA": "/data"},
        "mode": "max",
        "metrics": ["accuracy"],
        "max_num_evaluations": 100,
        "checkpoints": True,
        "cpus": 2,
        "gpus": 1,
        "backends": {"far": {"image": "x", "machines": 2}},
    }
    assert set(changes) | set(TABLE) | {"command", "folder"} == set(keys_of(ScriptBenchmark))
    benchmark = read(tmp_path, **changes)
    script = benchmark.script
    assert script is not None
    assert benchmark.metrics == ("loss", "accuracy")
    assert (benchmark.summary, benchmark.mode, benchmark.max_num_evaluations) == ("A network", "max", 100)
    assert (script.command, script.python) == (("train.py", "--data", "x y"), "env")
    assert (script.runs_in, script.files, script.environment) == (tmp_path / "work", ("*.py",), {"DATA": "/data"})
    assert (script.arguments, script.syne_tune_arguments, script.checkpoints) == ("json", True, True)
    assert (script.cpus, script.gpus) == (2, 1)
    assert script.backend_options == {"far": {"image": "x", "machines": 2}}


def test_another_language(tmp_path: Path) -> None:
    script = read(tmp_path, script=None, command=["./train", "-q"], args=["-v"]).script
    assert script is not None
    assert (script.command, script.python) == (("./train", "-q", "-v"), None)


def test_without_a_resource(tmp_path: Path) -> None:
    benchmark = read(tmp_path, resource_attr=None, max_resource_attr=None)
    assert (benchmark.resource_attr, benchmark.max_resource) == (REPORT_NUMBER, None)
    assert read(tmp_path, max_resource_attr=None).resource_attr == "epoch"


def test_without_a_name_it_is_called_after_its_file(tmp_path: Path) -> None:
    assert read(tmp_path, name=None).name == "folder"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scrpt": "x"}, "scrpt"),
        ({"metric": None}, "no metric"),
        ({"space": None}, "no space"),
        ({"max_wallclock_time": None}, "no max_wallclock_time"),
        ({"script": None}, "script or command"),
        ({"command": ["x"]}, "not both"),
        ({"script": 3}, "script cannot be 3"),
        ({"command": "./train", "script": None}, "a list of texts"),
        ({"n_workers": 0}, "n_workers cannot be 0"),
        ({"n_workers": 10**9}, "n_workers cannot be 1000000000"),
        ({"n_workers": 1.5}, "n_workers cannot be 1.5"),
        ({"n_workers": True}, "n_workers cannot be True"),
        ({"max_wallclock_time": 0}, "max_wallclock_time"),
        ({"max_wallclock_time": float("nan")}, "max_wallclock_time"),
        ({"max_wallclock_time": 10**400}, "max_wallclock_time"),
        ({"max_num_evaluations": 0}, "max_num_evaluations cannot be 0"),
        ({"mode": "best"}, "mode"),
        ({"arguments": "yaml"}, "arguments"),
        ({"environment": {"A": 1}}, "environment"),
        ({"environment": {"HPOCTL_SEED": "1"}}, "HPOCTL_SEED"),
        ({"name": "a b"}, "a b"),
        ({"max_resource_attr": "steps"}, "largest resource"),
        ({"resource_attr": None}, "resource_attr is missing"),
        ({"metric": "epoch"}, "both a metric and the resource"),
        ({"metric": "st_decision"}, "st_decision"),
        ({"metrics": ["trial_id"]}, "trial_id"),
        ({"metrics": ["seed"]}, "seed"),
        ({"metrics": ["extra_loss"]}, "extra_loss"),
        ({"resource_attr": "extra_epoch"}, "extra_epoch"),
        ({"resource_attr": ""}, "''"),
        ({"python": "a\0"}, "null character"),
        ({"working_folder": "a\0"}, "null character"),
        ({"space": {"epochs": 9}}, "All hyperparameters of the space are fixed"),
        ({"space": {"lr": {"type": "unifrom"}, "epochs": 9}}, "unifrom"),
        ({"space": {"learning rate": {"type": "uniform", "lower": 0.0, "upper": 1.0}, "epochs": 9}}, "learning rate"),
        ({"space": {"-x": {"type": "uniform", "lower": 0.0, "upper": 1.0}, "epochs": 9}}, "-x"),
        ({"space": {"x": {"type": "choice", "values": ["a", "b\0"]}, "epochs": 9}}, "control character"),
        ({"cpus": 0}, "cpus is 0"),
        ({"gpus": -1}, "gpus is -1"),
        ({"backends": "far"}, "backends cannot be 'far'"),
        ({"backends": {"far": "x"}}, "backends.far cannot be 'x'"),
        ({"backends": {"far": {"machines": [1]}}}, "backends.far.machines cannot be [1]"),
        ({"backends": {"far": {"api_token": "abcdef123456"}}}, "looks like a credential"),
    ],
    ids=lambda part: str(part)[:30],
)
def test_what_does_not_fit_is_named(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, **changes)
    assert words in str(caught.value)
    assert "benchmark.toml" in caught.value.what
    assert caught.value.fix


def test_a_file_can_hold_what_a_command_line_cannot(tmp_path: Path) -> None:
    space = {"learning rate": {"type": "uniform", "lower": 0.0, "upper": 1.0}, "epochs": 9}
    assert read(tmp_path, arguments="json", space=space).script is not None
