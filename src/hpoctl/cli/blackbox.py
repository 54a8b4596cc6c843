"""`hpoctl blackbox`: learning curves that stand in for training: list, import and check them."""

from pathlib import Path
from typing import Annotated

import typer

from hpoctl.cli.help import Command
from hpoctl.cli.layout import print_lines
from hpoctl.cli.listing import Wide
from hpoctl.cli.options import AsJson, Results
from hpoctl.cli.output import bar, emit_json, err
from hpoctl.core.errors import FAILED, HpoctlError

Name = Annotated[str, typer.Argument(metavar="NAME", help="Benchmark of the blackbox.")]
ImporterName = Annotated[
    str, typer.Argument(metavar="KIND", help="Importer; `hpoctl blackbox list` lists all of them.")
]

blackbox_app = typer.Typer(add_completion=False, no_args_is_help=True)


@blackbox_app.callback()
def blackbox() -> None:
    """List, import and check blackboxes: learning curves that stand in for training."""


@blackbox_app.command(name="list", cls=Command)
def list_all(wide: Wide = False, as_json: AsJson = False) -> None:
    """List blackboxes, with what is modelled, and importers; with --wide size, metrics and origin, too."""
    from hpoctl.builtins import open_registry
    from hpoctl.cli import blackbox_report as report
    from hpoctl.ops.tables.blackboxes import list_blackboxes

    found = list_blackboxes(open_registry())
    if as_json:
        report.emit_list(found)
    else:
        report.print_list(found, wide=wide)


@blackbox_app.command(cls=Command)
def info(name: Name, as_json: AsJson = False) -> None:
    """Show all that is known of one: space, size, metrics, defaults, source, licence, what is modelled, gates."""
    from hpoctl.builtins import open_registry
    from hpoctl.cli import blackbox_report as report
    from hpoctl.ops.tables.blackboxes import blackbox_info

    found = blackbox_info(open_registry(), name)
    if as_json:
        report.emit_info(found)
    else:
        report.print_info(found)
    if found.exit_code:
        raise typer.Exit(found.exit_code)


@blackbox_app.command(name="import", cls=Command)
def import_files(
    kind: ImporterName,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The files: what KIND says it reads.")],
    as_json: AsJson = False,
) -> None:
    """Import files, such as a table of your own: they are checked, stored, and become benchmarks."""
    from hpoctl.builtins import open_registry
    from hpoctl.cli import blackbox_report as report
    from hpoctl.ops.tables.blackbox_data import import_files as bring

    registry = open_registry()
    with bar() as progress:
        imported = bring(registry, kind, path, progress)
    if as_json:
        emit_json("blackbox", "success", {"kind": kind, "benchmarks": imported.benchmarks, "notes": imported.notes})
    else:
        report.print_imported(imported)


@blackbox_app.command(cls=Command)
def fetch(
    kind: ImporterName,
    url: Annotated[
        str | None, typer.Option(help="Where to download from. Default: the importer's own address.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Download the original files of an importer; repeated, it resumes."""
    from hpoctl.builtins import open_registry
    from hpoctl.cli import blackbox_report as report
    from hpoctl.ops.tables.blackbox_data import fetch_files

    registry = open_registry()
    with bar() as progress:
        fetched = fetch_files(registry, kind, url, progress)
    if as_json:
        emit_json("blackbox", "success", fetched)
    else:
        report.print_fetched(fetched)


@blackbox_app.command(cls=Command)
def check(name: Name, as_json: AsJson = False) -> None:
    """Check one: every byte of its data where they have checksums, and that its curves keep the rules."""
    from hpoctl.builtins import open_registry
    from hpoctl.cli import blackbox_report as report
    from hpoctl.ops.tables.blackbox_data import check_blackbox

    registry = open_registry()
    registry.benchmark(name)
    lines: list[str] = []
    wrong: HpoctlError | None = None
    try:
        for line in check_blackbox(registry, name):
            lines.append(line)
            if not as_json:
                report.print_right(line)
    except HpoctlError as error:
        wrong = error
    if as_json:
        report.emit_check(name, lines, wrong)
    else:
        report.print_checked(name, len(lines), wrong)
    if wrong:
        raise typer.Exit(FAILED)


@blackbox_app.command(cls=Command)
def plot(
    name: Name,
    output: Annotated[Path, typer.Option(help="File to write; .png, .svg or .pdf says the format.")],
    metric: Annotated[str | None, typer.Option(help="Metric. Default: the one that is tuned.")] = None,
    num: Annotated[int, typer.Option(min=1, max=1000, help="How many configurations.")] = 30,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the sample.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Draw the learning curves of a random sample of configurations."""
    from hpoctl.builtins import open_registry
    from hpoctl.cli import blackbox_report as report
    from hpoctl.ops.tables.blackbox_plot import plot_curves

    plotted = plot_curves(open_registry(), name, output, metric=metric, num=num, seed=seed)
    if as_json:
        emit_json("blackbox", "success", plotted)
    else:
        report.print_plotted(plotted)


@blackbox_app.command(cls=Command)
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Benchmark of an imported table.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove a table that was imported with `hpoctl blackbox import table`. Results on it stay."""
    from hpoctl.builtins import open_registry
    from hpoctl.cli.output import agreed
    from hpoctl.ops.tables.blackbox_data import check_removable, remove_imported

    registry = open_registry()
    check_removable(registry, name)
    if not yes and not agreed(
        f"This removes the imported table {name}; only its file can bring it back.", as_json=as_json
    ):
        err().print(f"{name} is still there", markup=False)
        return
    remove_imported(registry, name)
    if as_json:
        emit_json("blackbox", "success", {"removed": name})
    else:
        print_lines([f"removed {name}"])


@blackbox_app.command(cls=Command)
def push(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Benchmarks of imported tables.")],
    results: Results = None,
    as_json: AsJson = False,
) -> None:
    """Upload imported tables to the root of results, for jobs on other machines; existing ones are skipped."""
    from hpoctl.cli import blackbox_report as report
    from hpoctl.ops.studies.config import open_root
    from hpoctl.ops.tables.shared_tables import push_tables

    store = open_root(results).store
    with bar() as progress:
        pushed = push_tables(store, names, progress)
    if as_json:
        emit_json("blackbox", "success", {"pushed": pushed})
    else:
        report.print_shared("uploaded", store.location(""), pushed)


@blackbox_app.command(cls=Command)
def pull(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME...]", help="Tables, or the beginnings of their content hashes. Default: all."),
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="Only list the tables that are there.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Let them replace others of the same names.")] = False,
    results: Results = None,
    as_json: AsJson = False,
) -> None:
    """Fetch tables from the root of results to this machine, verified by their hashes."""
    from hpoctl.cli import blackbox_report as report
    from hpoctl.ops.studies.config import open_root
    from hpoctl.ops.tables.shared_tables import pull_tables, shared_tables

    store = open_root(results).store
    if show:
        pulled, word = shared_tables(store), "there"
    else:
        with bar() as progress:
            pulled = pull_tables(store, names or (), progress, replace=replace)
        word = "fetched"
    if as_json:
        emit_json("blackbox", "success", {"tables" if show else "pulled": pulled})
    else:
        report.print_shared(word, store.location(""), pulled)
