"""From names and options to experiments: what `hpoctl run` is about to do."""

import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hpoctl.backends.simulator import SimulatorOptions
from hpoctl.core.entries import Benchmark, ExtraResults, Method, Study
from hpoctl.core.errors import UsageError
from hpoctl.core.names import check_tag, made_up_tag
from hpoctl.core.options import Setting, apply_settings, parse_setting
from hpoctl.core.rng import WORD, stream
from hpoctl.engine.metadata import Provenance
from hpoctl.engine.spec import DecisionTime, ExperimentSpec, make_spec
from hpoctl.ops.provenance import provenance_of
from hpoctl.ops.tags import MASTER_SEEDS, master_seed_for
from hpoctl.plugins import Registry
from hpoctl.stores.local import LocalStore


@dataclass(frozen=True)
class RunRequest:
    """What a person asked `hpoctl run` for; None leaves a default.

    Attributes:
        methods: Names of methods, at least one.
        benchmarks: Names of benchmarks; empty: all of the study.
        study: The study whose benchmarks and composers are used; None: the one that names the method.
        tag: The tag; None: one is made up.
        random_seed: The master seed; None: it is drawn.
        start_seed: The first seed.
        num_seeds: One more than the last seed; None: one seed.
        n_workers: How many trials run at a time.
        max_wallclock_time: The budget in seconds of the experiment's clock.
        max_num_evaluations: The budget in rows.
        max_size_data_for_model: How many data a model may be fitted to.
        decision_time: What a suggestion costs on the simulated clock.
        simulator: How the simulator tells time.
        settings: `METHOD.option=value` settings.
        results: The root of results; None: $HPOCTL_ROOT, or ~/hpoctl.
    """

    methods: tuple[str, ...]
    benchmarks: tuple[str, ...] = ()
    study: str | None = None
    tag: str | None = None
    random_seed: int | None = None
    start_seed: int = 0
    num_seeds: int | None = None
    n_workers: int | None = None
    max_wallclock_time: float | None = None
    max_num_evaluations: int | None = None
    max_size_data_for_model: int | None = None
    decision_time: DecisionTime = "zero"
    simulator: SimulatorOptions = field(default_factory=SimulatorOptions)
    settings: tuple[str, ...] = ()
    results: Path | None = None


@dataclass(frozen=True)
class RunPlan:
    """What `hpoctl run` is about to do.

    Attributes:
        tag: The tag.
        master_seed: The master seed.
        specs: The experiments, in order.
        store: Where results go.
        provenance: Where and by what they are run.
        warnings: What a person should know before.
    """

    tag: str
    master_seed: int
    specs: tuple[ExperimentSpec, ...]
    store: LocalStore
    provenance: Provenance
    warnings: tuple[str, ...] = ()


def plan_run(request: RunRequest, registry: Registry) -> RunPlan:
    """Resolve names and defaults, before anything is run or written.

    Raises:
        UsageError: A name, a range or an option is wrong.
    """
    settings = _settings(request, registry)
    seeds = _seeds(request)
    tag = check_tag(request.tag) if request.tag is not None else _new_tag()
    store = LocalStore(request.results or Path(os.environ.get("HPOCTL_ROOT") or "~/hpoctl"))
    master_seed = master_seed_for(store, tag, request.random_seed)
    specs: list[ExperimentSpec] = []
    for name in dict.fromkeys(request.methods):
        study = _study_of(name, request, registry)
        method = _method(name, study, settings, registry)
        extra = tuple(registry.extra_result(name) for name in study.extra_results) if study else ()
        for benchmark in _benchmarks(name, study, request, registry):
            specs.extend(_specs(request, method, benchmark, extra, tag, master_seed.value, seeds))
    for spec in specs:
        spec.space()
    warnings = (master_seed.warning,) if master_seed.warning else ()
    return RunPlan(tag, master_seed.value, tuple(specs), store, provenance_of(specs, registry), warnings)


def _settings(request: RunRequest, registry: Registry) -> list[Setting]:
    """The settings of the command line; each must change a method that is run."""
    for name in request.methods:
        registry.method(name)
    settings = [parse_setting(text) for text in request.settings]
    for setting in settings:
        if setting.owner not in request.methods:
            registry.method(setting.owner)
            raise UsageError(f"--set changes {setting.owner}, which is not run.", f"Add --method {setting.owner}.")
    return settings


def _method(name: str, study: Study | None, settings: Sequence[Setting], registry: Registry) -> Method:
    """The method with the study's settings, then those of the command line."""
    method = registry.method(name)
    of_study = [parse_setting(text) for text in study.settings] if study else []
    own = [setting for setting in (*of_study, *settings) if setting.owner == name]
    return method.with_options(apply_settings(name, method.options, own))


def _seeds(request: RunRequest) -> range:
    stop = request.num_seeds if request.num_seeds is not None else request.start_seed + 1
    seeds = range(request.start_seed, stop)
    if stop > WORD:
        raise UsageError(f"Seed {stop - 1} is out of range.", f"Use --num-seeds {WORD} or less.")
    if request.start_seed < 0 or not seeds:
        raise UsageError(
            f"There is no seed from {request.start_seed} up to, but not including, {stop}.",
            f"--num-seeds is an exclusive upper end: use --num-seeds {max(request.start_seed, 0) + 1} or more.",
        )
    return seeds


def _study_of(method: str, request: RunRequest, registry: Registry) -> Study | None:
    """The study that was named, or the only one that has the method and the benchmarks, if any were named."""
    if request.study is not None:
        return registry.study(request.study)
    wanted = set(request.benchmarks)
    studies = [entry.entry for entry in registry.studies.values()]
    studies = [study for study in studies if method in study.methods and wanted <= set(study.benchmarks)]
    if len(studies) > 1:
        # Studies differ in their settings and extra results: which of them is meant is not for us to guess.
        names = ", ".join(study.name for study in studies)
        raise UsageError(f"{method} is in several studies: {names}.", "Name one with --study.")
    return studies[0] if studies else None


def _benchmarks(method: str, study: Study | None, request: RunRequest, registry: Registry) -> Iterator[Benchmark]:
    if request.benchmarks:
        names: Sequence[str] = tuple(dict.fromkeys(request.benchmarks))
    elif study is not None:
        names = study.benchmarks
    else:
        raise UsageError(
            f"{method} is in no study, so its benchmarks are not known.",
            "Name one with --benchmark; `hpoctl benchmarks` lists them.",
        )
    for name in names:
        yield registry.benchmark(name)


def _specs(
    request: RunRequest,
    method: Method,
    benchmark: Benchmark,
    extra: tuple[ExtraResults, ...],
    tag: str,
    master_seed: int,
    seeds: range,
) -> Iterator[ExperimentSpec]:
    changes = {
        "n_workers": request.n_workers,
        "max_wallclock_time": request.max_wallclock_time,
        "max_num_evaluations": request.max_num_evaluations,
        "max_size_data_for_model": request.max_size_data_for_model,
        "decision_time": request.decision_time,
        "simulator": request.simulator,
        "extra_results": extra,
    }
    for seed in seeds:
        yield make_spec(tag, method, benchmark, seed, master_seed, changes)


def _new_tag() -> str:
    return made_up_tag(stream(secrets.randbelow(MASTER_SEEDS), 0, "tag"))
