"""The contract of a launcher: every experiment is run once, one that fails is named, and what is cancelled stops."""

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hpoctl.core.cells import Cell, claim_key
from hpoctl.core.jobs import Job, JobStatus, Launcher, Task
from hpoctl.core.study import Study
from hpoctl.ops.jobs import plan_jobs
from hpoctl.ops.tags import keep_plan
from hpoctl.ops.worker import worker_words
from hpoctl.stores.claims import LocalClaims
from hpoctl.stores.ledger import Attempt, Standing, read_attempts, standings
from hpoctl.stores.local import LocalStore
from hpoctl.testing import toy_plugin
from hpoctl.testing.contract import ContractError, require

TAG = "toys"
PLUGIN = "hpoctl-toys"
PATIENCE = 60.0
"""Seconds that a launcher gets for what it should do at once."""

STOPS = 4.0
"""Seconds within which cancelled jobs have stopped: two, and two more for a machine that does other things, too."""

ENDED = frozenset({"done", "failed"})


def check_launcher(make: Callable[[], Launcher]) -> None:
    """Check a launcher on toy experiments, which it runs; takes some ten seconds on one machine.

    Args:
        make: Makes a launcher. Its workers have to see the temporary folder of this machine.

    Raises:
        ContractError: What is broken.
    """
    require(_states(make().poll(["nobody's"], 0.0)) == ["unknown"], "the state of an unknown receipt is not unknown")
    for check in (_check_failures, _check_once, _check_cancel, _check_done):
        with tempfile.TemporaryDirectory(prefix="hpoctl-") as folder:
            check(make, ToyJobs(Path(folder)))


