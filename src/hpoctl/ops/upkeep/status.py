"""`hpoctl status`: the experiments of a tag, their problems, and the time left. Reads files only."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields

from hpoctl.core.cells import Cell, Filters
from hpoctl.core.errors import IncompleteError
from hpoctl.core.metadata_head import TrialProgress
from hpoctl.core.names import check_tag
from hpoctl.core.storage import Store
from hpoctl.ops.launching.jobs import Costs
from hpoctl.ops.launching.launchers import SubmittedJob
from hpoctl.ops.launching.launches import Launch, running_launches
from hpoctl.ops.studies.config import Root
from hpoctl.ops.studies.seed_ranges import seeds_text
from hpoctl.ops.studies.tags import TagPlan, nothing_of, read_standings, readable_plans, wanted_cells
from hpoctl.ops.upkeep.time_left import TimeLeft, time_left
from hpoctl.ops.upkeep.work_files import WorkUse, work_use
from hpoctl.stores.ledger import Attempt, Standing, State


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
        running: Those that somebody runs.
        failed: Those whose last attempt failed, died or left a damaged result.
        missing: Those that nobody has begun, or that were interrupted.
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


def read_status(
    root: Root,
    tag: str,
    filters: Filters,
    *,
    costs: Costs,
    now: float,
    workers: int,
    verify: bool = False,
    submitted: Sequence[SubmittedJob] = (),
) -> StudyStatus:
    """How far a tag is.

    Args:
        root: Where results live.
        tag: The tag.
        filters: Which experiments are asked for.
        costs: What experiments cost elsewhere on this machine.
        now: Now, in seconds since 1970.
        workers: How many experiments run at a time where no launch says it.
        verify: Compare the content of complete results with their hashes, too.
        submitted: Jobs that launchers elsewhere have been given, and how far they are.

    Raises:
        UsageError: The tag is none, or a filter names what the tag does not have.
        IncompleteError: There is nothing of the tag, or nothing that matches the filters.
    """
    store = root.store
    plans, problems = readable_plans(root, check_tag(tag))
    wanted = wanted_cells(plans)
    attempts, stands = read_standings(root, tag, wanted, verify=verify)
    if not attempts and not plans and not problems:
        raise nothing_of(root, tag)
    chosen = _chosen(tag, stands, filters, root.command("status", "--tag", tag))
    pairs = _pairs(chosen, wanted)
    damaged = _damaged(store, attempts, stands, filters)
    launches = tuple(running_launches(store, root.claims, tag))
    submitted_cells = {task.cell for job in submitted if job.status.live for task in job.manifest.job.tasks}
    open_cells = [stand for stand in chosen.values() if stand.state != "done"]
    return StudyStatus(
        tag=tag,
        location=store.location(tag),
        methods=tuple(dict.fromkeys(cell.method for cell in chosen)),
        benchmarks=tuple(dict.fromkeys(cell.benchmark for cell in chosen)),
        pairs=pairs,
        totals=_totals(pairs),
        failures=_failures(open_cells),
        damaged=damaged,
        earlier_attempts=sum(len(stand.attempts) - (stand.current is not None) for stand in chosen.values()),
        launches=launches,
        time_left=time_left(
            open_cells, attempts, wanted, costs, now, sum(launch.workers for launch in launches) or workers
        ),
        size=sum(attempt.size for attempt in attempts if attempt.cell is None or attempt.cell in chosen),
        to_launch=sum(
            stand.state in {"failed", "missing"} and stand.cell in wanted and stand.cell not in submitted_cells
            for stand in open_cells
        ),
        to_run=tuple(stand.cell for stand in open_cells if stand.state != "running" and stand.cell not in wanted),
        jobs=tuple(map(_job_line, submitted)),
        problems=tuple(problems),
        imported=_imported(chosen.values()),
        outcomes=_outcomes(chosen.values()),
        training=tuple(_training(open_cells)),
        work=work_use(store, tag),
    )


def _outcomes(stands: Iterable[Standing]) -> dict[str, int]:
    """How many trials stand how, of all experiments that say it."""
    found: Counter[str] = Counter()
    for stand in stands:
        if stand.current is not None and stand.current.progress is not None:
            found.update(stand.current.progress.outcomes)
    return dict(sorted(found.items()))


def _training(stands: Iterable[Standing]) -> Iterator[Training]:
    for stand in stands:
        last = stand.current
        if last is not None and last.progress is not None:
            yield Training(stand.cell, stand.state, last.progress, last.budget)


def _job_line(job: SubmittedJob) -> JobLine:
    manifest, status = job.manifest, job.status
    return JobLine(
        manifest.job.name,
        manifest.launcher,
        status.state,
        len(manifest.job.tasks),
        status.done,
        len(status.failures),
        status.reason,
        manifest.submitted,
    )


def _chosen(tag: str, stands: Mapping[Cell, Standing], filters: Filters, listing: str) -> dict[Cell, Standing]:
    filters.check([tag], stands, listing)
    chosen = {cell: stand for cell, stand in stands.items() if filters.match(cell)}
    if stands and not chosen:
        raise IncompleteError(f"No experiment of tag {tag} matches.", f"`{listing}` shows all of them.")
    return chosen


def _pairs(chosen: Mapping[Cell, Standing], wanted: Mapping[Cell, TagPlan]) -> tuple[Pair, ...]:
    groups: dict[tuple[str, str], dict[str, list[int]]] = {}
    for cell, stand in chosen.items():
        group = groups.setdefault((cell.method, cell.benchmark), {})
        group.setdefault(stand.state, []).append(cell.seed)
        group.setdefault("wanted" if cell in wanted else "extra", []).append(cell.seed)
    return tuple(
        Pair(*key, *(_seed_set(group.get(kind.name, ())) for kind in fields(Totals))) for key, group in groups.items()
    )


def _imported(stands: Iterable[Standing]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for stand in stands:
        if stand.is_imported and stand.current is not None:
            methods = found.setdefault(stand.current.origin, {})
            methods[stand.cell.method] = methods.get(stand.cell.method, 0) + 1
    return found


def _seed_set(seeds: Sequence[int]) -> SeedSet:
    return SeedSet(len(seeds), seeds_text(seeds))


def _totals(pairs: Sequence[Pair]) -> Totals:
    return Totals(*(sum(getattr(pair, kind.name).count for pair in pairs) for kind in fields(Totals)))


def _failures(stands: Iterable[Standing]) -> tuple[FailureGroup, ...]:
    groups: dict[tuple[str, str, str], list[int]] = {}
    failed: State = "failed"
    for stand in stands:
        if stand.state == failed and (stand.current is None or stand.current.recorded != "damaged"):
            groups.setdefault((stand.cell.method, stand.cell.benchmark, stand.reason), []).append(stand.cell.seed)
    return tuple(
        FailureGroup(method, benchmark, _seed_set(seeds), reason)
        for (method, benchmark, reason), seeds in groups.items()
    )


def _damaged(
    store: Store, attempts: Iterable[Attempt], stands: Mapping[Cell, Standing], filters: Filters
) -> tuple[Damaged, ...]:
    """Damaged results that match; those whose experiment is not known match anything."""
    return tuple(
        Damaged(
            store.location(attempt.directory),
            attempt.reason,
            attempt.cell,
            attempt.cell is not None and stands[attempt.cell].state == "done",
        )
        for attempt in attempts
        if attempt.recorded == "damaged" and (attempt.cell is None or filters.match(attempt.cell))
    )
