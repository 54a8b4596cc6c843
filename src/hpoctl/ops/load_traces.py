"""The best value so far of all completed experiments of one or several tags: what plots and comparisons start from."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from hpoctl.analysis.traces import Trace, best_so_far
from hpoctl.core.cells import RESULTS
from hpoctl.core.errors import IncompleteError
from hpoctl.core.protocols import FloatArray, Mode
from hpoctl.ops.results_of_tags import (
    LEFT_OUT,
    Found,
    LoadRequest,
    Skipped,
    TagResults,
    duplicate,
    find_results,
    master_seed,
    nothing_complete,
)
from hpoctl.ops.setups import renamed, setup_names
from hpoctl.ops.trace_cache import Steps, TraceCache, trace_key
from hpoctl.stores.ledger import read_results

__all__ = ["LoadRequest", "Loaded", "Skipped", "load_traces"]

T = TypeVar("T")


@dataclass(frozen=True)
class Loaded:
    """What was read.

    Attributes:
        traces: A trace for each experiment with a result that counts, in the order of the plans. `Trace.method` is
            `METHOD (TAG)` where two tags hold the same experiment.
        skipped: What was left out.
        notes: What a person should know before comparing them.
        panels: How the newest plan of each tag groups its methods into panels of a figure; empty: none does.
        modelled: The benchmarks whose data are modelled, so far as the results say so.
    """

    traces: tuple[Trace, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...] = ()
    panels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    modelled: tuple[str, ...] = ()


def load_traces(request: LoadRequest) -> Loaded:
    """The best value so far of all completed experiments that fit.

    A trace is read from verified bytes once, and kept in a cache by the hash of these bytes.

    Raises:
        UsageError: A tag is none, a filter names what no tag has, or a condition is none.
        IncompleteError: There is nothing of a tag, or no completed experiment fits.
        HpoctlError: The store cannot be read.
    """
    results = find_results(request)
    names = setup_names(results)
    skipped = [entry for tag in results for entry in tag.skipped]
    traces: list[Trace] = []
    for tag in results:
        cache = TraceCache.open(tag.root.store.location(tag.tag))

        def read(found: Found, tag: TagResults = tag, cache: TraceCache = cache) -> Trace:
            return _trace(tag, found, cache, names)

        traces += counted(tag, read, skipped)
        cache.keep()
    skipped = list(renamed(skipped, names))
    if not traces:
        raise nothing_complete(results, skipped)
    return Loaded(tuple(traces), tuple(skipped), _notes(results), _panels(results), _modelled(results))


def counted(tag: TagResults, read: Callable[[Found], T], skipped: list[Skipped]) -> Iterator[T]:
    """The result that counts of each experiment, read; what is not read is listed."""
    for cell, candidates in tag.candidates.items():
        counts = False
        for found in candidates:
            if counts:
                skipped.append(duplicate(tag, cell, found))
                continue
            try:
                value = read(found)
            except IncompleteError as error:
                where = tag.root.store.location(found.attempt.directory)
                skipped.append(Skipped(where, cell, error.what, LEFT_OUT, "damaged", tag.tag))
                continue
            counts = True
            yield value


def _trace(tag: TagResults, found: Found, cache: TraceCache, names: Mapping[tuple[str, str], str]) -> Trace:
    cell, metadata = found.cell, found.metadata
    where = tag.root.store.location(found.attempt.directory)
    try:
        metric, mode = str(metadata["metric_names"][0]), metadata["metric_mode"]
        digest = str(metadata["results_sha256"])
    except (KeyError, IndexError, TypeError) as error:
        raise IncompleteError(f"{where} does not say what it measured: {error}.", "Leave it out.") from error
    if mode not in ("min", "max"):
        raise IncompleteError(f"{where} has the mode {mode!r}.", "Leave it out.")
    steps = cache.get(
        trace_key(digest, metric, mode),
        lambda: _steps(read_results(tag.root.store, found.attempt), metric, mode, where),
    )
    name = names[tag.tag, cell.method]
    identity, budget = found.attempt.identity or "", found.attempt.budget
    return Trace(tag.tag, name, cell.benchmark, cell.seed, identity, metric, mode, budget, steps.times, steps.values)


def _steps(data: bytes, metric: str, mode: Mode, where: str) -> Steps:
    import pyarrow as pa  # noqa: PLC0415 - a second look does without it
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        table = pq.read_table(pa.BufferReader(data), columns=["st_tuner_time", metric], use_threads=False)
        times, values = (_floats(table.column(name)) for name in ("st_tuner_time", metric))
    except (pa.ArrowException, KeyError, OSError, ValueError) as error:
        raise IncompleteError(
            f"{where}/{RESULTS} cannot be read: {' '.join(str(error).split())[:200]}.", "Launch its tag again."
        ) from error
    return Steps(*best_so_far(times, values, mode))


def _floats(column: Any) -> FloatArray:
    return np.asarray(column.to_numpy(), dtype=float)


def _notes(results: tuple[TagResults, ...]) -> tuple[str, ...]:
    """What makes a comparison by seed wrong: other master seeds, other data."""
    seeds: dict[str, set[object]] = {}
    tables: dict[str, set[object]] = {}
    for tag in results:
        for cell, candidates in tag.candidates.items():
            seeds.setdefault(cell.benchmark, set()).add(master_seed(candidates[0]))
            tables.setdefault(cell.benchmark, set()).add(_table(candidates[0]))
    notes = [
        f"results on {benchmark} have different master seeds: seeds of one number are not the same randomness, "
        "so that they cannot be paired"
        for benchmark, found in seeds.items()
        if len(found) > 1
    ]
    notes += [
        f"results on {benchmark} are from different tables: the data behind them differ"
        for benchmark, found in tables.items()
        if len(found) > 1
    ]
    return tuple(notes)


def _table(found: Found) -> object:
    data = found.metadata.get("data")
    return data.get("table") if isinstance(data, Mapping) else None


def _modelled(results: tuple[TagResults, ...]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for tag in results:
        for cell, candidates in tag.candidates.items():
            data = candidates[0].metadata.get("data")
            if isinstance(data, Mapping) and any("modelled" in str(value) for value in data.values()):
                found[cell.benchmark] = None
    return tuple(found)


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
