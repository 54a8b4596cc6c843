"""Experiments on tables that list some configurations: restricted to them, or with the nearest row and its distance."""

import io
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from hpoctl.blackboxes.nearest import NearestRow, OffTable
from hpoctl.builtins import ASHA, BO, MOBSTER, RS, hpoctl_methods
from hpoctl.core.clock import SystemTime
from hpoctl.core.entries import Benchmark, Method
from hpoctl.core.errors import UsageError
from hpoctl.core.settings import Settings
from hpoctl.core.space import Space, TableSpace, Uniform
from hpoctl.engine.experiment import run_experiment, simulate
from hpoctl.engine.metadata import Provenance
from hpoctl.engine.search_space import searched
from hpoctl.engine.spec import ExperimentSpec, determinants, identity
from hpoctl.schedulers.options import AshaOptions, MobsterOptions
from hpoctl.stores.local import LocalStore
from hpoctl.testing import run_spec, toy_benchmark, toy_space, toy_table
from hpoctl.testing.hard_cases import Nobody
from tables import listed_benchmark, listed_table

METHODS = {
    **{method.name: method for method in hpoctl_methods()},
    "ASHA stopping": ASHA.with_options(AshaOptions(type="stopping")),
    "MOBSTER brackets": MOBSTER.with_options(MobsterOptions(brackets=3)),
}
RELU = {"activation": "relu"}


def spec(method: Method, benchmark: Benchmark, **settings: Any) -> ExperimentSpec:
    return ExperimentSpec("t", method, benchmark, 0, 7, Settings(**settings))


def restricted(method: Method, benchmark: Benchmark | None = None, **settings: Any) -> ExperimentSpec:
    return spec(method, benchmark or listed_benchmark(), restrict_configurations=True, **settings)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("rows", [40, 3, 1])
def test_restricted_methods_try_each_row_once_and_then_end(method: Method, rows: int) -> None:
    table = listed_table(rows).space
    found = run_spec(restricted(method, listed_benchmark(rows, budget=1e9)))
    indices = [table.index(config) for config in found.configs]  # none is off the table
    assert sorted(indices) == list(range(rows))
    assert indices[0] == table.index(table.middle())


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_variant_tries_the_rows_that_have_its_values(method: Method) -> None:
    table = listed_table().space
    fitting = [table.at(row) for row in range(table.size) if table.at(row)["activation"] == "relu"]
    made = restricted(method.with_fixed(RELU, name="VARIANT"), listed_benchmark(budget=1e9))
    found = run_spec(made).configs
    assert sorted(map(str, found)) == sorted(map(str, fitting))
    one = dict(table.at(0))
    single = restricted(method.with_fixed({"units": one["units"], "rate": one["rate"], **one}, name="ONE"))
    assert run_spec(single).configs == [one]


def test_random_draws_of_a_table_are_those_of_all_methods() -> None:
    benchmark = listed_benchmark()
    firsts = [run_spec(restricted(method, benchmark)).configs[:4] for method in (RS, BO, ASHA, MOBSTER)]
    assert firsts[0] == firsts[1] == firsts[2] == firsts[3]


def test_a_benchmark_or_a_person_may_restrict() -> None:
    made = listed_benchmark(restricted=True)
    by_benchmark, by_person = spec(ASHA, made), restricted(ASHA)
    for one in (by_benchmark, by_person):
        found = searched(one, one.benchmark.blackbox())
        assert isinstance(found.space, TableSpace)
        assert found.nearest is None
    assert run_spec(by_benchmark).configs == run_spec(by_person).configs
    free = searched(spec(ASHA, listed_benchmark()), listed_table())
    assert type(free.space) is Space
    assert isinstance(free.blackbox, NearestRow)


def test_on_a_table_of_the_whole_space_restriction_changes_nothing() -> None:
    free, bound = spec(MOBSTER, toy_benchmark()), restricted(MOBSTER, toy_benchmark())
    found = searched(bound, toy_table())
    assert type(found.space) is Space
    np.testing.assert_array_equal(run_spec(free).metrics, run_spec(bound).metrics)


class Continuous:
    space = Space({**toy_space().domains, "x": Uniform(0.0, 1.0)})
    content_hash = "continuous"


@pytest.mark.parametrize("changes", [{"restrict_configurations": True}, {}])
def test_without_a_list_there_is_nothing_to_restrict_to(changes: dict[str, bool]) -> None:
    benchmark = replace(toy_benchmark(), restricted=not changes)
    with pytest.raises(UsageError, match="toy cannot be restricted to its table, which lists no configurations"):
        searched(spec(RS, benchmark, **changes), Continuous())  # type: ignore[arg-type]


def test_fixed_values_that_no_row_has_are_refused() -> None:
    rows = [row for row in range(120) if toy_space().at(row)["activation"] == "tanh"]
    made = restricted(ASHA.with_fixed(RELU, name="ASHA-RELU"), listed_benchmark(rows))
    with pytest.raises(UsageError) as caught:
        searched(made, made.benchmark.blackbox())
    assert caught.value.what == "ASHA-RELU does not fit listed: No configuration of the table has activation=relu."


