"""The reference's methods on fcnet-protein, as a person runs them: activations, rung columns, sharing, labels."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

BUDGET = ("--benchmark", "fcnet-protein", "--max-wallclock-time", "500", "--random-seed", "11", "--tag", "docs-2")
LEVELS = [f"num_at_level{level}" for level in (1, 3, 9, 27, 81)]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One short run of six methods."""
    root = tmp_path_factory.mktemp("results")
    methods = ("RS", "BO", "MOBSTER", "ASHA-TANH", "ASHA-RELU", "MOBSTER-RELU")
    words = [word for method in methods for word in ("--method", method)]
    command = [sys.executable, "-m", "hpoctl", "run", *words, *BUDGET, "--results", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "curves: modelled" in done.stdout
    return root / "docs-2"


def rows(results: Path, folder: str) -> pd.DataFrame:
    (path,) = (results / folder).glob("*/results.parquet")
    return pd.read_parquet(path)


@pytest.mark.parametrize(
    ("folder", "activation"), [("ASHA-TANH", "tanh"), ("ASHA-RELU", "relu"), ("MOBSTER-RELU-0", "relu")]
)
def test_variants_use_their_activation_in_every_row(results: Path, folder: str, activation: str) -> None:
    table = rows(results, folder)
    assert len(table) > 100
    assert set(table.config_hp_activation_fn_1) == set(table.config_hp_activation_fn_2) == {activation}


def test_free_methods_use_both_activations(results: Path) -> None:
    assert set(rows(results, "MOBSTER-0").config_hp_activation_fn_1) == {"tanh", "relu"}


def test_rung_columns_count_what_was_decided_on(results: Path) -> None:
    table = rows(results, "MOBSTER-RELU-0")
    decided = table[table.st_decision != "CONTINUE"]
    for level, name in zip((1, 3, 9, 27, 81), LEVELS, strict=True):
        assert table[name].dropna().is_monotonic_increasing
        assert table[name].iloc[-1] == (decided.hp_epoch == level).sum()
    assert not set(LEVELS) & set(rows(results, "RS").columns)
    assert not set(LEVELS) & set(rows(results, "BO-0").columns)


def test_methods_of_a_seed_begin_with_the_middle_and_share_their_first_configurations(results: Path) -> None:
    firsts = []
    for folder in ("RS", "BO-0", "MOBSTER-0"):
        table = rows(results, folder).sort_values("trial_id").drop_duplicates("trial_id")
        firsts.append(
            table[[name for name in map(str, table) if name.startswith("config_")]].head(4).to_numpy().tolist()
        )
    assert firsts[0] == firsts[1] == firsts[2]
    middle = ["tanh", "tanh", 32, 0.3, 0.3, 0.01, "cosine", 128, 128, 100]
    assert firsts[0][0] == middle


def test_every_result_says_that_its_curves_are_modelled(results: Path) -> None:
    paths = list(results.glob("*/*/metadata.json"))
    assert len(paths) == 6
    for path in paths:
        metadata = json.loads(path.read_text())
        assert metadata["data"]["curves"].startswith("modelled")
        assert metadata["status"] == "completed"
        assert {"hpoctl", "hpoctl-fcnet", "numpy", "python"} <= set(metadata["versions"])


def test_rows_are_cumulative_and_inside_the_budget(results: Path) -> None:
    table = rows(results, "MOBSTER-0")
    assert table.st_tuner_time.is_monotonic_increasing
    assert table.st_tuner_time.iloc[-1] <= 500
    for _, trial in table.groupby("trial_id"):
        assert trial.hp_epoch.tolist() == list(range(1, len(trial) + 1))
        assert trial.elapsed_time.is_monotonic_increasing
        assert trial.elapsed_time.tolist() == pytest.approx(trial.metric_elapsed_time.tolist())
