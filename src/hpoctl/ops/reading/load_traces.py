"""The best value so far of all completed experiments of one or several tags: what plots and comparisons start from."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from hpoctl.analysis.spending import Axis, follows_a_pause, resource_spent, trials_started
from hpoctl.analysis.traces import Trace, best_so_far
from hpoctl.core.metadata_head import OWN
from hpoctl.core.protocols import Action, FloatArray
from hpoctl.ops.reading.read_columns import DECISION, TIME, TRIAL, Columns, Measured, columns_of, measured
from hpoctl.ops.reading.results_of_tags import LoadRequest, TagResults, find_results, read_each
from hpoctl.ops.reading.setups import notes_of, renamed, setup_names
from hpoctl.ops.reading.tag_contents import FoundResult, Skipped
from hpoctl.ops.reading.trace_cache import Record, TraceCache, record_key

__all__ = ["LoadRequest", "Loaded", "Skipped", "load_traces"]

T = TypeVar("T")


class Group(NamedTuple):
    """The results of a method on a benchmark in a tag.

    Attributes:
        tag: The tag.
        method: What the method is called here, as `Trace.method` is.
        benchmark: The benchmark.
    """

    tag: str
    method: str
    benchmark: str


@dataclass(frozen=True)
class Loaded(Generic[T]):
    """What was read.

    Attributes:
        traces: What was read of each experiment with a result that counts, in the order of the plans. Its method is
            `METHOD (TAG)` where two tags hold the same experiment.
        skipped: What was left out.
        notes: What a person should know before comparing them.
        panels: How the newest plan of each tag groups its methods into panels of a figure; empty: none does.
        modelled: The benchmarks whose data are modelled, so far as the results say so.
        resources: What the resource of each benchmark is called, so far as the results say so.
        imported: Which results another program made.
        options: The options that run more seeds of results that `hpoctl run` made; there is no plan that has them.
    """

    traces: tuple[T, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...] = ()
    panels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    modelled: tuple[str, ...] = ()
    resources: Mapping[str, str] = field(default_factory=dict)
    imported: frozenset[Group] = frozenset()
    options: Mapping[Group, tuple[str, ...]] = field(default_factory=dict)


def load_traces(request: LoadRequest, axis: Axis = "time") -> Loaded[Trace]:
    """The best value so far of all completed experiments that fit.

    Args:
        request: Which results.
        axis: What values are traced against: the time of the clock, the resource spent by all trials together, or how
            many trials were started.

    Raises:
        UsageError: A tag or condition is invalid, or a filter matches no experiment of the tags.
        IncompleteError: There is nothing of a tag, or no completed experiment fits.
        HpoctlError: The store cannot be read.
    """
    return load_each(request, lambda found, cache, name: read_trace(found, cache, name, axis))


def load_each(request: LoadRequest, read: Callable[[FoundResult, TraceCache, str], T]) -> Loaded[T]:
    """Something of all completed experiments that fit, read from verified bytes once and kept in a cache by their hash.

    Args:
        request: Which results.
        read: Reads it of one experiment, whose method's name is handed in; in a thread where the store is far away.

    Raises:
        UsageError: A tag or condition is invalid, or a filter matches no experiment of the tags.
        IncompleteError: There is nothing of a tag, or no completed experiment fits.
        HpoctlError: The store cannot be read.
    """
    results = find_results(request)
    newest = [found for tag in results for found in tag.newest]
    names = setup_names(newest)
    caches = {tag.tag: TraceCache.open(tag.root.store.location(tag.tag)) for tag in results}
    every, skipped = read_each(
        results, lambda found: read(found, caches[found.tag], names[found.tag, found.cell.method])
    )
    for cache in caches.values():
        cache.keep()
    groups = [(Group(found.tag, names[found.tag, found.cell.method], found.cell.benchmark), found) for found in newest]
    return Loaded(
        traces=tuple(every),
        skipped=renamed(skipped, names),
        notes=notes_of(newest),
        panels=_panels(results),
        modelled=modelled_benchmarks(newest),
        resources={found.cell.benchmark: name for found in newest if (name := found.metadata.resource)},
        imported=frozenset(group for group, found in groups if found.attempt.origin != OWN),
        options={group: found.metadata.options for group, found in sorted(groups, key=lambda each: each[1].cell.seed)},
    )


def read_trace(found: FoundResult, cache: TraceCache, name: str, axis: Axis = "time") -> Trace:
    """The trace of one experiment.

    Raises:
        IncompleteError: Its result is damaged.
    """
    cell, about = found.cell, measured(found)
    question = [about.digest, about.metric, about.mode]
    if axis == "resource":
        question += [axis, about.resource_column, str(about.starts_over)]
    elif axis == "trials":
        question += [axis]
    times, values = cache.get(record_key(*question), lambda: _steps(columns_of(found), about, axis)).values
    if axis == "time":
        budget = found.attempt.budget if found.so_far is None else found.so_far.now
    else:
        budget = float(times[-1]) if len(times) else 0.0
    identity = found.attempt.identity or ""
    return Trace(found.tag, name, cell.benchmark, cell.seed, identity, about.metric, about.mode, budget, times, values)


def _steps(columns: Columns, about: Measured, axis: Axis) -> Record:
    """The times at which the best value changed, and its new values; the last step is the end of the used budget."""
    times, values = columns.floats(TIME, about.metric)
    if axis != "time":
        times = _spent(columns, about, axis)
    steps, best = best_so_far(times, values, about.mode)
    if axis != "time" and len(steps):
        steps, best = np.append(steps, times[-1]), np.append(best, best[-1])
    return Record((), np.stack([steps, best]))


def _spent(columns: Columns, about: Measured, axis: Axis) -> FloatArray:
    if axis == "trials":
        return trials_started(*columns.whole(TRIAL))
    trial_ids, resources = columns.whole(TRIAL, about.resource)
    over = np.zeros(len(trial_ids), dtype=bool)
    if about.starts_over:
        over = follows_a_pause(trial_ids, columns.words(DECISION) == Action.PAUSE.value)
    return resource_spent(trial_ids, resources, over)


def modelled_benchmarks(found: Iterable[FoundResult]) -> tuple[str, ...]:
    """The benchmarks whose data are modelled, so far as the results say so."""
    modelled = (each for each in found if any("modelled" in str(value) for value in each.metadata.data.values()))
    return tuple(dict.fromkeys(each.cell.benchmark for each in modelled))


def _panels(results: tuple[TagResults, ...]) -> dict[str, tuple[str, ...]]:
    """The panels that the newest plan names; of several tags, all of theirs together."""
    panels: dict[str, tuple[str, ...]] = {}
    for tag in results:
        for plan in reversed(tag.plans):
            if plan.study.panels:
                for title, methods in plan.study.panels.items():
                    panels[title] = tuple(dict.fromkeys([*panels.get(title, ()), *methods]))
                break
    return panels
