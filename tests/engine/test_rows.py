"""Rows are in time order, for any order of their reports; extra columns carry the last value."""

from typing import Any

import numpy as np
import pytest

from hpoctl.core.entries import Goal
from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.protocols import Action, Report
from hpoctl.engine.rows import ExtraColumns, RowLog, best_of
from support import report

NO_VIEW: Any = None
"""These composers do not look at the experiment."""


def log_of(*reports: tuple[Report, Action]) -> RowLog:
    log = RowLog(Goal(0, 1.0), 1, 3)
    for one, action in reports:
        log.configs += [{"x": 0.5}] if one.trial_id == len(log.configs) else []
        log.add(one, action)
    return log


class Counter:
    """A composer that counts how often it was asked, and is silent at first."""

    def __init__(self) -> None:
        self.asked = 0

    def keys(self) -> tuple[str, ...]:
        return ("asked", "never")

    def __call__(self, view: object) -> dict[str, int] | None:
        self.asked += 1
        return {"asked": self.asked} if self.asked > 1 else None


def block(trial_id: int, times: list[float], values: list[float]) -> Report:
    resources = np.arange(1, len(times) + 1)
    return Report(trial_id, resources, np.array(values)[:, np.newaxis], np.array(times) / 2, np.array(times))


def test_rows_are_sorted_by_time_and_ties_keep_their_order() -> None:
    log = log_of(
        (block(0, [1.0, 2.0, 5.0], [3.0, 2.0, 1.0]), Action.STOP),
        (block(1, [2.0, 3.0], [9.0, 8.0]), Action.PAUSE),
    )
    rows = log.rows(ExtraColumns([], NO_VIEW))
    assert rows.times.tolist() == [1.0, 2.0, 2.0, 3.0, 5.0]
    assert rows.trial_ids.tolist() == [0, 0, 1, 1, 0]
    assert rows.decisions.tolist() == ["CONTINUE", "CONTINUE", "CONTINUE", "PAUSE", "STOP"]
    assert rows.statuses.tolist() == ["InProgress", "InProgress", "InProgress", "Paused", "Completed"]
    assert rows.elapsed.tolist() == [0.5, 1.0, 1.0, 1.5, 2.5]


def test_many_equal_times_keep_the_order_of_their_reports() -> None:
    reports = [(report(trial, 1, float(trial), time=float(trial % 2)), Action.CONTINUE) for trial in range(200)]
    rows = log_of(*reports).rows(ExtraColumns([], NO_VIEW))
    assert rows.trial_ids.tolist() == [*range(0, 200, 2), *range(1, 200, 2)]


def test_a_limit_keeps_the_first_rows_in_time() -> None:
    log = log_of((block(0, [1.0, 4.0], [2.0, 0.0]), Action.CONTINUE), (report(1, 1, 1.0, time=2.0), Action.CONTINUE))
    rows = log.rows(ExtraColumns([], NO_VIEW), limit=2)
    assert rows.times.tolist() == [1.0, 2.0]
    best = best_of(rows, Goal(0, 1.0))
    assert best is not None
    assert (best.value, best.trial_id, best.time) == (1.0, 1, 2.0)


def test_the_best_ignores_what_is_not_finite() -> None:
    log = log_of((block(0, [1.0, 2.0, 3.0], [np.nan, 5.0, np.inf]), Action.CONTINUE))
    rows = log.rows(ExtraColumns([], NO_VIEW))
    assert rows.non_finite(Goal(0, 1.0)) == 2
    for sign in (1.0, -1.0):
        best = best_of(rows, Goal(0, sign))
        assert best is not None
        assert best.value == 5.0
    nothing = log_of((block(0, [1.0], [np.nan]), Action.CONTINUE)).rows(ExtraColumns([], NO_VIEW))
    assert best_of(nothing, Goal(0, 1.0)) is None


def test_watchers_see_the_best_finite_value_so_far() -> None:
    for sign, first, second in ((1.0, 5.0, 4.0), (-1.0, 5.0, 9.0)):
        log = RowLog(Goal(0, sign), 1, 3)
        assert np.isnan(log.best_value())
        log.add(block(0, [1.0, 2.0, 3.0], [np.nan, 5.0, -sign * np.inf]), Action.CONTINUE)
        assert log.best_value() == first
        log.add(block(1, [1.0, 2.0], [4.0, 9.0]), Action.CONTINUE)
        assert log.best_value() == second


def test_extra_columns_carry_the_last_value_and_are_absent_where_nothing_was_said() -> None:
    extra = ExtraColumns([Counter()], NO_VIEW)
    for time in (1.0, 2.0, 4.0):
        extra.update(time)
    columns = extra.columns(np.array([0.5, 1.0, 2.0, 3.0, 4.0]))
    assert list(columns) == ["asked"]
    np.testing.assert_array_equal(columns["asked"], [np.nan, np.nan, 2.0, 2.0, 3.0])


def test_columns_that_are_there_already_or_were_not_declared_are_refused() -> None:
    with pytest.raises(UsageError, match="'asked'"):
        ExtraColumns([Counter()], NO_VIEW, ["asked"])
    with pytest.raises(UsageError, match="'asked'"):
        ExtraColumns([Counter(), Counter()], NO_VIEW)

    class Sly(Counter):
        def keys(self) -> tuple[str, ...]:
            return ("never",)

    extra = ExtraColumns([Sly()], NO_VIEW)
    extra.update(1.0)
    with pytest.raises(HpoctlError, match="answers with the column 'asked'"):
        extra.update(2.0)


def test_an_experiment_without_reports_has_no_rows() -> None:
    rows = RowLog(Goal(0, 1.0), 2, 3).rows(ExtraColumns([], NO_VIEW))
    assert len(rows) == 0
    assert rows.metrics.shape == (0, 2)
    assert best_of(rows, Goal(0, 1.0)) is None
