"""Exports: trees for Syne Tune and tables, contents, refusals, repeated exports."""

import csv
import io
import json
import resource
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange_trees import GOLDEN, ROWS, archive, put_tuner
from faults import killed_at_every_step
from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import METADATA, RESULTS, Cell
from hpoctl.core.errors import HpoctlError, IncompleteError, UsageError
from hpoctl.core.sealed import seal, unseal
from hpoctl.core.study import Study
from hpoctl.engine.table import parquet_bytes
from hpoctl.ops.exchange.export import Exported, ExportFormat, export
from hpoctl.ops.exchange.import_results import import_results
from hpoctl.ops.exchange.syne_tune_files import tuner_folders, unzipped
from hpoctl.ops.exchange.syne_tune_rows import read_rows, rows_csv
from hpoctl.ops.reading.load_traces import LoadRequest, load_traces
from hpoctl.ops.studies.config import open_root
from hpoctl.ops.studies.tags import keep_plan
from hpoctl.stores.local import LocalStore
from result_rows import load_request, put_result
from trees import put_attempt

TAG = "docs-2"
CELLS = [
    Cell(method, benchmark, seed) for method in ("RS", "ASHA") for benchmark in ("toy", "toy_b.c") for seed in (0, 1)
]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HPOCTL_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    made = LocalStore(tmp_path / "root")
    for number, cell in enumerate(CELLS):
        put_result(made, cell, (3.0, 1.0 + number, 2.0))
    return made


def do(store: LocalStore, output: Path, form: ExportFormat = "syne-tune", *tags: str, **changes: Any) -> Exported:
    load = load_request(str(store.root), tags or (TAG,), **changes)
    return export(load, form, output)


@pytest.mark.parametrize("form", ["syne-tune", "csv", "parquet"])
def test_a_result_with_a_column_of_lists_or_tables_is_left_out(
    store: LocalStore, tmp_path: Path, form: ExportFormat
) -> None:
    (file,) = (path for path in store.root.rglob(RESULTS) if "/RS/" in str(path) and "toy-0" in str(path))
    table = pq.read_table(file)
    strange = pa.array([{"a": 1}] * table.num_rows)
    rows = parquet_bytes(table.append_column("extra", strange))
    file.write_bytes(rows)
    entries = unseal(file.with_name(METADATA).read_bytes())
    facts = {"results_bytes": len(rows), "results_sha256": content_hash(rows)}
    file.with_name(METADATA).write_bytes(seal({**entries, **facts}))
    exported = do(store, tmp_path / "out", form)
    assert exported.experiments == len(CELLS) - 1
    (skipped,) = exported.skipped
    assert "has a column 'extra' of lists or tables" in skipped.what


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def metadata(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_bytes()) for path in sorted(folder.rglob(METADATA))]


# --- trees ---


def test_a_tree_has_what_the_loaders_look_for(store: LocalStore, tmp_path: Path) -> None:
    done = do(store, tmp_path / "out")
    assert (done.experiments, done.present, done.rows, done.skipped, done.notes) == (8, 0, 24, (), ())
    found = sorted((tmp_path / "out").glob(f"{TAG}/*/{TAG}-*/{METADATA}"))  # where ComparativeResults looks
    assert len(found) == 8
    for path in found:
        said, name = json.loads(path.read_bytes()), path.parent.name
        assert path.parent.parent.name == said["algorithm"]
        assert pd.to_datetime(name[-23:-4], format="%Y-%m-%d-%H-%M-%S").year == 2026
        assert (name[-24], name[-4]) == ("-", "-")
        assert Path(name).stem == name  # load_experiment takes the stem for the name
        assert isinstance(said["st_tuner_start_timestamp"], float)
        assert said["metric_names"] == ["loss"]
        assert not any(isinstance(value, dict) or value in (None, []) for value in said.values())
        rows = pd.read_csv(path.parent / "results.csv.zip")
        assert list(rows.columns) == ["loss", "epoch", "st_tuner_time", "trial_id"]
        assert rows["loss"].dtype == float
        assert rows["epoch"].tolist() == [1, 2, 3]
    assert len({path.parent.name for path in found}) == 8


def test_names_are_unique_where_experiments_began_in_one_millisecond(store: LocalStore, tmp_path: Path) -> None:
    do(store, tmp_path / "out")  # all of them did
    names = [path.parent.name for path in (tmp_path / "out").rglob(METADATA)]
    assert len(set(names)) == len(names) == 8


