"""From the names in a study to what they stand for: the specs of its experiments."""

from collections.abc import Mapping
from dataclasses import replace

from hpoctl.core.cells import Cell
from hpoctl.core.entries import Method
from hpoctl.core.errors import UsageError
from hpoctl.core.options import apply_settings, check_secrets, parse_setting
from hpoctl.core.study import Study
from hpoctl.engine.search_space import searched
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.ops.studies.backends import find_backend, problem_of
from hpoctl.ops.studies.benchmark_files import find_benchmark
from hpoctl.plugins import Registry

Specs = Mapping[tuple[str, str], ExperimentSpec]
"""By method and benchmark, the spec of the experiment with the study's first seed; see `spec_of`."""


def resolve(study: Study, registry: Registry, tag: str, random_seed: int) -> Specs:
    """Look up what the names in a study stand for and put it together, before anything is run or written.

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
    if study.backend is not None and not any(backends.values()):
        name, other = next(iter(benchmarks.items()))
        needs = registry.trial_backend(study.backend).needs
        raise UsageError(
            f"The backend {study.backend} runs a {needs}, and {name} is a {problem_of(other)}.",
            "Leave --backend out: it follows from the benchmark.",
        )
    specs: dict[tuple[str, str], ExperimentSpec] = {}
    for method in methods.values():
        for name, benchmark in benchmarks.items():
            spec = ExperimentSpec(
                tag,
                method,
                benchmark,
                study.start_seed,
                random_seed,
                study.experiment,
                extra_results,
                backends[name],
            )
            spec.space()  # the method's fixed values have to fit
            specs[method.name, name] = spec
    return specs


def spec_of(specs: Specs, cell: Cell) -> ExperimentSpec:
    """The spec of one experiment of a study."""
    return replace(specs[cell.method, cell.benchmark], seed=cell.seed)


def check_restricted(specs: Specs) -> None:
    """Refuse what cannot be restricted to its table, or fixes what no row has, before anything is run or written.

    Tables are opened for that, but for experiments that are restricted only. One that does not open is left to them.

    Raises:
        UsageError: There is such an experiment.
    """
    restricted: dict[str, list[ExperimentSpec]] = {}
    for (_, benchmark), spec in specs.items():
        if spec.restricted and spec.benchmark.script is None:
            restricted.setdefault(benchmark, []).append(spec)
    for found in restricted.values():
        try:
            blackbox = found[0].benchmark.blackbox()
        except (Exception, SystemExit):  # noqa: BLE001, S112 - its experiment reports any error of a plugin
            continue
        for spec in found:
            searched(spec, blackbox)


def _method(name: str, study: Study, registry: Registry) -> Method:
    method = registry.method(name)
    own = [setting for setting in map(parse_setting, study.settings) if setting.owner == name]
    method = method.with_options(apply_settings(name, method.options, own))
    check_secrets(name, method.options)
    fixed = study.fixed.get(name)
    return method.with_fixed(fixed, name=name, summary=method.summary) if fixed else method
