"""`hpoctl.report`: a line for each report, from any number of processes, with hpoctl around or without."""

import json
import math
import multiprocessing
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hpoctl
from hpoctl import reporting
from hpoctl.core.report_lines import ReportLines


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "reports.jsonl"
    monkeypatch.setenv("HPOCTL_REPORTS", str(path))
    return path


def read(path: Path) -> list[dict[str, object]]:
    parser = ReportLines(marked=False)
    lines, problems = parser.feed(path.read_bytes())
    assert problems == []
    return [dict(line.values) for line in lines]


def test_a_report_is_a_line_of_the_file(reports: Path) -> None:
    hpoctl.report(epoch=1, loss=0.5)
    hpoctl.report(epoch=2, loss=math.nan, note="ü\n", ok=True, list=[1, 2])
    first, second = read(reports)
    assert first == {"epoch": 1, "loss": 0.5}
    assert math.isnan(float(str(second.pop("loss"))))
    assert second == {"epoch": 2, "note": "ü\n", "ok": True, "list": [1, 2]}


def test_numbers_of_numpy_are_numbers(reports: Path) -> None:
    hpoctl.report(a=np.float32(0.5), b=np.int64(3), c=np.array(2.5), d=np.array([7]), e=np.bool_(True))
    assert read(reports) == [{"a": 0.5, "b": 3, "c": 2.5, "d": 7, "e": True}]


@pytest.mark.parametrize("value", [object(), np.zeros(3), {1, 2}, b"x"], ids=["object", "array", "set", "bytes"])
def test_what_json_cannot_hold_is_refused_and_writes_nothing(reports: Path, value: object) -> None:
    with pytest.raises(TypeError, match=r"hpoctl\.report"):
        hpoctl.report(loss=value)
    assert not reports.exists()


def test_reserved_names_and_empty_reports_are_refused(reports: Path) -> None:
    with pytest.raises(ValueError, match="st_"):
        hpoctl.report(st_worker_time=1.0)
    with pytest.raises(ValueError, match="give it values"):
        hpoctl.report()


def test_without_hpoctl_the_values_are_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HPOCTL_REPORTS", raising=False)
    hpoctl.report(epoch=3, loss=0.25)
    assert capsys.readouterr().out == "epoch=3 loss=0.25\n"


def test_reports_can_go_to_standard_output(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("HPOCTL_REPORTS", "-")
    sys.stdout.write("a progress bar without a line break")
    hpoctl.report(epoch=3, loss=0.25)
    lines, problems = ReportLines(marked=True).feed(capsys.readouterr().out.encode())
    assert ([dict(line.values) for line in lines], problems) == ([{"epoch": 3, "loss": 0.25}], [])


def _report_many(worker: int) -> None:
    for number in range(300):
        hpoctl.report(worker=worker, number=number, padding="x" * (number * 7))


def test_processes_that_report_at_once_tear_no_line(reports: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_report_many, args=(worker,)) for worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    found = read(reports)
    assert sorted((int(str(one["worker"])), int(str(one["number"]))) for one in found) == [
        (worker, number) for worker in range(4) for number in range(300)
    ]


def test_a_full_disk_is_an_error_of_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    monkeypatch.setenv("HPOCTL_REPORTS", "/dev/full")
    with pytest.raises(OSError, match="space"):
        hpoctl.report(loss=1.0)


def test_importing_it_loads_nothing_that_it_does_not_need() -> None:
    """A training script imports hpoctl: of what Python has not loaded at its start, the two modules only."""
    code = "import os, sys; before = set(sys.modules); import hpoctl; print(*sorted(set(sys.modules) - before))"
    answer = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, env=_path(), check=True)
    assert set(answer.stdout.split()) <= {"__future__", "hpoctl", "hpoctl.reporting"}


def test_the_file_can_be_copied_to_where_hpoctl_is_not(tmp_path: Path) -> None:
    shutil.copy(str(reporting.__file__), tmp_path)
    (tmp_path / "train.py").write_text("from reporting import report\nreport(epoch=1, loss=2.0)\n")
    target = tmp_path / "r"
    command = [sys.executable, "-S", "train.py"]
    subprocess.run(command, cwd=tmp_path, env={"HPOCTL_REPORTS": str(target)}, check=True)
    assert json.loads(target.read_text())["loss"] == 2.0


def _path() -> dict[str, str]:
    return {"PYTHONPATH": str(Path(hpoctl.__file__).parents[1])}
