"""`hpoctl methods`, `benchmarks` and `plugins`: what every name means and where it comes from."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin

from hpoctl.core.entries import Benchmark, Method
from hpoctl.core.errors import UsageError
from hpoctl.core.options import option_help, option_types, option_values
from hpoctl.core.script import Script
from hpoctl.core.script_files import script_hash
from hpoctl.core.space import Value
from hpoctl.ops.studies.benchmark_files import benchmark_path, is_benchmark_file, load_benchmark
from hpoctl.plugins import SELECTION, Origin, Registered, Registry

EntryT = TypeVar("EntryT", Method, Benchmark)


@dataclass(frozen=True, slots=True)
class OptionInfo:
    """An option of a method.

    Attributes:
        name: Its name, as in `--set METHOD.name=value`.
        type: What it may be.
        default: Its default.
        help: What it does.
    """

    name: str
    type: str
    default: Value | None
    help: str


@dataclass(frozen=True, slots=True)
class MethodInfo:
    """A method.

    Attributes:
        name: Its name.
        summary: What it does.
        origin: The plugin that registers it.
        kind: The scheduler behind it.
        expensive: Whether each seed is a separate job.
        fixed: Hyperparameters that it fixes.
        options: Its options.
    """

    name: str
    summary: str
    origin: Origin
    kind: str
    expensive: bool
    fixed: Mapping[str, Value]
    options: tuple[OptionInfo, ...]


@dataclass(frozen=True, slots=True)
class HyperparameterInfo:
    """A hyperparameter of a benchmark.

    Attributes:
        name: Its name.
        domain: Its domain as in a benchmark file; a fixed value is that value.
        allowed: Its domain in words.
    """

    name: str
    domain: Any
    allowed: str


@dataclass(frozen=True, slots=True)
class ScriptInfo:
    """The training script of a benchmark.

    Attributes:
        command: The words that start it, without those of the configuration.
        folder: The folder that it is in.
        working_folder: The folder in which trials run.
        arguments: How it gets its configuration: `options` or `json`.
        checkpoints: Whether it continues from checkpoints.
        cpus: Cores for each trial.
        gpus: GPUs for each trial.
        content_hash: The hash of what belongs to it; None: that cannot be read.
    """

    command: tuple[str, ...]
    folder: str
    working_folder: str
    arguments: str
    checkpoints: bool
    cpus: int
    gpus: int
    content_hash: str | None


@dataclass(frozen=True, slots=True)
class BenchmarkInfo:
    """A benchmark.

    Attributes:
        name: Its name.
        summary: What it is.
        source: Its registered name, or the absolute path of its file.
        origin: The plugin that registers it; None: it is in a file.
        space: Its hyperparameters.
        configurations: How many configurations the space has; None: infinitely many.
        restricted: Whether only those of them can be tried that its table lists.
        metrics: All metrics that are recorded.
        metric: The one that is tuned.
        mode: Whether it is to be minimised or maximised.
        resource_attr: The name of the resource in results.
        max_resource_attr: The fixed hyperparameter that holds the largest resource level; None: no such hyperparameter.
        max_resource: The largest resource level; None: trials end by themselves.
        n_workers: How many trials run at a time.
        max_wallclock_time: The budget in seconds of the experiment's clock.
        max_num_evaluations: The budget in reports; None: none.
        provenance: What a reader of the results has to know about the data.
        script: The training script; None: there is a table.
    """

    name: str
    summary: str
    source: str
    origin: Origin | None
    space: tuple[HyperparameterInfo, ...]
    configurations: int | None
    restricted: bool
    metrics: tuple[str, ...]
    metric: str
    mode: Literal["min", "max"]
    resource_attr: str
    max_resource_attr: str | None
    max_resource: int | None
    n_workers: int
    max_wallclock_time: float
    max_num_evaluations: int | None
    provenance: Mapping[str, str]
    script: ScriptInfo | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a plugin.

    Attributes:
        what: The plugin, and what is wrong with it.
        fix: What to do.
    """

    what: str
    fix: str


