"""What a script is, how it is started for a trial, and when its hash changes."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hpoctl.core.entries import Benchmark
from hpoctl.core.errors import UsageError
from hpoctl.core.script import Script
from hpoctl.core.script_files import script_files, script_hash
from hpoctl.core.space import Choice, Config, Fixed, Space, Value
from hpoctl.core.trial_call import (
    TrialCall,
    config_text,
    missing_program,
    option_words,
    trial_command,
    trial_environment,
)
from hpoctl.testing import toy_benchmark

ECHO = """
import argparse, json, sys
parser = argparse.ArgumentParser()
for name in sys.argv[1].split(","):
    parser.add_argument("--" + name)
print(json.dumps(vars(parser.parse_args(sys.argv[2:]))))
"""


@pytest.fixture
def script(tmp_path: Path) -> Script:
    (tmp_path / "train.py").write_text("print(1)\n")
    return Script(tmp_path, ("train.py",), python="python")


def call(folder: Path, **changes: Any) -> TrialCall:
    files = (folder / "config.json", folder / "checkpoints", folder / "reports.jsonl")
    return replace(TrialCall(7, 11, 3, *files), **changes)


NASTY: dict[str, Value] = {
    "spaces": "two words",
    "quotes": """a'b"c`d$(e)""",
    "newline": "one\ntwo",
    "dash": "-relu",
    "dashes": "--help",
    "negative": -0.5,
    "exponent": 1e-07,
    "empty": "",
    "star": "*",
    "equals": "a=b",
    "unicode": "größer",
}


def test_values_reach_the_script_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "echo.py").write_text(ECHO)
    script = Script(tmp_path, ("echo.py", ",".join(NASTY)), python="python")
    words = trial_command(script, NASTY, call(tmp_path))
    answer = subprocess.run(words, capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout) == {name: str(value) for name, value in NASTY.items()}


def test_options_come_in_the_order_of_the_space(script: Script) -> None:
    words = trial_command(script, {"lr": 0.1, "relu": True, "epochs": 9}, call(script.folder))
    assert words[0] == sys.executable
    assert words[1:] == [str(script.folder / "train.py"), "--lr", "0.1", "--relu", "true", "--epochs", "9"]


def test_the_configuration_as_a_file(script: Script) -> None:
    made = call(script.folder)
    words = trial_command(replace(script, arguments="json"), NASTY, made)
    assert words[2:] == ["--config", str(made.config_file)]
    assert json.loads(config_text(NASTY)) == NASTY


def test_arguments_as_syne_tune_gives_them(script: Script) -> None:
    made = call(script.folder)
    own = replace(script, syne_tune_arguments=True)
    checkpoints = ["--st_checkpoint_dir", str(made.checkpoints)]
    assert trial_command(own, {"a": True}, made)[2:] == ["--a", "True", *checkpoints]
    words = trial_command(replace(own, arguments="json"), {"a": True}, made)
    assert words[2:] == ["--st_config_json_filename", str(made.config_file), *checkpoints]


def test_programs_and_interpreters(tmp_path: Path) -> None:
    def first(*command: str, python: str | None = None) -> list[str]:
        return trial_command(Script(tmp_path, command, python=python), {}, call(tmp_path))

    (tmp_path / "env" / "bin").mkdir(parents=True)
    assert first("./train") == [str(tmp_path / "train")]
    assert first("Rscript", "train.R") == ["Rscript", "train.R"]
    assert first("train.py", python="python3.12") == ["python3.12", str(tmp_path / "train.py")]
    assert first("train.py", python="env") == [str(tmp_path / "env/bin/python"), str(tmp_path / "train.py")]
    assert first("train.py", python="/opt/py") == ["/opt/py", str(tmp_path / "train.py")]


