"""Reports of a trial become rows: levels increase, partial reports wait for the tuned metric."""

import math
from typing import Any

import pytest

from hpoctl.core.report_lines import ReportLine
from hpoctl.core.script import REPORT_NUMBER
from hpoctl.core.trial_rows import TrialRow, TrialRows


def rows(*reports: dict[str, Any], known: int = 0, resource: str = "epoch") -> list[TrialRow | str | None]:
    made = TrialRows(("loss", "accuracy"), "loss", resource, known)
    return [made.add(ReportLine(line, values, {})) for line, values in enumerate(reports, start=1)]


def test_a_row_has_the_metrics_and_whatever_else_was_reported() -> None:
    report = {"epoch": 2, "accuracy": 0.5, "loss": 1, "note": "x", "flag": True, "list": [1, {"a": None}], "lr": 0.1}
    assert rows(report) == [TrialRow(2, (1.0, 0.5), {"note": "x", "flag": True, "list": '[1, {"a": null}]', "lr": 0.1})]


def test_a_metric_that_is_not_reported_is_nan() -> None:
    (row,) = rows({"epoch": 1, "loss": 0.5})
    assert isinstance(row, TrialRow)
    assert math.isnan(row.metrics[1])


def test_partial_reports_wait_for_the_tuned_metric() -> None:
    assert rows({"epoch": 1, "accuracy": 0.1, "a": 1}, {"epoch": 2, "accuracy": 0.2}, {"epoch": 2, "loss": 3.0}) == [
        None,
        None,
        TrialRow(2, (3.0, 0.2), {"a": 1}),
    ]


def test_the_level_may_come_before_the_metric() -> None:
    assert rows({"epoch": 4}, {"loss": 1.0, "accuracy": 0.0})[1] == TrialRow(4, (1.0, 0.0), {})


def test_values_that_are_not_finite_are_metrics() -> None:
    (row,) = rows({"epoch": 1, "loss": math.inf, "accuracy": math.nan})
    assert isinstance(row, TrialRow)
    assert row.metrics[0] == math.inf


@pytest.mark.parametrize(
    ("report", "why"),
    [
        ({"epoch": 1, "loss": "0.5"}, 'loss is "0.5", which is not a number'),
        ({"epoch": 1, "loss": True}, "loss is true, which is not a number"),
        ({"epoch": 1, "loss": 1.0, "accuracy": [1]}, "accuracy is [1], which is not a number"),
        ({"loss": 1.0}, "epoch is missing"),
        ({"epoch": 0, "loss": 1.0}, "epoch is 0: levels are whole numbers from 1 on"),
        ({"epoch": 1.5, "loss": 1.0}, "epoch is 1.5: levels are whole numbers from 1 on"),
        ({"epoch": math.nan, "loss": 1.0}, "epoch is nan: levels are whole numbers from 1 on"),
        ({"epoch": math.inf, "loss": 1.0}, "epoch is inf: levels are whole numbers from 1 on"),
        ({"epoch": "three", "loss": 1.0}, 'epoch is "three", which is not a whole number'),
        ({"epoch": True, "loss": 1.0}, "epoch is true, which is not a whole number"),
    ],
    ids=str,
)
def test_what_is_no_row_is_named(report: dict[str, Any], why: str) -> None:
    assert rows(report, {"epoch": 5, "loss": 0.5})[0] == why
    assert isinstance(rows(report, {"epoch": 5, "loss": 0.5})[1], TrialRow)


def test_a_level_may_be_a_float_that_is_whole() -> None:
    assert rows({"epoch": 3.0, "loss": 1.0, "accuracy": 1.0})[0] == TrialRow(3, (1.0, 1.0), {})


def test_levels_have_to_increase() -> None:
    made = rows({"epoch": 2, "loss": 1.0}, {"epoch": 1, "loss": 0.5}, {"epoch": 2, "accuracy": 1.0})
    assert made[1:] == [
        "epoch 1 comes after 2: levels have to increase",
        "epoch 2 comes after 2: levels have to increase",
    ]


def test_levels_that_are_known_are_dropped_and_counted() -> None:
    made = TrialRows(("loss",), "loss", "epoch", known=2)
    found = [made.add(ReportLine(level, {"epoch": level, "loss": 1.0}, {})) for level in (1, 2, 3)]
    assert found == [None, None, TrialRow(3, (1.0,), {})]
    assert made.repeated == 2


def test_without_a_resource_reports_are_counted() -> None:
    made = rows({"loss": 3.0}, {"accuracy": 1.0}, {"loss": 2.0}, resource=REPORT_NUMBER)
    assert [row.resource for row in made if isinstance(row, TrialRow)] == [1, 2]


def test_texts_that_are_no_unicode_can_be_written() -> None:
    (row,) = rows({"epoch": 1, "loss": 1.0, "a\ud800": "b\udfff"})
    assert isinstance(row, TrialRow)
    assert row.extra == {"a?": "b?"}


def test_levels_that_come_again_after_an_interruption_are_known() -> None:
    made = TrialRows(("loss", "accuracy"), "loss", "epoch")
    begin = ReportLine(1, {}, {"st_begin": "1"})

    def add(epoch: int) -> TrialRow | str | None:
        return made.add(ReportLine(1, {"epoch": epoch, "loss": 1.0}, {}))

    assert made.add(begin) is None
    assert [isinstance(add(epoch), TrialRow) for epoch in (1, 2, 3)] == [True] * 3
    assert made.add(begin) is None  # from a checkpoint after level 1
    assert [add(2), add(3)] == [None, None]
    assert isinstance(add(4), TrialRow)
    assert made.repeated == 2
