"""What a report is made of, and how it is written: whole or not at all, the same bytes for the same results."""

import errno
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from hpoctl.analysis.comparison_model import CompareOptions
from hpoctl.analysis.report_check import Checked
from hpoctl.analysis.report_data import Fact, LeftOut, ReportData, from_json, to_json
from hpoctl.analysis.report_model import report_model
from hpoctl.core.cells import RESULTS, Cell
from hpoctl.core.errors import HpoctlError, IncompleteError, UsageError
from hpoctl.core.study import Study
from hpoctl.engine.table import parquet_bytes
from hpoctl.ops.answers import report as reporting
from hpoctl.ops.answers.report import StudyReport, collect_report, write_report
from hpoctl.ops.launching.sequential_design import SequentialDesign, keep_design
from hpoctl.ops.reading.results_of_tags import LoadRequest
from hpoctl.ops.reading.tag_contents import Skipped
from hpoctl.ops.studies.overrides import Overrides
from hpoctl.ops.studies.tags import keep_plan
from hpoctl.stores.local import LocalStore
from result_rows import load_request, put_result
from trees import TAG

STUDY = Study("toys", "Toys", methods=("RS", "ASHA"), benchmarks=("toy",), num_seeds=3, panels={"a": ("RS",)})
COMMAND = "hpoctl launch --tag docs-2 --results /home/somebody/results --method RS 'a b'"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalStore:
    monkeypatch.setenv("HPOCTL_CACHE", str(tmp_path / "cache"))
    made = LocalStore(tmp_path / "root")
    keep_plan(made, TAG, STUDY, "toys")
    for seed in range(3):
        put_result(made, Cell("RS", "toy", seed), (3.0, 2.0 - 0.1 * seed), **costs(seed))
    for seed in range(2):
        put_result(made, Cell("ASHA", "toy", seed), rows=rungs(seed), **costs(seed))
    return made


def costs(seed: int) -> dict[str, Any]:
    return {
        "trials": 5 + seed,
        "rows_count": 20,
        "decision_seconds": 0.5,
        "cpu_seconds": 2.0,
        "entrypoint": COMMAND,
        "versions": {"hpoctl": "0.1.0"},
        "data": {"curves": "modelled", "table": "abc"},
    }


def rungs(seed: int) -> bytes:
    columns = {
        "loss": np.array([3.0, 1.5, 1.2 + 0.1 * seed]),
        "st_tuner_time": np.array([1.0, 2.0, 6.0]),
        "trial_id": np.arange(3),
        "num_at_level1": np.array([1, 2, 7]),
        "num_at_level9": np.array([0, 0, 1]),
    }
    return parquet_bytes(pa.table(columns))


def request(store: LocalStore, **changes: Any) -> LoadRequest:
    return load_request(str(store.root), (TAG,), **changes)


def collect(load: LoadRequest) -> tuple[ReportData, tuple[Skipped, ...]]:
    return collect_report(load, CompareOptions())


def write(store: LocalStore, output: Path | None = None, **changes: Any) -> StudyReport:
    return write_report(request(store, **changes), output or store.root.parent / "x.html")


def test_what_is_collected(store: LocalStore) -> None:
    data, skipped = collect(request(store))
    assert (data.methods, data.benchmarks, data.modelled) == (("RS", "ASHA"), ("toy",), ("toy",))
    assert data.wanted == ((3, 3),)
    assert data.panels == {"a": ("RS",)}
    assert [entry.kind for entry in skipped] == ["missing"]
    what = ("it has not begun", "the seed is missing")
    assert data.left_out == (LeftOut("missing", TAG, "ASHA", "toy", "2", 1, TAG, *what),)
    first, last = data.experiments[0], data.experiments[-1]
    assert (first.costs.trials, first.costs.decision, first.costs.cpu, first.rungs) == (5.0, 0.5, 2.0, None)
    assert last.rungs is not None
    assert last.rungs.levels == (1, 9)
    assert last.rungs.counts.shape == (2, 40)  # one every quarter of a second of the budget of ten seconds
    assert last.rungs.counts[0, [0, 2, 3, 7, 22, 23, 39]].tolist() == [0, 0, 1, 2, 2, 7, 7]
    assert last.rungs.counts[1, -1] == 1


def test_where_the_results_come_from(store: LocalStore) -> None:
    data, _ = collect(request(store, seeds=frozenset({0, 1}), where=("n_workers=4",)))
    assert data.repeat == (
        "hpoctl launch --tag docs-2 --method RS 'a b'",
        "hpoctl report --tag docs-2 --where n_workers=4 --seed 0-1",
    )
    assert Fact("Versions", "hpoctl", "0.1.0", 4) in data.provenance
    assert Fact("Seeds", "random seed of docs-2", "7", 4) in data.provenance
    assert Fact("Seeds", "seeds of docs-2", "0-1", 4) in data.provenance
    assert Fact("Tables", "hash of the table of toy", "abc", 4) in data.provenance
    assert Fact("Time", "first experiment began", "2026-01-02 03:04:05 UTC", 1) in data.provenance


