"""Maximisation from end to end: through the command line, on one task of the synthetic model."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from command_line import CommandLine

BENCHMARK = "lcbench-189908"


@pytest.fixture
def cli(imported, tmp_path: Path) -> CommandLine:
    root = tmp_path / "results"
    environment = os.environ | {"HPOCTL_ROOT": str(root), "HPOCTL_PLUGINS": "lcbench", "COLUMNS": "400"}
    return CommandLine(tmp_path, root, dict(environment))


def rows_of(cli: CommandLine) -> pd.DataFrame:
    (path,) = cli.root.glob("*/*/*/results.parquet")
    return pd.read_parquet(path)


@pytest.mark.parametrize("method", ["RS", "BO", "ASHA", "MOBSTER"])
def test_the_answer_gives_the_maximum(cli, method):
    words = ("run", "-m", method, "-b", BENCHMARK, "--random-seed", "3", "--max-wallclock-time", "3000")
    answer = cli(*words, "--json")
    assert answer.code == 0, answer.err
    (experiment,) = answer.json["data"]["experiments"]
    rows = rows_of(cli)
    top = rows.loc[int(rows["val_accuracy"].argmax())]
    best = experiment["best"]
    assert best["value"] == rows["val_accuracy"].max() > rows["val_accuracy"].median()
    assert (best["trial_id"], best["resource"]) == (top["trial_id"], top["epoch"])
    assert experiment["best_config"]["learning_rate"] == top["config_learning_rate"]
    assert answer.json["data"]["data"][BENCHMARK]["curves"] == "surrogate (YAHPO Gym)"
    metadata = json.loads((cli.root / experiment["directory"] / "metadata.json").read_text())
    assert metadata["metric_mode"] == "max"


def test_asha_promotes_what_is_accurate_and_reports_say_so(cli):
    answer = cli("run", "-m", "ASHA", "-b", BENCHMARK, "--random-seed", "3", "--tag", "a", "--verbose")
    assert answer.code == 0, answer.err
    rows = rows_of(cli)
    assert f" {rows['val_accuracy'].max():.6g} " in answer.out
    assert "surrogate (YAHPO Gym)" in answer.out
    reasons = [line for line in (answer.out + answer.err).splitlines() if "] promote" in line]
    assert reasons
    assert all(" >= " in line and " <= " not in line and ": -" not in line for line in reasons)
    first = rows[rows["epoch"] == 1].set_index("trial_id")["val_accuracy"]
    reached = rows.groupby("trial_id")["epoch"].max().loc[first.index]
    assert first[reached > 1].mean() > first[reached == 1].mean() + 5.0


def test_rows_carry_all_metrics_and_increasing_seconds(cli):
    assert cli("run", "-m", "RS", "-b", BENCHMARK, "--max-wallclock-time", "2000", "--tag", "a").code == 0
    rows = rows_of(cli)
    for metric in ("val_cross_entropy", "val_balanced_accuracy", "test_cross_entropy", "test_balanced_accuracy"):
        assert np.isfinite(rows[metric]).all()
    assert (rows["time"] == rows["elapsed_time"]).all()
    for _, trial in rows.groupby("trial_id"):
        assert (np.diff(trial["time"]) > 0).all()


def test_without_a_model_the_benchmark_is_unknown(cli, monkeypatch):
    answer = cli("run", "-m", "RS", "-b", BENCHMARK, HPOCTL_DATA=str(cli.root))
    assert answer.code == 2
    assert "Unknown benchmark" in answer.err


def test_a_model_that_is_gone_is_told(cli, data):
    (path,) = data.glob("*/model.onnx")
    path.unlink()
    answer = cli("run", "-m", "RS", "-b", BENCHMARK)
    assert answer.code == 1, answer.err
    assert "missing or damaged" in answer.err
    assert "hpoctl blackbox import lcbench FILE" in answer.err