@pytest.mark.parametrize("started", [-5.0, 1e300])
def test_a_date_that_is_none(tmp_path: Path, started: float) -> None:
    store = LocalStore(tmp_path / "root")
    put_result(store, CELLS[0], st_tuner_start_timestamp=started)
    assert do(store, tmp_path / "out").experiments == 1
    assert (tmp_path / "out" / TAG / "RS" / f"{TAG}-toy-0-1970-01-01-00-00-00-000" / METADATA).exists()


def test_filters_and_what_is_left_out(store: LocalStore, tmp_path: Path) -> None:
    keep_plan(store, TAG, Study("toys", "Toys", methods=("RS",), benchmarks=("toy",), num_seeds=3), "toys")
    (path,) = (store.root / TAG / "RS").glob(f"{TAG}-toy-1-*/{RESULTS}")
    path.write_bytes(b"broken")
    put_attempt(store, Cell("RS", "toy", 4), "failed")
    done = do(store, tmp_path / "out", methods=("RS",), benchmarks=("toy",))
    assert done.experiments == 1
    assert {(entry.kind, entry.cell.seed if entry.cell else None) for entry in done.skipped} == {
        ("damaged", 1),
        ("missing", 2),
        ("failed", 4),
    }
    assert [said["seed"] for said in metadata(tmp_path / "out")] == [0]
    chosen = do(store, tmp_path / "b", seeds=frozenset({1}), where=("n_workers=4",), methods=("ASHA",))
    assert chosen.experiments == 2


