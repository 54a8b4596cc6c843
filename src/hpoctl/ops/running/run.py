"""`hpoctl run`: its plan, and experiments in this process, one after another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from hpoctl.core.cells import claim_key
from hpoctl.core.clock import SystemTime
from hpoctl.core.credentials import concealed_words
from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.names import check_tag
from hpoctl.core.options import parse_setting
from hpoctl.core.study import Study
from hpoctl.engine.experiment import run_experiment
from hpoctl.engine.finished import Finished
from hpoctl.engine.metadata import Provenance
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.engine.tuner import Watcher
from hpoctl.ops.studies.choose_study import find_study, in_folder
from hpoctl.ops.studies.config import Root, open_root, read_config
from hpoctl.ops.studies.overrides import Overrides, override, with_files_of_tag, with_names
from hpoctl.ops.studies.provenance import provenance_of
from hpoctl.ops.studies.resolve import check_restricted, resolve, spec_of
from hpoctl.ops.studies.tags import keep_random_seed, new_tag, random_seed_for
from hpoctl.plugins import Registry


@dataclass(frozen=True)
class RunRequest:
    """What a person asked `hpoctl run` for; None leaves a default.

    Attributes:
        changes: What the options say; it names a method at least. Without `num_seeds` there is one seed.
        study: The study whose benchmarks and composers are used, by name or file; None: the one that has the method.
        tag: The tag; None: one is made up.
        random_seed: The random seed; None: the tag's, else the study's, else it is drawn.
        results: The root of results; None: $HPOCTL_ROOT, that of the folder's configuration, or ~/hpoctl.
        folder: Where study files and a configuration are looked for.
        options: The options that run the same experiments with other seeds, as they were typed.
    """

    changes: Overrides = field(default_factory=Overrides)
    study: str | None = None
    tag: str | None = None
    random_seed: int | None = None
    results: str | None = None
    folder: Path = Path()
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunPlan:
    """What `hpoctl run` is about to do.

    Attributes:
        tag: The tag.
        random_seed: The random seed.
        specs: The experiments, in order.
        root: Where results go.
        provenance: Where and by what they are run.
        seed_was_given: Whether a person gave the random seed.
        warnings: What a person should know before.
        benchmark_files: The files that some of the benchmarks are in, by name.
    """

    tag: str
    random_seed: int
    specs: tuple[ExperimentSpec, ...]
    root: Root
    provenance: Provenance
    seed_was_given: bool
    warnings: tuple[str, ...] = ()
    benchmark_files: Mapping[str, str] = field(default_factory=dict)


def plan_run(request: RunRequest, registry: Registry) -> RunPlan:
    """Resolve names and defaults, before anything is run or written.

    Raises:
        UsageError: A name, a range or an option is wrong.
    """
    request = replace(request, changes=with_names(request.changes, registry, request.folder))
    tag = check_tag(request.tag) if request.tag is not None else new_tag()
    root = open_root(request.results, request.folder)
    request = replace(request, changes=with_files_of_tag(request.changes, registry, root.store, tag))
    studies = [_study_of(name, request, registry) for name in dict.fromkeys(request.changes.methods)]
    of_studies = [study.random_seed for study in studies if study.random_seed is not None]
    random_seed = random_seed_for(root.store, tag, request.random_seed, next(iter(of_studies), None))
    resolved = [resolve(study, registry, tag, random_seed.value) for study in studies]
    for found in resolved:
        check_restricted(found)
    specs = [spec_of(found, cell) for found, study in zip(resolved, studies, strict=True) for cell in study.cells()]
    return RunPlan(
        tag=tag,
        random_seed=random_seed.value,
        specs=tuple(specs),
        root=root,
        provenance=replace(provenance_of(specs, registry), options=tuple(concealed_words(request.options))),
        seed_was_given=request.random_seed is not None,
        warnings=(random_seed.warning,) if random_seed.warning else (),
        benchmark_files={name: path for study in studies for name, path in study.benchmark_files.items()},
    )


def _study_of(method: str, request: RunRequest, registry: Registry) -> Study:
    """The experiments of one method: its study, narrowed and changed by the options; one seed unless they say more."""
    changes = request.changes
    start = changes.start_seed or 0
    stop = start + 1 if changes.num_seeds is None else changes.num_seeds
    own = tuple(text for text in changes.settings if parse_setting(text).owner == method)
    narrowed = replace(changes, methods=(method,), settings=own, start_seed=start, num_seeds=stop)
    return override(in_folder(_base(method, request, registry), read_config(request.folder)), narrowed)


def _base(method: str, request: RunRequest, registry: Registry) -> Study:
    """The study that was named, or the only one that has the method and the benchmarks, if any were named."""
    if request.study is not None:
        return find_study(request.study, registry, request.folder)[0]
    wanted = set(request.changes.benchmarks)
    studies = [entry.entry for entry in registry.studies.values()]
    studies = [study for study in studies if method in study.methods and wanted <= set(study.benchmarks)]
    if len(studies) > 1:
        # Studies differ in their settings and extra results: which of them is meant is not for us to guess.
        names = ", ".join(study.name for study in studies)
        raise UsageError(f"{method} is in several studies: {names}.", "Name one with --study.")
    if studies:
        return studies[0]
    if not request.changes.benchmarks:
        raise UsageError(
            f"{method} is in no study, so its benchmarks are not known.",
            "Name one with --benchmark; `hpoctl benchmarks` lists them.",
        )
    changes = request.changes
    return Study(
        "run", "Experiments of no study", (method,), changes.benchmarks, benchmark_files=changes.benchmark_files
    )


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
    random_seed = keep_random_seed(plan.root.store, plan.tag, plan.random_seed)
    finished: list[Finished] = []
    failed: list[Failed] = []
    for planned in plan.specs:
        # Somebody else may have begun the tag, and drawn its random seed, in the meantime.
        spec = planned if plan.seed_was_given else replace(planned, random_seed=random_seed)
        try:
            result = _run_claimed(spec, plan, watch, system or SystemTime())
        except KeyboardInterrupt:
            return RunOutcome(tuple(finished), tuple(failed), spec.name)
        except HpoctlError as error:
            failed.append(Failed(spec.name, error))
        else:
            finished.append(result)
            on_finished(result)
    return RunOutcome(tuple(finished), tuple(failed), None)


def _run_claimed(
    spec: ExperimentSpec, plan: RunPlan, watch: Callable[[ExperimentSpec], Watcher], system: SystemTime
) -> Finished:
    key = claim_key(spec.tag, spec.cell)
    if not plan.root.claims.take(key):
        raise HpoctlError(f"{spec.name} is running elsewhere.", f"`hpoctl status --tag {spec.tag}` shows it.")
    try:
        return run_experiment(spec, plan.root.store, plan.provenance, watch(spec), system)
    finally:
        plan.root.claims.release(key)