def plugin_problems(registry: Registry) -> tuple[Problem, ...]:
    """What is wrong with the plugins, one problem for each failure."""
    sound = [report for report in registry.plugins if report.state == "loaded" and not report.failures]
    others = ",".join(dict.fromkeys(report.origin.entry_point for report in sound if not report.origin.built_in))
    return tuple(
        Problem(
            f"Plugin {report.origin}: {failure}",
            # What is built in fails only where tables that were imported are damaged.
            "Import such a table again, or remove it with `hpoctl blackbox remove NAME`."
            if report.origin.built_in
            else f"Update or uninstall {report.distribution}, or leave it out with `{SELECTION}={others}`.",
        )
        for report in registry.plugins
        for failure in report.failures
    )


def list_methods(registry: Registry, name: str | None = None) -> tuple[MethodInfo, ...]:
    """All methods, or the one of that name.

    Raises:
        UsageError: There is no method of that name.
    """
    if name is not None:
        registry.method(name)
    return tuple(_method(registered) for registered in _chosen(registry.methods, name))


def list_benchmarks(registry: Registry, name: str | None = None) -> tuple[BenchmarkInfo, ...]:
    """All registered benchmarks, or the one of that name or file. No table is opened.

    Raises:
        UsageError: There is no benchmark of that name, or the file describes none.
    """
    if name is not None and is_benchmark_file(name):
        path = benchmark_path(name, Path())
        return (_benchmark(load_benchmark(path), str(path), None, hashed=True),)
    if name is not None:
        registry.benchmark(name)
    return tuple(
        _benchmark(registered.entry, registered.entry.name, registered.origin, hashed=name is not None)
        for registered in _chosen(registry.benchmarks, name)
    )


def type_text(kind: Any) -> str:
    """A type of an option for people, such as `int or none` or `promotion or stopping`."""
    if kind is NoneType:
        return "none"
    if get_origin(kind) is Literal:
        return " or ".join(str(choice) for choice in get_args(kind))
    members = get_args(kind)
    return " or ".join(type_text(member) for member in members) if members else str(kind.__name__)


def _chosen(table: Mapping[str, Registered[EntryT]], name: str | None) -> Iterable[Registered[EntryT]]:
    return table.values() if name is None else (table[name],)


def _method(registered: Registered[Method]) -> MethodInfo:
    method = registered.entry
    values, helps = option_values(method.options), option_help(method.options)
    return MethodInfo(
        name=method.name,
        summary=method.summary,
        origin=registered.origin,
        kind=method.kind,
        expensive=method.expensive,
        fixed=method.fixed,
        options=tuple(
            OptionInfo(name, type_text(kind), values[name], helps[name])
            for name, kind in option_types(method.options).items()
        ),
    )


def _script(script: Script, *, hashed: bool) -> ScriptInfo:
    content_hash = None
    if hashed:
        with suppress(UsageError):  # running or checking it reports the error
            content_hash = script_hash(script)
    return ScriptInfo(
        command=script.command if script.python is None else (script.python, *script.command),
        folder=str(script.folder),
        working_folder=script.working_folder,
        arguments=script.arguments,
        checkpoints=script.checkpoints,
        cpus=script.cpus,
        gpus=script.gpus,
        content_hash=content_hash,
    )


def _benchmark(benchmark: Benchmark, source: str, origin: Origin | None, *, hashed: bool) -> BenchmarkInfo:
    space = benchmark.space
    return BenchmarkInfo(
        name=benchmark.name,
        summary=benchmark.summary,
        source=source,
        origin=origin,
        space=tuple(
            HyperparameterInfo(name, domain, space[name].describe()) for name, domain in space.to_json().items()
        ),
        configurations=space.size,
        restricted=benchmark.restricted,
        metrics=benchmark.metrics,
        metric=benchmark.metric,
        mode=benchmark.mode,
        resource_attr=benchmark.resource_attr,
        max_resource_attr=benchmark.max_resource_attr,
        max_resource=benchmark.max_resource,
        n_workers=benchmark.n_workers,
        max_wallclock_time=benchmark.max_wallclock_time,
        max_num_evaluations=benchmark.max_num_evaluations,
        provenance={str(key): str(fact) for key, fact in benchmark.provenance.items()},
        script=None if benchmark.script is None else _script(benchmark.script, hashed=hashed),
    )
