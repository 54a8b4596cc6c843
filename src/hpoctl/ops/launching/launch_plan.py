"""What `hpoctl launch` is about to do: which experiments are wanted, which of them are missing, in which jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hpoctl.core.cells import Cell
from hpoctl.core.entries import LauncherEntry
from hpoctl.core.errors import UsageError
from hpoctl.core.jobs import MOST_TRAINING, Job, Task
from hpoctl.core.names import check_tag
from hpoctl.core.storage import Store
from hpoctl.core.study import Study
from hpoctl.ops.launching.costs import Basis, read_costs
from hpoctl.ops.launching.launchers import (
    FileOptions,
    check_root,
    choose_launcher,
    file_options,
    launchers_of,
    manifests_of,
    submitted_jobs,
)
from hpoctl.ops.launching.reconcile import (
    Mixed,
    PlannedJob,
    Wanted,
    expected_cost,
    find_mixed,
    launch_seconds,
    mixed_results,
    patience,
    plan_jobs,
)
from hpoctl.ops.studies.choose_study import check_new_tag, default_study, find_study, in_folder
from hpoctl.ops.studies.config import Config, Root, open_root, read_config
from hpoctl.ops.studies.overrides import Overrides, carried, override, with_files_of_tag, with_names
from hpoctl.ops.studies.resolve import check_restricted, resolve
from hpoctl.ops.studies.tags import RandomSeed, TagPlan, draw_random_seed, new_tag, random_seed_for, read_plans
from hpoctl.plugins import Registry
from hpoctl.stores.ledger import read_attempts, standings

COMMAND = "command line"
"""Where a study comes from that the options of the command have described."""


@dataclass(frozen=True)
class LaunchRequest:
    """What a person asked `hpoctl launch` for; None leaves a default.

    Attributes:
        changes: What the options say.
        study: A registered study or a file; None: what the tag was launched with, else the configured one.
        tag: The tag; None: the study's, else one is made up.
        random_seed: The random seed; None: the tag's, else the study's, else it is drawn.
        new_seed: Whether the tag may get another random seed than it has.
        allow_mixed: Whether the tag may hold complete results that the launch would not make again as they are.
        results: The root of results; None: $HPOCTL_ROOT, or ~/hpoctl.
        trust_config: Whether files of the folder may say what code the launcher runs.
        yes: Whether the default study may be launched under a tag that looks like a mistake.
    """

    changes: Overrides = field(default_factory=Overrides)
    study: str | None = None
    tag: str | None = None
    random_seed: int | None = None
    new_seed: bool = False
    allow_mixed: bool = False
    results: str | None = None
    trust_config: bool = False
    yes: bool = False


@dataclass(frozen=True)
class LaunchPlan:
    """What `hpoctl launch` is about to do.

    Attributes:
        tag: The tag.
        random_seed: The random seed.
        new_seed: Whether the tag gets this random seed in place of another.
        plans: What the tag wants; those without a name are new.
        launcher: Where jobs execute.
        launcher_options: Its options.
        workers: How many experiments run at a time; 0: the launcher knows.
        jobs: The jobs to be submitted.
        done: How many of the wanted experiments are complete.
        running: How many of them a process is running.
        waiting: How many of the rest are in jobs of an earlier launch.
        failed: How many of those to be run have failed before.
        seconds: How long it is expected to take.
        basis: Where that comes from: `measured` if all of it is.
        mixed: Complete results that this launch would not make again as they are.
        warnings: What a person should know before.
        data: What is known of the data, by benchmark.
        from_files: What files of the folder say about the launcher, so far as it takes effect.
        live: Jobs of an earlier launch that run or wait still: they are not submitted again, but watched.
        elsewhere: Other launchers that have jobs of the tag which run or wait.
        ended: The names of jobs of earlier launches that have ended, complete or not.
        root: Where results go.
    """

    tag: str
    random_seed: RandomSeed
    new_seed: bool
    plans: tuple[TagPlan, ...]
    launcher: LauncherEntry
    launcher_options: Any
    workers: int
    jobs: tuple[PlannedJob, ...]
    done: int
    running: int
    waiting: int
    failed: int
    seconds: float
    basis: Basis
    mixed: tuple[Mixed, ...]
    warnings: tuple[str, ...]
    data: Mapping[str, Mapping[str, str]]
    from_files: tuple[FileOptions, ...]
    live: tuple[Job, ...]
    elsewhere: tuple[str, ...]
    ended: frozenset[str]
    root: Root

    @property
    def experiments(self) -> int:
        """How many experiments are to be run."""
        return sum(len(job.tasks) for job in self.jobs)

    @property
    def wanted(self) -> int:
        """How many experiments are wanted."""
        return self.done + self.running + self.waiting + self.experiments


def plan_launch(request: LaunchRequest, registry: Registry) -> LaunchPlan:
    """Compare the wanted with the existing experiments. Writes nothing.

    Raises:
        UsageError: A name, a range or an option is wrong; or the tag has other results, or another random seed.
        IncompleteError: What the tag keeps is damaged.
    """
    config = read_config(Path.cwd())
    root = open_root(request.results)
    store = root.store
    tag, plans, changed = _plans(request, config, registry, store)
    newest = plans[-1].study
    manifests = manifests_of(store, tag)
    launcher, options = choose_launcher(newest, config, request.changes, registry, manifests)
    check_root(launcher, root)
    launchers = launchers_of(manifests, registry)
    submitted = submitted_jobs(manifests, launchers | {launcher.name: launcher.make(options)})
    random_seed = _random_seed(request, store, tag, newest)
    wanted = _wanted(plans, registry, random_seed.value)
    attempts = read_attempts(store, tag, verify=True)
    standing = standings(tag, wanted, attempts, root.claims)
    mixed, larger, warnings = find_mixed(wanted.values(), standing, store)
    if mixed and not request.allow_mixed:
        raise mixed_results(tag, mixed)
    costs = read_costs()
    live = [job.manifest for job in submitted if job.status.live]
    submitted_cells = {task.cell for manifest in live for task in manifest.job.tasks}
    unfinished = [cell for cell in wanted if standing[cell].state in {"failed", "missing"}]
    not_done = [want for cell, want in wanted.items() if cell in larger or cell in unfinished]
    todo = [want for want in not_done if want.cell not in submitted_cells]
    expected = [expected_cost(want, costs) for want in todo]
    tasks = [
        Task(want.plan, want.cell, cost.seconds, want.cores, patience(want, cost))
        for want, cost in zip(todo, expected, strict=True)
    ]
    expensive = {cell.method: want.spec.method.expensive for cell, want in wanted.items()}
    workers = launcher.workers(options) if launcher.workers else 0
    if tasks and all(task.cores for task in tasks):
        workers = min(workers, MOST_TRAINING)
    states = [standing[cell].state for cell in wanted]
    damaged = [f"{attempt.directory}: {attempt.reason}" for attempt in attempts if attempt.recorded == "damaged"]
    return LaunchPlan(
        tag=tag,
        random_seed=random_seed,
        new_seed=request.new_seed and bool(random_seed.warning),
        plans=tuple(plans),
        launcher=launcher,
        launcher_options=options,
        workers=workers,
        jobs=plan_jobs(tag, tasks, expensive),
        done=states.count("done") - len(larger),
        running=states.count("running"),
        waiting=len(not_done) - len(todo),
        failed=states.count("failed"),
        seconds=launch_seconds(tasks, workers),
        basis="measured" if all(cost.basis == "measured" for cost in expected) else "modelled",
        mixed=tuple(mixed),
        warnings=(*changed, *([random_seed.warning] if random_seed.warning else []), *warnings, *damaged),
        data={cell.benchmark: want.spec.benchmark.provenance for cell, want in wanted.items()},
        from_files=file_options(launcher, config, newest, plans[-1].source, request.changes),
        live=tuple(manifest.job for manifest in live if manifest.launcher == launcher.name),
        elsewhere=tuple(dict.fromkeys(item.launcher for item in live if item.launcher != launcher.name)),
        ended=frozenset(job.manifest.job.name for job in submitted if job.status.ended),
        root=root,
    )


def _plans(
    request: LaunchRequest, config: Config, registry: Registry, store: Store
) -> tuple[str, list[TagPlan], list[str]]:
    """The tag, what is wanted of it, and what a person should know about that.

    Where only the tag is given, that is all that was launched under it. Otherwise it is the study that was named,
    or that of the tag's latest launch, with the experiment settings of that launch's options.
    """
    folder, tag = Path.cwd(), request.tag
    changes = with_names(request.changes, registry, folder).experiments_only()
    earlier = read_plans(store, check_tag(tag)) if tag is not None else []
    if tag is not None and not earlier:
        changes = with_files_of_tag(changes, registry, store, tag)
    if request.study is not None:
        study, source = find_study(request.study, registry, folder)
    elif earlier and tag is not None:
        if changes == Overrides():
            return tag, earlier, _changed(earlier, registry, folder, config)
        study, source = _study_of(earlier[-1], registry, folder)
        changes = carried(earlier[-1].changes, changes)
    else:
        if tag is not None and changes == Overrides() and not request.yes:
            check_new_tag(tag, store)
        study, source = _default_or_given(changes, registry, config, folder)
    tag = tag or study.tag or new_tag()
    return tag, [TagPlan(tag, source, override(in_folder(study, config), changes), changes)], []


def _study_of(plan: TagPlan, registry: Registry, folder: Path) -> tuple[Study, str]:
    """The study of an earlier plan as it is now, and where it comes from."""
    return (plan.study, COMMAND) if plan.source == COMMAND else find_study(plan.source, registry, folder)


def _default_or_given(changes: Overrides, registry: Registry, config: Config, folder: Path) -> tuple[Study, str]:
    """The default study and its source; without one, a study from the options, if they suffice."""
    try:
        return default_study(registry, config, folder)
    except UsageError:
        if config.study is not None or not (changes.methods and changes.benchmarks):
            raise
    return Study("command", "Named on the command line", changes.methods, changes.benchmarks), COMMAND


def _changed(plans: Sequence[TagPlan], registry: Registry, folder: Path, config: Config) -> list[str]:
    """The plans whose study says something else by now than when it was launched."""
    warnings = []
    for plan in plans:
        try:
            study, _ = _study_of(plan, registry, folder)
            same = override(in_folder(study, config), plan.changes) == replace(plan.study, tag=study.tag)
        except UsageError:
            same = True  # the study was removed; the launched plan is complete
        if not same:
            text = f"study {plan.source} has changed since it was launched; this continues the launched plan, "
            warnings.append(f"{text}--study {plan.source} launches what it says now")
    return list(dict.fromkeys(warnings))


def _wanted(plans: Sequence[TagPlan], registry: Registry, random_seed: int) -> dict[Cell, Wanted]:
    """All experiments that the plans want; of several plans for one the newest counts."""
    resolved = [(plan, resolve(plan.study, registry, plan.tag, random_seed)) for plan in plans]
    for _, specs in resolved:
        check_restricted(specs)
    return {
        cell: Wanted(cell, plan.name, specs[cell.method, cell.benchmark])
        for plan, specs in resolved
        for cell in plan.study.cells()
    }


def _random_seed(request: LaunchRequest, store: Store, tag: str, study: Study) -> RandomSeed:
    """The random seed that is asked for, or a new one; else the tag's, else the study's, else one that is drawn."""
    wanted = draw_random_seed() if request.new_seed and request.random_seed is None else request.random_seed
    found = random_seed_for(store, tag, wanted, study.random_seed)
    if wanted is None and study.random_seed not in (None, found.value):
        stays = f"tag {tag} has the random seed {found.value}, which stays in force; study {study.name} says "
        return replace(found, warning=f"{stays}{study.random_seed}")
    if found.warning and not request.new_seed:
        raise UsageError(
            f"{found.warning[0].upper()}{found.warning[1:]}.",
            "Leave --random-seed out, name another --tag, or give --new-seed.",
        )
    return found
