"""What `hpoctl clean` prints: what matches, what became of it, the next command."""

import shlex
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from hpoctl.cli.output import emit_json, err, hint, out
from hpoctl.core.text import printable
from hpoctl.ops.studies.config import Root
from hpoctl.ops.studies.seed_ranges import seeds_text
from hpoctl.ops.upkeep.clean import Cleaned, what_runs
from hpoctl.ops.upkeep.selection import Selection
from hpoctl.ops.upkeep.trash import Left, Purged, Restored

SHOWN = 5
"""So many directories are named before the rest is counted."""
FIX_CLEAN = "Clean again when that is mended."
FIX_UNDO = "Clean or move away what is there now, then undo again."
FIX_PURGE = "Purge again later."


def print_selection(selection: Selection) -> None:
    """The results that match, by method and benchmark."""
    groups = selection.groups()
    if groups:
        table = Table()
        for name in ("method", "benchmark", "results", "seeds", "state", "size"):
            number = name in {"results", "size"}
            kept = name not in {"seeds", "state"}
            table.add_column(name, justify="right" if number else "left", no_wrap=kept, overflow="fold")
        for group in groups:
            states = ", ".join(f"{count:,} {state}" for state, count in sorted(group.states.items()))
            names = (printable(group.method or "unknown"), printable(group.benchmark or "unknown"))
            cells = (*names, f"{group.count:,}", seeds_text(group.seeds) or "-", states, decimal(group.size))
            table.add_row(*map(Text, cells))
        out().print(table)
    whole = f"the whole tag {selection.tag}" if selection.criteria.whole else f"tag {selection.tag}"
    tell(f"{whole}: {_results(len(selection.matches))}, {decimal(selection.size)}")


def warn_of(selection: Selection, *, force: bool) -> None:
    """What a person should know before anything is moved."""
    _warn(f"passed over: {printable(left.directory)}: {left.why}" for left in selection.passed_over[:SHOWN])
    _warn_rest(selection.passed_over)
    if force and (running := what_runs(selection)):
        _warn([f"being run, and will fail: {running}"])


def question(selection: Selection) -> str:
    """What a person has to agree to before a whole tag is moved."""
    results = _results(len(selection.matches))
    return f"This moves all {results} of {selection.tag} ({decimal(selection.size)}) to the trash."


def purge_question(size: int) -> str:
    """What a person has to agree to before the trash is emptied."""
    return f"This removes all that is in the trash ({decimal(size)}), for good."


def print_dry_run(root: Root, selection: Selection, *, force: bool) -> None:
    """What a clean would leave alone, and the command that does it."""
    if not force and (running := what_runs(selection)):
        consequence = "the tag would stay as it is" if selection.criteria.whole else "their results would stay"
        _warn([f"being run: {running}; {consequence}"])
    tell("nothing was moved")
    hint(f"next: {root.command(*_words_again())}")


def print_cleaned(root: Root, selection: Selection, cleaned: Cleaned) -> None:
    """What was moved where, what was not and why, the next commands."""
    results = _results(cleaned.results)
    if cleaned.directories:
        what = f"tag {selection.tag} with {results}" if selection.criteria.whole else results
        tell(f"moved {what} to {root.store.location(cleaned.trash)}")
    if cleaned.running:
        _warn([f"left alone, being run: {_some(cleaned.running)}"])
    _show_left("not moved", cleaned.left, FIX_CLEAN)
    if cleaned.directories:
        hint(f"undo: {root.command('clean', '--undo')}")
        _tell_elsewhere(cleaned.elsewhere)
        if selection.launched and not selection.criteria.duplicates:
            hint(f"run again: {root.command('launch', '--tag', selection.tag)}")


def _tell_elsewhere(addresses: Sequence[str]) -> None:
    """What trials keep elsewhere, and the commands that remove it: an undone clean needs it."""
    if addresses:
        hint("files of their trials stay, so that undo works; remove them for good when it is not needed any more:")
    for address in addresses[:SHOWN]:
        hint(f"  aws s3 rm --recursive {shlex.quote(printable(address))}")
    if len(addresses) > SHOWN:
        hint(f"  and {len(addresses) - SHOWN} more, which --json lists")