@pytest.mark.parametrize("method", [ASHA, RS, BO], ids=lambda method: method.name)
def test_free_methods_get_the_curve_of_the_nearest_row(method: Method) -> None:
    made = spec(method, listed_benchmark())
    blackbox = listed_table()
    simulation = simulate(made, blackbox, Nobody(), SystemTime())
    table, rows = blackbox.space, simulation.rows
    space = toy_space()
    off, distances = 0, []
    for trial_id, config in enumerate(rows.configs):
        space.validate(config)  # what was asked for is what is recorded
        point = space.encode(space.units(config)[None, :])
        gaps = np.sqrt(((space.encode(table.rows) - point) ** 2).sum(axis=1))
        nearest = table.at(int(np.flatnonzero(gaps <= gaps.min() + 1e-12)[0]))
        if config != nearest:
            off += 1
            distances.append(gaps.min())
        of_trial = rows.trial_ids == trial_id
        known = [blackbox.curve(nearest, seed).metrics[rows.resources[of_trial] - 1] for seed in range(3)]
        assert any(np.array_equal(rows.metrics[of_trial], values) for values in known)
    assert 0 < off < len(rows.configs)
    assert simulation.off_table is not None
    assert (simulation.off_table.trials, simulation.off_table.off_table) == (len(rows.configs), off)
    assert simulation.off_table.mean_distance == pytest.approx(np.mean(distances))
    assert simulation.off_table.max_distance == pytest.approx(max(distances))


def test_a_trial_that_is_resumed_counts_once() -> None:
    simulation = simulate(spec(ASHA, listed_benchmark()), listed_table(), Nobody(), SystemTime())
    rows = simulation.rows
    paused = set(rows.trial_ids[rows.decisions == "PAUSE"].tolist())
    resumed = [trial for trial in paused if (rows.decisions[rows.trial_ids == trial] == "PAUSE").sum() > 1]
    assert resumed
    assert simulation.off_table is not None
    assert simulation.off_table.trials == len(rows.configs)


def test_fixed_values_that_no_row_has_are_no_hindrance_where_the_nearest_row_answers() -> None:
    rows = [row for row in range(120) if toy_space().at(row)["activation"] == "tanh"]
    made = spec(RS.with_fixed(RELU, name="RS-RELU"), listed_benchmark(rows))
    simulation = simulate(made, listed_table(rows), Nobody(), SystemTime())
    assert {config["activation"] for config in simulation.rows.configs} == {"relu"}
    counted = simulation.off_table
    assert counted is not None
    assert counted == OffTable(counted.trials, counted.trials, 1.0, 1.0)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


def run(store: LocalStore, made: ExperimentSpec) -> tuple[dict[str, object], list[dict[str, object]], object]:
    finished = run_experiment(made, store, Provenance({"hpoctl": "0"}, None, "hpoctl run"), Nobody(), SystemTime())
    metadata = json.loads(store.get(f"{finished.directory}/metadata.json"))
    table = pq.read_table(io.BytesIO(store.get(f"{finished.directory}/results.parquet")))
    return metadata, table.to_pylist(), finished.off_table


def test_metadata_count_what_was_off_the_table(store: LocalStore) -> None:
    metadata, rows, off_table = run(store, spec(RS, listed_benchmark()))
    assert isinstance(off_table, OffTable)
    assert metadata["off_table"] == asdict(off_table)
    assert list(metadata["off_table"]) == ["trials", "off_table", "mean_distance", "max_distance"]
    table = listed_table().space
    names = toy_space().names
    configs = {row["trial_id"]: {name: row[f"config_{name}"] for name in names} for row in rows}
    off = sum(table.find(config) is None for config in configs.values())  # type: ignore[arg-type]
    assert (off_table.trials, off_table.off_table) == (len(configs), off)


@pytest.mark.parametrize(
    "made", [restricted(RS), spec(RS, listed_benchmark(restricted=True)), spec(RS, toy_benchmark())], ids=range(3)
)
def test_where_there_is_nothing_to_count_metadata_say_null(store: LocalStore, made: ExperimentSpec) -> None:
    metadata, _, off_table = run(store, made)
    assert "off_table" in metadata
    assert metadata["off_table"] is off_table is None


def test_with_all_trials_on_the_table_none_is_off(store: LocalStore) -> None:
    metadata, _, _ = run(store, spec(RS, listed_benchmark(range(120))))
    assert metadata["off_table"] == {
        "trials": metadata["trials"],
        "off_table": 0,
        "mean_distance": 0.0,
        "max_distance": 0.0,
    }


def test_restriction_is_in_the_identity_only_where_it_applies(store: LocalStore) -> None:
    table = listed_table().content_hash
    free = spec(RS, listed_benchmark())
    metadata, _, _ = run(store, free)
    assert metadata["identity"] == identity(free, table)
    assert "restricted" not in determinants(free, table)
    for made in (restricted(RS), spec(RS, listed_benchmark(restricted=True))):
        metadata, _, _ = run(store, made)
        assert metadata["identity"] == identity(made, table, restricted=True) != identity(free, table)
        assert metadata["determinants"]["restricted"] is True  # type: ignore[index]
    whole, _, _ = run(store, restricted(RS, toy_benchmark()))
    assert whole["identity"] == identity(spec(RS, toy_benchmark()), toy_table().content_hash)


def test_identities_stay_what_they_were() -> None:
    """A pinned one: results that exist have to be recognised."""
    made = spec(ASHA, toy_benchmark(), max_wallclock_time=1500.0)
    assert identity(made, "x")[:16] == "b23e5d4abee365fa"


def test_another_table_is_another_identity(store: LocalStore) -> None:
    benchmark = listed_benchmark()
    others = [
        benchmark,
        replace(benchmark, blackbox=lambda: listed_table(39)),
        replace(benchmark, blackbox=lambda: listed_table(40, lambda: toy_table(change=lambda losses: losses * 2.0))),
    ]
    assert len({str(run(store, spec(RS, other))[0]["identity"]) for other in others}) == 3


def test_an_experiment_that_cannot_be_restricted_fails_and_says_so(store: LocalStore) -> None:
    made = restricted(RS, replace(listed_benchmark(), blackbox=Continuous))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="lists no configurations"):
        run(store, made)
    (name,) = store.list("")
    assert json.loads(store.get(name))["status"] == "failed"
