"""`hpoctl status`: the experiments of a tag, their problems, and the time left. Reads files only."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields

from hpoctl.core.cells import Cell, Filters
from hpoctl.core.errors import IncompleteError
from hpoctl.core.names import check_tag
from hpoctl.core.storage import Store
from hpoctl.ops.launching.costs import Costs
from hpoctl.ops.launching.launchers import SubmittedJob
from hpoctl.ops.launching.launches import running_launches
from hpoctl.ops.studies.config import Root
from hpoctl.ops.studies.seed_ranges import seeds_text
from hpoctl.ops.studies.tags import TagPlan, nothing_of, read_standings, readable_plans, wanted_cells
from hpoctl.ops.upkeep.status_model import Damaged, FailureGroup, JobLine, Pair, SeedSet, StudyStatus, Totals, Training
from hpoctl.ops.upkeep.time_left import time_left
from hpoctl.ops.upkeep.work_files import work_use
from hpoctl.stores.ledger import Attempt, Standing, State


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
        UsageError: The tag is invalid, or a filter names what the tag does not have.
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
            open_cells,
            attempts,
            wanted,
            costs,
            now,
            sum(launch.workers for launch in launches) or workers,
            launches if filters == Filters() else (),
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
