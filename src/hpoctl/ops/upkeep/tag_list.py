"""`hpoctl status` without a tag: all tags and how far each is."""

from collections.abc import Iterable
from dataclasses import dataclass

from hpoctl.core.errors import HpoctlError, IncompleteError, UsageError
from hpoctl.core.names import check_tag
from hpoctl.ops.launching.launches import Launch, running_launches
from hpoctl.ops.studies.config import Root
from hpoctl.ops.studies.tags import read_standings, readable_plans, tags, wanted_cells
from hpoctl.stores.ledger import Attempt


@dataclass(frozen=True, slots=True)
class TagSummary:
    """How far a tag is.

    Attributes:
        tag: The tag.
        done: How many of its experiments are complete.
        total: How many experiments it has or wants.
        failed: How many failed.
        running: How many run.
        missing: How many were never started.
        size: Bytes on disk.
        last_activity: When an experiment or a launch last began or ended, in seconds since 1970; 0: unknown.
        launches: The launches that run.
        problem: What could not be read; empty: nothing.
        imported: How many of its experiments are complete with an imported result.
    """

    tag: str
    done: int
    total: int
    failed: int
    running: int
    missing: int
    size: int
    last_activity: float
    launches: tuple[Launch, ...]
    problem: str
    imported: int


@dataclass(frozen=True, slots=True)
class TagList:
    """All tags.

    Attributes:
        tags: The tags, the newest activity first.
        problems: Tags that cannot be read, and why, a line each.
    """

    tags: tuple[TagSummary, ...]
    problems: tuple[str, ...]


def list_tags(root: Root, *, verify: bool = False) -> TagList:
    """All tags and how far each is. Folders that are not tags are left out.

    Args:
        root: Where results live.
        verify: Compare the content of complete results with their hashes, too.

    Raises:
        IncompleteError: There are no results at all.
    """
    found: list[TagSummary] = []
    problems: list[str] = []
    for tag in filter(_is_tag, tags(root.store)):
        try:
            summary = _summary(root, tag, verify=verify)
        except HpoctlError as error:
            problems.append(f"{tag}: {error.what}")
            continue
        if summary is not None:
            found.append(summary)
            problems += [f"{tag}: {summary.problem}"] if summary.problem else []
    if not found and not problems:
        raise IncompleteError(
            f"There are no results in {root.store.location('')}.",
            f"`{root.command('launch')}` makes some; --results names another root.",
        )
    return TagList(tuple(sorted(found, key=lambda summary: (-summary.last_activity, summary.tag))), tuple(problems))


def _is_tag(name: str) -> bool:
    try:
        check_tag(name)
    except UsageError:
        return False
    return True


def _summary(root: Root, tag: str, *, verify: bool) -> TagSummary | None:
    plans, problems = readable_plans(root, tag)
    attempts, stands = read_standings(root, tag, wanted_cells(plans), verify=verify)
    if not attempts and not plans and not problems:
        return None
    states = [stand.state for stand in stands.values()]
    launches = tuple(running_launches(root.store, root.claims, tag))
    damaged = sum(attempt.recorded == "damaged" for attempt in attempts)
    problems += [f"{damaged} damaged result{'s' if damaged > 1 else ''}"] if damaged else []
    return TagSummary(
        tag=tag,
        done=states.count("done"),
        total=len(states),
        failed=states.count("failed"),
        running=states.count("running"),
        missing=states.count("missing"),
        size=sum(attempt.size for attempt in attempts),
        last_activity=_last_activity(attempts, launches),
        launches=launches,
        problem="; ".join(problems),
        imported=sum(stand.is_imported for stand in stands.values()),
    )


def _last_activity(attempts: Iterable[Attempt], launches: Iterable[Launch]) -> float:
    ends = [attempt.started + (attempt.seconds or 0.0) for attempt in attempts]
    return max([*ends, *(launch.started for launch in launches)], default=0.0)
