"""`hpoctl sync`."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from hpoctl.cli.options import AsJson, Results
from hpoctl.cli.output import bar

if TYPE_CHECKING:
    from hpoctl.ops.exchange.sync import Synced

SOME_LEFT = 1


def sync(
    tag: Annotated[str, typer.Option(help="Tag whose results are brought.")],
    up: Annotated[bool, typer.Option("--up", help="From the folder of --to up to the root of --results.")] = False,
    to: Annotated[
        str | None, typer.Option(help="Folder that results are brought to; with --up, from. Default: ~/hpoctl.")
    ] = None,
    logs: Annotated[bool, typer.Option("--logs", help="Bring what experiments printed, too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be brought.")] = False,
    results: Results = None,
    as_json: AsJson = False,
) -> None:
    """Copy missing and newer results between a folder and a root such as s3://bucket/prefix."""
    from dataclasses import asdict

    from hpoctl.cli.output import emit_json
    from hpoctl.ops.exchange.sync import open_sides
    from hpoctl.ops.exchange.sync import sync as bring

    sides = open_sides(results, to, up=up)
    with bar() as progress:
        synced = bring(sides, tag, progress, logs=logs, dry_run=dry_run)
    left = bool(synced.conflicts or synced.damaged)
    if as_json:
        emit_json("sync", "partial" if left else "success", {"dry_run": dry_run, **asdict(synced)})
    else:
        _print(synced, sides.target.location(""), dry_run=dry_run)
    if left:
        raise typer.Exit(SOME_LEFT)


def _print(synced: "Synced", root: str, *, dry_run: bool) -> None:
    from hpoctl.cli.output import err, hint, out
    from hpoctl.cli.words import many, size_text

    verb = "would bring" if dry_run else "brought"
    what = f"{verb} {many(synced.copied, 'result')} and {many(synced.files, 'other file')}, {size_text(synced.size)}"
    out().print(f"{what}; {synced.same:,} are up to date", markup=False, soft_wrap=True)
    out().print(f"from: {synced.source}", markup=False, soft_wrap=True)
    out().print(f"to:   {synced.target}", markup=False, soft_wrap=True)
    if synced.running:
        err().print(f"{many(synced.running, 'result')} not brought: they have not ended", markup=False)
    if synced.kept:
        err().print(f"{many(synced.kept, 'result')} kept: not newer at the source", markup=False)
    for kind, entries in (("conflict", synced.conflicts), ("damaged", synced.damaged)):
        for entry in entries:
            err().print(f"{kind}: {entry.directory}: {entry.why}", style="yellow", markup=False, soft_wrap=True)
    if synced.conflicts:
        hint("conflicts stay as they are on both sides; `hpoctl clean` moves away the one that is not wanted")
    if not dry_run:
        hint(f"next: {shlex.join(['hpoctl', 'status', '--tag', synced.tag, '--results', root])}")
