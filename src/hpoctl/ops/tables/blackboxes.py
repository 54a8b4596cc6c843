"""`hpoctl blackbox list` and `hpoctl blackbox info`: what learning curves there are, and what is known of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from hpoctl.blackboxes.tables.stored import read_stored, stored_names
from hpoctl.core.blackbox import Blackbox
from hpoctl.core.entries import Benchmark
from hpoctl.core.errors import HpoctlError
from hpoctl.core.space import TableSpace
from hpoctl.ops.studies.listing import BenchmarkInfo, Problem, list_benchmarks, plugin_problems
from hpoctl.ops.tables.blackbox_data import open_blackbox
from hpoctl.plugins import Origin, Registry

CURVES = "curves"
"""The entry of a benchmark's provenance that says what of its curves is modelled."""


@dataclass(frozen=True, slots=True)
class BlackboxRow:
    """A blackbox in the list; its table was not opened.

    Attributes:
        name: The name of its benchmark.
        summary: What it is.
        origin: The plugin that registers it.
        imported: Whether it is a table that was imported.
        configurations: How many configurations there are; None: infinitely many.
        restricted: Whether only listed ones of them have curves, how many is known when it is opened.
        seeds: How many repetitions there are; None: unknown before it is opened.
        resource_attr: The name of the resource.
        max_resource: The largest resource level.
        metrics: All metrics.
        metric: The one that is tuned.
        mode: Whether it is to be minimised or maximised.
        curves: What of its curves is modelled; empty: nothing is stated.
    """

    name: str
    summary: str
    origin: Origin
    imported: bool
    configurations: int | None
    restricted: bool
    seeds: int | None
    resource_attr: str
    max_resource: int | None
    metrics: tuple[str, ...]
    metric: str
    mode: str
    curves: str


@dataclass(frozen=True, slots=True)
class ImporterRow:
    """An importer.

    Attributes:
        name: Its name.
        summary: What files it reads.
        fetches: Whether it can download them.
        origin: The plugin that registers it.
    """

    name: str
    summary: str
    fetches: bool
    origin: Origin


@dataclass(frozen=True, slots=True)
class BlackboxList:
    """All blackboxes and importers.

    Attributes:
        blackboxes: The blackboxes.
        importers: The importers.
        problems: What is wrong with plugins and imported tables.
    """

    blackboxes: tuple[BlackboxRow, ...]
    importers: tuple[ImporterRow, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class OpenedInfo:
    """What is known when the table is open.

    Attributes:
        configurations: How many configurations have curves; None: infinitely many.
        seeds: How many repetitions of each curve there are.
        levels: How many resource levels a curve has.
        listed: Whether only some configurations of the space have curves.
        restricted: Whether methods may try these only; otherwise others get the curve of the nearest one.
        content_hash: The hash that enters the identity of experiments.
    """

    configurations: int | None
    seeds: int
    levels: int
    listed: bool
    restricted: bool
    content_hash: str


@dataclass(frozen=True, slots=True)
class BlackboxInfo:
    """All that is known of a blackbox.

    Attributes:
        benchmark: Its benchmark.
        card: Source, licence, citation, gates and the like.
        opened: What is known when the table is open; None: it cannot be opened.
        problem: Why it cannot be opened.
        exit_code: The exit code of that problem; 0: no problem.
        warnings: What is wrong with plugins.
    """

    benchmark: BenchmarkInfo
    card: Mapping[str, str]
    opened: OpenedInfo | None
    problem: Problem | None
    exit_code: int
    warnings: tuple[Problem, ...]


def list_blackboxes(registry: Registry) -> BlackboxList:
    """All blackboxes and importers. No table is opened."""
    imported = set(stored_names())
    rows = []
    for name, registered in registry.benchmarks.items():
        benchmark = registered.entry
        if benchmark.script is not None:
            continue
        own = registered.origin.built_in and name in imported
        shape = read_stored(name).table.shape if own else (benchmark.space.size, None)
        rows.append(
            BlackboxRow(
                name=name,
                summary=benchmark.summary,
                origin=registered.origin,
                imported=own,
                configurations=shape[0],
                restricted=benchmark.restricted and not isinstance(benchmark.space, TableSpace),
                seeds=shape[1],
                resource_attr=benchmark.resource_attr,
                max_resource=benchmark.max_resource,
                metrics=benchmark.metrics,
                metric=benchmark.metric,
                mode=benchmark.mode,
                curves=str(benchmark.provenance.get(CURVES, "")),
            )
        )
    importers = tuple(
        ImporterRow(name, registered.entry.summary, registered.entry.fetch is not None, registered.origin)
        for name, registered in registry.importers.items()
    )
    return BlackboxList(tuple(rows), importers, plugin_problems(registry))


def blackbox_info(registry: Registry, name: str) -> BlackboxInfo:
    """All that is known of a blackbox. Its table is opened.

    Raises:
        UsageError: No blackbox has that name.
    """
    benchmark = registry.benchmark(name)
    opened, problem, code = None, None, 0
    try:
        opened = _opened(benchmark, open_blackbox(benchmark))
    except HpoctlError as error:
        problem, code = Problem(error.what, error.fix), error.exit_code
    return BlackboxInfo(
        benchmark=list_benchmarks(registry, name)[0],
        card={str(key): str(fact) for key, fact in benchmark.card.items()},
        opened=opened,
        problem=problem,
        exit_code=code,
        warnings=plugin_problems(registry),
    )


def _opened(benchmark: Benchmark, blackbox: Blackbox) -> OpenedInfo:
    space = blackbox.space
    return OpenedInfo(
        configurations=space.size,
        seeds=blackbox.num_seeds,
        levels=len(blackbox.curve(space.middle(), 0).resources),
        listed=isinstance(space, TableSpace) and space.size != space.around().size,
        restricted=benchmark.restricted,
        content_hash=blackbox.content_hash,
    )
