"""Imports of results of Syne Tune: experiments, rows, refusals, repeated imports."""

import errno
import io
import json
import shutil
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import hpoctl
from exchange_trees import GOLDEN, ROWS, SAID, archive, put_tuner
from faults import failing_at_every_step, killed_at_every_step
from hpoctl.core.cells import METADATA, RESULTS, Cell
from hpoctl.core.errors import HpoctlError, IncompleteError, UsageError
from hpoctl.core.sealed import unseal
from hpoctl.ops.exchange.import_results import ImportedResults, import_results
from hpoctl.ops.reading.load_traces import LoadRequest, load_traces
from hpoctl.ops.studies.config import Root, open_root
from hpoctl.stores.ledger import read_attempts
from result_rows import put_result

UNPAIRED = "seeds of one number are not the same randomness, so that they cannot be paired"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HPOCTL_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return open_root(str(tmp_path / "root"))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return tmp_path / "tree"


def do(root: Root, folder: Path, tag: str | None = None, budget: float | None = None) -> ImportedResults:
    return import_results(folder, root, tag, budget)


def stored(root: Root, tag: str = "old") -> dict[Cell, dict[str, Any]]:
    attempts = read_attempts(root.store, tag, verify=True)
    assert [attempt.reason for attempt in attempts if attempt.reason] == []
    return {
        attempt.cell: unseal(root.store.get(f"{attempt.directory}/{METADATA}")) for attempt in attempts if attempt.cell
    }


def files(root: Root) -> dict[str, bytes]:
    return {name: root.store.get(name) for name in root.store.list("")}


def rows(root: Root, cell: Cell, tag: str = "old") -> Any:
    (attempt,) = (each for each in read_attempts(root.store, tag) if each.cell == cell)
    return pq.read_table(io.BytesIO(root.store.get(f"{attempt.directory}/{RESULTS}")))


# --- what is stored ---


def test_a_result_becomes_a_complete_experiment(root: Root, tree: Path) -> None:
    put_tuner(tree)
    done = do(root, tree)
    ((cell, said),) = stored(root).items()
    assert cell == Cell("ASHA", "toy", 0)
    assert [(tag.tag, tag.imported, tag.present) for tag in done.tags] == [("old", 1, 0)]
    assert (done.refused, done.notes, done.origin) == ((), (), "imported: syne-tune")
    assert said["origin"] == said["determinants"]["origin"] == "imported: syne-tune"
    assert (said["status"], said["rows"], said["trials"], said["non_finite_rows"]) == ("completed", 3, 2, 0)
    assert (said["metric_names"], said["metric_mode"], said["resource_attr"]) == (["loss"], "min", "epoch")
    assert (said["random_seed"], said["max_wallclock_time"], said["backend"]) == (31, 600.0, "LocalBackend")
    assert json.loads(said["imported"]["metadata"]) == SAID


def test_rows_are_in_time_order_with_their_kinds(root: Root, tree: Path) -> None:
    table = "loss,n,flag,word,st_tuner_time,trial_id,config_x,gap\n"
    put_tuner(tree, rows=table + "2,7,True,b,2.0,1,0.5,\n1,8,False,a,1.0,0,1,3\n,9,True,b,3.0,0,nan,\n")
    do(root, tree)
    read = rows(root, Cell("ASHA", "toy", 0)).to_pydict()
    assert list(read) == ["loss", "n", "flag", "word", "st_tuner_time", "trial_id", "config_x", "gap"]
    assert read["st_tuner_time"] == [1.0, 2.0, 3.0]
    assert read["loss"] == [1.0, 2.0, None]
    assert (read["n"], read["flag"], read["word"]) == ([8, 7, 9], [False, True, True], ["a", "b", "b"])
    assert read["gap"] == [3, None, None]
    assert all(isinstance(value, float) for value in read["config_x"])
    assert stored(root)[Cell("ASHA", "toy", 0)]["non_finite_rows"] == 1


def test_what_syne_tune_wrote_is_read(root: Root) -> None:
    done = do(root, GOLDEN / "old-1")
    assert [(tag.tag, tag.imported) for tag in done.tags] == [("old-1", 8)]
    cells = {Cell(m, b, s) for m in ("RS", "ASHA") for b in ("toy-min", "toy-max") for s in (0, 1)}
    found = stored(root, "old-1")
    assert set(found) == cells
    assert {said["resource_attr"] for said in found.values()} == {"epoch"}
    assert {(cell.benchmark, said["metric_mode"]) for cell, said in found.items()} == {
        ("toy-min", "min"),
        ("toy-max", "max"),
    }
    for trace in load_traces(LoadRequest(("old-1",), root.store.location(""))).traces:
        better = np.diff(trace.values)
        assert (better < 0).all() if trace.mode == "min" else (better > 0).all()
        assert (np.diff(trace.times) > 0).all()


