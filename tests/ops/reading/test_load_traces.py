"""What an analysis reads of one or several tags, what it leaves out and says so, and what its cache may not change."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import hpoctl
from hpoctl.analysis.spending import Axis
from hpoctl.analysis.traces import Trace
from hpoctl.core.cells import RESULTS, Cell
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.study import Study
from hpoctl.engine.table import parquet_bytes
from hpoctl.ops.reading import made_cache
from hpoctl.ops.reading.load_rows import load_rows
from hpoctl.ops.reading.load_traces import Loaded, LoadRequest, load_traces
from hpoctl.ops.studies.tags import keep_plan
from hpoctl.stores.local import LocalStore
from result_rows import METRIC, load_request, put_result
from trees import CELL, TAG, put_attempt

STUDY = Study(
    "toys", "Toys", methods=("RS", "ASHA"), benchmarks=("toy",), num_seeds=3, panels={"a": ("RS",), "b": ("ASHA",)}
)


@pytest.fixture(params=[1, 8], ids=["one by one", "by several threads"])
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> LocalStore:
    """A store that is read one by one, and one that is read by threads as one far away is: all is the same."""
    monkeypatch.setattr(LocalStore, "readers", request.param)
    monkeypatch.setenv("HPOCTL_CACHE", str(tmp_path / "cache"))
    return LocalStore(tmp_path / "root")


def request(store: LocalStore, *tags: str, **changes: Any) -> LoadRequest:
    return load_request(str(store.root), tags or (TAG,), **changes)


def load(store: LocalStore, *tags: str, **changes: Any) -> Loaded[Trace]:
    return load_traces(request(store, *tags, **changes))


def kinds(loaded: Loaded[Trace]) -> list[tuple[str, str]]:
    return [(entry.kind, str(entry.cell)) for entry in loaded.skipped]


def methods(loaded: Loaded[Trace]) -> set[str]:
    return {trace.method for trace in loaded.traces}


# --- what is read ---


def test_a_trace_is_the_best_value_so_far(store: LocalStore) -> None:
    put_result(store, CELL, (3.0, 4.0, float("nan"), 1.0, 2.0))
    (trace,) = load(store).traces
    assert (trace.tag, trace.method, trace.benchmark, trace.seed) == (TAG, "ASHA", "toy", 0)
    assert (trace.metric, trace.mode, trace.budget, trace.identity) == (METRIC, "min", 10.0, "ASHA toy seed 0 0 7")
    assert trace.times.tolist() == [1.0, 4.0]
    assert trace.values.tolist() == [3.0, 1.0]


def test_a_maximised_metric(store: LocalStore) -> None:
    put_result(store, CELL, (3.0, 4.0, 1.0), mode="max")
    (trace,) = load(store).traces
    assert trace.values.tolist() == [3.0, 4.0]


def test_the_order_is_that_of_the_plan(store: LocalStore) -> None:
    keep_plan(store, TAG, STUDY, "toys")
    for cell in reversed(STUDY.cells()):
        put_result(store, cell)
    loaded = load(store)
    assert [Cell(t.method, t.benchmark, t.seed) for t in loaded.traces] == STUDY.cells()
    assert loaded.skipped == ()
    assert loaded.panels == {"a": ("RS",), "b": ("ASHA",)}


def test_filters(store: LocalStore) -> None:
    for cell in STUDY.cells():
        put_result(store, cell, n_workers=2 + cell.seed)
    chosen = load(store, methods=("RS",), seeds=frozenset({1, 2}), where=("n_workers>=3", "n_workers!=4"))
    assert [(trace.method, trace.seed) for trace in chosen.traces] == [("RS", 1)]
    assert chosen.skipped == ()  # what was not asked for is not left out


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"methods": ("ASHAA",)}, "Tag docs-2 has no method 'ASHAA'."),
        ({"benchmarks": ("tou",)}, "Tag docs-2 has no benchmark 'tou'."),
        ({"where": ("n_worker=1",)}, "no experiment has 'n_worker'"),
        ({"where": ("n_workers",)}, "--where cannot be 'n_workers'"),
        ({"tags": ("bad tag",)}, "bad tag"),
        ({"tags": ()}, "No tag is named."),
    ],
)
def test_wrong_usage(store: LocalStore, changes: dict[str, Any], what: str) -> None:
    put_result(store, CELL)
    with pytest.raises(UsageError) as caught:
        load_traces(load_request(str(store.root), **{"tags": (TAG,), **changes}))
    assert what in caught.value.what


def test_nothing_to_read(store: LocalStore) -> None:
    with pytest.raises(IncompleteError, match="There is nothing of tag docs-2"):
        load(store)
    put_attempt(store, status="failed")
    with pytest.raises(IncompleteError, match="No complete experiment of tag docs-2 fits; 1 is left out"):
        load(store)
    with pytest.raises(IncompleteError, match="No complete experiment"):
        load_rows(request(store))


def test_where_all_is_left_out_the_first_damage_is_named(store: LocalStore) -> None:
    path = Path(store.location(f"{put_result(store, CELL, (5.0,))}/{RESULTS}"))
    path.unlink()
    with pytest.raises(IncompleteError) as caught:
        load(store)
    assert caught.value.what.endswith(f"fits; 1 is left out: {path.parent}: {RESULTS} is missing.")


# --- what is left out ---


def test_what_is_not_complete_is_listed(store: LocalStore) -> None:
    keep_plan(store, TAG, STUDY, "toys")
    put_result(store, Cell("RS", "toy", 0))
    failed = put_attempt(store, Cell("RS", "toy", 1), "failed")
    put_attempt(store, Cell("ASHA", "toy", 0), "interrupted")
    put_attempt(store, Cell("ASHA", "toy", 1), "running")
    loaded = load(store)
    assert set(kinds(loaded)) == {
        ("failed", "RS toy seed 1"),
        ("missing", "RS toy seed 2"),
        ("interrupted", "ASHA toy seed 0"),
        ("failed", "ASHA toy seed 1"),  # no process runs it any more
        ("missing", "ASHA toy seed 2"),
    }
    (entry,) = [entry for entry in loaded.skipped if str(entry.cell) == "RS toy seed 1"]
    assert (entry.path, entry.what, entry.tag) == (store.location(failed), "it failed: ValueError: broken", TAG)
    assert "left out" in entry.policy
    assert [entry.kind for entry in load(store, methods=("RS",)).skipped] == ["failed", "missing"]


def test_damaged_results_are_listed_and_an_earlier_one_counts(store: LocalStore) -> None:
    put_result(store, CELL, (5.0,))
    later = put_result(store, CELL, (4.0,), seconds=5.0)
    path = Path(store.location(f"{later}/{RESULTS}"))
    data = bytearray(path.read_bytes())
    data[20] ^= 1  # as many bytes, other ones: only its hash tells
    path.write_bytes(data)
    loaded = load(store)
    assert loaded.traces[0].values.tolist() == [5.0]
    (entry,) = loaded.skipped
    assert (entry.kind, entry.cell) == ("damaged", CELL)
    assert "its hash does not match" in entry.what
    path.write_bytes(b"")
    assert [entry.kind for entry in load(store).skipped] == ["damaged"]


def test_results_that_are_no_parquet_or_lack_the_metric(store: LocalStore) -> None:
    put_result(store, Cell("RS", "toy", 0))
    put_result(store, Cell("RS", "toy", 1), metric_names=["other"])
    put_result(store, Cell("RS", "toy", 2), metric_mode="sideways")
    put_result(store, Cell("RS", "toy", 3), metric_names=[])
    put_result(store, Cell("RS", "toy", 4), rows=b"no Parquet")
    loaded = load(store)
    assert [trace.seed for trace in loaded.traces] == [0]
    found = {entry.cell.seed: (entry.kind, entry.what) for entry in loaded.skipped if entry.cell is not None}
    assert {kind for kind, _ in found.values()} == {"damaged"}
    for seed, what in {
        1: "results.parquet cannot be read",
        2: "metric_mode cannot be 'sideways'",
        3: "does not say what it measured",
        4: "results.parquet cannot be read",
    }.items():
        assert what in found[seed][1]


def test_the_newest_of_several_complete_results_counts(store: LocalStore) -> None:
    old = put_result(store, CELL, (5.0,))
    put_result(store, CELL, (4.0,), seconds=5.0)
    loaded = load(store)
    assert loaded.traces[0].values.tolist() == [4.0]
    (entry,) = loaded.skipped
    assert (entry.kind, entry.path) == ("duplicate", store.location(old))


@pytest.mark.parametrize("other", [{"options": 1}, {"random_seed": 8}])
def test_results_of_another_setup_are_left_out(store: LocalStore, other: dict[str, Any]) -> None:
    for seed in range(3):
        put_result(store, Cell("ASHA", "toy", seed))
    stranger = put_result(store, Cell("ASHA", "toy", 3), seconds=9.0, **other)
    put_result(store, Cell("ASHA", "toy", 0), seconds=8.0, **other)
    loaded = load(store)
    assert [trace.seed for trace in loaded.traces] == [0, 1, 2]
    assert sorted(kinds(loaded)) == [("foreign", "ASHA toy seed 0"), ("foreign", "ASHA toy seed 3")]
    assert store.location(stranger) in {entry.path for entry in loaded.skipped}


def test_where_chooses_among_setups(store: LocalStore) -> None:
    put_result(store, Cell("ASHA", "toy", 0))
    put_result(store, Cell("ASHA", "toy", 1))
    put_result(store, Cell("ASHA", "toy", 2), options=1, n_workers=8)
    loaded = load(store, where=("n_workers=8",))
    assert [trace.seed for trace in loaded.traces] == [2]
    assert loaded.skipped == ()


# --- several tags ---


def test_tags_are_put_together(store: LocalStore) -> None:
    put_result(store, Cell("RS", "toy", 0), tag="old")
    put_result(store, Cell("ASHA", "toy", 0), tag="new")
    loaded = load(store, "old", "new")
    assert [(trace.tag, trace.method) for trace in loaded.traces] == [("old", "RS"), ("new", "ASHA")]
    assert loaded.notes == ()


def test_the_same_experiment_in_two_tags_is_two_setups(store: LocalStore) -> None:
    for tag in ("old", "new"):
        put_result(store, Cell("RS", "toy", 0), tag=tag)
    put_result(store, Cell("ASHA", "toy", 0), tag="new")
    put_attempt(store, Cell("RS", "toy", 1), "failed", tag="old")
    loaded = load(store, "old", "new")
    assert methods(loaded) == {"RS (old)", "RS (new)", "ASHA"}
    assert kinds(loaded) == [("failed", "RS (old) toy seed 1")]


def test_other_seeds_of_the_same_setup_are_one_setup_and_of_another_are_two(store: LocalStore) -> None:
    put_result(store, Cell("RS", "toy", 0), tag="old")
    put_result(store, Cell("RS", "toy", 1), tag="new")
    assert methods(load(store, "old", "new")) == {"RS"}
    put_result(store, Cell("RS", "toy", 1), tag="third", options=1)
    assert methods(load(store, "old", "third")) == {"RS (old)", "RS (third)"}


def test_other_random_seeds_and_tables_are_noted(store: LocalStore) -> None:
    put_result(store, Cell("RS", "toy", 0), tag="old", data={"table": "a", "curves": "modelled"})
    put_result(store, Cell("ASHA", "toy", 0), tag="new", random_seed=8, data={"table": "b"})
    loaded = load(store, "old", "new")
    assert [("random seeds" in note, "different tables" in note) for note in loaded.notes] == [
        (True, False),
        (False, True),
    ]
    assert loaded.modelled == ("toy",)


# --- the cache ---


def _cache_files() -> list[Path]:
    return sorted(Path(os.environ["HPOCTL_CACHE"]).glob("traces/*"))


def _plain(loaded: Loaded[Trace]) -> list[tuple[int, list[float], list[float]]]:
    return [(trace.seed, trace.times.tolist(), trace.values.tolist()) for trace in loaded.traces]


def test_a_second_look_reads_no_results_and_sees_the_same(store: LocalStore) -> None:
    for seed in range(3):
        put_result(store, Cell("RS", "toy", seed), (5.0, 4.0 - seed))
    put_result(store, Cell("RS", "toy", 3), (float("nan"),))
    first = load(store)
    (file,) = _cache_files()
    before = file.read_bytes()
    for path in store.root.glob(f"*/*/*/{RESULTS}"):
        path.write_bytes(b"x" * path.stat().st_size)
    assert _plain(load(store)) == _plain(first)
    assert file.read_bytes() == before


@pytest.mark.parametrize("damage", [b"", b"hpoctl traces 2\n", b"something else", None])
def test_a_damaged_cache_is_made_again(store: LocalStore, damage: bytes | None) -> None:
    put_result(store, CELL)
    first = load(store)
    (file,) = _cache_files()
    good = file.read_bytes()
    file.write_bytes(good[:-5] + b"12345" if damage is None else damage)
    assert _plain(load(store)) == _plain(first)
    assert file.read_bytes() == good


def test_a_result_made_again_is_read_again(store: LocalStore) -> None:
    put_result(store, CELL, (5.0,))
    load(store)
    put_result(store, CELL, (2.0,), seconds=3.0)
    assert load(store).traces[0].values.tolist() == [2.0]


def test_a_cache_that_cannot_be_written_costs_time_only(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HPOCTL_CACHE", str(tmp_path / "file"))
    put_result(store, CELL)
    assert len(load(store).traces) == len(load(store).traces) == 1


def test_a_cache_is_bounded(tmp_path: Path) -> None:
    for number in range(5):
        made_cache.keep_below(tmp_path / "c" / str(number), b"x" * 100, 250)
        os.utime(tmp_path / "c" / str(number), (number, number))
    made_cache.keep_below(tmp_path / "c" / "last", b"x" * 100, 250)
    assert sorted(path.name for path in (tmp_path / "c").iterdir()) == ["4", "last"]


# --- against what was spent ---

SPENT = {
    METRIC: np.array([5.0, 4.0, 6.0, 3.0, 9.0]),
    "epoch": np.array([1, 1, 2, 2, 3]),
    "st_tuner_time": np.arange(1.0, 6.0),
    "trial_id": np.array([0, 1, 0, 1, 1]),
    "st_decision": np.array([0, 1, 0, 0, 0]),
}
"""Two trials: the second one is paused after its first epoch."""


def put_spent(store: LocalStore, cell: Cell = CELL, *, checkpointing: bool = True, resource: str = "epoch") -> None:
    words = pa.DictionaryArray.from_arrays(pa.array(SPENT["st_decision"], pa.int32()), ["CONTINUE", "PAUSE"])
    columns = {name: pa.array(values) for name, values in SPENT.items()} | {"st_decision": words}
    determined_by = {
        "benchmark": {"resource_attr": resource} if resource else {},
        "clock": {"checkpointing": checkpointing},
        "seeds": {"seed": cell.seed},
    }
    put_result(store, cell, rows=parquet_bytes(pa.table(columns)), determinants=determined_by)


@pytest.mark.parametrize(
    ("axis", "checkpointing", "steps", "values"),
    [
        ("resource", True, [1, 2, 4, 5], [5.0, 4.0, 3.0, 3.0]),
        ("resource", False, [1, 2, 5, 6], [5.0, 4.0, 3.0, 3.0]),
        ("trials", True, [1, 2, 2, 2], [5.0, 4.0, 3.0, 3.0]),
    ],
)
def test_a_trace_against_what_was_spent(
    store: LocalStore, axis: Axis, checkpointing: bool, steps: list[int], values: list[float]
) -> None:
    put_spent(store, checkpointing=checkpointing)
    for _ in range(2):  # the second time from the cache
        loaded = load_traces(request(store), axis)
        (trace,) = loaded.traces
        assert (trace.times.tolist(), trace.values.tolist()) == (steps, values)
        assert trace.budget == steps[-1]
        assert loaded.resources == {"toy": "epoch"}
    assert trace.at(np.array([float(steps[-1])])).tolist() == [3.0]
    assert load(store).traces[0].budget == 10.0  # the same result against time


def test_a_resource_that_nobody_names_is_damage_only_where_it_is_asked_for(store: LocalStore) -> None:
    put_spent(store)
    put_spent(store, Cell("RS", "toy", 0), resource="")
    put_spent(store, Cell("BO", "toy", 0), resource="other")
    assert load(store).skipped == ()
    assert {entry.kind for entry in load_traces(request(store), "resource").skipped} == {"damaged"}
    whats = {str(entry.cell): entry.what for entry in load_traces(request(store), "resource").skipped}
    assert "does not say which column is its resource" in whats["RS toy seed 0"]
    assert "results.parquet cannot be read" in whats["BO toy seed 0"]
    assert len(load_traces(request(store), "trials").traces) == 3


def test_an_experiment_without_a_finite_value_has_no_trace_against_what_was_spent(store: LocalStore) -> None:
    put_result(store, CELL, (float("nan"),))
    (trace,) = load_traces(request(store), "trials").traces
    assert (trace.budget, len(trace.times)) == (0.0, 0)


# --- rows for notebooks ---


def test_all_rows_with_their_experiment(store: LocalStore) -> None:
    put_result(store, Cell("RS", "toy", 0), (3.0, 1.0))
    put_result(store, Cell("ASHA", "toy", 1), (2.0,))
    frame = hpoctl.load(TAG, results=store.root)
    assert list(frame.columns[:4]) == ["tag", "method", "benchmark", "seed"]
    assert sorted(zip(frame["method"], frame["seed"], frame[METRIC], strict=True)) == [
        ("ASHA", 1, 2.0),
        ("RS", 0, 1.0),
        ("RS", 0, 3.0),
    ]
    assert frame.attrs["skipped"] == []
    assert len(hpoctl.load(TAG, methods=["RS"], seeds=range(1), where=["n_workers=4"], results=store.root)) == 2


def test_rows_that_are_left_out_are_warned_of(store: LocalStore) -> None:
    put_result(store, Cell("RS", "toy", 0))
    failed = put_attempt(store, Cell("RS", "toy", 1), "failed")
    put_attempt(store, Cell("RS", "toy", 2), random_seed=7)
    with pytest.warns(UserWarning, match="left out: 1 failed, 1 foreign"):
        frame = hpoctl.load(TAG, results=store.root)
    assert len(frame) == 3
    assert frame.attrs["skipped"][0]["path"] == store.location(failed)


def test_a_trace_and_the_rows_agree(store: LocalStore) -> None:
    losses = np.random.default_rng(0).normal(size=50)
    put_result(store, CELL, losses.tolist())
    (trace,) = load(store).traces
    frame = hpoctl.load(TAG, results=store.root)
    best = frame[METRIC].cummin().to_numpy()
    assert trace.at(frame["st_tuner_time"].to_numpy()).tolist() == best.tolist()
