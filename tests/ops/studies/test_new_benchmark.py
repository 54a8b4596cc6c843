"""A first benchmark file from a script that is read, never run."""

import tomllib
import warnings
from pathlib import Path

import pytest

from hpoctl.core.errors import UsageError
from hpoctl.core.space import Choice, Fixed, LogRandInt, LogUniform, Uniform
from hpoctl.ops.studies.benchmark_files import load_benchmark
from hpoctl.ops.studies.new_benchmark import new_benchmark, write_new

TRAIN = '''
"""A network."""
import argparse
import os

import hpoctl

raise SystemExit("a script that is imported")

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", "--learning-rate", type=float, default=1e-2, help="learning rate")
    parser.add_argument("--epochs", type=int, default=27)
    parser.add_argument("-b", "--batch_size", type=int, default=64)
    parser.add_argument("--dropout", type=float, default=0.3)
    parser.add_argument("--optimizer", choices=["sgd", "adam"], default="adam")
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--nesterov", action="store_true")
    parser.add_argument("--layers", nargs="+", type=int)
    parser.add_argument("--units", type=int, required=True)
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction)
    parser.add_argument("model")
    for name in ("a", "b"):
        parser.add_argument(f"--{name}", type=float)
    args = parser.parse_args()
    folder = os.environ.get("HPOCTL_CHECKPOINT_DIR")
    for epoch in range(args.epochs):
        hpoctl.report(epoch=epoch + 1, val_accuracy=0.5, train_loss=1.0)
'''


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "own" / "train.py"
    path.parent.mkdir()
    path.write_text(TRAIN)
    return path


def test_what_the_script_says_about_itself(script: Path) -> None:
    made = new_benchmark(script, None)
    assert made.path == script.with_name("benchmark.toml")
    made.path.write_text(made.text)
    benchmark = load_benchmark(made.path)
    assert dict(benchmark.space.domains) == {
        "lr": LogUniform(0.001, 0.1),
        "batch_size": LogRandInt(16, 256),
        "dropout": Uniform(0.0, 0.99),
        "optimizer": Choice(("sgd", "adam")),
        "epochs": Fixed(27),
    }
    assert made.tuned == ("lr", "batch_size", "dropout", "optimizer")
    assert (benchmark.metric, benchmark.mode, benchmark.resource_attr) == ("val_accuracy", "max", "epoch")
    assert benchmark.max_resource == 27
    assert benchmark.script is not None
    assert benchmark.script.checkpoints
    assert "data-dir, seed" in made.text


def test_what_could_not_be_read_is_said(script: Path) -> None:
    notes = "\n".join(new_benchmark(script, None).notes)
    for words in (
        "--nesterov takes no value (store_true)",
        "--layers takes several values",
        "--bf16 takes no value (BooleanOptionalAction)",
        "model is a positional argument",
        "the name of an option is computed",
        "--units is required",
    ):
        assert words in notes


ODD = """
import argparse as ap
LR, LAYERS = 1e-2, 3
RATE: float = 10**-3
WIDTH = 2**7
TWICE = 0.1
TWICE = 0.2
KINDS = ["sgd", "adam"]
def options(cli: ap.ArgumentParser):
    group = cli.add_argument_group("training")
    group.add_argument("--rate", dest="lr", type=float, default=RATE)
    group.add_argument("--decay", type=float, default=1 / 4)
    group.add_argument("--width", type=int, default=WIDTH // 2)
    group.add_argument("--twice", type=float, default=TWICE)
    group.add_argument("--lr", type=float, default=LR)
    group.add_argument("--kind", choices=KINDS, default=KINDS[0])
    group.add_argument("--depth", type=int, choices=range(1, 4), default=2)
    group.add_argument("--heads", type=int, choices=list(map(int, "124")), default=2)
    group.add_argument("--huge", type=float, default=9.0**9**9)
    group.add_argument("--zero", type=float, default=1 / 0)
    group.add_argument("--odd", type=int, choices=range(0, 9, 0), default=1)
    cli.add_argument("--seed", "-s", default=0, type=int)
    cli.add_argument("--num-epochs", type=int, default=3 * 9)
"""


def test_scripts_of_odd_style(script: Path) -> None:
    script.write_text(ODD)
    made = new_benchmark(script, None)
    made.path.write_text(made.text)
    assert dict(load_benchmark(made.path).space.domains) == {
        "rate": LogUniform(0.0001, 0.01),
        "decay": LogUniform(0.025, 2.5),
        "width": LogRandInt(16, 256),
        "kind": Choice(("sgd", "adam")),
        "depth": Choice((1, 2, 3)),
        "num-epochs": Fixed(27),
    }
    assert "defaults hold for: twice, lr, huge, zero, seed." in made.text
    notes = "\n".join(made.notes)
    for name in ("heads", "odd"):
        assert f"--{name}: its choices are computed" in notes


