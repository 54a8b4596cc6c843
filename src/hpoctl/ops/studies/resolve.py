"""From the names in a study to what they stand for, and from that to the specs of its experiments."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hpoctl.core.cells import Cell
from hpoctl.core.entries import Benchmark, ExtraResults, Method
from hpoctl.core.errors import UsageError
from hpoctl.core.options import apply_settings, check_secrets, parse_setting
from hpoctl.core.study import Study
from hpoctl.core.trial_backends import BackendEntry
from hpoctl.engine.search_space import searched
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.ops.studies.backends import find_backend, problem_of
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
        backends: Where trials execute, by benchmark, with options set; None: where they do by default.
    """

    study: Study
    methods: Mapping[str, Method]
    benchmarks: Mapping[str, Benchmark]
    extra_results: tuple[ExtraResults, ...]
    backends: Mapping[str, BackendEntry | None] = field(default_factory=dict)


def resolve(study: Study, registry: Registry) -> Resolved:
    """Look everything up and put it together, before anything is run or written.

    Raises:
        UsageError: A name is unknown, a setting or a value does not fit.
    """
    methods = {name: _method(name, study, registry) for name in study.methods}
    benchmarks = {name: find_benchmark(name, study.benchmark_files.get(name), registry) for name in study.benchmarks}
    extra_results = tuple(registry.extra_result(name) for name in study.extra_results)
    backends = {
        name: find_backend(study.backend, study.backend_options, benchmark, registry)
        for name, benchmark in benchmarks.items()
    }
    resolved = Resolved(study, methods, benchmarks, extra_results, backends)
    if study.backend is not None and not any(backends.values()):
        name, other = next(iter(benchmarks.items()))
        needs = registry.trial_backend(study.backend).needs
        raise UsageError(
            f"The backend {study.backend} runs a {needs}, and {name} is a {problem_of(other)}.",
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
    settings, extra, backend = resolved.study.experiment, resolved.extra_results, resolved.backends.get(cell.benchmark)
    return ExperimentSpec(tag, method, benchmark, cell.seed, random_seed, settings, extra, backend)


def _method(name: str, study: Study, registry: Registry) -> Method:
    method = registry.method(name)
    own = [setting for setting in map(parse_setting, study.settings) if setting.owner == name]
    method = method.with_options(apply_settings(name, method.options, own))
    check_secrets(name, method.options)
    fixed = study.fixed.get(name)
    return method.with_fixed(fixed, name=name, summary=method.summary) if fixed else method