def test_a_tuner_without_metadata_of_a_study(root: Root) -> None:
    done = do(root, GOLDEN / "plain", "plain-1")
    found = stored(root, "plain-1")
    assert set(found) == {Cell("ASHA", "simulated_tabular_backend", seed) for seed in (0, 1)}
    dates = [found[cell]["st_tuner_start_timestamp"] for cell in sorted(found)]
    assert dates == sorted(dates)
    assert {note.partition(":")[0] for note in done.notes} == {
        "2 of 2 name no method or benchmark",
        "2 of 2 name no seed",
        "2 of 2 name no random seed",
        "2 of 2 name no budget",
    }


def test_seeds_and_random_seeds_that_are_not_named_are_counted_apart(root: Root, tree: Path) -> None:
    put_tuner(tree, random_seed=None)
    assert [note.partition(":")[0] for note in do(root, tree).notes] == ["1 of 1 name no random seed"]


def test_rows_that_are_not_zipped(root: Root, tree: Path) -> None:
    put_tuner(tree, plain=True)
    do(root, tree)
    assert rows(root, Cell("ASHA", "toy", 0)).num_rows == 3


def test_what_metadata_may_lack(root: Root, tree: Path) -> None:
    put_tuner(tree, without=frozenset({"max_wallclock_time", "random_seed", "backend", "config_space", "entrypoint"}))
    other = frozenset({"seed", "st_tuner_creation_timestamp", "st_tuner_start_timestamp", "scheduler_name"})
    put_tuner(tree, "other", without=other | {"max_wallclock_time"})
    done = do(root, tree, budget=50.0)
    found = stored(root)
    assert set(found) == {Cell("ASHA", "toy", 0), Cell("ASHA", "toy", 1)}  # 0 is taken
    assert [found[cell]["max_wallclock_time"] for cell in sorted(found)] == [50.0, 50.0]
    assert found[Cell("ASHA", "toy", 0)]["random_seed"] is None
    assert "2 of 2 name no budget: it ends at 50 s as you say" in done.notes


def test_the_budget_is_the_last_row_where_nobody_says_it(root: Root, tree: Path) -> None:
    put_tuner(tree, without=frozenset({"max_wallclock_time"}))
    do(root, tree)
    assert stored(root)[Cell("ASHA", "toy", 0)]["max_wallclock_time"] == 2.5


def test_several_metrics_and_modes(root: Root, tree: Path) -> None:
    put_tuner(tree, metric_names=["loss", "epoch"], metric_mode=["max", "min"])
    do(root, tree)
    said = stored(root)[Cell("ASHA", "toy", 0)]
    assert (said["metric_names"], said["metric_mode"]) == (["loss", "epoch"], "max")


def test_metadata_that_json_does_not_have(root: Root, tree: Path) -> None:
    put_tuner(tree, extra={"a": [float("nan"), float("inf"), 1]}, checksum="x", status="odd", predict_curves=1)
    do(root, tree)
    said = stored(root)[Cell("ASHA", "toy", 0)]
    assert (said["extra"], said["predict_curves"], said["status"]) == ({"a": [None, None, 1]}, 1, "completed")


def test_a_folder_for_each_seed(root: Root, tree: Path) -> None:
    put_tuner(tree, job="old/BO-4", algorithm="BO", seed=4)
    do(root, tree)
    (attempt,) = read_attempts(root.store, "old")
    assert attempt.directory.startswith("old/BO-4/old-toy-4-20231114-221321-")


@pytest.mark.parametrize(
    ("table", "resource"),
    [
        ("loss,epoch,st_tuner_time,trial_id\n1,1,1,0\n2,2,2,0\n3,1,3,1\n", "epoch"),
        ("loss,epoch,step,st_tuner_time,trial_id\n1,1,1,1,0\n2,2,2,2,0\n", None),  # two of them
        ("loss,epoch,st_tuner_time,trial_id\n1,1,1,0\n2,1,2,0\n", None),  # it does not grow
        ("loss,epoch,st_tuner_time,trial_id\n1,1,1,0\n2,2,2,1\n", None),  # one row a trial says nothing
    ],
)
def test_which_column_is_the_resource(root: Root, tree: Path, table: str, resource: str | None) -> None:
    put_tuner(tree, rows=table)
    do(root, tree)
    assert stored(root)[Cell("ASHA", "toy", 0)]["resource_attr"] == resource


