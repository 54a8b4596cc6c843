"""What there is of a tag: its plans, its attempts, the results that are complete, and what cannot be read."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from hpoctl.core.canonical import canonical_json, content_hash
from hpoctl.core.cells import METADATA, Cell
from hpoctl.core.errors import HpoctlError
from hpoctl.core.metadata import Metadata, read_metadata
from hpoctl.core.sealed import DamagedError
from hpoctl.core.storage import read_many
from hpoctl.engine.ran import ran
from hpoctl.engine.so_far import SoFar, read_so_far
from hpoctl.engine.work_folder import readable_journal
from hpoctl.ops.studies.config import Root
from hpoctl.ops.studies.tags import TagPlan, nothing_of, read_standings, readable_plans, wanted_cells
from hpoctl.stores.ledger import Attempt, Standing, read_results

SkipKind = Literal["damaged", "duplicate", "foreign", "failed", "interrupted", "running", "missing"]
OPEN: frozenset[SkipKind] = frozenset({"damaged", "foreign", "failed", "interrupted", "running", "missing"})
"""The kinds after which an experiment may be without a result that counts; a duplicate always has one."""

LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that an analysis does not read.

    Attributes:
        path: Where it is; for an experiment that was never started, where the tag is.
        cell: The experiment; None if that cannot be read.
        what: What is wrong with it, in one line.
        policy: What follows from that, in one line.
        kind: What is wrong, in one word.
        tag: The tag.
    """

    path: str
    cell: Cell | None
    what: str
    policy: str
    kind: SkipKind = "damaged"
    tag: str = ""


def failed_experiments(skipped: Iterable[Skipped]) -> tuple[tuple[str, str, int], ...]:
    """Benchmark, method and seed of each experiment that failed."""
    cells = [entry.cell for entry in skipped if entry.kind == "failed" and entry.cell is not None]
    return tuple((cell.benchmark, cell.method, cell.seed) for cell in cells)


@dataclass(frozen=True, slots=True)
class FoundResult:
    """A complete result.

    Attributes:
        tag: The tag.
        root: The root of results.
        cell: The experiment.
        attempt: The result directory.
        metadata: Its metadata.
        setup: The hash of what determines it, all seeds left out.
        so_far: What an experiment has that is not complete; None: it is complete.
    """

    tag: str
    root: Root
    cell: Cell
    attempt: Attempt
    metadata: Metadata
    setup: str
    so_far: SoFar | None = None

    @property
    def where(self) -> str:
        """Its directory, for messages."""
        return self.root.store.location(self.attempt.directory)

    def results(self) -> bytes:
        """The results file, compared with its hash; of an incomplete experiment, its rows so far.

        Raises:
            IncompleteError: A file is missing or damaged.
            HpoctlError: The store cannot be read.
        """
        return read_results(self.root.store, self.attempt) if self.so_far is None else self.so_far.results


@dataclass(frozen=True)
class TagContents:
    """All that there is of a tag.

    Attributes:
        tag: The tag.
        root: The root of results.
        plans: Its plans, the oldest first.
        attempts: Its attempts.
        stands: How each experiment stands.
        found: The complete results of each experiment.
        unread: What cannot be read.
    """

    tag: str
    root: Root
    plans: list[TagPlan]
    attempts: list[Attempt]
    stands: dict[Cell, Standing]
    found: dict[Cell, list[FoundResult]]
    unread: list[Skipped]


def read_contents(root: Root, tag: str, *, unfinished: bool) -> TagContents:
    """Read all that there is of a tag.

    Args:
        root: The root of results.
        tag: The tag.
        unfinished: Whether experiments with real trials count that are not complete, with what they have so far.

    Raises:
        IncompleteError: There is nothing of the tag.
        HpoctlError: The store cannot be read.
    """
    plans, problems = readable_plans(root, tag)
    attempts, stands = read_standings(root, tag, wanted_cells(plans))
    if not attempts and not plans and not problems:
        raise nothing_of(root, tag)
    found: dict[Cell, list[FoundResult]] = {}
    unread = [
        Skipped(root.store.location(tag), None, problem, "the experiments that it wants are not known", "damaged", tag)
        for problem in problems
    ]
    complete = [attempt for attempt in attempts if attempt.recorded == "completed"]
    reads = dict(read_many(root.store, {}, [f"{attempt.directory}/{METADATA}" for attempt in complete]))
    for attempt in complete:
        if attempt.cell is None:
            continue
        try:
            metadata = read_metadata(reads[f"{attempt.directory}/{METADATA}"]())
        except (FileNotFoundError, DamagedError) as error:  # forged, or changed since we looked a moment ago
            why = f"{METADATA} cannot be read: {error}"
            unread.append(Skipped(root.store.location(attempt.directory), attempt.cell, why, LEFT_OUT, "damaged", tag))
            continue
        result = FoundResult(tag, root, attempt.cell, attempt, metadata, _setup(metadata))
        found.setdefault(attempt.cell, []).append(result)
    if unfinished:
        for cell, stand in stands.items():
            so_far = _unfinished_result(root, tag, cell, stand)
            if so_far is not None:
                found[cell] = [so_far]
    return TagContents(tag, root, plans, attempts, stands, found, unread)


def _unfinished_result(root: Root, tag: str, cell: Cell, stand: Standing) -> FoundResult | None:
    """What an experiment has so far; None: it is complete, simulated, or its journal is on another machine."""
    last = stand.current
    if stand.state == "done" or last is None or last.recorded == "damaged":
        return None
    try:
        journal = readable_journal(root.store, last.directory)
        metadata = read_metadata(root.store.get(f"{last.directory}/{METADATA}"))
        so_far = read_so_far(ran(metadata.entries), journal)
    except (OSError, HpoctlError):  # listed as what it is: running, failed
        return None
    metadata = replace(metadata, results_sha256=so_far.digest)
    return FoundResult(tag, root, cell, last, metadata, _setup(metadata), so_far)


def _setup(metadata: Metadata) -> str:
    """The hash of what determines a result but its seeds."""
    if metadata.determinants is None:
        return ""
    own = {"seeds", "content"}  # an imported result has its content among what identifies it
    determined_by = {key: value for key, value in metadata.determined_by.items() if key not in own}
    return content_hash(canonical_json(determined_by))
