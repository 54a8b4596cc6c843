"""What jobs keep beside the results comes back as it was written; what is damaged is told or passed over."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpoctl.core.cells import Cell
from hpoctl.core.errors import IncompleteError
from hpoctl.core.jobs import Failure, Job, Task
from hpoctl.stores.job_files import (
    JobReport,
    Manifest,
    all_manifests,
    job_names,
    keep_log,
    keep_manifest,
    keep_report,
    read_log,
    read_manifest,
    read_report,
)
from hpoctl.stores.local import LocalStore

CELL = Cell("ASHA", "toy", 13)
JOB = Job("t-ASHA-1a2b3c4d", "t", "/results", ("python", "-P", "-m", "worker", "{}"), (Task("0001-x", CELL, 2.5),))
MANIFEST = Manifest.of(JOB, "slurm", {"jobs": 2, "partition": "cpu", "timeout": None, "requeue": True}, 1000.5)

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)


def test_what_is_written_first_counts(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    assert read_manifest(store, "t", JOB.name) is None
    assert job_names(store, "t") == []
    assert keep_manifest(store, MANIFEST) == MANIFEST
    later = Manifest.of(JOB, "slurm", {}, 2000.0)
    assert keep_manifest(store, later) == MANIFEST
    assert read_manifest(store, "t", JOB.name) == MANIFEST
    assert job_names(store, "t") == [JOB.name]
    assert MANIFEST.digest != later.digest


@given(
    method=names,
    seed=st.integers(0, 2**40),
    error=names,
    done=st.integers(0, 9),
    options=st.dictionaries(names, st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | names),
)
def test_what_is_kept_comes_back(
    tmp_path_factory: pytest.TempPathFactory, method: str, seed: int, error: str, done: int, options: dict
) -> None:
    options = {name: value for name, value in options.items() if value not in {float("inf"), float("-inf")}}
    store = LocalStore(tmp_path_factory.mktemp("jobs"))
    cell = Cell(method, "toy", seed)
    manifest = Manifest.of(Job("j", "t", "s3://b/p", (error,), (Task("p", cell, 1.0),)), "far", options, 5.0)
    keep_manifest(store, manifest)
    assert read_manifest(store, "t", "j") == manifest
    report = JobReport("failed", done, (Failure(cell, error),), 7.0, "host", error)
    keep_report(store, "t", "j", report)
    assert read_report(store, "t", "j") == report


def test_a_damaged_manifest_is_told_and_left_out(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    keep_manifest(store, MANIFEST)
    other = Manifest.of(Job("other", "t", "/results", (), ()), "slurm", {}, 1.0)
    keep_manifest(store, other)
    file = tmp_path / "t" / ".hpoctl" / "jobs" / JOB.name / "manifest.json"
    file.write_bytes(file.read_bytes().replace(b"ASHA", b"ASHB", 1))
    with pytest.raises(IncompleteError, match=r"manifest\.json is damaged: its checksum does not match"):
        read_manifest(store, "t", JOB.name)
    assert all_manifests(store, "t") == [other]


def test_a_damaged_report_says_nothing(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    assert read_report(store, "t", "j") is None
    keep_report(store, "t", "j", JobReport("done", 3, (), 1.0, "host"))
    file = tmp_path / "t" / ".hpoctl" / "jobs" / "j" / "report.json"
    file.write_bytes(file.read_bytes()[:-9])
    assert read_report(store, "t", "j") is None


def test_logs_need_not_be_text(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    assert read_log(store, "t", "j") == ""
    keep_log(store, "t", "j", b"caf\xe9\n")
    assert read_log(store, "t", "j") == "caf�\n"