@dataclass(frozen=True)
class ToyJobs:
    """A study of quick experiments in a folder, with a plugin that only its own workers see.

    Attributes:
        folder: The folder, for results, plugin and trip wires.
        seeds: How many seeds it has, for each of two methods on two benchmarks.
    """

    folder: Path
    seeds: int = 2

    @property
    def store(self) -> LocalStore:
        """Where results go."""
        return LocalStore(self.folder / "results")

    def cells(self, method: str) -> list[Cell]:
        """The experiments of a method: RS has one job, RS-EACH one for each seed."""
        return [cell for cell in self._study().cells() if cell.method == method]

    def jobs(self, cells: Iterable[Cell] | None = None) -> tuple[Job, ...]:
        """Jobs for some experiments; None: all of them."""
        study = self._study()
        plan = keep_plan(self.store, TAG, study, study.name)
        tasks = [Task(plan.name, cell, 1.0) for cell in (study.cells() if cells is None else cells)]
        planned = plan_jobs(TAG, tasks, {"RS": False, "RS-EACH": True})
        command = self._command()
        return tuple(Job(job.name, str(self.store.root), command, job.tasks) for job in planned)

    def set_wire(self, name: object, fate: str) -> None:
        """Decide what happens to an experiment from now on, or to the opening of a table; see `toy_plugin`."""
        self._wires().mkdir(parents=True, exist_ok=True)
        toy_plugin.wire(self._wires(), str(name)).write_text(fate, encoding="utf-8")

    def cut_wire(self, name: object) -> None:
        """Let what waits go on, and nothing else happen to it."""
        toy_plugin.wire(self._wires(), str(name)).unlink(missing_ok=True)

    def attempts(self) -> list[Attempt]:
        """All attempts at experiments."""
        return read_attempts(self.store, TAG, verify=True)

    def standings(self) -> dict[Cell, Standing]:
        """Where all experiments stand."""
        return standings(TAG, self._study().cells(), self.attempts(), LocalClaims(self.store.root))

    def running(self) -> set[Cell]:
        """The experiments that somebody runs."""
        claims = LocalClaims(self.store.root)
        return {cell for cell in self._study().cells() if claims.held(claim_key(TAG, cell))}

    def _study(self) -> Study:
        methods, benchmarks = ("RS", "RS-EACH"), ("toy-1", "toy-2")
        return Study("toys", "Toys", methods, benchmarks, self.seeds, extra_results=("trip-wire",))

    def _wires(self) -> Path:
        return self.folder / "wires"

    def _command(self) -> tuple[str, ...]:
        plugins = self.folder / "plugins"
        write_entry_point(plugins, PLUGIN, toy_plugin.__name__)
        path = os.pathsep.join([str(plugins), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {"PYTHONPATH": path, "HPOCTL_PLUGINS": PLUGIN, toy_plugin.WIRES: str(self._wires())}
        words = ("env", *(f"{name}={value}" for name, value in environment.items()))
        return (*words, *worker_words(TAG, 7, self.store.root, "hpoctl launch", None))


def write_entry_point(folder: Path, name: str, module: str) -> None:
    """Install a plugin whose module is there already: the metadata that an installer would write."""
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[hpoctl]\n{name} = {module}\n", encoding="utf-8")


def finish(launcher: Launcher, receipts: Sequence[str], patience: float = PATIENCE) -> Sequence[JobStatus]:
    """Poll until all jobs have ended.

    Raises:
        ContractError: They do not.
    """
    statuses: Sequence[JobStatus] = ()

    def ended() -> bool:
        nonlocal statuses
        statuses = launcher.poll(receipts, 0.1)
        require(len(statuses) == len(receipts), "poll does not give a status for each receipt")
        return all(status.state in ENDED for status in statuses)

    wait_until(ended, "jobs do not end", patience)
    return statuses


def wait_until(condition: Callable[[], object], otherwise: str, patience: float = PATIENCE) -> None:
    """Ask again and again until it holds.

    Raises:
        ContractError: It does not in time.
    """
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise ContractError(f"{otherwise}, not within {patience:g} seconds")
        time.sleep(0.01)


@contextmanager
def _launching(make: Callable[[], Launcher], jobs: Sequence[Job]) -> Iterator[tuple[Launcher, list[str]]]:
    launcher = make()
    receipts: list[str] = []
    try:
        receipts.extend(launcher.submit(jobs))
        require(len(receipts) == len(jobs), "submit does not give a receipt for each job")
        yield launcher, receipts
    finally:
        launcher.cancel(receipts)


def _check_done(make: Callable[[], Launcher], toys: ToyJobs) -> None:
    jobs = toys.jobs()
    with _launching(make, jobs) as (launcher, receipts):
        statuses = finish(launcher, receipts)
        require(_states(statuses) == ["done"] * len(jobs), f"jobs that do nothing wrong end as {_states(statuses)}")
        counts = [status.done for status in statuses]
        require(counts == [len(job.tasks) for job in jobs], f"of each job's experiments {counts} are said to be done")
        _require_once(toys, "")
        launcher.activity()
        launcher.cancel(receipts)
        launcher.cancel([*receipts, "nobody's"])
        require(_states(launcher.poll(receipts, 0.0)) == ["done"] * len(jobs), "cancel of what has ended changes it")


def _check_once(make: Callable[[], Launcher], toys: ToyJobs) -> None:
    jobs = toys.jobs()
    held = toys.cells("RS")[0]
    toys.set_wire(held, "wait")
    with _launching(make, jobs) as (one, receipts):
        again = list(one.submit(jobs))
        _poll_until(one, receipts, lambda: held in toys.running(), "an experiment does not begin")
        with _launching(make, jobs) as (other, others):
            _check_waits(other, others, len(toys.standings()) - 1)
            toys.cut_wire(held)
            finish(one, [*receipts, *again])
            statuses = finish(other, others)
            require(_states(statuses) == ["done"] * len(jobs), "what another launcher has completed is not done")
    _require_once(toys, " that was submitted twice")


def _check_failures(make: Callable[[], Launcher], toys: ToyJobs) -> None:
    jobs = toys.jobs()
    fates = {toys.cells("RS")[1]: "fail", toys.cells("RS-EACH")[0]: "exit"}
    for cell, fate in fates.items():
        toys.set_wire(cell, fate)
    with _launching(make, jobs) as (launcher, receipts):
        statuses = finish(launcher, receipts)
    for job, status in zip(jobs, statuses, strict=True):
        failing = {task.cell for task in job.tasks} & set(fates)
        state = "failed" if failing else "done"
        require(status.state == state, f"a job with {len(failing)} experiments that fail ends as {status.state}")
        require(status.done == len(job.tasks) - len(failing), "a failure costs other experiments of the job, too")
        require({failure.cell for failure in status.failures} == failing, "failures do not name what failed")
        require(all(failure.error.strip() for failure in status.failures), "a failure does not say why")
    for cell, standing in toys.standings().items():
        expected = "failed" if cell in fates else "done"
        require(standing.state == expected, f"an experiment that should be {expected} is {standing.state}")
        require(standing.state == "done" or standing.reason, "nothing beside an experiment says why it failed")


def _check_cancel(make: Callable[[], Launcher], toys: ToyJobs) -> None:
    jobs = toys.jobs()
    for cell in toys.standings():
        toys.set_wire(cell, "wait")
    with _launching(make, jobs) as (launcher, receipts):
        _poll_until(launcher, receipts, lambda: _begun(toys), "an experiment does not begin")
        began = time.monotonic()
        launcher.cancel(receipts)
        wait_until(lambda: not toys.running(), "cancelled experiments go on", STOPS - (time.monotonic() - began))
        launcher.cancel(receipts)
        require(not toys.running() and not _done(toys), "cancelled experiments begin, or end, all the same")
    for cell in toys.standings():
        toys.cut_wire(cell)
    with _launching(make, jobs) as (launcher, receipts):
        statuses = finish(launcher, receipts)
        require(_states(statuses) == ["done"] * len(jobs), "what was cancelled cannot be run later")
    require(len(_done(toys)) == len(toys.standings()), "what was cancelled is not run later")


def _check_waits(launcher: Launcher, receipts: Sequence[str], others: int) -> None:
    """A launcher that has all but one experiment waits for that one, which another launcher runs."""
    done = 0

    def polled() -> bool:
        nonlocal done
        done = sum(status.done for status in launcher.poll(receipts, 0.05))
        return done >= others

    wait_until(polled, "what another launcher has completed is not done")
    for _ in range(10):
        polled()
        require(done == others, "an experiment is done that another launcher still runs")


def _poll_until(
    launcher: Launcher, receipts: Sequence[str], condition: Callable[[], object], otherwise: str
) -> Sequence[JobStatus]:
    statuses: Sequence[JobStatus] = ()

    def polled() -> object:
        nonlocal statuses
        statuses = launcher.poll(receipts, 0.05)
        return condition()

    wait_until(polled, otherwise)
    return statuses


def _require_once(toys: ToyJobs, what: str) -> None:
    require(len(_done(toys)) == len(toys.standings()), f"an experiment{what} is not complete")
    attempts = toys.attempts()
    require(len(attempts) == len(toys.standings()), f"an experiment{what} is run more than once")


def _begun(toys: ToyJobs) -> bool:
    return any(attempt.recorded == "running" for attempt in toys.attempts())


def _done(toys: ToyJobs) -> list[Cell]:
    return [cell for cell, standing in toys.standings().items() if standing.state == "done"]


def _states(statuses: Sequence[JobStatus]) -> list[str]:
    return [status.state for status in statuses]
