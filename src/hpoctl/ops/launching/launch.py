"""`hpoctl launch`: submit the missing experiments of a study, and watch them until they are done."""

import platform
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Protocol

from hpoctl.core.canonical import canonical_json, content_hash
from hpoctl.core.cells import Cell
from hpoctl.core.clock import SystemTime
from hpoctl.core.jobs import Activity, Failure, Job, JobStatus, Launcher
from hpoctl.core.places import is_address
from hpoctl.ops.launching.costs import read_costs, seconds_left, write_costs
from hpoctl.ops.launching.launch_plan import LaunchPlan
from hpoctl.ops.launching.launches import keep_launch
from hpoctl.ops.launching.reconcile import launch_seconds
from hpoctl.ops.running.job import RUNNER
from hpoctl.ops.running.worker import worker_words
from hpoctl.ops.studies.provenance import command_line, git_commit
from hpoctl.ops.studies.shared_scripts import share_scripts
from hpoctl.ops.studies.tags import TagPlan, keep_plan, keep_random_seed
from hpoctl.ops.tables.shared_tables import share_tables
from hpoctl.stores.ledger import Attempt, Standing, read_attempts, standings

TICK = 0.1
"""Seconds between two looks at the launcher, when nothing happens."""


@dataclass(frozen=True, slots=True)
class LaunchProgress:
    """How far a launch is.

    Attributes:
        total: How many experiments it has submitted.
        done: How many of them are complete.
        failures: Those that failed, in the order in which that was noticed.
        activity: What is being done now.
        elapsed: Seconds since it began.
        left: How many seconds it is expected to take still.
    """

    total: int
    done: int
    failures: tuple[Failure, ...]
    activity: Sequence[Activity]
    elapsed: float
    left: float


class LaunchWatcher(Protocol):
    """Somebody who watches a launch."""

    def begins(self, random_seed: int) -> None:
        """The random seed is settled, and jobs are about to be submitted."""
        ...

    def shows(self, progress: LaunchProgress) -> None:
        """How far it is, several times a second."""
        ...


@dataclass(frozen=True, slots=True)
class LaunchOutcome:
    """What came of a launch.

    Attributes:
        random_seed: The random seed.
        done: How many of the wanted experiments are complete now.
        wanted: How many are wanted.
        reported: Those of its jobs' experiments of which a worker has reported that they failed, and that are not
            complete now.
        lost: Those of which no worker has reported anything: their job ended without them.
        seconds: How long the launch took.
        interrupted: Whether it was interrupted.
        running: How many other processes are running.
    """

    random_seed: int
    done: int
    wanted: int
    reported: tuple[Failure, ...]
    lost: tuple[Failure, ...]
    seconds: float
    interrupted: bool
    running: int

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The experiments of its jobs that are not complete, although their jobs have ended."""
        return (*self.reported, *self.lost)

    @property
    def complete(self) -> bool:
        """Whether all that is wanted is complete."""
        return self.done == self.wanted


def launch(plan: LaunchPlan, watcher: LaunchWatcher, log: str = "", system: SystemTime | None = None) -> LaunchOutcome:
    """Submit the planned jobs and watch them until all have ended.

    Args:
        plan: What to do.
        watcher: Watches.
        log: Where the output of this process goes; empty: to a terminal.
        system: Where real time comes from.

    Raises:
        HpoctlError: The launcher or the store failed; what is complete is kept.
    """
    system = system or SystemTime()
    began = system.monotonic()
    store, claims = plan.root.store, plan.root.claims
    random_seed = settle(plan)
    plans = [
        known if known.name else keep_plan(store, plan.tag, known.study, known.source, known.changes)
        for known in plan.plans
    ]
    before = [task for job in plan.live for task in job.tasks]
    total, expected = plan.experiments + len(before), max(plan.seconds, launch_seconds(before, plan.workers))
    if plan.jobs or plan.live:
        keep_launch(store, claims, plan.tag, plan.workers, system.utc(), command_line(), log, (total, expected))
    watcher.begins(random_seed)
    jobs = _jobs(plan, plans, random_seed)
    if jobs and plan.launcher.outlives and is_address(store.location("")):
        # On this machine, and on those that share its disks, jobs find tables and scripts where they are.
        needed = {task.cell.benchmark for job in jobs for task in job.tasks}
        share_tables(store, plan.tag, sorted(needed), _untold)
        for known in plans:
            files = known.study.benchmark_files
            share_scripts(store, plan.tag, known.name, (files[name] for name in sorted(needed & files.keys())))
    launcher: Launcher = plan.launcher.make(plan.launcher_options)
    interrupted = False
    statuses: Sequence[JobStatus] = ()
    receipts: Sequence[str] = ()
    try:
        receipts = [*launcher.submit(jobs), *launcher.find(plan.live)]
        running = bool(receipts)
        while running:
            statuses = launcher.poll(receipts, TICK)
            elapsed = system.monotonic() - began
            watcher.shows(_progress(total, expected, statuses, launcher.activity(), elapsed))
            running = any(status.live for status in statuses)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        if not plan.launcher.outlives:
            launcher.cancel(receipts)
    watched = [*jobs, *plan.live]
    return _outcome(plan, plans, watched, statuses, random_seed, system.monotonic() - began, interrupted=interrupted)


def _untold(what: str, done: int, total: int | None) -> None:
    """Nobody is told how far an upload is."""


def settle(plan: LaunchPlan) -> int:
    """Store the tag's random seed, unless another launch has just done so; returns the one that counts."""
    return keep_random_seed(plan.root.store, plan.tag, plan.random_seed.value, replace=plan.new_seed)


