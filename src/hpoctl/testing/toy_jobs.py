"""Toy experiments in jobs, as launchers get them, with a plugin that only their own workers see."""

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import RESULTS, Cell, claim_key
from hpoctl.core.jobs import Job, Task
from hpoctl.core.storage import Store
from hpoctl.core.study import Study
from hpoctl.ops.launching.reconcile import plan_jobs
from hpoctl.ops.running.job import RUNNER
from hpoctl.ops.running.worker import worker_words
from hpoctl.ops.studies.tags import keep_plan
from hpoctl.stores.ledger import Attempt, Standing, read_attempts, standings
from hpoctl.stores.opening import Opened, open_results
from hpoctl.testing import toy_plugin

TAG = "toys"
PLUGIN = "hpoctl-toys"


@dataclass(frozen=True)
class ToyJobs:
    """A study of quick experiments in a folder, with a plugin that only its own workers see.

    Attributes:
        folder: The folder, for plugin and trip wires.
        seeds: How many seeds it has, for each of two methods on two benchmarks.
        root: The root of results: a path or an address; None: a folder in `folder`.
    """

    folder: Path
    seeds: int = 2
    root: str | None = None

    @property
    def store(self) -> Store:
        """Where results go."""
        return self._opened.store

    def cells(self, method: str) -> list[Cell]:
        """The experiments of a method: RS has one job, RS-EACH one for each seed."""
        return [cell for cell in self._study().cells() if cell.method == method]

    def jobs(self, cells: Iterable[Cell] | None = None, attempt: int = 0) -> tuple[Job, ...]:
        """Jobs for some experiments; None: all of them.

        Another attempt at them has other names, and so has another study: one that looks for the process of a job by
        its name finds no other.
        """
        study = self._study()
        plan = keep_plan(self.store, TAG, study, study.name)
        tasks = [Task(plan.name, cell, 1.0) for cell in (study.cells() if cells is None else cells)]
        planned = plan_jobs(TAG, tasks, {"RS": False, "RS-EACH": True})
        command, own = self._command(), content_hash(str(self.folder).encode())[:6]
        names = [f"{job.name}-{own}-{attempt}" for job in planned]
        jobs = zip(names, planned, strict=True)
        return tuple(Job(name, TAG, self._root(), command, job.tasks, RUNNER) for name, job in jobs)

    def set_wire(self, name: object, fate: str) -> None:
        """Decide what happens to an experiment from now on, or to the opening of a table; see `toy_plugin`."""
        self._wires().mkdir(parents=True, exist_ok=True)
        toy_plugin.wire(self._wires(), str(name)).write_text(fate, encoding="utf-8")

    def cut_wire(self, name: object) -> None:
        """Let waiting experiments continue."""
        toy_plugin.wire(self._wires(), str(name)).unlink(missing_ok=True)

    def attempts(self) -> list[Attempt]:
        """All attempts at experiments."""
        return read_attempts(self.store, TAG, verify=True)

    def standings(self) -> dict[Cell, Standing]:
        """Where all experiments stand."""
        return standings(TAG, self._study().cells(), self.attempts(), self._opened.claims)

    def running(self) -> set[Cell]:
        """The experiments that are running."""
        claims = self._opened.claims
        return {cell for cell in self._study().cells() if claims.held(claim_key(TAG, cell))}

    def _study(self) -> Study:
        methods, benchmarks = ("RS", "RS-EACH"), ("toy-1", "toy-2")
        return Study("toys", "Toys", methods, benchmarks, self.seeds, extra_results=("trip-wire",))

    def _root(self) -> str:
        return self.root or str(self.folder / "results")

    @cached_property
    def _opened(self) -> Opened:
        return open_results(self._root())

    def _wires(self) -> Path:
        return self.folder / "wires"

    def _command(self) -> tuple[str, ...]:
        plugins = self.folder / "plugins"
        if not plugins.exists():  # once: workers read it
            write_entry_point(plugins, PLUGIN, toy_plugin.__name__)
        path = os.pathsep.join([str(plugins), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {"PYTHONPATH": path, "HPOCTL_PLUGINS": PLUGIN, toy_plugin.WIRES: str(self._wires())}
        words = ("env", *(f"{name}={value}" for name, value in environment.items()))
        return (*words, *worker_words(TAG, 7, self._root(), "hpoctl launch", None))


def run_to_end(words: Sequence[str], folder: Path, environment: Mapping[str, str], patience: float) -> tuple[int, str]:
    """Run a command in a folder; returns its exit status and all that it printed.

    Raises:
        TimeoutExpired: It takes more than `patience` seconds.
    """
    done = subprocess.run(  # noqa: S603 - a command of a test, no shell
        words,
        cwd=folder,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=patience,
    )
    return done.returncode, done.stdout


def complete_results(store: Store, attempts: Iterable[Attempt]) -> dict[Cell, bytes]:
    """The rows of each experiment that is complete, as they lie in the store."""
    return {
        attempt.cell: store.get(f"{attempt.directory}/{RESULTS}")
        for attempt in attempts
        if attempt.cell is not None and attempt.recorded == "completed"
    }


def write_entry_point(folder: Path, name: str, module: str) -> None:
    """Install a plugin whose module is there already: the metadata that an installer would write."""
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[hpoctl]\n{name} = {module}\n", encoding="utf-8")
