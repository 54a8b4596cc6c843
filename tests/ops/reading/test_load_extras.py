"""Extra results of experiments over time: which columns they are, and their values at equal distances."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from hpoctl.core.cells import RESULTS, Cell
from hpoctl.core.errors import UsageError
from hpoctl.engine.table import parquet_bytes
from hpoctl.ops.answers.plot_extras import extra_setups
from hpoctl.ops.answers.plotted_setups import Summary
from hpoctl.ops.reading.load_extras import load_extras
from hpoctl.ops.reading.load_traces import LoadRequest
from hpoctl.stores.local import LocalStore
from result_rows import METRIC, put_result
from trees import CELL, TAG, put_attempt

MEDIAN = Summary("median")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalStore:
    monkeypatch.setenv("HPOCTL_CACHE", str(tmp_path / "cache"))
    return LocalStore(tmp_path / "root")


def request(store: LocalStore) -> LoadRequest:
    return LoadRequest(tags=(TAG,), results=str(store.root))


def put(store: LocalStore, cell: Cell, **extra: list[float]) -> str:
    """A result of ten seconds whose rows come at 2, 4, 6 and 8, with these columns."""
    columns = {
        METRIC: np.ones(4),
        "epoch": np.arange(1, 5),
        "st_tuner_time": np.array([2.0, 4.0, 6.0, 8.0]),
        "trial_id": np.arange(4),
        "config_lr": np.ones(4),
        "elapsed_time": np.ones(4),
        **{name: np.array(values) for name, values in extra.items()},
    }
    rows = parquet_bytes(pa.table(columns))
    determined_by = {"benchmark": {"resource_attr": "epoch"}, "seeds": {"seed": cell.seed}}
    return put_result(store, cell, rows=rows, determinants=determined_by)


def test_the_last_value_is_carried_to_the_end_of_the_budget(store: LocalStore) -> None:
    put(store, CELL, size=[1, 2, 3, 5], other=[np.nan, 7.0, np.nan, 8.0])
    (extras,) = load_extras(request(store), ["*"]).traces
    assert set(extras.values) == {"size", "other"}  # what hpoctl writes itself is none
    assert (extras.method, extras.benchmark, extras.seed, extras.budget) == ("ASHA", "toy", 0, 10.0)
    at = [int(second * 20) - 1 for second in (1, 2, 3, 5, 7, 9, 10)]
    assert np.array_equal(extras.values["size"][at], [np.nan, 1, 1, 2, 3, 5, 5], equal_nan=True)
    assert np.array_equal(extras.values["other"][at], [np.nan, np.nan, np.nan, 7, 7, 8, 8], equal_nan=True)


def test_names_and_patterns(store: LocalStore) -> None:
    put(store, CELL, num_at_level1=[1, 2, 3, 4], num_at_level3=[0, 0, 1, 1], loss_of_model=[0.5] * 4)
    assert list(load_extras(request(store), ["num_at_level*"]).traces[0].values) == ["num_at_level1", "num_at_level3"]
    assert list(load_extras(request(store), ["loss_of_model"]).traces[0].values) == ["loss_of_model"]
    with pytest.raises(UsageError) as caught:
        load_extras(request(store), ["num_at_level1", "levels"])
    assert caught.value.what == "No experiment has an extra result 'levels'."
    assert caught.value.fix == "There are: loss_of_model, num_at_level1, num_at_level3."


def test_without_extra_results(store: LocalStore) -> None:
    put(store, CELL)
    with pytest.raises(UsageError) as caught:
        load_extras(request(store), ["a"])
    assert "Name composers in the study" in caught.value.fix


def test_a_second_look_reads_no_results(store: LocalStore) -> None:
    put(store, CELL, size=[1, 2, 3, 4])
    put(store, Cell("RS", "toy", 0))
    first = load_extras(request(store), ["size"])
    for path in store.root.glob(f"*/*/*/{RESULTS}"):
        path.write_bytes(b"x" * path.stat().st_size)
    again = load_extras(request(store), ["size"])
    for one, two in zip(first.traces, again.traces, strict=True):
        assert one.values.keys() == two.values.keys()
        assert all(np.array_equal(one.values[name], two.values[name], equal_nan=True) for name in one.values)


def test_setups_are_medians_with_quartiles_and_say_what_is_missing(store: LocalStore) -> None:
    for seed in range(5):
        put(store, Cell("ASHA", "toy", seed), size=[0, 0, 0, seed])
    put(store, Cell("ASHA", "toy", 5))
    put_attempt(store, Cell("ASHA", "toy", 6), "failed")
    put(store, Cell("RS", "toy", 0))
    loaded = load_extras(request(store), ["size"])
    (setup,) = extra_setups(loaded, MEDIAN)
    assert (setup.name, setup.metric, setup.mode) == ("ASHA", "size", None)
    assert (setup.band.centre[-1], setup.band.low[-1], setup.band.high[-1]) == (2.0, 1.0, 3.0)
    assert (setup.finals, setup.missing, setup.without_value) == ({0: 0, 1: 1, 2: 2, 3: 3, 4: 4}, (6,), (5,))
    assert setup.wanted == 7