# --- repeated, killed, damaged ---


def test_the_second_time_nothing_changes(root: Root, tree: Path) -> None:
    put_tuner(tree)
    put_tuner(tree, "plain", without=frozenset({"seed"}))
    do(root, tree)
    before = files(root)
    shutil.copytree(tree, tree.parent / "copy")
    for folder in (tree, tree.parent / "copy", tree / "old" / "ASHA"):
        done = do(root, folder)
        assert [(tag.imported, tag.present) for tag in done.tags] == [(0, 2)]
        assert files(root) == before


def test_the_same_result_in_two_folders_is_one(root: Root, tree: Path) -> None:
    put_tuner(tree)
    put_tuner(tree, job="copy")
    assert [(tag.imported, tag.present) for tag in do(root, tree).tags] == [(1, 1)]
    assert len(read_attempts(root.store, "old")) == 1


def test_what_was_damaged_since_is_written_again(root: Root, tree: Path) -> None:
    put_tuner(tree)
    put_tuner(tree, "plain", without=frozenset({"seed"}))
    do(root, tree)
    before = files(root)
    for name in before:
        root.store.put(name, before[name][:-7])
        assert sum(tag.imported for tag in do(root, tree).tags) == 1
        assert files(root) == before
        root.store.put(name, before[name][:-7] + b"changed")
        assert sum(tag.imported for tag in do(root, tree).tags) == 1
        assert files(root) == before


def test_an_import_that_is_killed_is_completed_by_the_next(root: Root, tree: Path) -> None:
    for name in ("one", "two"):
        put_tuner(tree, name, without=frozenset({"seed"}), st_tuner_start_timestamp={"one": 1.0, "two": 2.0}[name])
    do(root, tree)
    whole = files(root)
    shutil.rmtree(root.store.location(""))

    def check() -> None:
        for attempt in read_attempts(root.store, "old", verify=True):
            assert attempt.recorded == "completed" or attempt.cell is None
        do(root, tree)
        assert files(root) == whole
        shutil.rmtree(root.store.location(""))

    assert killed_at_every_step(lambda: do(root, tree), check) > 20


def test_a_full_disk(root: Root, tree: Path) -> None:
    put_tuner(tree)
    do(root, tree)
    whole = files(root)
    shutil.rmtree(root.store.location(""))

    def attempt() -> None:
        with suppress(HpoctlError):
            do(root, tree)

    def check() -> None:
        do(root, tree)
        assert files(root) == whole
        shutil.rmtree(root.store.location(""))

    assert failing_at_every_step(attempt, errno.ENOSPC, check, stays=True) > 5


# --- never mixed silently ---


def test_own_and_imported_results_of_one_experiment_are_not_mixed(root: Root, tree: Path) -> None:
    for seed in (0, 1):
        put_result(root.store, Cell("ASHA", "toy", seed), tag="old")
    put_tuner(tree)
    do(root, tree)
    loaded = load_traces(LoadRequest(("old",), root.store.location("")))
    assert [trace.identity for trace in loaded.traces] == ["ASHA toy seed 0 0 7", "ASHA toy seed 1 0 7"]
    assert [entry.kind for entry in loaded.skipped] == ["foreign"]


def test_own_and_imported_results_of_two_tags(root: Root, tree: Path) -> None:
    put_result(root.store, Cell("ASHA", "toy", 0), tag="own", random_seed=31)
    put_tuner(tree)
    do(root, tree)
    loaded = load_traces(LoadRequest(("own", "old"), root.store.location("")))
    assert [trace.method for trace in loaded.traces] == ["ASHA (own)", "ASHA (old)"]
    assert loaded.notes == (
        "results of tag old are imported from syne-tune: ASHA; the data behind them are not known",
        f"results on toy are partly imported: {UNPAIRED}",
    )


def test_a_notebook_is_told(root: Root, tree: Path) -> None:
    put_tuner(tree)
    do(root, tree)
    rows = hpoctl.load("old", results=root.store.location(""))
    assert rows.attrs["notes"] == [
        "results of tag old are imported from syne-tune: ASHA; the data behind them are not known"
    ]
    assert rows["loss"].tolist() == [3.5, 1.25, 2.5]


