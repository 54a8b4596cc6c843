"""From what a trial reports to the rows of results: a resource level, the benchmark's metrics, and extra values.

A report need not carry everything: values are kept until the tuned metric comes, which makes the row. Levels have to
increase within a trial; what does not fit is a problem that is named and leaves the trial alone.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpoctl.core.report_lines import ReportLine
from hpoctl.core.script import REPORT_NUMBER

MAX_LEVEL = 2**53
"""The largest resource level; beyond it a double has no whole numbers."""

BEGIN = "st_begin"
"""The fact of a report that says that the script begins here, maybe again, after an interruption, from a checkpoint."""

SHOWN = 60


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One row of a trial.

    Attributes:
        resource: The resource level.
        metrics: The benchmark's metrics in their order, shape (m,); NaN where one was not reported.
        extra: Whatever else was reported, by name: numbers, texts, true and false; lists and objects as JSON.
    """

    resource: int
    metrics: tuple[float, ...]
    extra: Mapping[str, bool | int | float | str]


class _WrongError(ValueError):
    """What is wrong with a report."""


class TrialRows:
    """Makes the rows of one trial.

    Args:
        metrics: The names of the benchmark's metrics.
        metric: The tuned one.
        resource_attr: The name of the resource; `report_number`: rows are counted.
        known: The level that is known already; rows up to it are dropped and counted.
        counted: Where rows are counted: how many came before, in earlier starts that this one continues.
    """

    def __init__(
        self, metrics: Sequence[str], metric: str, resource_attr: str, known: int = 0, counted: int = 0
    ) -> None:
        self._metrics = tuple(metrics)
        self._metric = metric
        self._resource_attr = resource_attr
        self._known = known
        self._counted = counted
        self._last = counted if resource_attr == REPORT_NUMBER else 0
        self._pending: dict[str, Any] = {}
        self.repeated = 0

    def add(self, report: ReportLine) -> TrialRow | str | None:
        """Take in a report.

        Returns:
            The row that it completes; an error; or None: the tuned metric has yet to come, or the level is
            known already.
        """
        if BEGIN in report.facts:
            self._begin_again()
            return None
        try:
            level = self._checked(report.values)
        except _WrongError as wrong:
            return str(wrong)
        self._pending.update(report.values)
        if self._metric not in report.values:
            return None
        if level is None:
            self._pending.clear()
            return f"{self._resource_attr} is missing"
        row = self._row(level)
        self._last = level
        self._pending.clear()
        if level <= self._known:
            self.repeated += 1
            return None
        return row

    def _begin_again(self) -> None:
        """The script begins: levels that come again are known already."""
        self._known = max(self._known, self._last)
        if self._resource_attr == REPORT_NUMBER:
            self._last = self._counted if self._counted == 0 else self._known
        else:
            self._last = 0
        self._pending.clear()

    def _checked(self, values: Mapping[str, Any]) -> int | None:
        """The level that a report belongs to; None: it says none, nor did those before it that wait for the metric."""
        for name in self._metrics:
            if name in values and _number(values[name]) is None:
                raise _WrongError(f"{name} is {_shown(values[name])}, which is not a number")
        if self._resource_attr == REPORT_NUMBER:
            return self._last + 1
        name = self._resource_attr
        level = _level(name, values.get(name, self._pending.get(name)))
        if level is not None and level <= self._last:
            raise _WrongError(f"{name} {level} comes after {self._last}: levels have to increase")
        return level

    def _row(self, level: int) -> TrialRow:
        metrics = (_number(self._pending.get(name, math.nan)) for name in self._metrics)
        others = self._pending.keys() - {*self._metrics, self._resource_attr}
        extra = {_text(name): _plain(self._pending[name]) for name in self._pending if name in others}
        return TrialRow(level, tuple(math.nan if value is None else value for value in metrics), extra)


def _level(name: str, value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _WrongError(f"{name} is {_shown(value)}, which is not a whole number")
    if not (1 <= value <= MAX_LEVEL) or value != int(value):
        raise _WrongError(f"{name} is {value}: levels are whole numbers from 1 on")
    return int(value)


def _number(value: Any) -> float | None:
    """A metric as a float; None: it is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def _plain(value: Any) -> bool | int | float | str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool | int | float):
        return value
    return json.dumps(value, ensure_ascii=True)


def _text(value: str) -> str:
    """A text that can be written as UTF-8."""
    return value.encode(errors="replace").decode()


def _shown(value: Any) -> str:
    text = _text(json.dumps(value))
    return f"{text[:SHOWN]}..." if len(text) > SHOWN else text
