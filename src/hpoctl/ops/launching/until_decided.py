"""`hpoctl launch --until-decided`: adds seeds to undecided pairs of methods, up to the next interim analysis.

The interim analyses are fixed with the tag before the first one, and their answers follow from the results. So a killed
launch continues where it stopped, and repeating the command adds no interim analysis.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from hpoctl.analysis.decisions import Course, Stage
from hpoctl.core.clock import SystemTime
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.jobs import Failure
from hpoctl.core.options import parse_setting
from hpoctl.core.settings import DEFINITIONS
from hpoctl.ops.launching.launch import LaunchOutcome, LaunchWatcher, launch
from hpoctl.ops.launching.launch_plan import LaunchPlan, LaunchRequest, plan_launch
from hpoctl.ops.launching.sequential_design import SequentialDesign, course_of, keep_design, new_design, read_design
from hpoctl.ops.studies.choose_study import find_study
from hpoctl.ops.studies.config import Root, open_root
from hpoctl.ops.studies.overrides import with_names
from hpoctl.plugins import Registry

PAIRS = "--pairs MOBSTER:ASHA --max-seeds 60"


@dataclass(frozen=True)
class DecisionRequest:
    """The options of `hpoctl launch --until-decided`.

    Attributes:
        launch: The options of the launch; its methods are those of the pairs.
        pairs: The pairs; empty: those of the tag.
        max_seeds: The largest number of seeds; None: that of the tag.
        margin: The margin of equivalence, such as `1%`; None: that of the tag, or no test of equivalence.
        futility: Whether futile questions are closed; None: what the tag says, or no.
    """

    launch: LaunchRequest
    pairs: tuple[tuple[str, str], ...] = ()
    max_seeds: int | None = None
    margin: str | None = None
    futility: bool | None = None


@dataclass(frozen=True)
class DecisionPlan:
    """What `hpoctl launch --until-decided` will do.

    Attributes:
        tag: The tag.
        design: How the pairs are decided.
        course: The interim analyses so far.
        request: The options of the launch, with the tag.
        root: Where results live.
    """

    tag: str
    design: SequentialDesign
    course: Course
    request: LaunchRequest
    root: Root


@dataclass(frozen=True)
class DecisionOutcome:
    """The result of a launch until pairs are decided.

    Attributes:
        course: The interim analyses so far.
        failures: The experiments that failed.
        interrupted: Whether it was interrupted.
        elsewhere: How many experiments of the next interim analysis other processes are running.
        seconds: The duration of the launch.
    """

    course: Course
    failures: tuple[Failure, ...] = ()
    interrupted: bool = False
    elsewhere: int = 0
    seconds: float = field(default=0.0, compare=False)


class DecisionWatcher(Protocol):
    """Is notified of the steps of a launch until pairs are decided."""

    def launches(self, plan: LaunchPlan) -> AbstractContextManager[LaunchWatcher]:
        """Called before the jobs of an interim analysis are submitted; returns the watcher of these jobs."""
        ...

    def decides(self, stage: Stage) -> None:
        """Called after an interim analysis."""
        ...


def plan_decisions(request: DecisionRequest, registry: Registry) -> DecisionPlan:
    """Fix the interim analyses, or read those of the tag, and find what has been decided. Writes nothing.

    Raises:
        UsageError: A name, a number or an option is wrong, or differs from the design of the tag.
        IncompleteError: The design of the tag is damaged.
        HpoctlError: The store cannot be read.
    """
    _check(request)
    root = open_root(request.launch.results)
    tag, design = _design(request, registry, root)
    _check_same(request, design, registry, root.command("launch", "--tag", tag, "--until-decided"))
    return DecisionPlan(tag, design, course_of(root, tag, design), replace(request.launch, tag=tag), root)


def stage_plans(plan: DecisionPlan, registry: Registry) -> list[LaunchPlan]:
    """The launches for the next interim analysis that have work: one for each set of undecided methods.

    Raises:
        UsageError: The study or a method does not exist any more, or has changed.
        IncompleteError: The design of the tag is damaged.
    """
    return [found for request in _stage(plan, plan.course) if _has_work(found := plan_launch(request, registry))]


def decide(
    plan: DecisionPlan, registry: Registry, watcher: DecisionWatcher, log: str = "", system: SystemTime | None = None
) -> DecisionOutcome:
    """Launch seeds up to each interim analysis, until all pairs are decided or no analysis is left.

    Args:
        plan: The plan.
        registry: What names stand for.
        watcher: Is notified of each step.
        log: Where the output of this process goes; empty: to a terminal.
        system: Where real time comes from.

    Raises:
        UsageError: Another launch has fixed other interim analyses for the tag, or the study has changed.
        IncompleteError: Results that an interim analysis needs exist and cannot be read.
        HpoctlError: The launcher or the store failed; complete experiments are kept.
    """
    system = system or SystemTime()
    began = system.monotonic()
    if keep_design(plan.root.store, plan.tag, plan.design) != plan.design:
        raise UsageError(
            f"Another launch has just fixed other interim analyses for tag {plan.tag}.",
            "Name another --tag, or repeat the command with the pairs and seeds of that launch.",
        )
    course = plan.course
    while course.next_seeds is not None:
        outcomes = _launch_stage(plan, course, registry, watcher, log)
        failures = tuple(failure for outcome in outcomes for failure in outcome.failures)
        interrupted = any(outcome.interrupted for outcome in outcomes)
        seen = course_of(plan.root, plan.tag, plan.design)
        for stage in seen.stages[len(course.stages) :]:
            watcher.decides(stage)
        stuck = len(seen.stages) == len(course.stages) and seen.next_seeds is not None
        course = seen
        if interrupted or failures or stuck:
            elsewhere = sum(outcome.running for outcome in outcomes)
            if stuck and not (interrupted or failures or elsewhere):
                raise _unreadable(plan, course)
            return DecisionOutcome(course, failures, interrupted, elsewhere, system.monotonic() - began)
    return DecisionOutcome(course, seconds=system.monotonic() - began)


def _check(request: DecisionRequest) -> None:
    changes = request.launch.changes
    if changes.methods:
        raise UsageError("--method does not go with --until-decided.", f"Name pairs of methods: {PAIRS}.")
    if changes.num_seeds is not None:
        raise UsageError(
            "--num-seeds does not go with --until-decided.", "Give the largest number of seeds with --max-seeds."
        )
    if request.launch.new_seed or request.launch.allow_mixed:
        raise UsageError(
            "--new-seed and --allow-mixed do not go with --until-decided.",
            "Pairs are decided by seeds of one identity: name another --tag.",
        )


def _design(request: DecisionRequest, registry: Registry, root: Root) -> tuple[str, SequentialDesign]:
    """The tag with its design, or with a new one."""
    tag = request.launch.tag
    if tag is not None and (kept := read_design(root.store, tag)) is not None:
        return tag, kept
    tag, new = _settled(request, registry)
    return tag, read_design(root.store, tag) or new  # a study may name its tag


def _settled(request: DecisionRequest, registry: Registry) -> tuple[str, SequentialDesign]:
    """The tag, and a design for it. Plans all experiments that may be needed, to find errors before anything runs."""
    if not request.pairs or request.max_seeds is None:
        raise UsageError("--until-decided needs pairs and the largest number of seeds.", f"Give both, as in {PAIRS}.")
    if request.max_seeds < 1:
        raise UsageError(f"--max-seeds is {request.max_seeds}.", "Use --max-seeds 60, for example.")
    changes = request.launch.changes
    start = changes.start_seed or 0
    methods = tuple(dict.fromkeys(method for pair in request.pairs for method in pair))
    wanted = replace(changes, methods=methods, start_seed=start, num_seeds=start + request.max_seeds)
    whole = plan_launch(replace(request.launch, changes=wanted), registry)
    newest = whole.plans[-1]
    seeds = (start, request.max_seeds)
    benchmarks = tuple(dict.fromkeys(newest.study.benchmarks))
    study, closing = (newest.source, newest.changes), (request.margin, request.futility is True)
    return whole.tag, new_design(request.pairs, benchmarks, seeds, whole.done, study, closing)


def _check_same(request: DecisionRequest, design: SequentialDesign, registry: Registry, again: str) -> None:
    """Refuse options that contradict the design of the tag."""
    asked = with_names(request.launch.changes, registry, Path.cwd())
    kept, study = design.changes, request.launch.study
    differs = {
        "--pairs": request.pairs and set(request.pairs) != set(design.pairs),
        "--max-seeds": request.max_seeds not in (None, design.looks[-1]),
        "--equivalent-within": request.margin not in (None, design.margin),
        "--futility": request.futility not in (None, design.futility),
        "--benchmark": asked.benchmarks and set(asked.benchmarks) != set(design.benchmarks),
        "--start-seed": asked.start_seed not in (None, design.start_seed),
        "--set": not set(asked.settings) <= set(kept.settings),
        "--study": study is not None and find_study(study, registry, Path.cwd())[1] != design.source,
    }
    for name, value in asked.experiment.items():
        differs[DEFINITIONS[name].option] = value != kept.experiment.get(name)
    wrong = [option for option, different in differs.items() if different]
    if wrong:
        raise UsageError(
            f"The design of the tag has another {' and '.join(wrong)}, and must not change between interim analyses.",
            f"`{again}` continues with the design; another --tag begins anew.",
        )


def _stage(plan: DecisionPlan, course: Course) -> list[LaunchRequest]:
    """The launches for the next interim analysis."""
    if course.next_seeds is None:
        return []
    methods: dict[str, dict[str, None]] = {}
    for question in course.open:
        methods.setdefault(question.benchmark, {}).update(dict.fromkeys((question.first, question.second)))
    groups: dict[tuple[str, ...], list[str]] = {}
    for benchmark, names in methods.items():
        groups.setdefault(tuple(name for name in plan.design.methods if name in names), []).append(benchmark)
    return [_group(plan, course.next_seeds, names, benchmarks) for names, benchmarks in groups.items()]


def _group(plan: DecisionPlan, seeds: int, methods: tuple[str, ...], benchmarks: Sequence[str]) -> LaunchRequest:
    design, asked = plan.design, plan.request.changes
    changes = replace(
        design.changes,
        methods=methods,
        benchmarks=tuple(benchmarks),
        settings=tuple(text for text in design.changes.settings if parse_setting(text).owner in methods),
        start_seed=design.start_seed,
        num_seeds=design.start_seed + seeds,
        launcher=asked.launcher,
        launcher_options=asked.launcher_options,
    )
    return replace(plan.request, changes=changes, study=design.source)


def _has_work(plan: LaunchPlan) -> bool:
    return bool(plan.jobs or plan.live or plan.running)


def _launch_stage(
    plan: DecisionPlan, course: Course, registry: Registry, watcher: DecisionWatcher, log: str
) -> list[LaunchOutcome]:
    """Launch all groups of an interim analysis; stop after an interruption."""
    outcomes: list[LaunchOutcome] = []
    for request in _stage(plan, course):
        planned = plan_launch(request, registry)
        if _has_work(planned):
            with watcher.launches(planned) as bars:
                outcomes.append(launch(planned, bars, log))
            if outcomes[-1].interrupted:
                break
    return outcomes


def _unreadable(plan: DecisionPlan, course: Course) -> IncompleteError:
    where = ", ".join(str(question) for question in course.open[:3])
    return IncompleteError(
        f"The interim analysis at {course.next_seeds} seeds has all results, but some cannot be compared: {where}.",
        f"`{plan.root.command('compare', '--tag', plan.tag)}` shows which are left out, and why.",
    )