def print_restored(restored: Restored, *, dry_run: bool) -> None:
    """What came back, and what did not."""
    if restored.directories:
        verb = "would restore" if dry_run else "restored"
        tell(f"{verb} {_restored(restored.directories)} (cleaned at {restored.entry})")
    elif not restored.left:
        tell(f"the clean at {restored.entry} has nothing in the trash: undone already, or killed before its first move")
    _show_left("still in the trash", restored.left, FIX_UNDO)


def print_purged(purged: Purged) -> None:
    """How much is free now."""
    cleans = f"{purged.cleans:,} clean{'s' if purged.cleans != 1 else ''}"
    tell(f"removed what {cleans} had moved: {decimal(purged.size)} freed")
    _show_left("still in the trash", purged.left, FIX_PURGE)


def emit_clean(root: Root, selection: Selection, cleaned: Cleaned | None) -> None:
    """What matches and what was done with it, for scripts; None: nothing, in a dry run."""
    left = cleaned.left if cleaned else ()
    data = {
        "tag": selection.tag,
        "criteria": selection.criteria.table(),
        "whole": selection.criteria.whole,
        "dry_run": cleaned is None,
        "matches": len(selection.matches),
        "size": selection.size,
        "groups": selection.groups(),
        "matching": [match.attempt.directory for match in selection.matches],
        "passed_over": selection.passed_over,
        "moved": cleaned.results if cleaned else 0,
        "directories": cleaned.directories if cleaned else (),
        "trash": root.store.location(cleaned.trash) if cleaned and cleaned.trash else None,
        "running": cleaned.running if cleaned else [match.attempt.directory for match in selection.busy],
        "left": left,
        "elsewhere": cleaned.elsewhere if cleaned else (),
    }
    _emit(data, left, FIX_CLEAN)


def emit_restored(restored: Restored, *, dry_run: bool) -> None:
    """What came back, for scripts."""
    data = {
        "undone": restored.entry,
        "dry_run": dry_run,
        "clean": restored.command,
        "directories": restored.directories,
        "left": restored.left,
    }
    _emit(data, restored.left, FIX_UNDO)


def emit_purged(size: int, purged: Purged, *, dry_run: bool) -> None:
    """How much is free now, for scripts."""
    data = {"dry_run": dry_run, "size": size, "freed": purged.size, "cleans": purged.cleans, "left": purged.left}
    _emit(data, purged.left, FIX_PURGE)


def tell(text: str) -> None:
    """One line of what was asked for."""
    out().print(text, markup=False, soft_wrap=True)


def _emit(data: dict[str, Any], left: Sequence[Left], fix: str) -> None:
    errors = [{"what": f"{entry.directory}: {entry.why}", "fix": fix} for entry in left]
    emit_json("clean", "partial" if errors else "success", data, errors)


def _words_again() -> list[str]:
    """The words of this command line without `--dry-run`, and without the root, which is added where it was given."""
    words = [word for word in sys.argv[1:] if word != "--dry-run" and not word.startswith("--results=")]
    roots = {place for place, word in enumerate(words) if word == "--results"}
    return [word for place, word in enumerate(words) if place not in roots and place - 1 not in roots]


def _show_left(what: str, left: Sequence[Left], fix: str) -> None:
    for entry in left[:SHOWN]:
        text = f"error: {what}: {printable(entry.directory)}: {printable(entry.why)}"
        err().print(text, style="bold red", markup=False, soft_wrap=True)
    _warn_rest(left)
    if left:
        err().print(f"  fix: {fix}", markup=False, soft_wrap=True)


def _warn_rest(left: Sequence[Left]) -> None:
    if len(left) > SHOWN:
        _warn([f"and {len(left) - SHOWN:,} more; --json names all of them"])


def _warn(lines: Iterable[str]) -> None:
    for line in lines:
        err().print(f"warning: {printable(line)}", style="yellow", markup=False, soft_wrap=True)


def _results(count: int) -> str:
    return f"{count:,} result{'s' if count != 1 else ''}"


def _restored(directories: Sequence[str]) -> str:
    """Results by number and tag, a whole tag by its name."""
    tags = ", ".join(dict.fromkeys(directory.partition("/")[0] for directory in directories))
    return f"tag {tags}" if tags == directories[0] else f"{_results(len(directories))} of tag {tags}"


def _some(directories: Sequence[str]) -> str:
    """A few directories by name, many by number."""
    if len(directories) <= SHOWN:
        return ", ".join(map(printable, directories))
    return f"{printable(directories[0])} and {len(directories) - 1:,} more"
