"""The sampled table as an imported table: maximised, in a continuous space, with the curves of nearest neighbours."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from command_line import CommandLine
from hpoctl_lcbench.space import INPUTS, SPACE

SAMPLE = Path(__file__).parent / "data" / "lcbench_189908_sample.npz"
BENCHMARK = "lcbench-189908-sample"


@pytest.fixture
def cli(data: Path, tmp_path: Path) -> CommandLine:
    root = tmp_path / "results"
    environment = os.environ | {"HPOCTL_ROOT": str(root), "HPOCTL_PLUGINS": "", "COLUMNS": "120"}
    made = CommandLine(tmp_path, root, dict(environment))
    answer = made("blackbox", "import", "table", str(SAMPLE))
    assert answer.code == 0, answer.err
    return made


@pytest.fixture(scope="module")
def sample():
    with np.load(SAMPLE, allow_pickle=False) as table:
        return {name: table[name] for name in table}


def points(columns) -> np.ndarray:
    """Configurations where a model sees them; for these hyperparameters that is their unit, but for whole numbers."""
    units = [[SPACE[name].unit(value) for value in columns[name].tolist()] for name in INPUTS]
    encoded = [SPACE[name].encode(np.array(unit)) for name, unit in zip(INPUTS, units, strict=True)]
    return np.concatenate(encoded, axis=1)


def test_the_table_has_the_space_of_the_plugin(cli):
    answer = cli("blackbox", "info", BENCHMARK, "--json")
    assert answer.code == 0, answer.err
    (found,) = json.loads(cli("benchmarks", BENCHMARK, "--json").out)["data"]["benchmarks"]
    assert {entry["name"]: entry["domain"] for entry in found["space"]} == SPACE.to_json()
    assert (found["metric"], found["mode"]) == ("val_accuracy", "max")


@pytest.mark.parametrize("method", ["RS", "ASHA"])
def test_trials_get_the_curve_of_the_nearest_row_and_the_best_is_the_maximum(cli, sample, method):
    answer = cli("run", "-m", method, "-b", BENCHMARK, "--random-seed", "2", "--json")
    assert answer.code == 0, answer.err
    (experiment,) = answer.json["data"]["experiments"]
    (path,) = cli.root.glob("*/*/*/results.parquet")
    rows = pd.read_parquet(path)
    assert experiment["best"]["value"] == rows["val_accuracy"].max() > rows["val_accuracy"].median()
    counted = experiment["off_table"]
    assert counted["off_table"] == counted["trials"] == experiment["trials"] >= rows["trial_id"].nunique()
    asked = points({name: rows[f"config_{name}"] for name in INPUTS})
    squares = ((asked[:, np.newaxis, :] - points(sample)[np.newaxis, :, :]) ** 2).sum(axis=2)
    nearest = squares.argmin(axis=1)
    epochs = rows["epoch"].to_numpy()
    np.testing.assert_array_equal(rows["val_accuracy"], sample["val_accuracy"][nearest, epochs - 1].astype(np.float64))
    first = pd.DataFrame({"trial": rows["trial_id"], "distance": np.sqrt(squares.min(axis=1))}).groupby("trial").first()
    # A trial without a report yet is counted, too, and has no row here.
    assert counted["mean_distance"] == pytest.approx(first["distance"].mean(), rel=0.02)


def test_restricted_to_the_table_no_trial_is_off_it(cli, sample):
    answer = cli("run", "-m", "RS", "-b", BENCHMARK, "--restrict-configurations", "--random-seed", "2", "--json")
    assert answer.code == 0, answer.err
    (path,) = cli.root.glob("*/*/*/results.parquet")
    rates = pd.read_parquet(path)["config_learning_rate"]
    assert set(rates) <= set(sample["learning_rate"].tolist())