def test_the_script_of_an_imported_result_is_no_command(store: LocalStore) -> None:
    for seed in range(3):
        values = {**costs(seed), "entrypoint": "train", "origin": "imported: syne-tune"}
        put_result(store, Cell("OLD", "toy", seed), **values)
    data, _ = collect(request(store, methods=("OLD",)))
    assert data.repeat == ("hpoctl report --tag docs-2 --method OLD",)
    assert len(data.experiments) == 3


def test_equal_results_give_equal_bytes_without_a_path_of_this_machine(store: LocalStore) -> None:
    torn = put_result(store, Cell("ASHA", "toy", 2))
    store.put(f"{torn}/{RESULTS}", b"torn")
    written = write(store)
    page = Path(written.path).read_bytes()
    assert (written.experiments, written.wanted, written.size) == (5, 6, len(page))
    assert [entry.kind for entry in written.skipped] == ["damaged"]
    assert str(store.root).encode() not in page
    assert torn.encode() in page
    assert write(store, store.root.parent / "y.htm").size == written.size
    assert (store.root.parent / "y.htm").read_bytes() == page


def test_two_tags_with_the_same_method(store: LocalStore) -> None:
    put_result(store, Cell("RS", "toy", 0), tag="other")
    data, _ = collect(replace(request(store), tags=(TAG, "other")))
    assert data.methods == ("RS (docs-2)", "ASHA", "RS (other)")
    assert data.panels == {"a": ("RS (docs-2)", "RS (other)")}


def test_pairs_that_interim_analyses_decide_have_their_verdict(store: LocalStore) -> None:
    design = SequentialDesign((("RS", "ASHA"),), ("toy",), 0, (6, 12), 0.05, 0, "toys", Overrides())
    keep_design(store, TAG, design)
    data, _ = collect(request(store))
    assert from_json(json.loads(json.dumps(to_json(data)))).interim == data.interim
    comparison = report_model(data).comparison
    assert comparison.interim == design.rules
    (found,) = (found for found in comparison.benchmarks if found.benchmark == "toy")
    (pair,) = (pair for pair in found.pairs if {pair.first, pair.second} == {"RS", "ASHA"})
    assert (pair.p, pair.p_holm, pair.verdict) == (None, None, "undecided")  # there are fewer than six seeds
    chosen, _ = collect(request(store, seeds=frozenset({0, 1})))
    assert chosen.interim is None
    (note,) = (note for note in chosen.notes if "interim analyses decided" in note)
    assert "RS:ASHA on toy: p values and verdicts of these pairs are not valid here" in note
    (path,) = (path for path in store.root.rglob("*.json") if b'"looks"' in path.read_bytes())
    path.write_bytes(path.read_bytes()[:-20])
    data, _ = collect(request(store))
    (note,) = data.notes
    assert "is damaged" in note
    assert str(store.root) not in note


def test_a_full_disk_leaves_the_report_that_was_there(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    output = store.root.parent / "x.html"
    output.write_text("before")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HpoctlError, match=r"Cannot write .*No space left"):
        write(store)
    assert output.read_text() == "before"
    assert {path.name for path in output.parent.iterdir()} == {"x.html", "root", "cache"}


def test_a_page_that_its_data_do_not_confirm_is_not_written(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "check_page", lambda _: Checked(9, ("b0.m0.iqm: 1 on the page",)))
    with pytest.raises(HpoctlError, match=r"1 of 9 numbers .* such as b0\.m0\.iqm: 1 on the page"):
        write(store)
    assert not (store.root.parent / "x.html").exists()


def test_what_cannot_be_reported(store: LocalStore) -> None:
    with pytest.raises(UsageError, match=r"x\.pdf is no name of a web page"):
        write(store, Path("x.pdf"))
    with pytest.raises(UsageError, match="There is no folder"):
        write(store, store.root / "no" / "x.html")
    put_result(store, Cell("RS", "nan", 0), (float("nan"),))
    with pytest.raises(IncompleteError, match="No experiment reported a finite value"):
        write(store, benchmarks=("nan",))
    put_result(store, Cell("RS", "two", 0))
    put_result(store, Cell("ASHA", "two", 0), mode="max")
    with pytest.raises(UsageError, match="Results on two have several metrics"):
        write(store, benchmarks=("two",))
