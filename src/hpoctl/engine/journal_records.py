"""What the records of a journal hold, and the events of trials in them as JSON values and back, to the last bit.

A checksum says that a record is as it was written, not that hpoctl wrote it. A journal comes from any disk or bucket
that a person names. What its records say is checked when they are read, so that whatever folds or replays them has the
keys and types that it counts on.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from hpoctl.core.protocols import Bill, Ended, Outcome, Plain, Report

Record = Mapping[str, Any]

Whole = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Seconds = Annotated[float, msgspec.Meta(ge=0.0, le=1e18)]
Bills = list[tuple[Whole, Whole, Whole, Seconds, Seconds | None]]


class _Kind(msgspec.Struct, frozen=True, gc=False):
    """A kind of record. It is a struct of msgspec, which checks a hundred thousand of them in a second."""


class _Open(_Kind, frozen=True):
    format: Literal[1]
    base: str
    name: str
    metrics: Annotated[list[str], msgspec.Meta(min_length=1)] | None = None


class _Session(_Kind, frozen=True):
    t: Seconds
    max_num_trials: Whole | None
    trial_retries: Whole


class _Start(_Kind, frozen=True, rename={"after": "from"}):
    t: Seconds
    trial: Whole
    after: Whole
    until: Whole | None
    config: dict[str, Plain] | None = None


class _Stop(_Kind, frozen=True):
    t: Seconds
    trial: Whole
    pause: bool


class _Tick(_Kind, frozen=True):
    t: Seconds


class _Event(msgspec.Struct, frozen=True, gc=False):
    """A report of a trial, or its end."""

    trial: Whole
    resources: list[Whole] = []
    metrics: list[list[float]] = []
    elapsed: list[Seconds] = []
    times: list[Seconds] = []
    extra: list[dict[str, Plain]] | None = None
    outcome: Outcome | None = None
    time: Seconds | None = None
    reason: str = ""
    exit_status: int | None = None
    signal: int | None = None
    slot: Whole | None = None
    devices: str = ""


class _Events(_Kind, frozen=True):
    t: Seconds
    events: list[_Event]
    bills: Bills = []


class _Close(_Kind, frozen=True):
    t: Seconds
    events: list[_Event]
    over: bool
    deadline: Annotated[float, msgspec.Meta(ge=0.0)]
    training_seconds: Seconds | None
    bills: Bills = []


KINDS: Mapping[str, type[_Kind]] = {
    "open": _Open,
    "session": _Session,
    "start": _Start,
    "stop": _Stop,
    "tick": _Tick,
    "events": _Events,
    "close": _Close,
}


def read_record(text: bytes, number: int, metrics: int | None) -> Record:
    """The record in a line of a journal.

    Args:
        text: The line.
        number: Which record it is, from 0.
        metrics: How many metrics a report has; None: not known.

    Raises:
        ValueError: It is none that hpoctl writes.
    """
    try:
        record: Record = json.loads(text)
        named = record.get("kind") if isinstance(record, dict) else None
        kind = KINDS.get(named) if isinstance(named, str) else None
        if kind is None:
            raise ValueError("it has no known kind")
        found = msgspec.convert(record, kind)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except (msgspec.ValidationError, OverflowError) as error:
        raise ValueError(str(error)) from error
    if isinstance(found, _Open) and number > 0:
        raise ValueError("only the first record opens a journal")
    if isinstance(found, _Events | _Close):
        for event in found.events:
            _check(event, metrics)
    return record


def _check(event: _Event, metrics: int | None) -> None:
    if event.outcome is not None:
        if event.time is None:
            raise ValueError("an end has no time")
        return
    count = len(event.resources)
    if not len(event.metrics) == len(event.elapsed) == len(event.times) == count > 0:
        raise ValueError("the lists of a report differ in length")
    if event.extra is not None and len(event.extra) not in {0, count}:
        raise ValueError("the extra values of a report differ in number")
    if any(len(values) != (metrics or len(event.metrics[0])) for values in event.metrics):
        raise ValueError("a report has another number of metrics")


FACTS = tuple(entry.name for entry in fields(Ended) if entry.name not in ("trial_id", "outcome", "time"))
DEFAULTS = {entry.name: entry.default for entry in fields(Ended)}


def to_json(events: Iterable[Report | Ended]) -> list[dict[str, Any]]:
    """Events as JSON values."""
    return [_ended(event) if isinstance(event, Ended) else _report(event) for event in events]


def from_json(values: Iterable[Mapping[str, Any]]) -> list[Report | Ended]:
    """Events from JSON values."""
    return [_to_ended(value) if "outcome" in value else _to_report(value) for value in values]


def bills_to_json(bills: Iterable[Bill]) -> dict[str, Any]:
    """Bills as an entry of a record; none: no entry."""
    values = [[bill.trial_id, bill.start, bill.job, bill.seconds, bill.cost] for bill in bills]
    return {"bills": values} if values else {}


def bills_of(record: Mapping[str, Any]) -> list[Bill]:
    """The bills in a record."""
    return [Bill(*values) for values in record.get("bills", ())]


def _report(report: Report) -> dict[str, Any]:
    extra = {"extra": [dict(values) for values in report.extra]} if report.extra else {}
    return {
        "trial": report.trial_id,
        "resources": report.resources.tolist(),
        "metrics": report.metrics.tolist(),
        "elapsed": report.elapsed.tolist(),
        "times": report.times.tolist(),
        **extra,
    }


def _ended(event: Ended) -> dict[str, Any]:
    facts = {name: getattr(event, name) for name in FACTS if getattr(event, name) != DEFAULTS[name]}
    return {"trial": event.trial_id, "outcome": event.outcome.value, "time": event.time, **facts}


def _to_report(value: Mapping[str, Any]) -> Report:
    return Report(
        value["trial"],
        np.array(value["resources"], dtype=np.int64),
        np.array(value["metrics"], dtype=np.float64),
        np.array(value["elapsed"], dtype=np.float64),
        np.array(value["times"], dtype=np.float64),
        value.get("extra", ()),
    )


def _to_ended(value: Mapping[str, Any]) -> Ended:
    facts = {name: value[name] for name in FACTS if name in value}
    return Ended(value["trial"], Outcome(value["outcome"]), value["time"], **facts)
