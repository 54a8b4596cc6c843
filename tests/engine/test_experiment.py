"""Experiments end to end on a toy table: exact, complete or marked otherwise, with the columns of the design."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from hpoctl.core.canonical import content_hash
from hpoctl.core.clock import SystemTime
from hpoctl.core.entries import ExtraResults, Method, MethodContext
from hpoctl.core.errors import UsageError
from hpoctl.core.options import NoOptions
from hpoctl.core.protocols import Ended, Scheduler
from hpoctl.core.settings import Settings
from hpoctl.core.space import Space
from hpoctl.engine.experiment import run_experiment
from hpoctl.engine.finished import Finished
from hpoctl.engine.metadata import Provenance
from hpoctl.engine.spec import ExperimentSpec, determinants, identity
from hpoctl.engine.tuner import Watcher
from hpoctl.schedulers.asha import Asha
from hpoctl.schedulers.options import AshaOptions
from hpoctl.schedulers.random_search import RandomConfigs, RandomSearcher
from hpoctl.schedulers.single_fidelity import SingleFidelity
from hpoctl.stores.local import LocalStore
from hpoctl.testing import toy_benchmark, toy_table
from hpoctl.testing.hard_cases import Nobody

PROVENANCE = Provenance({"hpoctl": "0"}, None, "hpoctl run")


def _asha(made: MethodContext, options: AshaOptions) -> Scheduler:
    return Asha(RandomSearcher(RandomConfigs(made.space, made.streams)), made, options)


def _random(made: MethodContext, options: NoOptions) -> Scheduler:
    return SingleFidelity(RandomSearcher(RandomConfigs(made.space, made.streams)), made)


ASHA = Method("ASHA", "Successive halving", "asha", _asha, AshaOptions())
RS = Method("RS", "Random search", "random-search", _random, NoOptions())


class RungCounts:
    def keys(self) -> tuple[str, ...]:
        return ("num_at_level1",)

    def __call__(self, view: object) -> dict[str, int] | None:
        rungs = view.rungs()  # type: ignore[attr-defined]
        return {"num_at_level1": rungs[-1].entries} if rungs else None


COUNTS = ExtraResults("rung-counts", "Counts", RungCounts)


def spec(method: Method = ASHA, *, seed: int = 0, random_seed: int = 7, **settings: Any) -> ExperimentSpec:
    return ExperimentSpec("docs-2", method, toy_benchmark(), seed, random_seed, Settings(**settings), (COUNTS,))


def run(store: LocalStore, made: ExperimentSpec, watcher: Watcher | None = None) -> Finished:
    return run_experiment(made, store, PROVENANCE, watcher or Nobody(), SystemTime())


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


def test_layout_and_metadata(store: LocalStore) -> None:
    finished = run(store, spec())
    assert list(store.list("")) == [f"{finished.directory}/metadata.json", f"{finished.directory}/results.parquet"]
    assert finished.directory.startswith("docs-2/ASHA/docs-2-toy-0-20")
    expensive = run(store, spec(replace(ASHA, expensive=True), seed=13))
    assert expensive.directory.startswith("docs-2/ASHA-13/docs-2-toy-13-20")
    metadata = json.loads(store.get(f"{finished.directory}/metadata.json"))
    results = store.get(f"{finished.directory}/results.parquet")
    table = pq.read_table(io.BytesIO(results))
    assert metadata["status"] == "completed"
    assert metadata["rows"] == table.num_rows == finished.rows
    assert metadata["results_sha256"] == content_hash(results)
    assert metadata["identity"] == finished.identity
    assert metadata["data"]["curves"] == "made up"
    expected = {"seed": 0, "algorithm": "ASHA", "tag": "docs-2", "benchmark": "toy", "random_seed": 7}
    assert {key: metadata[key] for key in expected} == expected
    assert list(json.loads(metadata["config_space"])) == ["activation", "units", "rate", "epochs"]


def test_columns_and_their_order_in_time(store: LocalStore) -> None:
    finished = run(store, spec())
    table = pq.read_table(io.BytesIO(store.get(f"{finished.directory}/results.parquet"))).to_pandas()
    assert list(table.columns) == [
        "loss",
        "epoch",
        "st_tuner_time",
        "st_decision",
        "st_status",
        "trial_id",
        "config_activation",
        "config_units",
        "config_rate",
        "config_epochs",
        "elapsed_time",
        "num_at_level1",
    ]
    assert table.st_tuner_time.is_monotonic_increasing
    assert table.st_tuner_time.max() <= 1500.0
    for _, trial in table.groupby("trial_id"):
        assert trial.epoch.tolist() == list(range(1, len(trial) + 1))
        assert trial.elapsed_time.is_monotonic_increasing
        assert trial.config_units.nunique() == 1
    at_level = table[(table.epoch == 1)]
    assert table.num_at_level1.max() == len(at_level)
    assert table.num_at_level1.dropna().is_monotonic_increasing
    single = run(store, spec(RS))
    assert "num_at_level1" not in pq.read_schema(io.BytesIO(store.get(f"{single.directory}/results.parquet"))).names


def results(store: LocalStore, made: ExperimentSpec) -> bytes:
    return store.get(f"{run(store, made).directory}/results.parquet")


def test_same_seed_same_bytes_other_seed_other_bytes(store: LocalStore) -> None:
    assert results(store, spec()) == results(store, spec())
    assert results(store, spec()) != results(store, spec(seed=1))
    assert results(store, spec()) != results(store, spec(random_seed=8))
    assert len(store.list("")) == 2 * 6


def test_identity_follows_what_determines_the_rows_and_nothing_else() -> None:
    base = spec()
    key = identity(base, "table")
    assert identity(spec(), "table") == key
    assert identity(replace(base, tag="other"), "table") == key
    variants = [
        spec(seed=1),
        spec(random_seed=8),
        spec(ASHA.with_options(AshaOptions(grace_period=3))),
        spec(ASHA.with_fixed({"activation": "relu"}, name="ASHA-RELU")),
        spec(RS),
        spec(n_workers=2),
        spec(max_wallclock_time=10.0),
        spec(max_num_evaluations=10),
        spec(decision_time=1.0),
        spec(poll_interval=5.0),
    ]
    keys = {identity(variant, "table") for variant in variants} | {key, identity(base, "other table")}
    assert len(keys) == len(variants) + 2


def test_the_order_of_hyperparameters_is_part_of_the_identity() -> None:
    base = spec()
    domains = dict(reversed(list(base.benchmark.space.domains.items())))
    turned = replace(base, benchmark=replace(base.benchmark, space=Space(domains)))
    assert identity(turned, "table") != identity(base, "table")


def test_max_num_evaluations_keeps_the_first_rows(store: LocalStore) -> None:
    def rows(made: ExperimentSpec) -> dict[str, list[object]]:
        return pq.read_table(io.BytesIO(results(store, made))).slice(0, 50).to_pydict()

    assert run(store, spec(max_num_evaluations=50)).rows == 50
    assert rows(spec(max_num_evaluations=50)) == rows(spec())


@pytest.mark.parametrize(
    "method", [RS, ASHA, ASHA.with_options(AshaOptions(brackets=3))], ids=["RS", "ASHA", "ASHA with brackets"]
)
@pytest.mark.parametrize("limit", [1, 3, 20])
def test_max_num_trials_starts_that_many_and_finishes_what_runs(store: LocalStore, method: Method, limit: int) -> None:
    """Every row is one of the experiment without the limit, at the same time; no trial is cut off between levels."""

    def rows(made: ExperimentSpec) -> list[tuple[int, int, float]]:
        table = pq.read_table(io.BytesIO(results(store, made)))
        return list(zip(*(table[name].to_pylist() for name in ("trial_id", "epoch", "st_tuner_time")), strict=True))

    limited, unlimited = rows(spec(method, max_num_trials=limit)), rows(spec(method))
    assert {trial for trial, _, _ in limited} == set(range(limit))
    assert set(limited) <= set(unlimited)
    last = {trial: max(epoch for other, epoch, _ in limited if other == trial) for trial in range(limit)}
    assert set(last.values()) <= ({27} if method is RS else {1, 3, 9, 27})


def test_a_trial_that_is_resumed_is_no_new_trial(store: LocalStore) -> None:
    table = pq.read_table(io.BytesIO(results(store, spec(ASHA, max_num_trials=6, n_workers=1))))
    trials = table["trial_id"].to_pylist()
    assert max(trials) == 5
    assert trials != sorted(trials)  # one was resumed after a later one had begun


def test_an_experiment_without_a_limit_of_trials_has_the_identity_of_before() -> None:
    assert identity(spec(max_num_trials=9), "table") != identity(spec(), "table")
    assert "max_num_trials" not in determinants(spec(), "table")["budget"]
    assert determinants(spec(max_num_trials=9), "table")["budget"]["max_num_trials"] == 9


def test_decision_time_is_spent_on_the_simulated_clock(store: LocalStore) -> None:
    free, slow = run(store, spec(RS)), run(store, spec(RS, decision_time=100.0))
    assert slow.trials < free.trials
    assert slow.trials <= 1500 / 100 + 1


def test_one_worker_runs_one_trial_at_a_time(store: LocalStore) -> None:
    table = pq.read_table(io.BytesIO(results(store, spec(RS, n_workers=1)))).to_pandas()
    assert table.trial_id.is_monotonic_increasing


class Workers(Nobody):
    """Counts how many trials run at a time."""

    def __init__(self) -> None:
        self.running: set[int] = set()
        self.most = 0

    def begins(self, trial_id: int, *_: object) -> None:
        assert trial_id not in self.running, "a trial runs on two workers"
        self.running.add(trial_id)
        self.most = max(self.most, len(self.running))

    def ends(self, event: Ended) -> None:
        self.running.remove(event.trial_id)


@pytest.mark.parametrize("n_workers", [1, 3, 7])
@pytest.mark.parametrize("poll_interval", [0.0, 5.0])
@pytest.mark.parametrize("options", [AshaOptions(), AshaOptions(type="stopping"), AshaOptions(brackets=3)], ids=str)
def test_no_worker_runs_two_trials(
    store: LocalStore, n_workers: int, poll_interval: float, options: AshaOptions
) -> None:
    watcher = Workers()
    run(store, spec(ASHA.with_options(options), n_workers=n_workers, poll_interval=poll_interval), watcher)
    assert watcher.most == n_workers


def test_two_experiments_of_one_moment_get_directories_of_their_own(store: LocalStore) -> None:
    frozen = SystemTime(utc=lambda: datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC))
    names = {run_experiment(spec(), store, PROVENANCE, Nobody(), frozen).directory for _ in range(3)}
    base = "docs-2/ASHA/docs-2-toy-0-20260102-030405-000600"
    assert names == {base, f"{base}-1", f"{base}-2"}


def test_bad_metrics_are_counted(store: LocalStore) -> None:
    def spoil(losses: np.ndarray) -> np.ndarray:
        return np.where(losses > np.median(losses), np.nan, losses)

    made = replace(spec(RS), benchmark=toy_benchmark(partial(toy_table, change=spoil)))
    finished = run(store, made)
    table = pq.read_table(io.BytesIO(store.get(f"{finished.directory}/results.parquet"))).to_pandas()
    assert finished.non_finite_rows == table.loss.isna().sum() > 0
    assert finished.best is not None
    assert finished.best.value == table.loss.min()


def test_a_variant_that_does_not_fit_the_benchmark_says_so() -> None:
    with pytest.raises(UsageError, match="ASHA-X does not fit toy: Unknown hyperparameter 'hp_activation'"):
        spec(ASHA.with_fixed({"hp_activation": "relu"}, name="ASHA-X")).space()


@pytest.mark.parametrize("change", [{"n_workers": 0}, {"max_wallclock_time": 0.0}, {"max_num_evaluations": 0}])
def test_empty_budgets_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        spec(**change)