def test_a_script_written_for_syne_tune(script: Path) -> None:
    script.write_text(
        "from argparse import ArgumentParser\n"
        "from syne_tune import Reporter\n"
        "parser = ArgumentParser()\n"
        "parser.add_argument('--epochs', type=int, default=9)\n"
        "parser.add_argument('--width', type=float, default=3.0)\n"
        "parser.add_argument('--st_checkpoint_dir', type=str)\n"
        "report = Reporter()\n"
        "report(epoch=1, mean_loss=0.1)\n"
    )
    made = new_benchmark(script, None)
    made.path.write_text(made.text)
    benchmark = load_benchmark(made.path)
    assert benchmark.script is not None
    assert (benchmark.script.syne_tune_arguments, benchmark.script.checkpoints) == (True, True)
    assert (benchmark.metric, benchmark.mode) == ("mean_loss", "min")
    assert "st_checkpoint_dir" not in benchmark.space
    assert made.notes == ()


def test_a_script_that_does_not_report_yet(script: Path) -> None:
    script.write_text("import argparse\nargparse.ArgumentParser().add_argument('--lr', type=float, default=0.1)\n")
    made = new_benchmark(script, None)
    assert "hpoctl.report" in "\n".join(made.notes)
    assert tomllib.loads(made.text)["metric"] == "loss"


def test_a_script_without_options(script: Path) -> None:
    script.write_text("print(1)\n")
    made = new_benchmark(script, None)
    assert made.tuned == ()
    assert "no option to tune" in "\n".join(made.notes)
    assert tomllib.loads(made.text)["space"] == {}


def test_another_language(script: Path, tmp_path: Path) -> None:
    other = script.with_name("train.sh")
    other.write_bytes(b"#!/bin/sh\necho \xff\n")
    assert tomllib.loads(new_benchmark(other, None).text)["command"] == ["./train.sh"]
    made = new_benchmark(other, tmp_path / "b.toml", ["bash"])
    assert tomllib.loads(made.text)["command"] == ["bash", "own/train.sh"]
    assert "Python scripts only" in made.notes[0]


def test_a_file_elsewhere_names_the_script_relative_to_itself(script: Path, tmp_path: Path) -> None:
    made = new_benchmark(script, tmp_path / "own.toml")
    assert tomllib.loads(made.text)["script"] == "own/train.py"


@pytest.mark.parametrize("text", ["def f(:\n", "print 'python 2'\n", "x = '\0'\n"], ids=repr)
def test_what_is_not_python_is_refused(script: Path, text: str) -> None:
    script.write_text(text)
    with pytest.raises(UsageError, match="not Python"):
        new_benchmark(script, None)


REFUSED = """# -*- coding: latin-1 -*-
# été
TEXT = "\\d" + {sums}
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--huge", type=int, default=1{zeros})
parser.add_argument("--st_x", type=int, default=3)
parser.add_argument("--trial_id", type=int, default=3)
parser.add_argument("--nul", choices=["a\\0", "b"])
parser.add_argument("--half", choices=["\\ud800", "b"])
parser.add_argument("--odd", choices=["a", "b"], default=b"\\x7f")
hpoctl.report(extra_loss=1, seed=2, st_loss=3, epoch=1, accuracy=4)
"""


def test_what_it_writes_of_odd_scripts_can_be_read(script: Path) -> None:
    sums = "\n    + ".join(["'a'"] * 900)
    name = script.with_name("a\nb \x1b[2J.py")
    name.write_bytes(REFUSED.format(sums=f"({sums})", zeros="0" * 400).encode("latin-1"))
    with warnings.catch_warnings(action="error"):
        made = new_benchmark(name, None)
    write_new(made)
    benchmark = load_benchmark(made.path)
    assert made.tuned == ("lr", "odd")
    assert (benchmark.metric, benchmark.resource_attr) == ("accuracy", "epoch")
    for option in ("st_x", "trial_id", "nul", "half"):
        assert any(note.startswith(f"--{option}, line ") for note in made.notes), made.notes


def test_nothing_is_overwritten(script: Path) -> None:
    script.with_name("benchmark.toml").write_text("mine")
    with pytest.raises(UsageError, match="already"):
        new_benchmark(script, None)
    with pytest.raises(UsageError, match="Cannot read"):
        new_benchmark(script.with_name("gone.py"), None)