def test_the_environment_of_a_trial(script: Script) -> None:
    made = call(script.folder)
    own = replace(script, environment={"DATA": "/data", "PYTHONUNBUFFERED": "0"}, cpus=2)
    found = trial_environment(own, made, {"PATH": "/bin", "MKL_NUM_THREADS": "5", "CUDA_VISIBLE_DEVICES": "3"})
    assert found == {
        "PATH": "/bin",
        "DATA": "/data",
        "PYTHONUNBUFFERED": "0",
        "OMP_NUM_THREADS": "2",
        "OPENBLAS_NUM_THREADS": "2",
        "MKL_NUM_THREADS": "5",
        "CUDA_VISIBLE_DEVICES": "3",
        "HPOCTL_TRIAL_ID": "7",
        "HPOCTL_SEED": "11",
        "HPOCTL_RESUME_FROM": "0",  # it keeps no checkpoints: it starts over
        "HPOCTL_CONFIG": str(made.config_file),
        "HPOCTL_CHECKPOINT_DIR": str(made.checkpoints),
        "HPOCTL_REPORTS": str(made.reports),
    }
    kept = replace(script, checkpoints=True, gpus=2)
    found = trial_environment(kept, replace(made, devices=("0", "4")), {})
    assert (found["HPOCTL_RESUME_FROM"], found["CUDA_VISIBLE_DEVICES"]) == ("3", "0,4")


