"""`hpoctl logs`: what an experiment or a job printed, and why it failed."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hpoctl.backends.scripts.files import bounded_text
from hpoctl.core.cells import LOG, METADATA, Cell, Filters, experiment_prefix
from hpoctl.core.errors import HpoctlError, IncompleteError, unknown_name
from hpoctl.core.metadata_head import Head, read_head
from hpoctl.core.names import check_tag
from hpoctl.core.sealed import DamagedError
from hpoctl.core.storage import Store
from hpoctl.ops.launching.launchers import launchers_of
from hpoctl.ops.launching.launches import running_launches
from hpoctl.ops.studies.config import Root
from hpoctl.ops.studies.tags import nothing_of, read_standings, readable_plans, wanted_cells
from hpoctl.ops.upkeep.work_files import starts_of
from hpoctl.plugins import Registry
from hpoctl.stores.job_files import job_names, read_log, read_manifest
from hpoctl.stores.ledger import DIED, Attempt, AttemptState, Standing

_STAMP = re.compile(r"(\d{8}-\d{6}-\d{6})(?:-\d+)?$")
"""How the name of a result directory ends: the date, and a number where two began at the same time."""


@dataclass(frozen=True, slots=True)
class AttemptLog:
    """An attempt at an experiment, and what it printed.

    Attributes:
        state: How it ended; `died`: its metadata says that it runs, and nobody runs it.
        path: Where it is.
        directory: Its name in the store.
        started: When it began, in seconds since 1970; 0: unknown.
        host: The machine that it ran on; empty: unknown.
        pid: The process that ran it; None: unknown.
        seconds: How long it took; None if it is not complete.
        reason: Why it failed or what is damaged, in one line; empty: nothing is wrong.
        traceback: The traceback of its failure; empty: there is none.
        log: What it printed; None: nothing.
    """

    state: AttemptState
    path: str
    directory: str
    started: float
    host: str
    pid: int | None
    seconds: float | None
    reason: str
    traceback: str
    log: str | None


@dataclass(frozen=True, slots=True)
class FoundLogs:
    """What matches.

    Attributes:
        tag: The tag.
        cells: The experiments that match.
        attempts: Those at the experiment, the oldest first; empty if several experiments match.
        earlier: How many attempts before them are left out.
    """

    tag: str
    cells: tuple[Cell, ...]
    attempts: tuple[AttemptLog, ...]
    earlier: int


def find_logs(root: Root, tag: str, filters: Filters, *, everything: bool = False) -> FoundLogs:
    """The latest attempt at the one experiment that matches, or all of them; or the experiments, if several match.

    Args:
        root: Where results live.
        tag: The tag.
        filters: Which experiment is meant.
        everything: Whether all attempts are asked for.

    Raises:
        UsageError: The tag is none.
        IncompleteError: There is nothing of the tag, or nothing matches, or what matches has not been run.
    """
    plans, _ = readable_plans(root, check_tag(tag))
    attempts, stands = read_standings(root, tag, wanted_cells(plans))
    if not attempts and not plans:
        raise nothing_of(root, tag)
    unreadable = [attempt for attempt in attempts if attempt.cell is None]
    begun = [cell for cell, stand in stands.items() if stand.attempts and filters.match(cell)]
    ways = [*filter(filters.match, stands), *_asked(filters)] if unreadable else []
    named = {attempt.directory: _named(tag, attempt, ways) for attempt in unreadable}
    cells = list(dict.fromkeys([*begun, *(cell for cell in named.values() if cell is not None)]))
    if not cells:
        raise _nothing_matches(root, tag, stands, filters)
    if len(cells) > 1:
        return FoundLogs(tag, tuple(sorted(cells)), (), 0)
    cell = cells[0]
    made = [*stands[cell].attempts] if cell in stands else []
    made += [attempt for attempt in unreadable if named[attempt.directory] == cell]
    made.sort(key=lambda attempt: (_began(attempt), attempt.directory))
    shown = made if everything else made[-1:]
    logs = tuple(_log(root.store, attempt, stands.get(cell)) for attempt in shown)
    return FoundLogs(tag, (cell,), logs, len(made) - len(shown))


@dataclass(frozen=True, slots=True)
class StartLog:
    """What one start of a trial printed.

    Attributes:
        number: The number of the start, from 0.
        path: Its folder.
        out: What it printed to standard output; empty: nothing.
        err: What it printed to standard error; empty: nothing.
    """

    number: int
    path: str
    out: str
    err: str


def find_trial_logs(root: Root, found: FoundLogs, trial_id: int) -> tuple[StartLog, ...]:
    """What a trial of an experiment on a script printed, also while it runs; the first start first.

    Args:
        root: Where results live.
        found: The experiment, with its latest attempt last.
        trial_id: The trial.

    Raises:
        IncompleteError: There is nothing of the trial on this machine.
    """
    directory = found.attempts[-1].directory
    starts = starts_of(root.store, directory, trial_id)
    if not starts:
        raise IncompleteError(
            f"There is nothing of trial {trial_id} of {found.cells[0]} on this machine.",
            f"`{root.command('trials', '--tag', found.tag)}` lists the trials; simulated ones print nothing.",
        )
    return tuple(
        StartLog(int(start.path.name), str(start.path), _printed(start.out), _printed(start.err)) for start in starts
    )


def _printed(path: Path) -> str:
    """An output file, the middle of a large one left out; trials print what they like, so that it need not be UTF-8."""
    try:
        return bounded_text(path).decode("utf-8", errors="replace")
    except OSError:
        return ""


def _named(tag: str, attempt: Attempt, cells: Iterable[Cell]) -> Cell | None:
    """Which of some experiments an attempt belongs to, by its name only: its metadata cannot be read.

    A name can be read in more than one way. That is good enough to show a log, and for nothing else.
    """
    return next((cell for cell in cells if _has_name(tag, cell, attempt.directory)), None)


def _asked(filters: Filters) -> list[Cell]:
    """The experiment that a person has named in full, known or not."""
    seeds = filters.seeds or ()
    if len(filters.methods) == len(filters.benchmarks) == len(seeds) == 1:
        return [Cell(filters.methods[0], filters.benchmarks[0], *seeds)]
    return []


def _has_name(tag: str, cell: Cell, directory: str) -> bool:
    prefixes = (experiment_prefix(tag, cell, expensive=expensive) for expensive in (False, True))
    return any(
        directory.startswith(prefix) and _STAMP.match(directory.removeprefix(prefix)) is not None for prefix in prefixes
    )


def _began(attempt: Attempt) -> float:
    """When an attempt began; by its name, if its metadata cannot be read."""
    if attempt.started:
        return attempt.started
    stamp = _STAMP.search(attempt.directory)
    try:
        return datetime.strptime(f"{stamp[1]} +0000" if stamp else "", "%Y%m%d-%H%M%S-%f %z").timestamp()
    except ValueError:
        return 0.0


def _nothing_matches(root: Root, tag: str, stands: Collection[Cell], filters: Filters) -> HpoctlError:
    listing = root.command("status", "--tag", tag)
    waiting = [cell for cell in stands if filters.match(cell)]
    if waiting:
        more = f" and {len(waiting) - 1:,} more" if len(waiting) > 1 else ""
        what = f"{waiting[0]}{more} {'have' if more else 'has'} not been run yet."
        if running_launches(root.store, root.claims, tag):
            return IncompleteError(what, f"A launch is running: `{listing}` shows how far it is.")
        return IncompleteError(what, f"`{root.command('launch', '--tag', tag)}` runs what is missing.")
    filters.check([tag], stands, listing)
    return IncompleteError(f"No experiment of tag {tag} matches.", f"`{listing}` shows all of them.")


def _log(store: Store, attempt: Attempt, stand: Standing | None) -> AttemptLog:
    head = _head(store, attempt)
    state: AttemptState = attempt.recorded
    reason = attempt.reason
    if state == "running":
        runs = stand is not None and stand.state == "running" and stand.current == attempt
        state, reason = ("running", "") if runs else ("died", DIED)
    return AttemptLog(
        state=state,
        path=store.location(attempt.directory),
        directory=attempt.directory,
        started=_began(attempt),
        host=attempt.host,
        pid=head.pid if head else None,
        seconds=attempt.seconds,
        reason="" if state == "interrupted" and reason == "interrupted" else reason,
        traceback=(head.error or "") if head else "",
        log=_text(store, attempt),
    )


def _head(store: Store, attempt: Attempt) -> Head | None:
    try:
        return read_head(store.get(f"{attempt.directory}/{METADATA}"))
    except (DamagedError, FileNotFoundError, HpoctlError):
        return None


def _text(store: Store, attempt: Attempt) -> str | None:
    """The log; plugins and libraries print what they like, so that it need not be UTF-8."""
    try:
        return store.get(f"{attempt.directory}/{LOG}").decode("utf-8", errors="replace") or None
    except FileNotFoundError:
        return None


def read_job_log(root: Root, tag: str, job: str, registry: Registry) -> str:
    """What a job has printed: what its launcher can show, else what was kept beside the results; empty: nothing.

    Raises:
        UsageError: The tag is none.
        IncompleteError: There is no such job, or its manifest is damaged.
        HpoctlError: The launcher cannot be asked.
    """
    names = job_names(root.store, check_tag(tag))
    manifest = read_manifest(root.store, tag, job) if job in names else None
    if manifest is None:
        fix = unknown_name("job", job, names, root.command("status", "--tag", tag, "--json")).fix
        raise IncompleteError(f"Tag {tag} has no job {job!r}.", fix)
    launcher = launchers_of([manifest], registry)[manifest.launcher]
    receipts = launcher.find([manifest.job])
    return launcher.log(receipts[0]) or read_log(root.store, tag, job)
