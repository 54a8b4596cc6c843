"""Events of trials as JSON values and back, to the last bit. NaN and infinity are written as Python's json does."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from hpoctl.core.protocols import Bill, Ended, Outcome, Report

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