@pytest.mark.parametrize(
    "change",
    [
        {"command": ()},
        {"folder": Path("here")},
        {"cpus": 0},
        {"gpus": -1},
        {"environment": {"A=B": "c"}},
        {"environment": {"HPOCTL_SEED": "1"}},
        {"environment": {"A": "nul\0"}},
    ],
    ids=str,
)
def test_scripts_that_cannot_be_run(script: Script, change: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        replace(script, **change)


def test_what_is_missing_is_named(script: Script) -> None:
    assert missing_program(script) is None
    for change, word in (
        ({"command": ("other.py",)}, "other.py"),
        ({"python": "env/bin/python"}, "interpreter"),
        ({"python": None, "command": ("./gone",)}, "gone"),
        ({"working_folder": "there"}, "there"),
    ):
        problem = missing_program(replace(script, **change))
        assert problem is not None
        assert word in problem.what


class TestFiles:
    def test_the_hash_changes_with_what_determines_the_training(self, script: Script) -> None:
        before = script_hash(script)
        assert script_hash(script) == before
        for change in (
            {"command": ("train.py", "--fast")},
            {"environment": {"A": "1"}},
            {"python": "python3"},
            {"arguments": "json"},
            {"cpus": 2},
        ):
            assert script_hash(replace(script, **change)) != before
        (script.folder / "train.py").write_text("print(2)\n")
        assert script_hash(script) != before

    def test_files_of_credentials_do_not_belong_to_it_unless_they_are_named(self, script: Script) -> None:
        subprocess.run(["git", "init", "-q", str(script.folder)], check=True)
        for name in (".env", ".env.local", "keys/server.pem", "keys/.netrc", ".aws/credentials", "environment.txt"):
            path = script.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text("secret")
        assert script_files(script) == ["environment.txt", "train.py"]
        assert script_files(replace(script, files=(".env",))) == [".env", "train.py"]

    def test_what_git_ignores_does_not_belong_to_it(self, script: Script) -> None:
        subprocess.run(["git", "init", "-q", str(script.folder)], check=True)
        (script.folder / ".gitignore").write_text("*.pt\n")
        for name in ("model.pt", "lib.py"):
            (script.folder / name).write_text(name)
        assert script_files(script) == [".gitignore", "lib.py", "train.py"]

    def test_outside_a_checkout_hidden_files_do_not(self, script: Script) -> None:
        for name in ("__pycache__/train.pyc", ".cache/x", "lib/deep/model.py"):
            path = script.folder / name
            path.parent.mkdir(parents=True)
            path.write_text(name)
        assert script_files(script) == ["lib/deep/model.py", "train.py"]

    @pytest.mark.parametrize("checkout", [False, True])
    def test_results_and_files_of_hpoctl_do_not(self, script: Script, checkout: bool) -> None:
        if checkout:
            subprocess.run(["git", "init", "-q", str(script.folder)], check=True)
        before = script_hash(script)
        for name, text in (
            ("results/t/.hpoctl/plan", ""),
            ("out/u/study.json", '{"format": 1, "master_seed": 3, "tag": "u"}'),
            ("out/u/RS/u-b-0/metadata.json", "{}"),
            ("results/t/RS/t-b-0/metadata.json", "{}"),
            ("out/.work/u/RS/journal", "1"),
            ("out/.claims", ""),
            ("hpoctl.toml", ""),
            ("study.toml", 'methods = ["RS"]\nbenchmarks = ["benchmark.toml"]'),
            ("benchmark.toml", 'script = "train.py"\n[space]\n'),
        ):
            path = script.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        assert script_hash(script) == before
        (script.folder / "model.toml").write_text("layers = 3")
        assert script_hash(script) != before

    def test_files_that_are_no_files_do_not(self, script: Script) -> None:
        before = script_hash(script)
        (script.folder / "t").mkdir()
        for name in ("pipe.toml", "pipe", "t/study.json"):
            os.mkfifo(script.folder / name)
        for name in ("device.toml", "device"):
            (script.folder / name).symlink_to("/dev/zero")
        (script.folder / "loop.toml").symlink_to("loop.toml")
        assert script_hash(script) == before

    def test_what_the_command_starts_always_does(self, script: Script) -> None:
        for name in ("train.py", "lib.py"):
            (script.folder / name).write_text("")
        listed = replace(script, files=("lib.py",))
        assert script_files(listed) == ["lib.py", "train.py"]
        before = script_hash(listed)
        (script.folder / "train.py").write_text("changed = True")
        assert script_hash(listed) != before
        assert script_files(replace(listed, command=("./train.py",), python=None)) == ["lib.py", "train.py"]
        for command in (("train.py",), ("/bin/sh",), ("../train.py",)):
            assert script_files(replace(listed, command=command, python=None)) == ["lib.py"]

    def test_files_that_are_listed(self, script: Script) -> None:
        for name in ("lib/a.py", "lib/b.txt", "data.csv"):
            path = script.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(name)
        assert script_files(replace(script, files=("*.py", "lib"))) == ["lib/a.py", "lib/b.txt", "train.py"]
        for pattern in ("gone.py", "../x", "/etc/passwd", "a**b", "a" * 300, "a\0"):
            with pytest.raises(UsageError):
                script_files(replace(script, files=(pattern,)))


class TestBenchmark:
    def made(self, of: Script, **changes: Any) -> Benchmark:
        facts: dict[str, Any] = {
            "space": Space({"lr": Choice((0.1, 0.2)), "epochs": Fixed(3)}),
            "max_resource_attr": "epochs",
        }
        return Benchmark(
            name="own",
            summary="",
            metrics=("loss",),
            metric="loss",
            mode="min",
            resource_attr="epoch",
            n_workers=1,
            max_wallclock_time=10.0,
            **(facts | {"script": of} | changes),
        )

    def test_it_has_one_problem(self, script: Script) -> None:
        assert self.made(script).max_resource == 3
        for change in ({"script": None}, {"blackbox": toy_benchmark().blackbox}):
            with pytest.raises(UsageError):
                self.made(script, **change)

    def test_a_script_has_no_table(self, script: Script) -> None:
        with pytest.raises(UsageError, match="no table"):
            self.made(script).blackbox()

    def test_a_script_may_have_no_largest_resource(self, script: Script) -> None:
        assert self.made(script, max_resource_attr=None).max_resource is None
        with pytest.raises(UsageError):
            replace(toy_benchmark(), max_resource_attr=None)


def test_a_configuration_as_options() -> None:
    config: Config = {"lr": 0.5, "text": "-x", "negative": -1, "flag": False}
    assert option_words(config) == ["--lr", "0.5", "--text=-x", "--negative", "-1", "--flag", "false"]
    assert option_words({"flag": False}, python_words=True) == ["--flag", "False"]