def test_the_second_time_nothing_is_written_and_what_is_new_is_added(store: LocalStore, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert do(store, out, methods=("RS",)).experiments == 4
    half = files(out)
    assert (do(store, out).present, len(files(out))) == (4, 16)
    whole = files(out)
    assert {name: whole[name] for name in half} == half
    assert do(store, out).present == 8
    assert files(out) == whole
    assert len({path.parent.name for path in out.rglob(METADATA)}) == 8


def test_other_results_of_an_experiment_are_not_put_beside(store: LocalStore, tmp_path: Path) -> None:
    out = tmp_path / "out"
    do(store, out)
    before = files(out)
    put_result(store, CELLS[0], (9.0,), seconds=5.0)
    with pytest.raises(UsageError, match="is another result of RS toy seed 0"):
        do(store, out)
    assert files(out) == before


def test_a_folder_that_is_no_export_is_left_alone(store: LocalStore, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for text in ("{", "[]", '{"algorithm": "RS"}', '{"algorithm": 1, "benchmark": 2, "seed": "x"}'):
        path = out / TAG / "RS" / "x" / METADATA
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        with pytest.raises(UsageError, match="is not of an export"):
            do(store, out)
        assert list(files(out)) == [f"{TAG}/RS/x/{METADATA}"]
    with pytest.raises(UsageError, match="is another result"):  # into the results themselves
        do(store, store.root)


def test_where_nothing_can_be_written(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="is a file, not a folder"):
        do(store, tmp_path / "file")
    tables: tuple[ExportFormat, ...] = ("csv", "parquet")
    for form in tables:
        with pytest.raises(UsageError, match="is a folder, not a file"):
            do(store, store.root, form)
    trees: tuple[ExportFormat, ...] = ("syne-tune", "csv")
    for form in trees:
        with pytest.raises(UsageError, match="There is no folder"):
            do(store, tmp_path / "no" / "such", form)
    with pytest.raises(IncompleteError, match="There is nothing of tag other"):
        do(store, tmp_path / "out", "syne-tune", "other")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / TAG).write_text("a file in the way")
    with pytest.raises(HpoctlError, match="Cannot make"):
        do(store, tmp_path / "in")
    assert not (tmp_path / "out").exists()


def test_nothing_complete(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "root")
    put_attempt(store, Cell("RS", "toy", 0), "failed")
    for form in ("syne-tune", "csv", "parquet"):
        with pytest.raises(IncompleteError, match="No complete experiment"):
            do(store, tmp_path / "out", form)
    assert not (tmp_path / "out").exists()


def test_an_export_that_is_killed_is_completed_by_the_next(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "root")
    put_result(store, CELLS[0])
    put_result(store, CELLS[1])
    out = tmp_path / "out"
    do(store, out)
    whole = files(out)
    shutil.rmtree(out)

    def check() -> None:
        for path in out.rglob(METADATA):  # what a loader finds is whole
            assert path.read_bytes() == whole[str(path.relative_to(out))]
            assert (path.parent / "results.csv.zip").read_bytes() == whole[
                str((path.parent / "results.csv.zip").relative_to(out))
            ]
        do(store, out)
        assert {name: data for name, data in files(out).items() if "/." not in name} == whole
        shutil.rmtree(out)

    assert killed_at_every_step(lambda: do(store, out), check) > 10


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_table_is_whole_or_not_there(store: LocalStore, tmp_path: Path, form: ExportFormat) -> None:
    out = tmp_path / "here" / "rows"
    out.parent.mkdir()
    out.write_text("before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, limits[1]))  # more does not fit into a file
    try:
        with pytest.raises(HpoctlError, match="Cannot write"):
            do(store, out, form)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert out.read_text() == "before"
    assert list(out.parent.iterdir()) == [out]
    do(store, out, form)
    assert len(out.read_bytes()) > 200
    assert list(out.parent.iterdir()) == [out]


# --- tables ---


def test_one_table_of_all_rows(store: LocalStore, tmp_path: Path) -> None:
    done = do(store, tmp_path / "rows.parquet", "parquet")
    assert (done.experiments, done.rows) == (8, 24)
    frame = pq.read_table(tmp_path / "rows.parquet").to_pandas()
    names = ["tag", "method", "benchmark", "seed", "origin"]
    assert list(frame.columns) == [*names, "loss", "epoch", "st_tuner_time", "trial_id"]
    assert set(map(tuple, frame[names].drop_duplicates().to_numpy())) == {
        (TAG, cell.method, cell.benchmark, cell.seed, "hpoctl") for cell in CELLS
    }
    do(store, tmp_path / "rows.csv", "csv")
    text = pd.read_csv(tmp_path / "rows.csv")
    pd.testing.assert_frame_equal(text, frame, check_dtype=False)
    header = (tmp_path / "rows.csv").read_text().partition("\n")[0]
    assert next(csv.reader([header])) == list(frame.columns)


def test_columns_of_several_experiments(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "root")
    base = {"st_tuner_time": [1.0, 2.0], "trial_id": [0, 1]}
    tables = [
        {"loss": [0.5, None], "config_x": [1, 2], "config_y": ["a", "b"], "only": [True, False]},
        {"loss": [1, 2], "config_x": [0.5, 1.5], "config_y": [3, 4], "late": [None, 7]},
    ]
    for seed, columns in enumerate(tables):
        put_result(store, Cell("RS", "toy", seed), rows=parquet_bytes(pa.table({**base, **columns})))
    do(store, tmp_path / "rows.parquet", "parquet")
    table = pq.read_table(tmp_path / "rows.parquet")
    assert table.column("loss").to_pylist() == [0.5, None, 1.0, 2.0]
    assert table.column("config_x").to_pylist() == [1.0, 2.0, 0.5, 1.5]
    assert table.column("config_y").to_pylist() == ["a", "b", "3", "4"]
    assert table.column("only").to_pylist() == [True, False, None, None]
    assert table.column("late").to_pylist() == [None, None, None, 7]
    do(store, tmp_path / "rows.csv", "csv")
    assert (tmp_path / "rows.csv").read_text().splitlines()[2].endswith(',2,1,,2,"b",false,')


def test_imported_results_are_shown_as_such(store: LocalStore, tmp_path: Path) -> None:
    put_tuner(tmp_path / "tree", benchmark="toy", algorithm="RS")
    import_results(tmp_path / "tree", open_root(str(store.root)))
    done = do(store, tmp_path / "rows.parquet", "parquet", TAG, "old", benchmarks=("toy",), methods=("RS",))
    table = pq.read_table(tmp_path / "rows.parquet").select(["method", "origin"]).to_pylist()
    assert {(row["method"], row["origin"]) for row in table} == {
        (f"RS ({TAG})", "hpoctl"),
        ("RS (old)", "imported: syne-tune"),
    }
    assert done.notes[0].startswith("results of tag old are imported from syne-tune: RS")


# --- there and back ---


def test_exported_results_come_back_with_the_same_curves(store: LocalStore, tmp_path: Path) -> None:
    do(store, tmp_path / "out")
    back = LocalStore(tmp_path / "back")
    done = import_results(tmp_path / "out", open_root(str(back.root)))
    assert [(tag.tag, tag.imported) for tag in done.tags] == [(TAG, 8)]
    assert curves(back, TAG) == curves(store, TAG)


def test_imported_results_are_exported_as_syne_tune_wrote_them(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "root")
    import_results(GOLDEN / "old-1", open_root(str(store.root)))
    do(store, tmp_path / "out", "syne-tune", "old-1")
    folders = {folder.relative_to(GOLDEN): folder for folder in tuner_folders(GOLDEN / "old-1")}
    assert {path.parent.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob(METADATA)} == set(folders)
    for place, folder in folders.items():
        here = tmp_path / "out" / place
        assert json.loads((here / METADATA).read_bytes()) == json.loads((folder / METADATA).read_bytes())
        theirs = read(folder).sort_values("st_tuner_time", kind="stable", ignore_index=True)
        pd.testing.assert_frame_equal(read(here), theirs)


def test_imported_results_under_another_tag(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "root")
    put_tuner(tmp_path / "tree", without=frozenset({"seed"}))
    import_results(tmp_path / "tree", open_root(str(store.root)), "new")
    do(store, tmp_path / "out", "syne-tune", "new")
    (said,) = metadata(tmp_path / "out")
    assert (said["tag"], said["seed"], said["entrypoint"]) == ("new", 0, "train")
    assert (tmp_path / "out" / "new" / "ASHA" / "new-toy-0-2023-11-14-22-13-21-000" / METADATA).exists()
    again = LocalStore(tmp_path / "again")
    import_results(tmp_path / "out", open_root(str(again.root)))
    assert curves(again, "new") == curves(store, "new")


def read(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "results.csv.zip")


def curves(store: LocalStore, tag: str) -> dict[tuple[str, str, int], tuple[object, ...]]:
    loaded = load_traces(LoadRequest((tag,), str(store.root)))
    assert loaded.skipped == ()
    return {
        (trace.method, trace.benchmark, trace.seed): (
            trace.times.tolist(),
            trace.values.tolist(),
            trace.metric,
            trace.mode,
            trace.budget,
        )
        for trace in loaded.traces
    }


WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=8).map(
    lambda word: f"w{word}"
)
NUMBERS = st.floats(allow_nan=False)
WHOLE = st.integers(-(2**62), 2**62)


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """Rows in time order, with columns of all kinds; missing values where a column is not needed."""
    count = draw(st.integers(1, 8))

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=count, max_size=count))

    times = sorted(column(st.floats(0.0, 1e9)))
    times[-1] = max(times[-1], 1.0)
    return pa.table(
        {
            "loss": pa.array(column(st.none() | NUMBERS), pa.float64()),
            "hp_epoch": pa.array(column(WHOLE), pa.int64()),
            "st_tuner_time": pa.array(times, pa.float64()),
            "trial_id": pa.array(column(st.integers(0, 5)), pa.int64()),
            "config_x": pa.array(column(NUMBERS), pa.float64()),
            "config_flag": pa.array(column(st.booleans()), pa.bool_()),
            "config_word": pa.array(column(WORDS), pa.string()).dictionary_encode(),
            "gaps": pa.array([1, *column(st.none() | WHOLE)[1:]], pa.int64()),
        }
    )


