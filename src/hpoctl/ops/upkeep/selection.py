"""What `hpoctl clean` is about: which results of a tag fit what was asked for."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from typing import Any

from hpoctl.core.cells import CONTROL, Cell, Filters, claim_key
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.names import check_tag
from hpoctl.core.storage import Claims, Store
from hpoctl.ops.launching.launches import Launch, running_launches
from hpoctl.ops.studies.config import Root
from hpoctl.ops.studies.seed_ranges import seeds_text
from hpoctl.ops.studies.tags import nothing_of, plan_names, readable_plans, wanted_cells
from hpoctl.ops.upkeep.trash import Left
from hpoctl.ops.upkeep.trash_entries import PARTS
from hpoctl.ops.upkeep.work_files import work_use
from hpoctl.stores.ledger import Attempt, AttemptState, read_attempts

AGE = re.compile(r"([0-9]{1,9})([dhms])", re.ASCII)
SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
UNKNOWN_CELL = "which experiment it was, and when, cannot be read; only --incomplete without other criteria takes it"


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a result has to be to be cleaned: all of what is given. Nothing given: the whole tag.

    Attributes:
        filters: Of one of these experiments.
        incomplete: Neither completed nor running.
        failed: Failed, or killed.
        duplicates: Completed, and there is a newer completed result of the same experiment.
        older_than: The smallest age since its begin, in seconds; None: any.
    """

    filters: Filters = field(default_factory=Filters)
    incomplete: bool = False
    failed: bool = False
    duplicates: bool = False
    older_than: float | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing was asked for, which is the whole tag."""
        return self == Criteria()

    def table(self) -> dict[str, Any]:
        """What was asked for as plain values."""
        filters = self.filters
        values = {
            "methods": list(filters.methods),
            "benchmarks": list(filters.benchmarks),
            "seeds": "" if filters.seeds is None else seeds_text(filters.seeds),
            "incomplete": self.incomplete,
            "failed": self.failed,
            "duplicates": self.duplicates,
            "older_than": self.older_than,
        }
        return {key: value for key, value in values.items() if value not in ([], "", False, None)}


@dataclass(frozen=True, slots=True)
class Match:
    """A result that fits.

    Attributes:
        attempt: The result.
        state: What has become of it.
        busy: Whether its experiment is being run by another process.
        work: Bytes of its working files on this machine, checkpoints of trials above all.
    """

    attempt: Attempt
    state: AttemptState
    busy: bool
    work: int = 0

    @property
    def size(self) -> int:
        """Bytes of its files and of its working files."""
        return self.attempt.size + self.work


@dataclass(frozen=True, slots=True)
class Group:
    """Results of one method and benchmark.

    Attributes:
        method: The method; empty: unknown.
        benchmark: The benchmark; empty: unknown.
        count: How many results there are.
        seeds: Their seeds.
        states: How many there are of each state.
        size: Their size in bytes.
    """

    method: str
    benchmark: str
    count: int
    seeds: tuple[int, ...]
    states: Mapping[str, int]
    size: int


@dataclass(frozen=True, slots=True)
class Selection:
    """What fits, and is going to be moved away.

    Attributes:
        tag: The tag.
        criteria: What was asked for.
        matches: The results that fit, those of running experiments included.
        passed_over: Results that may be meant, but are not taken.
        launches: With a whole tag, the launches of it that run.
        size: How many bytes that is.
        launched: Whether a study was launched under the tag: `hpoctl run` and imports make tags, too.
    """

    tag: str
    criteria: Criteria
    matches: tuple[Match, ...]
    passed_over: tuple[Left, ...]
    launches: tuple[Launch, ...]
    size: int
    launched: bool = True

    @property
    def busy(self) -> tuple[Match, ...]:
        """The results among them whose experiment is being run."""
        return tuple(match for match in self.matches if match.busy)

    def groups(self) -> tuple[Group, ...]:
        """The results by method and benchmark."""
        by_name: dict[tuple[str, str], list[Match]] = {}
        for match in self.matches:
            cell = match.attempt.cell
            by_name.setdefault((cell.method, cell.benchmark) if cell else ("", ""), []).append(match)
        return tuple(_group(*name, by_name[name]) for name in sorted(by_name))


def select(root: Root, tag: str, criteria: Criteria, now: datetime) -> Selection:
    """The results of a tag that fit. Nothing is written.

    Args:
        root: Where results live.
        tag: The tag.
        criteria: What was asked for.
        now: The present date.

    Raises:
        UsageError: The tag is invalid, or has no such method or benchmark.
        IncompleteError: There is no such tag, or nothing fits.
        HpoctlError: The store cannot be read.
    """
    store = root.store
    attempts = read_attempts(store, check_tag(tag))
    if not attempts and not store.list(tag):
        raise nothing_of(root, tag)
    held = cache(partial(held_elsewhere, root.claims, tag))
    planned = bool(plan_names(store, tag))
    if criteria.whole:
        matches = tuple(_match(store, attempt, held) for attempt in attempts)
        launches = tuple(running_launches(store, root.claims, tag))
        size = sum(store.list(tag).values()) + work_use(store, tag).size
        return Selection(tag, criteria, matches, (), launches, size, planned)
    if criteria.filters.methods or criteria.filters.benchmarks:
        plans, _ = readable_plans(root, tag)
        known = [*wanted_cells(plans), *(attempt.cell for attempt in attempts if attempt.cell is not None)]
        criteria.filters.check([tag], known, root.command("status", "--tag", tag))
    fits = fitting(criteria, attempts, now, held)
    chosen = [attempt for attempt in attempts if fits(attempt)]
    matches = tuple(_match(store, attempt, held) for attempt in chosen if _in_its_place(attempt))
    passed_over = [
        Left(a.directory, "it is not where results are; move it by hand") for a in chosen if not _in_its_place(a)
    ]
    if criteria.incomplete and not (criteria.failed or criteria.duplicates or _takes_unknown(criteria)):
        passed_over += [Left(attempt.directory, UNKNOWN_CELL) for attempt in attempts if attempt.cell is None]
    if not matches:
        raise _nothing(root, tag, passed_over)
    size = sum(match.size for match in matches)
    return Selection(tag, criteria, matches, tuple(passed_over), (), size, planned)


def fitting(
    criteria: Criteria, attempts: list[Attempt], now: datetime, held: Callable[[Cell], bool]
) -> Callable[[Attempt], bool]:
    """Whether an attempt fits: a function that can be asked again, when something may have changed meanwhile.

    Args:
        criteria: What was asked for; not the whole tag.
        attempts: All attempts of the tag: duplicates are told from them.
        now: The present date.
        held: Whether another process runs an experiment.
    """
    duplicates = _duplicates(attempts) if criteria.duplicates else frozenset()
    before = None if criteria.older_than is None else now.timestamp() - criteria.older_than

    def fits(attempt: Attempt) -> bool:
        cell = attempt.cell
        if cell is None:
            return _takes_unknown(criteria)
        running = attempt.recorded == "running" and (criteria.incomplete or criteria.failed) and held(cell)
        return (
            criteria.filters.match(cell)
            and (before is None or attempt.started < before)
            and (not criteria.incomplete or (attempt.recorded != "completed" and not running))
            and (not criteria.failed or (attempt.recorded in {"failed", "running"} and not running))
            and (not criteria.duplicates or (attempt.recorded == "completed" and attempt.directory in duplicates))
        )

    return fits


def parse_age(text: str) -> float:
    """The seconds that a person typed, such as `7d`, `12h`, `30m` or `90s`.

    Raises:
        UsageError: It has another form.
    """
    found = AGE.fullmatch(text)
    if found is None:
        raise UsageError(
            f"--older-than cannot be {text[:40]!r}.", "Use days, hours, minutes or seconds: 7d, 12h, 30m, 90s."
        )
    return int(found[1]) * SECONDS[found[2]]


def _takes_unknown(criteria: Criteria) -> bool:
    """Whether a result that cannot be read is taken: of all that can be asked, only that it is incomplete is known."""
    return criteria == Criteria(incomplete=True)


def held_elsewhere(claims: Claims, tag: str, cell: Cell) -> bool:
    """Whether another process runs an experiment of the tag."""
    return claims.held(claim_key(tag, cell))


def _match(store: Store, attempt: Attempt, held: Callable[[Cell], bool]) -> Match:
    busy = attempt.cell is not None and held(attempt.cell)
    work = work_use(store, attempt.directory).size
    if attempt.recorded == "running":
        return Match(attempt, "running" if busy else "died", busy, work)
    return Match(attempt, attempt.recorded, busy, work)


def _duplicates(attempts: list[Attempt]) -> frozenset[str]:
    """Completed results with a newer completed one of the same experiment."""
    newest: dict[Cell, str] = {}
    completed = [attempt for attempt in attempts if attempt.recorded == "completed"]
    for attempt in sorted(completed, key=lambda attempt: (attempt.started, attempt.directory)):
        if attempt.cell is not None:
            newest[attempt.cell] = attempt.directory
    return frozenset(attempt.directory for attempt in completed) - frozenset(newest.values())


def _in_its_place(attempt: Attempt) -> bool:
    """Whether it is a result directory; of anything else, moving it could move others with it."""
    parts = attempt.directory.split("/")
    return len(parts) == PARTS and parts[1] != CONTROL


def _nothing(root: Root, tag: str, passed_over: list[Left]) -> IncompleteError:
    if passed_over:
        first, count = passed_over[0], len(passed_over)
        what = f"Nothing in tag {tag} matches; {count} {'are' if count > 1 else 'is'} passed over."
        return IncompleteError(what, f"{first.directory}: {first.why}.")
    return IncompleteError(
        f"Nothing in tag {tag} matches.", f"`{root.command('status', '--tag', tag)}` shows its experiments."
    )


def _group(method: str, benchmark: str, matches: list[Match]) -> Group:
    seeds = {match.attempt.cell.seed for match in matches if match.attempt.cell is not None}
    states = Counter(str(match.state) for match in matches)
    size = sum(match.size for match in matches)
    return Group(method, benchmark, len(matches), tuple(sorted(seeds)), dict(states), size)
