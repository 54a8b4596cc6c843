"""What `hpoctl export` and `hpoctl import` say."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.table import Table
from rich.text import Text

from hpoctl.cli.output import bar, emit_json, err, hint, out, plain
from hpoctl.cli.plot_report import print_skipped, skipped_json
from hpoctl.cli.words import many
from hpoctl.ops.exchange.export import Exported
from hpoctl.ops.exchange.import_results import ImportedResults
from hpoctl.ops.studies.config import Root

MOST_REFUSED = 10


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar of results; nothing when piped."""
    with bar() as tell:
        yield lambda done, total: tell(what, done, total)


def show_exported(exported: Exported) -> None:
    """Print the written and the skipped experiments."""
    new = exported.experiments - exported.present
    there = f"; {many(exported.present, 'experiment')} there already" if exported.present else ""
    tags = ", ".join(exported.tags)
    _line(f"wrote {many(new, 'experiment')} of {tags} with {many(exported.rows, 'row')} to {exported.path}{there}")
    for note in exported.notes:
        out().print(note, style="yellow", soft_wrap=True, markup=False)
    missing = sum(entry.kind == "missing" for entry in exported.skipped)
    if missing:
        hint(f"{many(missing, 'experiment')} of the tag not begun yet: not in it")
    print_skipped(exported.skipped)
    if exported.form == "syne-tune":
        place = shlex.quote(str(Path(exported.path).absolute()))
        hint(f"Syne Tune reads it as its own results with SYNETUNE_FOLDER={place}")
    elif exported.form == "parquet":
        hint(f"in Python: pandas.read_parquet({exported.path!r})")


def emit_exported(exported: Exported) -> None:
    """What was exported as JSON."""
    skipped = [skipped_json(entry) for entry in exported.skipped]
    emit_json("export", "success", {**plain(exported), "skipped": skipped})


def show_imported(imported: ImportedResults, root: Root) -> None:
    """Print what each tag got, and what was refused."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("tag", "methods", "benchmarks"):
        table.add_column(title, overflow="fold")
    for title in ("imported", "there already"):
        table.add_column(title, justify="right")
    for tag in imported.tags:
        words = (tag.tag, ", ".join(tag.methods), ", ".join(tag.benchmarks), f"{tag.imported:,}", f"{tag.present:,}")
        table.add_row(*map(Text, words))
    out().print(table)
    for note in imported.notes:
        out().print(note, style="yellow", soft_wrap=True, markup=False)
    for entry in imported.refused[:MOST_REFUSED]:
        line = f"refused: {entry.path}: {entry.what} {entry.fix}"
        err().print(line, style="bold red", markup=False, soft_wrap=True)
    if len(imported.refused) > MOST_REFUSED:
        hint(f"and {many(len(imported.refused) - MOST_REFUSED, 'more result')} refused; --json lists all of them")
    named = [word for tag in imported.tags for word in ("--tag", tag.tag)]
    hint(f"next: {root.command('status', '--tag', imported.tags[0].tag)}")
    picture = root.command("plot", *named, "--output", f"{imported.tags[0].tag}.png")
    hint(f"a figure: {picture}; with another --tag, results of your own beside them")


def emit_imported(imported: ImportedResults) -> None:
    """What was imported as JSON."""
    errors = [{"what": f"{entry.path}: {entry.what}", "fix": entry.fix} for entry in imported.refused]
    emit_json("import", "partial" if errors else "success", imported, errors)


def _line(text: str) -> None:
    out().print(text, soft_wrap=True, markup=False)
