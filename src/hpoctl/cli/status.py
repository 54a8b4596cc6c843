"""`hpoctl status`."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hpoctl.cli.options import AsJson, Results
from hpoctl.cli.reading import make_filters
from hpoctl.core.errors import UsageError

if TYPE_CHECKING:
    from hpoctl.core.cells import Filters
    from hpoctl.core.jobs import Launcher
    from hpoctl.ops.studies.config import Root
    from hpoctl.ops.upkeep.status_model import StudyStatus

MethodFilter = Annotated[
    list[str] | None, typer.Option("--method", "-m", help="Only this method; repeatable. Default: all.")
]


def _benchmark_names(given: list[str] | None) -> list[str] | None:
    """Names of benchmarks, some of them given as their files."""
    from hpoctl.ops.studies.benchmark_files import name_benchmarks

    return list(name_benchmarks(given, Path()).names) if given else given


BenchmarkFilter = Annotated[
    list[str] | None,
    typer.Option(
        "--benchmark",
        "-b",
        help="Only this benchmark, by its name or its file; repeatable. Default: all.",
        callback=_benchmark_names,
    ),
]
SeedFilter = Annotated[
    list[str] | None,
    typer.Option("--seed", help="Only these seeds, as in 13, 3-7 or 1,4,6-9; repeatable. Default: all."),
]


def status(
    tag: Annotated[str | None, typer.Option(help="Name of the study's results. Default: the list of all tags.")] = None,
    method: MethodFilter = None,
    benchmark: BenchmarkFilter = None,
    seed: SeedFilter = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Show it again and again, until all is done or Ctrl-C.")
    ] = False,
    interval: Annotated[float, typer.Option(min=0.1, help="Seconds between two updates with --watch.")] = 2.0,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read all results and compare them with their hashes; takes longer.")
    ] = False,
    results: Results = None,
    as_json: AsJson = False,
) -> None:
    """Show the progress of a study: what is done, running, failed or missing, why, and how to mend it."""
    from hpoctl.ops.studies.config import open_root

    if as_json and watch:
        raise UsageError("--watch and --json do not go together.", "Call it with --json as often as you like.")
    root = open_root(results)
    if tag is None:
        if method or benchmark or seed or watch:
            raise UsageError(
                "--method, --benchmark, --seed and --watch are about one tag.",
                f"Name it with --tag; `{root.command('status')}` lists all of them.",
            )
        _list_tags(root, verify=verify, as_json=as_json)
        return
    filters = make_filters(method, benchmark, seed)
    look = _looker(root, tag, filters, verify=verify)
    if watch:
        _watch(look, filters, root, interval)
    elif as_json:
        _emit(look(), root)
    else:
        _print(look(), filters, root)


def _looker(root: "Root", tag: str, filters: "Filters", *, verify: bool) -> "Callable[[], StudyStatus]":
    from hpoctl.core.machine import usable_cores
    from hpoctl.ops.launching.costs import read_costs
    from hpoctl.ops.launching.launchers import manifests_of, submitted_jobs
    from hpoctl.ops.upkeep.status import read_status

    costs, workers = read_costs(), len(usable_cores())
    launchers = _launchers(root, tag)

    def look() -> "StudyStatus":
        jobs = submitted_jobs(manifests_of(root.store, tag), launchers)
        return read_status(
            root, tag, filters, costs=costs, now=time.time(), workers=workers, verify=verify, submitted=jobs
        )

    return look


def _launchers(root: "Root", tag: str) -> "dict[str, Launcher]":
    """The launchers elsewhere that have jobs of the tag; plugins are loaded only if there are any."""
    from hpoctl.builtins import open_registry
    from hpoctl.core.names import check_tag
    from hpoctl.ops.launching.launchers import launchers_of, manifests_of

    manifests = manifests_of(root.store, check_tag(tag))
    return launchers_of(manifests, open_registry()) if manifests else {}


def _print(found: "StudyStatus", filters: "Filters", root: "Root") -> None:
    from rich.text import Text

    from hpoctl.cli.output import hint, out
    from hpoctl.cli.status_report import hints, picture

    console = out()
    for item in picture(found, filters, console.width):
        # Lines stay whole, so that paths and commands can be copied and searched for.
        console.print(item, soft_wrap=isinstance(item, Text))
    for line in hints(found, root):
        hint(line)


def _emit(found: "StudyStatus", root: "Root") -> None:
    from hpoctl.cli.output import emit_json, plain
    from hpoctl.ops.upkeep.status_model import next_commands

    data: dict[str, Any] = {**plain(found), "complete": found.complete, "next": next_commands(found, root)}
    fix = "Remove the file and launch with the same options as before."
    errors = [{"what": problem, "fix": fix} for problem in found.problems]
    emit_json("status", "partial" if errors else "success", data, errors)


def _watch(look: "Callable[[], StudyStatus]", filters: "Filters", root: "Root", interval: float) -> None:
    """Show the status until the study is complete; without a terminal, only when it has changed."""
    from hpoctl.cli.output import out

    try:
        if out().is_terminal:
            _watch_live(look, filters, root, interval)
        else:
            _watch_changes(look, filters, root, interval)
    except KeyboardInterrupt:
        return


def _watch_live(look: "Callable[[], StudyStatus]", filters: "Filters", root: "Root", interval: float) -> None:
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    from hpoctl.cli.output import out
    from hpoctl.cli.status_report import hints, picture

    console = out()
    with Live(console=console, auto_refresh=False) as live:
        while True:
            found = look()
            advice = [Text(line, style="dim") for line in hints(found, root, watching=True)]
            live.update(Group(*picture(found, filters, console.width), *advice), refresh=True)
            if found.complete:
                return
            time.sleep(interval)


def _watch_changes(look: "Callable[[], StudyStatus]", filters: "Filters", root: "Root", interval: float) -> None:
    shown = None
    while True:
        found = look()
        if shown is None or _essence(found) != _essence(shown):
            _print(found, filters, root)
            shown = found
        if found.complete:
            return
        time.sleep(interval)


def _essence(found: "StudyStatus") -> "StudyStatus":
    """What a change is: the time that is left always changes."""
    return replace(found, time_left=None)


def _list_tags(root: "Root", *, verify: bool, as_json: bool) -> None:
    from hpoctl.cli.output import emit_json, err, hint, out
    from hpoctl.cli.status_report import tag_table
    from hpoctl.ops.upkeep.tag_list import list_tags

    found = list_tags(root, verify=verify)
    if as_json:
        errors = [{"what": problem, "fix": "`hpoctl status --tag` says more."} for problem in found.problems]
        emit_json("status", "partial" if errors else "success", {"tags": found.tags}, errors)
        return
    console = out()
    if found.tags:
        console.print(tag_table(found, console.width))
    for problem in found.problems:
        err().print(f"warning: {problem}", style="yellow", markup=False, soft_wrap=True)
    if found.tags:
        hint(f"next: {root.command('status', '--tag', found.tags[0].tag)}")