@given(tables())
@settings(max_examples=60)
def test_rows_go_to_text_and_back(table: pa.Table) -> None:
    text = rows_csv(table)
    back = read_rows(text, "loss")
    assert back.column_names == table.column_names
    for name in table.column_names:
        assert back.column(name).to_pylist() == table.column(name).to_pylist(), name
        assert pa.types.is_dictionary(back.schema.field(name).type) == (name == "config_word")
    assert rows_csv(back) == text
    assert content_hash(parquet_bytes(back)) == content_hash(parquet_bytes(read_rows(text, "loss")))
    frame = pd.read_csv(io.BytesIO(text), keep_default_na=False, na_values=[""])
    assert np.array_equal(frame["config_x"], table.column("config_x").to_numpy())
    assert frame["config_word"].tolist() == table.column("config_word").to_pylist()


@given(st.binary(max_size=60), st.integers(0, 400))
@settings(max_examples=150)
def test_a_damaged_archive_is_refused(noise: bytes, place: int) -> None:
    whole = archive(ROWS)
    place %= len(whole)
    damaged = whole[:place] + noise + whole[place + len(noise) :]
    try:
        found = unzipped(damaged)
    except IncompleteError:
        found = b""
    assert found in {ROWS.encode(), b""}
    assert damaged != whole or found
