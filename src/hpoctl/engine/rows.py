"""The rows of an experiment while it runs: blocks of arrays, put in time order once, at the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hpoctl.core.columns import Composer, ExperimentView, check_columns
from hpoctl.core.entries import Goal
from hpoctl.core.errors import HpoctlError
from hpoctl.core.protocols import Action, FloatArray, IntArray, Plain, Report
from hpoctl.core.space import Config

STATUS = {
    Action.CONTINUE: "InProgress",
    Action.PAUSE: "Paused",
    Action.STOP: "Stopped",
}
COMPLETED = "Completed"
ACTIONS = (Action.CONTINUE, Action.PAUSE, Action.STOP)
DECISIONS = np.array([action.value for action in ACTIONS], dtype="<U8")
STATUSES = np.array([STATUS[action] for action in ACTIONS], dtype="<U10")
PACK = 8192
"""Reports that are kept as they come, before they are put together."""
MOST_REPORTED = 100
"""Columns for what scripts report besides metrics; a script with names that never end would have one for each."""


@dataclass(frozen=True, slots=True)
class Best:
    """The best row so far.

    Attributes:
        value: The metric.
        trial_id: The trial that reported it.
        resource: At which resource level.
        time: When, in seconds of the experiment's clock.
    """

    value: float
    trial_id: int
    resource: int
    time: float


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of an experiment in time order; every array has one entry a row.

    Attributes:
        trial_ids: Trial ids, shape (n,).
        resources: Resource levels, shape (n,).
        metrics: Metric values, shape (n, m).
        elapsed: Seconds of training behind each row, cumulative over resumes, shape (n,).
        times: When each row arrived, in seconds of the experiment's clock, shape (n,).
        decisions: The decision on each row, shape (n,): CONTINUE, PAUSE or STOP.
        statuses: The trial's status after each row, shape (n,).
        extra: Extra columns by name, shape (n,); NaN before their first value.
        configs: The configuration of each trial, by trial id.
        reported: What scripts reported besides metrics, by name: numbers or texts, n values, None where there was none.
    """

    trial_ids: IntArray
    resources: IntArray
    metrics: FloatArray
    elapsed: FloatArray
    times: FloatArray
    decisions: NDArray[np.str_]
    statuses: NDArray[np.str_]
    extra: Mapping[str, FloatArray]
    configs: Sequence[Config]
    reported: Mapping[str, Sequence[Plain | None]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.trial_ids)

    def non_finite(self, goal: Goal) -> int:
        """How many rows have a metric that is NaN or infinite."""
        return len(self) - int(np.count_nonzero(np.isfinite(goal.values(self.metrics))))


@dataclass(frozen=True, slots=True)
class _Pack:
    """The rows of many reports, n rows in all, in the order in which they were told."""

    trial_ids: IntArray
    resources: IntArray
    metrics: FloatArray
    elapsed: FloatArray
    times: FloatArray
    codes: IntArray  # the place in ACTIONS of the decision on each row
    extra: list[Sequence[Mapping[str, Plain]]]  # of each report; empty: none carries any


