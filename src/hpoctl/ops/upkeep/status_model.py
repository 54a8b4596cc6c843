"""How far a tag is: experiments by method and benchmark, failures, damage, jobs, training, time left, next commands."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hpoctl.core.cells import Cell
from hpoctl.core.metadata_head import TrialProgress
from hpoctl.ops.launching.launches import Launch
from hpoctl.ops.studies.config import Root
from hpoctl.ops.studies.seed_ranges import runs
from hpoctl.ops.upkeep.time_left import TimeLeft
from hpoctl.ops.upkeep.work_files import WorkUse
from hpoctl.stores.ledger import State


@dataclass(frozen=True, slots=True)
class SeedSet:
    """Some seeds.

    Attributes:
        count: How many.
        seeds: Which, such as `0-3, 7`.
    """

    count: int
    seeds: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A method on a benchmark.

    Attributes:
        method: The name of the method.
        benchmark: The name of the benchmark.
        done: Complete experiments.
        running: Those that a process runs.
        failed: Those whose last attempt failed, died or left a damaged result.
        missing: Those that were never started, or that were interrupted.
        wanted: Those that a plan of the tag wants.
        extra: Those that no plan wants.
    """

    method: str
    benchmark: str
    done: SeedSet
    running: SeedSet
    failed: SeedSet
    missing: SeedSet
    wanted: SeedSet
    extra: SeedSet

    @property
    def total(self) -> int:
        """How many experiments there are, wanted or not."""
        return self.wanted.count + self.extra.count


@dataclass(frozen=True, slots=True)
class Totals:
    """How many experiments there are of each kind; see `Pair`."""

    done: int = 0
    running: int = 0
    failed: int = 0
    missing: int = 0
    wanted: int = 0
    extra: int = 0

    @property
    def total(self) -> int:
        """How many experiments there are, wanted or not."""
        return self.wanted + self.extra


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Experiments of a method on a benchmark that failed for one reason.

    Attributes:
        method: The name of the method.
        benchmark: The name of the benchmark.
        seeds: Their seeds.
        reason: Why, in one line.
    """

    method: str
    benchmark: str
    seeds: SeedSet
    reason: str


@dataclass(frozen=True, slots=True)
class Damaged:
    """A result that does not count, because its files are not as they were written.

    Attributes:
        path: Where it is.
        cause: What is wrong with it.
        cell: The experiment; None if its metadata cannot be read.
        replaced: Whether another attempt at the experiment is complete.
    """

    path: str
    cause: str
    cell: Cell | None
    replaced: bool


@dataclass(frozen=True, slots=True)
class JobLine:
    """A job that a launcher elsewhere has been given.

    Attributes:
        name: Its name.
        launcher: The launcher.
        state: Its state.
        experiments: How many it has.
        done: How many of them it says are complete.
        failed: How many of them it says have failed.
        reason: Why it failed or waits, in one line; empty: nothing to say.
        submitted: When it was first submitted, in seconds since 1970.
    """

    name: str
    launcher: str
    state: str
    experiments: int
    done: int
    failed: int
    reason: str
    submitted: float


@dataclass(frozen=True, slots=True)
class Training:
    """An experiment with real trials that is not complete.

    Attributes:
        cell: The experiment.
        state: Its state.
        progress: How far it is or came.
        budget: Its budget in seconds of its clock.
    """

    cell: Cell
    state: State
    progress: TrialProgress
    budget: float


@dataclass(frozen=True, slots=True)
class StudyStatus:
    """How far a tag is.

    Attributes:
        tag: The tag.
        location: Where its results are.
        methods: The methods, in the order of the plans.
        benchmarks: The benchmarks, in the order of the plans.
        pairs: Each method on each benchmark, so far as there are experiments.
        totals: All of them together.
        failures: Why experiments failed, those with damaged results left out.
        damaged: Damaged results.
        earlier_attempts: How many attempts there are that another one took the place of.
        launches: The launches that run.
        time_left: How long the rest takes; None: nothing is left.
        size: Bytes on disk.
        to_launch: How many experiments the next launch would run.
        to_run: Experiments of no plan that failed or were interrupted: no launch runs them.
        jobs: Jobs that launchers elsewhere have been given.
        problems: What could not be read, a line each.
        imported: How many of the complete experiments of a method are imported, by where they come from and method.
        outcomes: How many trials of all experiments with real trials stand how.
        training: The experiments with real trials that are not complete.
        work: What their working files take of the disk of this machine.
    """

    tag: str
    location: str
    methods: tuple[str, ...]
    benchmarks: tuple[str, ...]
    pairs: tuple[Pair, ...]
    totals: Totals
    failures: tuple[FailureGroup, ...]
    damaged: tuple[Damaged, ...]
    earlier_attempts: int
    launches: tuple[Launch, ...]
    time_left: TimeLeft | None
    size: int
    to_launch: int
    to_run: tuple[Cell, ...]
    jobs: tuple[JobLine, ...]
    problems: tuple[str, ...]
    imported: Mapping[str, Mapping[str, int]]
    outcomes: Mapping[str, int] = field(default_factory=dict)
    training: tuple[Training, ...] = ()
    work: WorkUse = field(default_factory=WorkUse)

    @property
    def complete(self) -> bool:
        """Whether every experiment is done, and all that is wanted could be read."""
        return self.totals.done == self.totals.total and not self.problems


def next_commands(status: StudyStatus, root: Root) -> list[str]:
    """The commands that mend what is not done, to copy and paste."""
    commands = [root.command("launch", "--tag", status.tag)] if status.to_launch else []
    by_method: dict[tuple[str, str], list[int]] = {}
    for cell in status.to_run:
        by_method.setdefault((cell.method, cell.benchmark), []).append(cell.seed)
    groups: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for (method, benchmark), seeds in by_method.items():
        groups.setdefault((method, tuple(sorted(seeds))), []).append(benchmark)
    for (method, numbers), benchmarks in groups.items():
        named = [word for benchmark in benchmarks for word in ("--benchmark", benchmark)]
        for first, last in runs(numbers):
            ends = ["--start-seed", str(first), "--num-seeds", str(last + 1)]
            commands.append(root.command("run", "--tag", status.tag, "--method", method, *named, *ends))
    return commands