def test_seeds_of_one_import_belong_together(root: Root, tree: Path) -> None:
    for seed in range(3):
        put_tuner(tree, f"t{seed}", seed=seed)
    do(root, tree)
    loaded = load_traces(LoadRequest(("old",), root.store.location("")))
    assert [trace.seed for trace in loaded.traces] == [0, 1, 2]
    assert loaded.skipped == ()


def test_imports_of_other_random_seeds_are_foreign(root: Root, tree: Path) -> None:
    for seed in range(3):
        put_tuner(tree, f"t{seed}", seed=seed, random_seed=7 if seed else 8)
    do(root, tree)
    loaded = load_traces(LoadRequest(("old",), root.store.location("")))
    assert [trace.seed for trace in loaded.traces] == [1, 2]
    assert [entry.kind for entry in loaded.skipped] == ["foreign"]


# --- what is refused ---

BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no rows": ({"rows": None}, "There is neither results.csv.zip nor results.csv."),
    "cut short": ({"rows": archive(ROWS)[:-30]}, "results.csv.zip is damaged"),
    "no zip": ({"rows": b"loss,st_tuner_time"}, "results.csv.zip is damaged"),
    "flipped": ({"rows": archive(ROWS).replace(b"\x00\x00\x00", b"\x01\x02\x03")}, "results.csv.zip is damaged"),
    "two files": ({"rows": archive(ROWS, "a", "b")}, "results.csv.zip has 2 files in it"),
    "empty": ({"rows": ""}, "results.csv is damaged: Empty CSV file"),
    "header only": ({"rows": ROWS.partition("\n")[0] + "\n"}, "has no rows"),
    "ragged": ({"rows": ROWS + "1,2,3\n"}, "results.csv is damaged"),
    "no text": ({"rows": b"\xff\xfe", "plain": True}, "results.csv is damaged"),
    "no time": ({"rows": ROWS.replace("st_tuner_time", "time")}, "has no column st_tuner_time"),
    "no metric": ({"metric_names": ["accuracy"]}, "has no column accuracy"),
    "words": ({"rows": ROWS.replace("3.5", "high")}, "has something in loss that is no number"),
    "time missing": ({"rows": ROWS.replace("2.5,CONT", ",CONT")}, "without a time"),
    "no clock": ({"rows": "loss,st_tuner_time,trial_id\n1,0,0\n"}, "without a time"),
    "trial missing": ({"rows": ROWS.replace("Progress,1,", "Progress,,")}, "rows without trial_id"),
    "twice": ({"rows": ROWS.replace("epoch", "loss")}, "has the column 'loss' twice"),
    "reserved": ({"rows": ROWS.replace("epoch", "seed")}, "a column 'seed', a name that hpoctl needs"),
    "seed": ({"seed": -1}, "metadata.json: seed cannot be -1. Give a whole number from 0 to 4294967295."),
    "seed word": ({"seed": "one"}, "metadata.json: seed cannot be 'one'"),
    "tag": ({"tag": "a--b"}, "'a--b' is not a tag"),
    "no tag": ({"without": frozenset({"tag"})}, "Its metadata name no tag. Give one with --tag."),
    "method": ({"algorithm": "../x"}, "'../x' is not a method"),
    "benchmark": ({"benchmark": "a b"}, "'a b' is not a benchmark"),
    "nameless": ({"without": frozenset({"algorithm", "scheduler_name"})}, "name neither what was run nor on what"),
    "unmeasured": ({"without": frozenset({"metric_names"})}, "do not say what was measured"),
    "mode": ({"metric_mode": "best"}, "metadata.json: metric_mode cannot be 'best'"),
    "modes": ({"metric_mode": [["min"]]}, "metadata.json: metric_mode cannot be ['min']"),
    "nested metric": ({"metric_names": ["loss", ["x"]]}, "metadata.json: metric_names[1] cannot be ['x']"),
    "nested tag": ({"tag": {"a": 1}}, "metadata.json: tag cannot be {'a': 1}"),
    "text of seconds": ({"max_wallclock_time": "600"}, "metadata.json: max_wallclock_time cannot be '600'"),
    "text of wall seconds": ({"wall_seconds": "fast"}, "metadata.json: wall_seconds cannot be 'fast'"),
    "nested versions": ({"fixed": {"a": [1]}}, "metadata.json: fixed.a cannot be [1]"),
    "half a character": ({"scheduler_name": "\ud800"}, "metadata.json is damaged"),
    "deep": ({"extra": json.loads("[" * 101 + "]" * 101)}, "metadata.json is damaged: it is nested more than 100"),
    "long": ({"extra": 10**400}, "metadata.json is damaged: it has a number of more than 300 digits"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_read_is_listed_and_the_rest_goes_on(root: Root, tree: Path, case: str) -> None:
    values, why = BROKEN[case]
    put_tuner(tree, "good", seed=9)
    bad = put_tuner(tree, "bad", **values)
    done = do(root, tree)
    (refused,) = done.refused
    assert refused.path == str(bad)
    assert why in f"{refused.what} {refused.fix}"
    assert set(stored(root)) == {Cell("ASHA", "toy", 9)}
    shutil.rmtree(tree / "old" / "ASHA" / "good")
    with pytest.raises(IncompleteError, match="None of 1 results") as caught:
        do(root, tree)
    assert str(bad) in caught.value.what


@pytest.mark.parametrize("plain", [True, False])
def test_byte_order_marks_and_what_macos_adds_are_passed_over(root: Root, tree: Path, plain: bool) -> None:
    rows = "\ufeff" + ROWS
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as made:
        made.writestr("__MACOSX/._results.csv", b"\0\5\26\7")
        made.writestr("results.csv", rows)
    marked = put_tuner(tree, "marked", rows=rows.encode() if plain else sink.getvalue(), plain=plain)
    (marked / "metadata.json").write_text("\ufeff" + (marked / "metadata.json").read_text())
    assert do(root, tree).refused == ()
    loaded = load_traces(LoadRequest(("old",), root.store.location("")))
    assert [trace.values.tolist() for trace in loaded.traces] == [[3.5, 1.25]]


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"a": ' + "1" * 5000 + "}", "[" * 100_000, "\x00"])
def test_metadata_that_are_none(root: Root, tree: Path, text: str) -> None:
    put_tuner(tree, "good", seed=9)
    bad = put_tuner(tree, "bad")
    (bad / "metadata.json").write_text(text)
    (refused,) = do(root, tree).refused
    assert (refused.path, refused.what[:13]) == (str(bad), "metadata.json")
    (bad / "metadata.json").unlink()
    (refused,) = do(root, tree).refused
    assert refused.what == "There is no metadata.json beside its rows."


def test_a_file_that_cannot_be_read(root: Root, tree: Path) -> None:
    put_tuner(tree, "good", seed=9)
    bad = put_tuner(tree, "bad", rows=None)
    (bad / "results.csv.zip").mkdir()
    (refused,) = do(root, tree).refused
    assert refused.what == "results.csv.zip cannot be read: it is a folder, not a file."


def test_where_results_are_looked_for(root: Root, tree: Path) -> None:
    folder = put_tuner(tree)
    (folder / "0" / "checkpoint").mkdir(parents=True)
    (folder / "0" / "checkpoint" / "metadata.json").write_text("{}")  # what a trial left behind
    (tree / "metadata.json").write_text("{}")  # something about all of them
    done = do(root, tree)
    assert [entry.path for entry in done.refused] == [str(tree)]
    assert set(stored(root)) == {Cell("ASHA", "toy", 0)}


def test_two_runs_of_one_experiment(root: Root, tree: Path) -> None:
    put_tuner(tree, "first")
    put_tuner(tree, "second", rows=ROWS.replace("1.25", "0.5"), st_tuner_start_timestamp=1700000009.0)
    assert [tag.imported for tag in do(root, tree).tags] == [2]
    loaded = load_traces(LoadRequest(("old",), root.store.location("")))
    assert [trace.values.tolist() for trace in loaded.traces] == [[3.5, 0.5]]  # the newest counts
    assert [entry.kind for entry in loaded.skipped] == ["duplicate"]


def test_results_of_hpoctl_are_not_imported(root: Root, tree: Path) -> None:
    put_result(root.store, Cell("ASHA", "toy", 0), tag="own")
    with pytest.raises(IncompleteError, match="result of hpoctl itself") as caught:
        do(root, Path(root.store.location("")))
    assert caught.value.fix == "Name its root with --results."


def test_nothing_to_import(root: Root, tree: Path) -> None:
    with pytest.raises(UsageError, match="There is no folder"):
        do(root, tree)
    tree.mkdir()
    with pytest.raises(IncompleteError, match="no results of Syne Tune"):
        do(root, tree)
    put_tuner(tree)
    with pytest.raises(UsageError, match="'a b' is not a tag"):
        do(root, tree, "a b")
    for budget in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="The budget is"):
            do(root, tree, budget=budget)
