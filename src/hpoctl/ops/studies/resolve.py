"""From the names in a study to what they stand for, and from that to the specs of its experiments."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hpoctl.core.cells import Cell
from hpoctl.core.entries import Benchmark, ExtraResults, Method
from hpoctl.core.errors import UsageError
from hpoctl.core.options import apply_settings, check_secrets, named_options, parse_setting
from hpoctl.core.study import Study
from hpoctl.core.trial_backends import BackendEntry, Problem
from hpoctl.engine.search_space import searched
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.ops.studies.benchmark_files import find_benchmark
from hpoctl.plugins import Registry


@dataclass(frozen=True)
class Resolved:
    """A study and what its names stand for.

    Attributes:
        study: The study.
        methods: Its methods by name, with their settings and fixed values.
        benchmarks: Its benchmarks by name.
        extra_results: Its extra-result composers.
        backend: Where trials of the problems that it runs execute, its options set; None: where they do by default.
    """

    study: Study
    methods: Mapping[str, Method]
    benchmarks: Mapping[str, Benchmark]
    extra_results: tuple[ExtraResults, ...]
    backend: BackendEntry | None = None


def resolve(study: Study, registry: Registry) -> Resolved:
    """Look everything up and put it together, before anything is run or written.

    Raises:
        UsageError: A name is unknown, a setting or a value does not fit.
    """
    resolved = Resolved(
        study,
        {name: _method(name, study, registry) for name in study.methods},
        {name: find_benchmark(name, study, registry) for name in study.benchmarks},
        tuple(registry.extra_result(name) for name in study.extra_results),
        _backend(study, registry),
    )
    backend = resolved.backend
    if backend is not None and not any(_fits(backend, each) for each in resolved.benchmarks.values()):
        name, other = next(iter(resolved.benchmarks.items()))
        raise UsageError(
            f"The backend {backend.name} runs a {backend.needs}, and {name} is a {_problem(other)}.",
            "Leave --backend out: it follows from the benchmark.",
        )
    for method in study.methods:
        for benchmark in study.benchmarks:
            spec_of(resolved, "check", 0, Cell(method, benchmark, study.start_seed)).space()
    return resolved


def check_restricted(resolved: Resolved) -> None:
    """Refuse what cannot be restricted to its table, or fixes what no row has, before anything is run or written.

    Tables are opened for that, but for experiments that are restricted only. One that does not open is left to them.

    Raises:
        UsageError: There is such an experiment.
    """
    study = resolved.study
    for name, benchmark in resolved.benchmarks.items():
        cells = [Cell(method, name, study.start_seed) for method in resolved.methods]
        if benchmark.script is not None:
            continue
        specs = [spec for spec in (spec_of(resolved, "check", 0, cell) for cell in cells) if spec.restricted]
        if not specs:
            continue
        try:
            blackbox = benchmark.blackbox()
        except (Exception, SystemExit):  # noqa: BLE001, S112 - its experiment reports any error of a plugin
            continue
        for spec in specs:
            searched(spec, blackbox)


def spec_of(resolved: Resolved, tag: str, random_seed: int, cell: Cell) -> ExperimentSpec:
    """The spec of one experiment of the study."""
    method, benchmark = resolved.methods[cell.method], resolved.benchmarks[cell.benchmark]
    backend = resolved.backend if resolved.backend is not None and _fits(resolved.backend, benchmark) else None
    settings, extra = resolved.study.experiment, resolved.extra_results
    return ExperimentSpec(tag, method, benchmark, cell.seed, random_seed, settings, extra, backend)


def _backend(study: Study, registry: Registry) -> BackendEntry | None:
    if study.backend is None:
        return None
    entry = registry.trial_backend(study.backend)
    if entry.needs == "table" and study.backend_options:
        raise UsageError(
            f"The backend {entry.name} takes no options.",
            "Settings say how time passes there, such as --poll-interval.",
        )
    options = named_options(f"trial backend {entry.name}", entry.name, entry.options, study.backend_options)
    check_secrets(f"trial backend {entry.name}", options)
    return replace(entry, options=options)


def _fits(backend: BackendEntry, benchmark: Benchmark) -> bool:
    return backend.needs == _problem(benchmark)


def _problem(benchmark: Benchmark) -> Problem:
    return "table" if benchmark.script is None else "script"


def _method(name: str, study: Study, registry: Registry) -> Method:
    method = registry.method(name)
    own = [setting for setting in map(parse_setting, study.settings) if setting.owner == name]
    method = method.with_options(apply_settings(name, method.options, own))
    check_secrets(name, method.options)
    fixed = study.fixed.get(name)
    return method.with_fixed(fixed, name=name, summary=method.summary) if fixed else method