class RowLog:
    """Collects what trials report.

    Args:
        goal: Which metric is to be made small.
        num_metrics: How many metrics each report carries.
        max_resource: The resource level at which a trial is complete; None: there is none.
    """

    def __init__(self, goal: Goal, num_metrics: int, max_resource: int | None) -> None:
        self.configs: list[Config] = []
        self.count = 0
        self._goal = goal
        self._num_metrics = num_metrics
        self._max_resource = max_resource
        self._reports: list[Report] = []
        self._best = np.inf
        self._seen = 0
        self._actions: list[Action] = []
        self._packs: list[_Pack] = []

    def add(self, report: Report, action: Action) -> None:
        """Take in a report and the decision on its last row."""
        self._reports.append(report)
        self._actions.append(action)
        if len(self._reports) >= PACK:
            self._pack()
        self.count += len(report.resources)

    def best_value(self) -> float:
        """The best metric so far; NaN without one. For progress: it reads new rows only."""
        for report in self._reports[self._seen :]:
            values = self._goal.values(report.metrics)
            self._best = min(self._best, float(values.min(where=np.isfinite(values), initial=np.inf)))
        self._seen = len(self._reports)
        return self._goal.sign * self._best if self._best < np.inf else np.nan

    def rows(self, extra: "ExtraColumns | None" = None, limit: int | None = None) -> Rows:
        """All rows in time order, equal times in the order of their reports; at most the first `limit` of them."""
        self._pack()
        packs = self._packs
        times = _floats([pack.times for pack in packs])
        order = np.argsort(times, kind="stable")[:limit]
        resources = np.concatenate([np.empty(0, np.int64), *(pack.resources for pack in packs)])
        codes = np.concatenate([np.empty(0, np.int8), *(pack.codes for pack in packs)])
        statuses = STATUSES[codes]
        if self._max_resource is not None:
            statuses[resources >= self._max_resource] = COMPLETED
        metrics = np.concatenate([np.empty((0, self._num_metrics)), *(pack.metrics for pack in packs)])
        return Rows(
            trial_ids=np.concatenate([np.empty(0, np.int64), *(pack.trial_ids for pack in packs)])[order],
            resources=resources[order],
            metrics=metrics[order],
            elapsed=_floats([pack.elapsed for pack in packs])[order],
            times=times[order],
            decisions=DECISIONS[codes][order],
            statuses=statuses[order],
            extra=extra.columns(times[order]) if extra else {},
            configs=self.configs,
            reported=self._reported(order),
        )

    def _pack(self) -> None:
        """Put the reports since the last time together: many small arrays take many times the memory of a few."""
        if not self._reports:
            return
        self.best_value()
        reports, self._reports, self._seen = self._reports, [], 0
        sizes = [len(report.resources) for report in reports]
        codes = np.zeros(sum(sizes), dtype=np.int8)
        codes[np.cumsum(sizes) - 1] = [ACTIONS.index(action) for action in self._actions]
        self._actions = []
        self._packs.append(
            _Pack(
                np.repeat(np.array([report.trial_id for report in reports], dtype=np.int64), sizes),
                np.concatenate([report.resources for report in reports], dtype=np.int64),
                np.concatenate([report.metrics for report in reports], dtype=np.float64),
                _floats([report.elapsed for report in reports]),
                _floats([report.times for report in reports]),
                codes,
                [report.extra or [{}] * len(report.resources) for report in reports]
                if any(report.extra for report in reports)
                else [],
            )
        )

    def _reported(self, order: IntArray) -> dict[str, list[Plain | None]]:
        """What rows carry besides metrics, in the order of the rows; names beyond the first few are left out."""
        if not any(pack.extra for pack in self._packs):
            return {}
        carried: list[Mapping[str, Plain]] = []
        for pack in self._packs:
            for values in pack.extra or [[{}] * len(pack.times)]:
                carried += values
        names = list(dict.fromkeys(name for values in carried for name in values))[:MOST_REPORTED]
        return {name: [carried[place].get(name) for place in order.tolist()] for name in names}


def best_of(rows: Rows, goal: Goal) -> Best | None:
    """The best row, the earliest among equals; None if no value is finite."""
    values = goal.values(rows.metrics)
    finite = np.isfinite(values)
    if not finite.any():
        return None
    place = int(np.where(finite, values, np.inf).argmin())
    value, time = float(rows.metrics[place, goal.column]), float(rows.times[place])
    return Best(value, int(rows.trial_ids[place]), int(rows.resources[place]), time)


class ExtraColumns:
    """Extra columns from composers, kept as the changes of their values over time.

    Args:
        composers: The composers, in the order of their columns.
        view: What they may look at.
        taken: Names of columns that are there already.

    Raises:
        UsageError: Two columns would have the same name.
    """

    def __init__(self, composers: Sequence[Composer], view: ExperimentView, taken: Sequence[str] = ()) -> None:
        self._composers = composers
        self._view = view
        self._names = [name for composer in composers for name in composer.keys()]  # noqa: SIM118 - not a dict
        check_columns("The study", [("extra result", name) for name in self._names], taken)
        self._times: list[float] = []
        self._values: list[dict[str, int | float]] = []

    def update(self, time: float) -> None:
        """Ask the composers again; rows from `time` on carry the new values.

        Raises:
            HpoctlError: A composer answers with a column that it did not declare.
        """
        values: dict[str, int | float] = {}
        for composer in self._composers:
            values.update(composer(self._view) or {})
        if not values or (self._values and values == self._values[-1]):
            return
        for name in values:
            if name not in self._names:
                raise HpoctlError(
                    f"An extra-result composer answers with the column {name!r}.", "Name it in its keys()."
                )
        self._times.append(max(time, self._times[-1]) if self._times else time)
        self._values.append(values)

    def columns(self, times: FloatArray) -> dict[str, FloatArray]:
        """The columns at the given times, shape (n,) each."""
        seen = {name for values in self._values for name in values}
        names = [name for name in self._names if name in seen]
        place = np.searchsorted(np.array(self._times), times, side="right")
        columns: dict[str, FloatArray] = {}
        for name in names:
            series = np.array([np.nan, *(values.get(name, np.nan) for values in self._values)], dtype=np.float64)
            columns[name] = series[place]
        return columns


def _floats(parts: Sequence[FloatArray]) -> FloatArray:
    return np.concatenate([np.empty(0), *parts], dtype=np.float64)
