"""The reports of a trial are found in any other output, and in any chunks of bytes."""

import json
import math
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpoctl.core.report_lines import MAX_LINE, MAX_PROBLEMS, LineProblem, ReportLine, ReportLines
from hpoctl.core.trial_rows import TrialRows


def read(data: bytes, *, marked: bool = True, size: int | None = None) -> tuple[list[ReportLine], list[LineProblem]]:
    lines = ReportLines(marked=marked)
    reports, problems = [], []
    for start in range(0, len(data), size or max(len(data), 1)):
        some, wrong = lines.feed(data[start : start + (size or len(data))])
        reports += some
        problems += wrong
    some, wrong = lines.close()
    return reports + some, problems + wrong


def test_a_report_among_other_output() -> None:
    reports, problems = read(b'hello\n[tune-metric]: {"epoch": 1, "loss": 0.5}\nbye {"loss": 3}\n')
    assert reports == [ReportLine(2, {"epoch": 1, "loss": 0.5}, {})]
    assert problems == []


def test_keys_of_syne_tunes_reporter_are_facts() -> None:
    line = b'[tune-metric]: {"loss": 0.25, "epoch": 3, "st_worker_timestamp": 1.5e9, "st_worker_time": 2.5, '
    line += b'"st_worker_iter": 2, "st_worker_cost": 0.1}\n'
    reports, _ = read(line)
    assert reports[0].values == {"loss": 0.25, "epoch": 3}
    assert reports[0].facts == {
        "st_worker_timestamp": 1.5e9,
        "st_worker_time": 2.5,
        "st_worker_iter": 2,
        "st_worker_cost": 0.1,
    }


def test_every_line_of_a_file_is_a_report() -> None:
    reports, problems = read(b'{"a": 1}\n\n{"a": 2}\nnonsense\n{"a": 3} {"a": 4}\n[5]\n', marked=False)
    assert [(report.line, report.values["a"]) for report in reports] == [(1, 1), (3, 2)]
    assert [(problem.line, problem.why) for problem in problems] == [
        (4, "not JSON"),
        (5, "more than one JSON object"),
        (6, "not a JSON object"),
    ]


@pytest.mark.parametrize("key", ["loss", "epoch", "note"])
def test_values_that_are_nested_too_deeply_are_problems(key: str) -> None:
    rows = TrialRows(("loss",), "loss", "epoch")
    values = {"loss": "1", "epoch": "1"}
    for depth in (*range(95, 105), *range(960, 1010)):  # around the bound of hpoctl, and that of Python
        report = ", ".join(f'"{name}": {text}' for name, text in (values | {key: "[" * depth + "]" * depth}).items())
        reports, problems = read(f"[tune-metric]: {{{report}}}\n".encode())
        assert [problem.why for problem in problems] == ["nested more than 100 levels deep"] * (depth >= 100)
        for found in reports:
            rows.add(found)


@pytest.mark.parametrize(
    ("text", "value"),
    [("NaN", math.nan), ("Infinity", math.inf), ("-Infinity", -math.inf), ("1e400", math.inf), ("9" * 6000, math.inf)],
    ids=lambda part: str(part)[:9],
)
def test_values_that_are_not_finite_are_values(text: str, value: float) -> None:
    reports, problems = read(f'[tune-metric]: {{"loss": {text}}}\n'.encode())
    assert problems == []
    assert reports[0].values["loss"] == pytest.approx(value, nan_ok=True)


def test_null_is_left_out() -> None:
    assert read(b'[tune-metric]: {"loss": 1, "accuracy": null}\n')[0][0].values == {"loss": 1}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"{'loss': 1}", "not JSON"),
        (b'{"loss": 1', "not JSON"),
        (b"", "not JSON"),
        (b"3.5", "not a JSON object"),
        (b'{"loss": "\xff"}', "not UTF-8"),
        (b"[" * 100_000, "nested more than 100 levels deep"),
    ],
    ids=lambda part: str(part)[:12],
)
def test_what_is_no_report_is_named_with_its_line(text: bytes, why: str) -> None:
    reports, problems = read(b"one\ntwo\n[tune-metric]: " + text + b'\n[tune-metric]: {"a": 1}\n')
    assert [report.line for report in reports] == [4]
    assert [(problem.line, problem.why) for problem in problems] == [(3, why)]
    assert len(str(problems[0])) < 120


