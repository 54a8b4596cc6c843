"""`hpoctl clean`: move results into the trash, one step each, so that a clean can be killed anywhere and undone."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from time import sleep
from typing import Literal

from hpoctl.core.cells import CONTROL, claim_key
from hpoctl.core.errors import HpoctlError, IncompleteError
from hpoctl.core.storage import Claims
from hpoctl.ops.studies.config import Root
from hpoctl.ops.upkeep.selection import Match, Selection, fitting, held_elsewhere, select
from hpoctl.ops.upkeep.trash import Left, finish_moves, new_entry
from hpoctl.ops.upkeep.trash_entries import CleanFile
from hpoctl.ops.upkeep.work_files import kept_elsewhere, move_work
from hpoctl.stores.ledger import read_again

WAIT = 0.01
"""Seconds between looks whether another clean of the tag has ended."""
WAITS = 3000
Fate = Literal["moved", "gone", "running"]


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a clean did.

    Attributes:
        trash: The folder of the trash that the results are in now.
        directories: The result directories that were moved; with a whole tag, the tag.
        results: How many results that were.
        size: How many bytes.
        running: Those that stay, because their experiments are being run.
        left: Those that could not be moved.
        elsewhere: The addresses at which trial backends keep files of those that were moved. These stay, so that the
            clean can be undone.
    """

    trash: str
    directories: tuple[str, ...]
    results: int
    size: int
    running: tuple[str, ...]
    left: tuple[Left, ...]
    elsewhere: tuple[str, ...] = ()


def clean(root: Root, selection: Selection, now: datetime, command: str, *, force: bool = False) -> Cleaned:
    """Move the selected results into the trash.

    Args:
        root: Where results live.
        selection: What is to be moved.
        now: The present date.
        command: The command line, which is kept with them.
        force: Move results of running experiments, too.

    Raises:
        IncompleteError: Nothing can be moved, because all of it runs, or is gone.
        HpoctlError: The whole tag was selected and something of it runs, or the trash cannot be written.
    """
    work = _clean_tag if selection.criteria.whole else _clean_results
    with _turn(root.claims, selection.tag):
        finish_moves(root.store, root.claims)
        return work(root, selection, now, command, force=force)


def what_runs(selection: Selection) -> str:
    """What of a whole tag is being run, in a few words; empty: nothing."""
    busy = list(dict.fromkeys(str(match.attempt.cell) for match in selection.busy))
    launches = [f"a launch on {launch.host}, process {launch.pid}" for launch in selection.launches]
    named = [*launches, *busy[:3], *([f"{len(busy) - 3} more"] if len(busy) > 3 else [])]
    return ", ".join(named)


def _clean_tag(root: Root, selection: Selection, now: datetime, command: str, *, force: bool) -> Cleaned:
    tag = selection.tag
    selection = select(root, tag, selection.criteria, now)  # the user may have taken long to confirm
    if not force and (running := what_runs(selection)):
        raise HpoctlError(
            f"Tag {tag} is being run: {running}.", "Wait for it or stop it, or add --force: what runs will fail then."
        )
    content = _manifest(selection, [tag], command)
    elsewhere = kept_elsewhere(root.store, tag, [match.attempt.directory for match in selection.matches])
    with new_entry(root.store, root.claims, content, now) as folder:
        try:
            root.store.move(tag, f"{folder}/{tag}")
            move_work(root.store, tag, folder)
        except FileNotFoundError:
            raise _gone(tag) from None
    return Cleaned(folder, (tag,), len(selection.matches), selection.size, (), (), elsewhere)


