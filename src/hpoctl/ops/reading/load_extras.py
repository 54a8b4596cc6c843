"""Extra results of all completed experiments over time: columns that composers have added, such as sizes of rungs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from hpoctl.analysis.aggregate import times_up_to
from hpoctl.core.errors import UsageError
from hpoctl.core.protocols import FloatArray
from hpoctl.ops.reading.load_traces import Loaded, load_each
from hpoctl.ops.reading.read_columns import TIME, TRIAL, Columns, Measured, columns_of, measured
from hpoctl.ops.reading.results_of_tags import LoadRequest
from hpoctl.ops.reading.tag_contents import FoundResult
from hpoctl.ops.reading.trace_cache import Record, TraceCache, record_key

STANDARD = ("st_", "config_")
MOST_NAMED = 12


@dataclass(frozen=True, slots=True, eq=False)
class Extras:
    """Extra results of one experiment at equal distances of time.

    Attributes:
        method: Its method, as `Trace.method` is.
        benchmark: Its benchmark.
        seed: Its seed.
        budget: The budget in seconds of its clock, the last of the times.
        values: The last value of each column up to each time, shape (t,); NaN before the first one.
    """

    method: str
    benchmark: str
    seed: int
    budget: float
    values: Mapping[str, FloatArray]


def load_extras(request: LoadRequest, patterns: Sequence[str]) -> Loaded[Extras]:
    """The extra results of all completed experiments that fit; those without any are there, too, without values.

    Args:
        request: Which results.
        patterns: The columns: names, or patterns such as `num_at_level*`.

    Raises:
        UsageError: A tag is invalid, a filter names what no tag has, or no experiment has such a column.
        IncompleteError: There is nothing of a tag, or no completed experiment fits.
        HpoctlError: The store cannot be read.
    """
    known: dict[str, None] = {}

    def read(found: FoundResult, cache: TraceCache, name: str) -> Extras:
        record = read_extras(found, cache)
        known.update(dict.fromkeys(record.names))
        rows = zip(record.names, record.values, strict=True)
        values = {key: row for key, row in rows if any(fnmatchcase(key, pattern) for pattern in patterns)}
        return Extras(name, found.cell.benchmark, found.cell.seed, found.attempt.budget, values)

    loaded = load_each(request, read)
    _check_patterns(patterns, known)
    return loaded


def read_extras(found: FoundResult, cache: TraceCache) -> Record:
    """All extra results of one experiment, a row each, at `times_up_to` its budget.

    Raises:
        IncompleteError: Its result is damaged.
    """
    about, budget = measured(found), found.attempt.budget
    return cache.get(
        record_key(about.digest, "extras", about.metric, about.resource, budget),
        lambda: _sampled(columns_of(found), about, budget),
    )


def _sampled(columns: Columns, about: Measured, budget: float) -> Record:
    """All extra columns of an experiment: numbers that hpoctl itself does not write."""
    own = (about.metric, about.resource, TRIAL, "elapsed_time")
    names = tuple(name for name in columns.numeric if name not in own and not name.startswith(STANDARD))
    times, *series = columns.floats(TIME, *names)
    places = np.searchsorted(times, times_up_to(budget), side="right") - 1
    values = [np.append(_filled(each), np.nan)[places] for each in series]  # place -1 is the last entry
    return Record(names, np.stack(values) if values else np.empty((0, 0)))


def _filled(values: FloatArray) -> FloatArray:
    """The last value that is there, shape (n,)."""
    places = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(len(values))))
    return np.append(values, np.nan)[places]


def _check_patterns(patterns: Sequence[str], columns: Iterable[str]) -> None:
    known = sorted(columns)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            more = "" if len(known) <= MOST_NAMED else f" and {len(known) - MOST_NAMED} more"
            listed = f"There are: {', '.join(known[:MOST_NAMED])}{more}." if known else ""
            raise UsageError(
                f"No experiment has an extra result {pattern!r}.",
                listed or 'Name composers in the study, as in extra_results = ["rung-levels"], and launch it anew.',
            )