def test_a_progress_bar_before_a_report_does_no_harm() -> None:
    reports, _ = read(b'\r 10%|#   |\r 20%|##  |[tune-metric]: {"loss": 1}\n')
    assert reports[0].values == {"loss": 1}


def test_reports_that_two_processes_wrote_into_one_line() -> None:
    reports, problems = read(b'[tune-metric]: {"a": 1}[tune-metric]: {"a": 2}\n\n')
    assert [report.values["a"] for report in reports] == [1, 2]
    assert problems == []


def test_the_last_line_may_lack_its_line_break() -> None:
    assert [report.values for report in read(b'[tune-metric]: {"a": 1}')[0]] == [{"a": 1}]
    assert [problem.why for problem in read(b'[tune-metric]: {"a"')[1]] == ["not JSON"]
    assert read(b"") == ([], [])


@given(st.lists(st.dictionaries(st.text(min_size=1), st.floats() | st.text() | st.booleans())), st.integers(1, 40))
def test_pieces_of_any_size_give_the_same_reports(objects: list[dict[str, object]], size: int) -> None:
    objects = [{f"x{key}": value for key, value in entry.items()} for entry in objects]
    data = "".join(f"noise\n[tune-metric]: {json.dumps(entry)}\n" for entry in objects).encode()
    assert repr(read(data, size=size)) == repr(read(data))
    assert [repr(dict(report.values)) for report in read(data)[0]] == [repr(entry) for entry in objects]


@given(st.binary(max_size=2000), st.booleans())
def test_binary_garbage_raises_nothing_and_hides_no_report(data: bytes, marked: bool) -> None:
    mark = b"[tune-metric]: " if marked else b""
    reports, _ = read(data + b"\n" + mark + b'{"after": 1}\n', marked=marked, size=7)
    assert reports[-1].values == {"after": 1}


def test_a_line_of_ten_megabytes_is_one_problem_and_takes_no_memory() -> None:
    lines = ReportLines(marked=True)
    lines.feed(b"[tune-metric]: {")
    piece = b'"a": 1,' * 1000
    tracemalloc.start()
    for _ in range(1500):
        assert lines.feed(piece) == ([], [])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    reports, problems = lines.feed(b'\n[tune-metric]: {"a": 2}\n')
    assert [report.values for report in reports] == [{"a": 2}]
    assert [(problem.line, problem.why) for problem in problems] == [(1, f"longer than {MAX_LINE:,} bytes")]
    assert peak < 10 * MAX_LINE


def test_output_without_line_breaks_is_no_problem() -> None:
    assert read(b"x" * 3 * MAX_LINE, size=1000) == ([], [])


def test_a_report_at_the_beginning_of_a_long_line_counts() -> None:
    line = b'[tune-metric]: {"a": 1}[tune-metric]: {"b": "' + b"x" * MAX_LINE + b'"}\n'
    reports, problems = read(line, size=4096)
    assert [report.values for report in reports] == [{"a": 1}]
    assert len(problems) == 1


def test_of_many_wrong_lines_a_few_are_told_and_the_others_counted() -> None:
    lines = ReportLines(marked=False)
    told = []
    for _ in range(10):
        told += lines.feed(b"garbage\n" * 10_000)[1]
    assert [problem.line for problem in told] == list(range(1, MAX_PROBLEMS + 1))
    assert lines.untold == 100_000 - MAX_PROBLEMS


def test_the_work_is_linear_in_the_bytes() -> None:
    """Bytes that are looked at are counted, not seconds: each piece of a line is searched twice at most."""
    looked = 0

    class Counting(bytes):
        def find(self, *arguments: object) -> int:
            nonlocal looked
            found = super().find(*arguments)  # type: ignore[arg-type]
            start = arguments[1] if len(arguments) > 1 else 0
            assert isinstance(start, int)
            looked += (found if found >= 0 else len(self)) - start
            return found

    lines = ReportLines(marked=True)
    for _ in range(2000):
        lines.feed(Counting(b"y" * 500))
    assert looked <= 2 * 2000 * 500
