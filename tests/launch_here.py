"""Launches without worker processes: their experiments run in this process, with the real plans, claims and store."""

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hpoctl import builtins
from hpoctl.core.entries import Benchmark, LauncherEntry
from hpoctl.core.jobs import Activity, Failure, Job, JobStatus, Task
from hpoctl.core.options import NoOptions
from hpoctl.core.study import Study
from hpoctl.ops.launching.launch import LaunchOutcome, LaunchProgress, launch
from hpoctl.ops.launching.launch_plan import LaunchPlan, LaunchRequest, plan_launch
from hpoctl.ops.running.worker import WorkerContext, work
from hpoctl.plugins import Registry, hookimpl, load_registry
from hpoctl.stores.claims import LocalClaims
from hpoctl.stores.local import LocalStore
from hpoctl.testing import toy_benchmark

Listener = Callable[[Mapping[str, Any]], None]
PATIENCE = 60.0
"""Seconds that another process may take with an experiment."""


class Nobody:
    """Watches no launch."""

    def begins(self, random_seed: int) -> None:
        pass

    def shows(self, progress: LaunchProgress) -> None:
        pass


class Here:
    """A launcher that runs all experiments in this process when they are submitted, in a separate order."""

    def __init__(self, tag: str, registry: Registry, rng: random.Random | None, listen: Listener) -> None:
        self._tag = tag
        self._registry = registry
        self._rng = rng
        self._listen = listen
        self._jobs: dict[str, JobStatus] = {}

    def submit(self, jobs: Sequence[Job]) -> Sequence[str]:
        tasks = [(job, task) for job in jobs for task in job.tasks]
        if self._rng is not None:
            self._rng.shuffle(tasks)
        failures: dict[str, list[Failure]] = {job.name: [] for job in jobs}
        deadline = time.monotonic() + PATIENCE
        while tasks:
            held = []
            for job, task in tasks:
                outcome, error = self._run(job, task)
                if outcome == "held":
                    held.append((job, task))
                elif outcome == "failed":
                    failures[job.name].append(Failure(task.cell, error))
            if held and time.monotonic() > deadline:
                raise TimeoutError(f"experiments are held forever: {held}")
            tasks = held
            time.sleep(0.001 if held else 0.0)
        for job in jobs:
            failed = failures[job.name]
            self._jobs[job.name] = JobStatus(
                "failed" if failed else "done", len(job.tasks) - len(failed), tuple(failed)
            )
        return [job.name for job in jobs]

    def poll(self, receipts: Sequence[str], seconds: float) -> Sequence[JobStatus]:
        return [self._jobs[receipt] for receipt in receipts]

    def find(self, jobs: Sequence[Job]) -> Sequence[str]:
        return [job.name for job in jobs]

    def log(self, receipt: str) -> str:
        return ""

    def activity(self) -> Sequence[Activity]:
        return ()

    def cancel(self, receipts: Sequence[str]) -> None:
        pass

    def _run(self, job: Job, task: Task) -> tuple[str, str]:
        # A worker is told the tag's random seed by its command line, and so are we.
        random_seed = json.loads(job.command[-1])["random_seed"]
        root = Path(job.results)
        context = WorkerContext(
            LocalStore(root), LocalClaims(root), self._registry, self._tag, random_seed, "hpoctl launch", None
        )
        said: list[Mapping[str, Any]] = []

        def answer(message: Mapping[str, Any]) -> None:
            self._listen(message)
            said.append(message)

        work([json.dumps({"plan": task.plan, **asdict(task.cell)})], answer, context)
        return said[-1]["outcome"], said[-1]["error"]


def launch_here(
    request: LaunchRequest,
    registry: Registry,
    rng: random.Random | None = None,
    listen: Listener = lambda message: None,
) -> tuple[LaunchPlan, LaunchOutcome, Counter[str]]:
    """Plan and launch.

    Args:
        request: What to launch.
        registry: What names stand for.
        rng: The order of the experiments is drawn from it; None: that of the plan.
        listen: Is told all that a worker says.

    Returns:
        The plan, what came of it, and how often each outcome of an experiment occurred.
    """
    plan = plan_launch(request, registry)
    outcomes: Counter[str] = Counter()

    def told(message: Mapping[str, Any]) -> None:
        outcomes.update([message["outcome"]] if message["event"] == "ended" else [])
        listen(message)

    here = LauncherEntry("local", "In this process", lambda options: Here(plan.tag, registry, rng, told), NoOptions())
    return plan, launch(replace(plan, launcher=here), Nobody()), outcomes


def toy_registry(
    studies: Sequence[Study], benchmarks: Sequence[Benchmark] = (), launchers: Sequence[LauncherEntry] = ()
) -> Registry:
    """The built-in methods with toy benchmarks `toy` and `toy-2`, others, some studies and launchers; no plugin."""

    @hookimpl
    def hpoctl_benchmarks() -> Sequence[Benchmark]:
        return [toy_benchmark(budget=100.0), toy_benchmark(name="toy-2", budget=150.0), *benchmarks]

    @hookimpl
    def hpoctl_studies() -> Sequence[Study]:
        return studies

    @hookimpl
    def hpoctl_launchers() -> Sequence[LauncherEntry]:
        return launchers

    hooks = {"hpoctl_benchmarks": hpoctl_benchmarks, "hpoctl_studies": hpoctl_studies}
    toys = SimpleNamespace(__name__="toys", hpoctl_launchers=hpoctl_launchers, **hooks)
    return load_registry([builtins, toys], ())


@contextmanager
def no_stderr() -> Iterator[None]:
    """Let standard error go nowhere: a worker empties it before each experiment where it is a file."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
