"""What there is of a tag: every attempt at an experiment, read from the results themselves.

Nothing else is stored: the results are the ledger, so nothing can contradict them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Literal

from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import METADATA, RESULTS, Cell, claim_key, experiment_prefix
from hpoctl.core.errors import HpoctlError, IncompleteError
from hpoctl.core.metadata_head import OWN, Head, Status, TrialProgress, read_head
from hpoctl.core.sealed import DamagedError
from hpoctl.core.storage import Claims, Read, Store, read_many

Recorded = Status | Literal["damaged"]
AttemptState = Recorded | Literal["died"]
"""The same, where it is known whether a process runs it: `died` is `running` in metadata."""

State = Literal["done", "running", "failed", "missing"]
TRACEBACK = "Traceback (most recent call last)"
OWN_ERRORS = re.compile(r"^hpoctl\w*(\.\w+)+: ")
"""Before what an error of hpoctl or of one of its plugins says, which needs no name of a class."""
DIED = "no process runs it: it was killed, or the machine stopped"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One result directory.

    Attributes:
        directory: Its name in the store.
        cell: The experiment; None if the metadata cannot be read.
        recorded: What its metadata says, or `damaged`.
        started: When it began, in seconds since 1970.
        identity: The experiment's identity; None if it did not get that far.
        reason: Why it failed or what is damaged, in one line; empty: nothing is wrong.
        size: Bytes in its directory.
        host: The machine that it ran on.
        seconds: How long it took; None if it is not complete.
        budget: Its budget in seconds of the experiment's clock.
        origin: Where it comes from; see `core.metadata_head`.
        progress: How far it is, with real trials; None: it is simulated, or has just begun.
    """

    directory: str
    cell: Cell | None
    recorded: Recorded
    started: float
    identity: str | None
    reason: str
    size: int
    host: str
    seconds: float | None
    budget: float
    origin: str = OWN
    progress: TrialProgress | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an experiment stands.

    Attributes:
        cell: The experiment.
        state: Its state.
        attempts: All attempts, the latest last.
        current: The attempt that the state follows from; None without one.
        reason: Why it failed or was interrupted; empty if it was not.
    """

    cell: Cell
    state: State
    attempts: tuple[Attempt, ...]
    current: Attempt | None
    reason: str

    @property
    def is_imported(self) -> bool:
        """Whether it is done with a result that was made elsewhere and imported."""
        return self.state == "done" and self.current is not None and self.current.origin != OWN


def read_attempts(store: Store, tag: str, *, verify: bool = False) -> list[Attempt]:
    """All attempts of a tag, in the order of their directories.

    Args:
        store: Where results live.
        tag: The tag.
        verify: Compare the content of complete results with their hashes, too; otherwise only their sizes.

    Raises:
        HpoctlError: The store cannot be read.
    """
    return _attempts(store, store.list(tag), verify=verify)


def read_again(store: Store, directories: Iterable[str], *, verify: bool = False) -> list[Attempt]:
    """What some attempts are now, without a look at the rest of the tag; those that are gone are left out."""
    sizes: dict[str, int] = {}
    for directory in directories:
        sizes |= store.list(directory)
    return _attempts(store, sizes, verify=verify)


def attempts_at(store: Store, tag: str, cell: Cell, *, expensive: bool) -> list[Attempt]:
    """The attempts at one experiment, their content verified, without a look at the rest of the tag.

    Raises:
        HpoctlError: Something cannot be read at present: whether the experiment is complete is not known then.
    """
    folder, _, start = experiment_prefix(tag, cell, expensive=expensive).rpartition("/")
    sizes: dict[str, int] = {}
    for name in store.folders(folder):
        if name.startswith(start):
            sizes |= store.list(f"{folder}/{name}")
    for name in sizes:
        with suppress(FileNotFoundError):
            store.get(name)  # what a disk refuses to show for a moment is not damaged
    return [attempt for attempt in _attempts(store, sizes, verify=True) if attempt.cell == cell]


def read_results(store: Store, attempt: Attempt) -> bytes:
    """The results of a complete attempt, byte for byte as they were written: what aggregates use.

    Raises:
        IncompleteError: The attempt is not complete, or a file of it is missing or damaged.
        HpoctlError: The store cannot be read.
    """
    directory = attempt.directory
    try:
        head = read_head(store.get(f"{directory}/{METADATA}"))
    except (FileNotFoundError, DamagedError) as error:
        raise _unusable(store, f"{directory}/{METADATA}", error) from error
    if head.status != "completed":
        raise _unusable(store, f"{directory}/{METADATA}", f"its status is {head.status!r}")
    try:
        data = store.get(f"{directory}/{RESULTS}")
    except FileNotFoundError as error:
        raise _unusable(store, f"{directory}/{RESULTS}", error) from error
    if content_hash(data) != head.results_sha256:
        raise _unusable(store, f"{directory}/{RESULTS}", "its hash does not match")
    return data


def _unusable(store: Store, name: str, cause: object) -> IncompleteError:
    why = "it is missing" if isinstance(cause, FileNotFoundError) else cause
    return IncompleteError(
        f"{store.location(name)} cannot be used: {why}.", "Leave this result out, or launch its tag again."
    )


def standings(tag: str, cells: Iterable[Cell], attempts: Iterable[Attempt], claims: Claims) -> dict[Cell, Standing]:
    """Where the given experiments stand, and all others that there are attempts at."""
    by_cell: dict[Cell, list[Attempt]] = {cell: [] for cell in cells}
    for attempt in attempts:
        if attempt.cell is not None:
            by_cell.setdefault(attempt.cell, []).append(attempt)
    return {cell: _standing(cell, made, partial(claims.held, claim_key(tag, cell))) for cell, made in by_cell.items()}


def _standing(cell: Cell, made: Sequence[Attempt], held: Callable[[], bool]) -> Standing:
    attempts = tuple(sorted(made, key=lambda attempt: (attempt.started, attempt.directory)))
    complete = [attempt for attempt in attempts if attempt.recorded == "completed"]
    if complete:
        return Standing(cell, "done", attempts, complete[-1], "")
    if any(attempt.recorded == "running" for attempt in attempts) and held():
        running = [attempt for attempt in attempts if attempt.recorded == "running"]
        return Standing(cell, "running", attempts, running[-1], "")
    if attempts:
        last = attempts[-1]
        if last.recorded == "interrupted":
            return Standing(cell, "missing", attempts, last, last.reason)
        return Standing(cell, "failed", attempts, last, DIED if last.recorded == "running" else last.reason)
    return Standing(cell, "missing", (), None, "")


def _attempts(store: Store, sizes: Mapping[str, int], *, verify: bool) -> list[Attempt]:
    folders: dict[str, int] = {}
    for name, size in sizes.items():
        folder = name.rpartition("/")[0]
        folders[folder] = folders.get(folder, 0) + size
    found: dict[str, Attempt | None] = {}
    look = _Look(store, sizes, verify)
    for name, read in read_many(store, sizes, [name for name in sizes if name.endswith(f"/{METADATA}")]):
        folder = name.rpartition("/")[0]
        found[folder] = _attempt(look, folder, folders[folder], read)
    for folder, size in folders.items():
        if folder not in found and f"{folder}/{RESULTS}" in sizes:
            found[folder] = _attempt(look, folder, size, partial(store.get, f"{folder}/{METADATA}"))
    return [attempt for folder in folders if (attempt := found.get(folder)) is not None]


class _Look:
    """A look at the blobs of a listing."""

    def __init__(self, store: Store, sizes: Mapping[str, int], verify: bool) -> None:
        self.store = store
        self.sizes = sizes
        self.verify = verify
        self.hashes = dict(store.hashes(sizes, [n for n in sizes if n.endswith(f"/{RESULTS}")])) if verify else {}


def _attempt(look: _Look, folder: str, size: int, read: Read) -> Attempt | None:
    store, sizes = look.store, look.sizes
    try:
        head = read_head(read())
    except FileNotFoundError:
        if f"{folder}/{METADATA}" in sizes:
            return None  # another process has moved it away meanwhile
        return _damaged(folder, size, f"there is no {METADATA}")
    except (HpoctlError, DamagedError) as error:
        return _damaged(folder, size, f"{METADATA} is damaged: {error}")
    recorded: Recorded = head.status
    reason = "" if recorded == "completed" else _first_line(head)
    if recorded == "completed":
        if f"{folder}/{RESULTS}" not in sizes:
            sizes = store.list(folder)  # it may have been completed while we looked
        reason = _what_is_wrong(look, folder, head, sizes.get(f"{folder}/{RESULTS}"))
        recorded = "damaged" if reason else recorded
    return Attempt(
        directory=folder,
        cell=head.cell,
        recorded=recorded,
        started=head.st_tuner_start_timestamp,
        identity=head.identity,
        reason=reason,
        size=size,
        host=head.host,
        seconds=head.wall_seconds,
        budget=head.max_wallclock_time,
        origin=head.made_by,
        progress=head.progress,
    )


def _damaged(folder: str, size: int, reason: str) -> Attempt:
    return Attempt(folder, None, "damaged", 0.0, None, reason, size, "", None, 0.0)


def _first_line(head: Head) -> str:
    """What a traceback says went wrong, without the rest of a message of several lines; other reasons as they are."""
    lines = (head.error or head.status).strip().splitlines()
    last = max((place for place, line in enumerate(lines) if line.startswith(TRACEBACK)), default=None)
    if last is not None:
        unindented = [line for line in lines[last + 1 :] if line[:1].strip()]
        lines = unindented[:1] or lines[-1:]
    line = lines[0].strip() if lines else ""
    return OWN_ERRORS.sub("", line)


def _what_is_wrong(look: _Look, folder: str, head: Head, size: int | None) -> str:
    if size is None:
        return f"{RESULTS} is missing"
    if size != head.results_bytes:
        return f"{RESULTS} has {size} bytes, not {head.results_bytes}"
    if look.verify:
        name = f"{folder}/{RESULTS}"
        try:
            found = look.hashes.get(name) or content_hash(look.store.get(name))
        except (FileNotFoundError, HpoctlError) as error:
            return f"{RESULTS} cannot be read: {error}"
        if found != head.results_sha256:
            return f"{RESULTS} has changed: its hash does not match"
    return ""
