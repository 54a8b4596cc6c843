"""Which results of one or several tags an analysis reads, and which it does not, and why.

An experiment has one result that counts. Everything else that there is of it, and every experiment that a plan of the
tag wants and that is not complete, is listed as `Skipped`: nothing is left out silently.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from hpoctl.core.cells import Cell, Filters
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.names import check_tag
from hpoctl.core.storage import read_ahead
from hpoctl.ops.reading.tag_contents import LEFT_OUT, FoundResult, SkipKind, Skipped, TagContents, read_contents
from hpoctl.ops.reading.where import Condition, check_keys, look_up, parse_condition
from hpoctl.ops.studies.config import Root, open_root
from hpoctl.ops.studies.tags import TagPlan
from hpoctl.stores.ledger import DIED, Attempt, Standing

T = TypeVar("T")

MOST_NAMED = 5
"""Values that a message names."""


@dataclass(frozen=True)
class LoadRequest:
    """Which results are asked for.

    Attributes:
        tags: The tags, at least one.
        results: The root of results; None: `$HPOCTL_ROOT`, that of the folder, or `~/hpoctl`.
        filters: The experiments that are asked for.
        where: Conditions on the metadata, all of which have to hold, such as `n_workers=4`; see `ops.where`.
        folder: The folder whose `hpoctl.toml` counts.
        unfinished: Whether experiments with real trials count that are not complete, with what they have so far.
    """

    tags: tuple[str, ...]
    results: str | None = None
    filters: Filters = field(default_factory=Filters)
    where: tuple[str, ...] = ()
    folder: Path = field(default_factory=Path)
    unfinished: bool = False

    @property
    def every_seed(self) -> bool:
        """Whether no filter or condition leaves seeds out."""
        return self.filters.seeds is None and not self.where


@dataclass(frozen=True)
class TagResults:
    """The results of a tag that fit what was asked for.

    Attributes:
        tag: The tag.
        root: The root of results.
        candidates: The complete results of each experiment, the latest first: the first one that can be read counts.
        skipped: What is left out for what its metadata says.
        plans: The plans of the tag, the oldest first.
    """

    tag: str
    root: Root
    candidates: Mapping[Cell, tuple[FoundResult, ...]]
    skipped: tuple[Skipped, ...]
    plans: tuple[TagPlan, ...]

    @property
    def newest(self) -> list[FoundResult]:
        """The latest result of each experiment."""
        return [found[0] for found in self.candidates.values()]


def find_results(request: LoadRequest) -> tuple[TagResults, ...]:
    """The results of each tag.

    Raises:
        UsageError: A tag or condition is invalid, or a filter matches no experiment of the tags.
        IncompleteError: There is nothing of a tag.
        HpoctlError: The store cannot be read.
    """
    tags = tuple(dict.fromkeys(request.tags))
    if not tags:
        raise UsageError("No tag is named.", "Name the results with --tag; `hpoctl status` lists all tags.")
    conditions = [parse_condition(text) for text in request.where]
    filters = request.filters
    root = open_root(request.results, request.folder)
    states = [read_contents(root, check_tag(tag), unfinished=request.unfinished) for tag in tags]
    filters.check(tags, [cell for state in states for cell in state.stands], root.command("status", "--tag", tags[0]))
    every = [found for state in states for group in state.found.values() for found in group]
    check_keys(conditions, (found.metadata.entries for found in every))
    chosen = tuple(_choose(state, filters, conditions) for state in states)
    if not any(tag.candidates for tag in chosen):
        _check_conditions(conditions, [found for found in every if filters.match(found.cell)], tags)
        return chosen
    return _with_absent(chosen, filters)


def _check_conditions(conditions: Sequence[Condition], every: Sequence[FoundResult], tags: Sequence[str]) -> None:
    """Say which condition no complete experiment fulfils.

    Raises:
        IncompleteError: There is one.
    """
    for condition in conditions:
        if every and not any(condition.holds(found.metadata.entries) for found in every):
            there = dict.fromkeys(str(look_up(found.metadata.entries, condition.key)[1]) for found in every)
            values = ", ".join(list(there)[:MOST_NAMED]) + (", ..." if len(there) > MOST_NAMED else "")
            raise IncompleteError(
                f"No complete experiment of {', '.join(tags)} has {condition}.", f"{condition.key} is {values} there."
            )


def _with_absent(chosen: Sequence[TagResults], filters: Filters) -> tuple[TagResults, ...]:
    """The results, with a line for each tag, and each method and benchmark named, of which nothing fits."""
    cells = {
        cell for tag in chosen for cell in (*tag.candidates, *(each.cell for each in tag.skipped)) if cell is not None
    }
    named = [
        *(f"method {name}" for name in filters.methods if name not in {cell.method for cell in cells}),
        *(f"benchmark {name}" for name in filters.benchmarks if name not in {cell.benchmark for cell in cells}),
    ]
    told = []
    for place, tag in enumerate(chosen):
        absent = named if place == 0 else []
        if not tag.candidates and not tag.skipped:
            absent = [*absent, f"tag {tag.tag}"]
        where = tag.root.store.location(tag.tag)
        lines = [Skipped(where, None, f"nothing of {what} fits", LEFT_OUT, "missing", tag.tag) for what in absent]
        told.append(replace(tag, skipped=(*tag.skipped, *lines)))
    return tuple(told)


def _choose(state: TagContents, filters: Filters, conditions: Sequence[Condition]) -> TagResults:
    skipped = [entry for entry in state.unread if entry.cell is None or filters.match(entry.cell)]
    skipped += _unfinished(state, filters)
    groups: dict[tuple[str, str], list[FoundResult]] = {}
    excluded: set[Cell] = set()
    for cell, results in state.found.items():
        if filters.match(cell):
            kept = [
                found for found in results if all(condition.holds(found.metadata.entries) for condition in conditions)
            ]
            groups.setdefault((cell.method, cell.benchmark), []).extend(kept)
            excluded |= set() if kept else {cell}
    candidates: dict[Cell, tuple[FoundResult, ...]] = {}
    for group in groups.values():
        own, foreign = _split(group)
        why = "it was made with other settings, data or random seed than most results of its method and benchmark"
        policy = "left out; --where or another tag shows it"
        skipped += [_skipped(found, why, policy, "foreign") for found in foreign]
        for found in sorted(own, key=lambda found: (-found.attempt.started, found.attempt.directory)):
            candidates[found.cell] = (*candidates.get(found.cell, ()), found)
    if conditions:  # unknown for incomplete experiments, so the rest of their group decides
        known = {(cell.method, cell.benchmark) for cell in state.found}
        fits = {key for key, group in groups.items() if group}
        skipped = [entry for entry in skipped if entry.cell is None or _may_fit(entry.cell, fits, known, excluded)]
    place = {cell: number for number, cell in enumerate(state.stands)}
    ordered = {cell: candidates[cell] for cell in sorted(candidates, key=lambda cell: place[cell])}
    return TagResults(state.tag, state.root, ordered, tuple(skipped), tuple(state.plans))


def _may_fit(cell: Cell, fits: set[tuple[str, str]], known: set[tuple[str, str]], excluded: set[Cell]) -> bool:
    pair = (cell.method, cell.benchmark)
    return cell not in excluded and (pair in fits or pair not in known)


def _split(group: Sequence[FoundResult]) -> tuple[list[FoundResult], list[FoundResult]]:
    """The results of one method and benchmark that belong together, and those that something else determined.

    Of several setups or random seeds the one with the most seeds counts; of equally many, the latest.
    """
    kinds = {(found.setup, found.metadata.random_seed, found.cell) for found in group}
    seeds = Counter((setup, seed) for setup, seed, _ in kinds)
    if len(seeds) < 2:
        return list(group), []
    latest: dict[tuple[str, object], float] = {}
    for found in group:
        key = (found.setup, found.metadata.random_seed)
        latest[key] = max(latest.get(key, 0.0), found.attempt.started)
    best = max(seeds, key=lambda key: (seeds[key], latest[key], key[0]))
    own = [found for found in group if (found.setup, found.metadata.random_seed) == best]
    return own, [found for found in group if (found.setup, found.metadata.random_seed) != best]


def _unfinished(state: TagContents, filters: Filters) -> list[Skipped]:
    """Experiments that are damaged, failed, interrupted, running, or not begun."""
    skipped = []
    for attempt in state.attempts:
        if attempt.recorded == "damaged" and (attempt.cell is None or filters.match(attempt.cell)):
            done = attempt.cell is not None and state.stands[attempt.cell].state == "done"
            policy = "left out; another result of the experiment counts" if done else LEFT_OUT
            where = state.root.store.location(attempt.directory)
            skipped.append(Skipped(where, attempt.cell, attempt.reason, policy, "damaged", state.tag))
    for cell, stand in state.stands.items():
        if stand.state == "done" or not filters.match(cell) or _is_read(state, cell):
            continue
        last = stand.current
        if last is None:
            where = state.root.store.location(state.tag)
            skipped.append(Skipped(where, cell, "it has not begun", "the seed is missing", "missing", state.tag))
        elif last.recorded != "damaged":
            what, kind = _why(stand, last)
            where = state.root.store.location(last.directory)
            skipped.append(Skipped(where, cell, what, "left out; the seed is missing", kind, state.tag))
    return skipped


def _is_read(state: TagContents, cell: Cell) -> bool:
    """Whether what an experiment has so far is read."""
    return any(found.so_far is not None for found in state.found.get(cell, ()))


def _why(stand: Standing, last: Attempt) -> tuple[str, SkipKind]:
    if stand.state == "running":
        return "it is running", "running"
    if last.recorded == "interrupted":
        return f"it was interrupted: {stand.reason}", "interrupted"
    return (DIED if last.recorded == "running" else f"it failed: {stand.reason}"), "failed"


def read_each(results: Sequence[TagResults], read: Callable[[FoundResult], T]) -> tuple[list[T], list[Skipped]]:
    """Read the result that counts of each experiment.

    Args:
        results: The results.
        read: Reads one, in a thread where the store is far away.

    Returns:
        What was read, in the order of the plans, and all that is skipped.

    Raises:
        IncompleteError: No result can be read.
        HpoctlError: The store cannot be read.
    """
    groups = [candidates for tag in results for candidates in tag.candidates.values()]
    skipped = [entry for tag in results for entry in tag.skipped]
    every: list[T] = []
    firsts = read_ahead(results[0].root.store, read, [candidates[0] for candidates in groups])
    with closing(firsts):  # after an error nothing more is read
        for candidates, first in zip(groups, firsts, strict=True):
            counts = False
            for found in candidates:
                if counts:
                    newer = "there is a newer complete result", "left out; the newest counts"
                    skipped.append(_skipped(found, *newer, "duplicate"))
                    continue
                try:
                    every.append(first() if found is candidates[0] else read(found))
                    counts = True
                except IncompleteError as error:
                    skipped.append(_skipped(found, error.what, LEFT_OUT, "damaged"))
    if not every:
        raise _nothing_complete(results, skipped)
    return every, skipped


def _skipped(found: FoundResult, what: str, policy: str, kind: SkipKind) -> Skipped:
    return Skipped(found.where, found.cell, what, policy, kind, found.tag)


def _nothing_complete(results: Sequence[TagResults], skipped: Sequence[Skipped]) -> IncompleteError:
    """The error where no result counts."""
    tags, root = [each.tag for each in results], results[0].root
    one = len(tags) == 1
    what = f"No complete experiment of {'tag' if one else 'tags'} {', '.join(tags)} fits"
    more = f"; {len(skipped)} {'is' if len(skipped) == 1 else 'are'} left out" if skipped else ""
    if damaged := next((entry for entry in skipped if entry.kind == "damaged"), None):
        more += f": {damaged.what}" if damaged.path in damaged.what else f": {damaged.path}: {damaged.what}"
    fix = f"`{root.command('status', '--tag', tags[0])}` lists what exists"
    if any(entry.kind == "running" for entry in skipped):
        fix += "; of experiments that train, `hpoctl plot` and `hpoctl report` show the rows so far with --running"
    return IncompleteError(f"{what}{more.rstrip('.')}.", f"{fix}.")