def _jobs(plan: LaunchPlan, plans: Sequence[TagPlan], random_seed: int) -> list[Job]:
    """The jobs with the command of a worker for them.

    A job that may outlive its launch is named after what it has to do: the same again, by another launch at the same
    time or after this one was killed, is the same job; another try after it has ended is another one.
    """
    # Equal plans are kept once, so a plan's place among them is its name.
    names = {wanted.name: kept.name for wanted, kept in zip(plan.plans, plans, strict=True)}
    root = plan.root.store.location("")
    words = worker_words(plan.tag, random_seed, root, command_line(), git_commit())
    tasks = {job.name: tuple(replace(task, plan=names[task.plan]) for task in job.tasks) for job in plan.jobs}
    jobs = [Job(name, plan.tag, root, words, own, RUNNER) for name, own in tasks.items()]
    return [replace(job, name=_new_name(job, plan.ended)) for job in jobs] if plan.launcher.outlives else jobs


def _new_name(job: Job, ended: Container[str]) -> str:
    """The first name of such a job that no job has had that has ended."""
    what = [(task.plan, str(task.cell)) for task in job.tasks]
    names = (f"{job.name}-{content_hash(canonical_json([what, attempt]))[:8]}" for attempt in count())
    return next(name for name in names if name not in ended)


def _progress(
    total: int, expected: float, statuses: Sequence[JobStatus], activity: Sequence[Activity], elapsed: float
) -> LaunchProgress:
    done = sum(status.done for status in statuses)
    failures = tuple(failure for status in statuses for failure in status.failures)
    left = seconds_left(total, done + len(failures), elapsed, expected)
    return LaunchProgress(total, done, failures, activity, elapsed, left)


def _outcome(
    plan: LaunchPlan,
    plans: Sequence[TagPlan],
    jobs: Sequence[Job],
    statuses: Sequence[JobStatus],
    random_seed: int,
    seconds: float,
    *,
    interrupted: bool,
) -> LaunchOutcome:
    """Counted from the results themselves, because others may have launched the same tag."""
    cells = [cell for kept in plans for cell in kept.study.cells()]
    found = standings(plan.tag, cells, read_attempts(plan.root.store, plan.tag), plan.root.claims)
    submitted = {task.cell for job in jobs for task in job.tasks}
    _learn([standing for cell, standing in found.items() if cell in submitted])
    states = [found[cell].state for cell in dict.fromkeys(cells)]
    reported = [failure for status in statuses for failure in status.failures if found[failure.cell].state != "done"]
    lost = () if interrupted else _lost(jobs, statuses, found, {failure.cell for failure in reported})
    return LaunchOutcome(
        random_seed=random_seed,
        done=states.count("done"),
        wanted=len(states),
        reported=tuple(reported),
        lost=lost,
        seconds=seconds,
        interrupted=interrupted,
        running=states.count("running"),
    )


def _lost(
    jobs: Sequence[Job], statuses: Sequence[JobStatus], found: Mapping[Cell, Standing], reported: Container[Cell]
) -> tuple[Failure, ...]:
    """The experiments that are not complete although their job has ended, and that no failure was reported of."""
    return tuple(
        Failure(task.cell, f"job {job.name} ended without it: {status.reason or 'the launcher does not say why'}")
        for job, status in zip(jobs, statuses, strict=False)  # no status: nothing was polled
        for task in job.tasks
        if task.cell not in reported and found[task.cell].state in {"missing", "failed"}
    )


def _learn(standing: Sequence[Standing]) -> None:
    """Remember what the experiments of this launch took."""
    new: list[Attempt] = [found.current for found in standing if found.state == "done" and found.current is not None]
    if new:
        write_costs(read_costs().with_attempts(new, platform.node()))
