"""`hpoctl clean`."""

from typing import TYPE_CHECKING, Annotated

import typer

from hpoctl.cli.options import AsJson, Results
from hpoctl.cli.reading import make_filters
from hpoctl.core.errors import UsageError

if TYPE_CHECKING:
    from hpoctl.ops.studies.config import Root
    from hpoctl.ops.upkeep.selection import Criteria

SOME_LEFT = 1


def clean(
    tag: Annotated[str | None, typer.Option(help="Tag whose results are moved away.")] = None,
    method: Annotated[list[str] | None, typer.Option("--method", "-m", help="Of this method; repeatable.")] = None,
    benchmark: Annotated[
        list[str] | None, typer.Option("--benchmark", "-b", help="Of this benchmark; repeatable.")
    ] = None,
    seed: Annotated[
        list[str] | None, typer.Option("--seed", help="Of these seeds: 13, 3-7 or 1,4; repeatable.")
    ] = None,
    incomplete: Annotated[
        bool, typer.Option("--incomplete", help="Neither completed nor running: failed, interrupted, killed, damaged.")
    ] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Failed, or killed.")] = False,
    duplicates: Annotated[
        bool, typer.Option("--duplicates", help="Completed, with a newer completed result of the same experiment.")
    ] = False,
    older_than: Annotated[str | None, typer.Option(help="Begun longer ago than 7d, 12h, 30m or 90s.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be moved.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Restore what the last clean moved, of --tag if given.")] = False,
    purge: Annotated[bool, typer.Option("--purge", help="Empty the trash, for good.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Move results of running experiments, too; these will fail.")
    ] = False,
    results: Results = None,
    as_json: AsJson = False,
) -> None:
    """Move matching results, or a whole tag, into the trash."""
    from hpoctl.ops.studies.config import open_root
    from hpoctl.ops.upkeep.selection import Criteria, parse_age

    criteria = Criteria(
        make_filters(method, benchmark, seed),
        incomplete=incomplete,
        failed=failed,
        duplicates=duplicates,
        older_than=None if older_than is None else parse_age(older_than),
    )
    root = open_root(results)
    if undo or purge:
        _check_alone(tag, criteria, undo=undo, purge=purge, force=force)
        if undo:
            code = _undo(root, tag, dry_run=dry_run, as_json=as_json)
        else:
            code = _purge(root, dry_run=dry_run, yes=yes, as_json=as_json)
    elif tag is None:
        raise UsageError("There is no --tag.", "Name the tag to clean; `hpoctl status` lists all of them.")
    else:
        code = _clean(root, tag, criteria, dry_run=dry_run, yes=yes, force=force, as_json=as_json)
    if code:
        raise typer.Exit(code)


def _check_alone(tag: str | None, criteria: "Criteria", *, undo: bool, purge: bool, force: bool) -> None:
    option = "--undo" if undo else "--purge"
    if undo and purge:
        raise UsageError("--undo and --purge contradict each other.", "Give one of them.")
    if not criteria.whole or force or (purge and tag is not None):
        also = " and --tag" if undo else ""
        raise UsageError(f"{option} takes no choice of results.", f"Give {option}{also} without other options.")


def _clean(
    root: "Root", tag: str, criteria: "Criteria", *, dry_run: bool, yes: bool, force: bool, as_json: bool
) -> int:
    from hpoctl.cli import clean_report as report
    from hpoctl.cli.output import agreed
    from hpoctl.core.clock import SystemTime
    from hpoctl.ops.studies.provenance import command_line
    from hpoctl.ops.upkeep.clean import clean as move_away
    from hpoctl.ops.upkeep.selection import select

    now = SystemTime().utc()
    selection = select(root, tag, criteria, now)
    if not as_json:
        report.print_selection(selection)
        report.warn_of(selection, force=force)
    if dry_run:
        if as_json:
            report.emit_clean(root, selection, None)
        else:
            report.print_dry_run(root, selection, force=force)
        return 0
    if criteria.whole and not yes and not agreed(report.question(selection), as_json=as_json):
        report.tell("nothing was moved")
        return 0
    cleaned = move_away(root, selection, now, command_line(), force=force)
    if as_json:
        report.emit_clean(root, selection, cleaned)
    else:
        report.print_cleaned(root, selection, cleaned)
    return SOME_LEFT if cleaned.left else 0


def _undo(root: "Root", tag: str | None, *, dry_run: bool, as_json: bool) -> int:
    from hpoctl.cli import clean_report as report
    from hpoctl.ops.upkeep.trash import undo

    restored = undo(root.store, root.claims, tag, dry_run=dry_run)
    if as_json:
        report.emit_restored(restored, dry_run=dry_run)
    else:
        report.print_restored(restored, dry_run=dry_run)
    return SOME_LEFT if restored.left else 0


def _purge(root: "Root", *, dry_run: bool, yes: bool, as_json: bool) -> int:
    from rich.filesize import decimal

    from hpoctl.cli import clean_report as report
    from hpoctl.cli.output import agreed
    from hpoctl.ops.upkeep.trash import Purged, purge, trash_size

    size = trash_size(root.store)
    if not dry_run and not yes and not agreed(report.purge_question(size), as_json=as_json):
        report.tell("nothing was removed")
        return 0
    purged = Purged(0, 0, ()) if dry_run else purge(root.store, root.claims)
    if as_json:
        report.emit_purged(size, purged, dry_run=dry_run)
    elif dry_run:
        report.tell(f"this would free {decimal(size)}; nothing was removed")
    else:
        report.print_purged(purged)
    return SOME_LEFT if purged.left else 0
