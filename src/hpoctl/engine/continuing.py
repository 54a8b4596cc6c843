"""Which attempt at an experiment on a script is continued, if one is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hpoctl.core.canonical import canonical_json, content_hash
from hpoctl.core.cells import METADATA
from hpoctl.core.metadata import Metadata, read_metadata
from hpoctl.core.sealed import DamagedError
from hpoctl.core.settings import Settings
from hpoctl.core.storage import Store
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.engine.work_folder import has_journal
from hpoctl.stores.ledger import Attempt, attempts_at

BUDGET = ("max_wallclock_time", "max_num_evaluations", "max_num_trials")
"""What an experiment may get more of and still be the same."""

FAILURES = "failures"
"""Why an attempt failed: too many of its trials did."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """An attempt that can be continued.

    Attributes:
        directory: The name of its result directory.
        complete: Whether it is complete, and gets a larger budget.
        metadata: Its metadata.
    """

    directory: str
    complete: bool
    metadata: Metadata


def base_of(determined_by: Mapping[str, Any]) -> str:
    """The hash of what determines an experiment besides how much of it there is."""
    budget = {name: value for name, value in determined_by["budget"].items() if name not in BUDGET}
    return content_hash(canonical_json({**determined_by, "budget": budget}))


def gets_more(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether an experiment is the same as before with a larger budget, so that it can be continued.

    On the simulator that means to run it again: the bytes are those of the larger budget run in one go, because its
    beginning is the same. Where suggestions cost what they really took, it is not.
    """
    if "budget" not in before or before.get("clock", {}).get("decision_time") == "measured":
        return False
    same = base_of(before) == base_of(now)
    return same and before["budget"] != now["budget"] and _at_least(now["budget"], before["budget"])


def find_earlier(spec: ExperimentSpec, store: Store, determined_by: Mapping[str, Any]) -> Earlier | None:
    """The latest attempt that can be continued; None: no such attempt.

    An attempt that is complete within the same budget cannot be continued; callers skip its experiment.
    """
    attempts = attempts_at(store, spec.tag, spec.cell, expensive=spec.method.expensive)
    for attempt in sorted(attempts, key=lambda found: (found.started, found.directory), reverse=True):
        metadata = _metadata(store, attempt)
        before = metadata.determined_by
        if "budget" not in before or base_of(before) != base_of(determined_by):
            continue
        if not has_journal(store, attempt.directory):
            continue
        complete = attempt.recorded == "completed"
        larger = _at_least(determined_by["budget"], before["budget"])
        if not larger or (complete and determined_by["budget"] == before["budget"]):
            continue
        if complete or _may_continue(attempt, metadata, spec.effective):
            return Earlier(attempt.directory, complete, metadata)
    return None


def _may_continue(attempt: Attempt, metadata: Metadata, settings: Settings) -> bool:
    """Whether an attempt was cut off, by an error too, or ended by a limit that allows more now.

    Where an error comes from the method, it comes again, at the same place and without training; a method that was
    mended continues if it decides as before.
    """
    if metadata.ended_by == FAILURES:
        before = Settings().max_failures if metadata.max_failures is None else metadata.max_failures
        if before == "none" or isinstance(before, str):
            return False
        return settings.max_failures == "none" or float(settings.max_failures) > before
    return attempt.recorded in ("running", "interrupted", "failed")


def _at_least(budget: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    pairs = [(budget.get(name), before.get(name)) for name in BUDGET]
    return all(now is None or (then is not None and now >= then) for now, then in pairs)


def _metadata(store: Store, attempt: Attempt) -> Metadata:
    try:
        return read_metadata(store.get(f"{attempt.directory}/{METADATA}"))
    except (FileNotFoundError, DamagedError):
        return Metadata()
