"""`hpoctl run`: experiments here, in this process, one after another."""

import os
import secrets
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from hpoctl.backends.simulator import SimulatorOptions
from hpoctl.core.clock import SystemTime
from hpoctl.core.entries import Benchmark, ExtraResults, Method, Study
from hpoctl.core.errors import HpoctlError, UsageError, unknown_name
from hpoctl.core.names import check_tag, made_up_tag
from hpoctl.core.options import apply_settings, parse_setting
from hpoctl.core.rng import stream
from hpoctl.engine.experiment import Finished, run_experiment
from hpoctl.engine.metadata import Provenance
from hpoctl.engine.spec import DecisionTime, ExperimentSpec, make_spec
from hpoctl.engine.tuner import Watcher
from hpoctl.ops.tags import MASTER_SEEDS, keep_master_seed, master_seed_for
from hpoctl.plugins import Registry
from hpoctl.stores.local import LocalStore

LIBRARIES = ("numpy", "scipy", "pyarrow")


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


@dataclass(frozen=True, slots=True)
class Failed:
    """An experiment that failed.

    Attributes:
        name: Method, benchmark and seed, for people.
        error: What went wrong, and what to do.
    """

    name: str
    error: HpoctlError


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What `hpoctl run` has done.

    Attributes:
        finished: The completed experiments.
        failed: The failed ones.
        interrupted: The name of the experiment that was interrupted, and nothing came after it.
    """

    finished: tuple[Finished, ...]
    failed: tuple[Failed, ...]
    interrupted: str | None


def plan_run(request: RunRequest, registry: Registry) -> RunPlan:
    """Resolve names and defaults, before anything is run or written.

    Raises:
        UsageError: A name, a range or an option is wrong.
    """
    methods = _methods(request, registry)
    seeds = _seeds(request)
    tag = check_tag(request.tag) if request.tag is not None else _new_tag()
    store = LocalStore(request.results or Path(os.environ.get("HPOCTL_ROOT") or "~/hpoctl"))
    master_seed = master_seed_for(store, tag, request.random_seed)
    specs: list[ExperimentSpec] = []
    for method in methods:
        study = _study_of(method.name, request, registry)
        extra = tuple(registry.extra_result(name) for name in study.extra_results) if study else ()
        for benchmark in _benchmarks(method.name, study, request, registry):
            specs.extend(_specs(request, method, benchmark, extra, tag, master_seed.value, seeds))
    for spec in specs:
        spec.space()
    warnings = (master_seed.warning,) if master_seed.warning else ()
    return RunPlan(tag, master_seed.value, tuple(specs), store, _provenance(specs, registry), warnings)


def run(
    plan: RunPlan,
    watch: Callable[[ExperimentSpec], Watcher],
    on_finished: Callable[[Finished], None],
    system: SystemTime | None = None,
) -> RunOutcome:
    """Run the planned experiments one after another; one that fails does not hinder the others.

    Args:
        plan: What to run.
        watch: Makes the watcher of an experiment.
        on_finished: Is told of each completed experiment.
        system: Where real time comes from.
    """
    keep_master_seed(plan.store, plan.tag, plan.master_seed)
    finished: list[Finished] = []
    failed: list[Failed] = []
    for spec in plan.specs:
        try:
            result = run_experiment(spec, plan.store, plan.provenance, watch(spec), system or SystemTime())
        except KeyboardInterrupt:
            return RunOutcome(tuple(finished), tuple(failed), spec.name)
        except HpoctlError as error:
            failed.append(Failed(spec.name, error))
        else:
            finished.append(result)
            on_finished(result)
    return RunOutcome(tuple(finished), tuple(failed), None)


def _methods(request: RunRequest, registry: Registry) -> list[Method]:
    settings = [parse_setting(text) for text in request.settings]
    for setting in settings:
        if setting.owner not in request.methods:
            if setting.owner in registry.methods:
                raise UsageError(f"--set changes {setting.owner}, which is not run.", f"Add --method {setting.owner}.")
            raise unknown_name("method", setting.owner, request.methods, "hpoctl methods")
    methods = []
    for name in dict.fromkeys(request.methods):
        method = registry.method(name)
        own = [setting for setting in settings if setting.owner == name]
        methods.append(method.with_options(apply_settings(name, method.options, own)))
    return methods


def _seeds(request: RunRequest) -> range:
    stop = request.num_seeds if request.num_seeds is not None else request.start_seed + 1
    seeds = range(request.start_seed, stop)
    if request.start_seed < 0 or not seeds:
        raise UsageError(
            f"There is no seed from {request.start_seed} up to, but not including, {stop}.",
            f"--num-seeds is an exclusive upper end: use --num-seeds {max(request.start_seed, 0) + 1} or more.",
        )
    return seeds


def _study_of(method: str, request: RunRequest, registry: Registry) -> Study | None:
    """The study that was named, or the only one that has the method."""
    if request.study is not None:
        return registry.study(request.study)
    studies = [entry.entry for entry in registry.studies.values() if method in entry.entry.methods]
    if len(studies) > 1 and not request.benchmarks:
        names = ", ".join(study.name for study in studies)
        raise UsageError(f"{method} is in several studies: {names}.", "Name one with --study, or name --benchmark.")
    return studies[0] if len(studies) == 1 else None


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


def _provenance(specs: Sequence[ExperimentSpec], registry: Registry) -> Provenance:
    versions = {"hpoctl": version("hpoctl"), "python": sys.version.split()[0]}
    versions |= {name: version(name) for name in LIBRARIES}
    used = [registry.methods[spec.method.name].origin for spec in specs]
    used += [registry.benchmarks[spec.benchmark.name].origin for spec in specs]
    used += [registry.extra_results[entry.name].origin for spec in specs for entry in spec.extra_results]
    versions |= {origin.distribution: origin.version for origin in used}
    return Provenance(versions, _git_commit(), shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]))


def _git_commit() -> str | None:
    """The commit of the current folder; None where there is no git or no checkout."""
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607 - git from the person's own PATH
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None if answer.returncode == 0 else None