def _clean_results(root: Root, selection: Selection, now: datetime, command: str, *, force: bool) -> Cleaned:
    tag = selection.tag
    runs = partial(held_elsewhere, root.claims, tag)
    busy = [match for match in selection.matches if not force and match.attempt.cell and runs(match.attempt.cell)]
    busy_ones = {match.attempt.directory for match in busy}
    wanted = [match for match in selection.matches if match.attempt.directory not in busy_ones]
    if not wanted:
        raise _all_running(busy)
    content = _manifest(selection, [match.attempt.directory for match in wanted], command)
    elsewhere = {name: kept_elsewhere(root.store, tag, [name]) for name in content.directories}
    moved: list[Match] = []
    left: list[Left] = []
    with new_entry(root.store, root.claims, content, now) as folder:
        busy += _Mover(root, selection, now, folder, force=force).move(wanted, moved, left)
    if not moved and not left:
        raise _all_running(busy) if busy else _gone(tag)
    return Cleaned(
        folder if moved else "",
        tuple(match.attempt.directory for match in moved),
        len(moved),
        sum(match.size for match in moved),
        tuple(match.attempt.directory for match in busy),
        tuple(left),
        tuple(address for match in moved for address in elsewhere[match.attempt.directory]),
    )


@contextmanager
def _turn(claims: Claims, tag: str) -> Iterator[None]:
    """One clean of a tag at a time: its claims on experiments would look to another one as if they were being run."""
    key = f"{tag}/{CONTROL}/clean"
    for _ in range(WAITS):
        if claims.take(key):
            break
        sleep(WAIT)
    else:
        raise HpoctlError(f"Another clean of tag {tag} does not end.", "Wait for it or stop it, and clean again.")
    try:
        yield
    finally:
        claims.release(key)


class _Mover:
    """Moves results into a folder of the trash."""

    def __init__(self, root: Root, selection: Selection, now: datetime, folder: str, *, force: bool) -> None:
        self._root = root
        self._tag = selection.tag
        self._folder = folder
        self._force = force
        # Which are duplicates has been decided; all else is asked again of each result, just before it is moved.
        held = partial(held_elsewhere, root.claims, selection.tag)
        self._fits = fitting(replace(selection.criteria, duplicates=False), [], now, held)
        self._completed_only = selection.criteria.duplicates

    def move(self, matches: Iterable[Match], moved: list[Match], left: list[Left]) -> list[Match]:
        """Move results; returns those whose claim another process has."""
        running = []
        for match in matches:
            try:
                fate = self._move(match)
            except HpoctlError as error:
                left.append(Left(match.attempt.directory, error.what))
                continue
            except FileExistsError:
                left.append(Left(match.attempt.directory, "there is one of that name in the trash"))
                continue
            if fate == "moved":
                moved.append(match)
            elif fate == "running":
                running.append(match)
        return running

    def _move(self, match: Match) -> Fate:
        claims, attempt = self._root.claims, match.attempt
        key = None if attempt.cell is None else claim_key(self._tag, attempt.cell)
        taken = key is not None and claims.take(key)
        if key is not None and not taken and not self._force:
            return "running"
        try:
            if (taken or not self._force) and not self._still_fits(attempt.directory):
                return "gone"
            self._root.store.move(attempt.directory, f"{self._folder}/{attempt.directory}")
            move_work(self._root.store, attempt.directory, self._folder)
        except FileNotFoundError:
            return "gone"
        finally:
            if key is not None and taken:
                claims.release(key)
        return "moved"

    def _still_fits(self, directory: str) -> bool:
        """Whether a result still exists unchanged: it may have been completed while others were examined."""
        found = read_again(self._root.store, [directory])
        return any(
            attempt.directory == directory
            and self._fits(attempt)
            and (not self._completed_only or attempt.recorded == "completed")
            for attempt in found
        )


def _manifest(selection: Selection, directories: list[str], command: str) -> CleanFile:
    return CleanFile(command, selection.tag, selection.criteria.table(), tuple(directories))


def _all_running(busy: list[Match]) -> IncompleteError:
    first = busy[0].attempt.cell
    others = f" and {len(busy) - 1} more" if len(busy) > 1 else ""
    return IncompleteError(
        f"All that matches is being run: {first}{others}.",
        "Wait for it or stop it, or add --force: what runs will fail then.",
    )


def _gone(tag: str) -> IncompleteError:
    return IncompleteError(f"What matched in tag {tag} is gone.", "Somebody else has moved it; there is nothing to do.")
