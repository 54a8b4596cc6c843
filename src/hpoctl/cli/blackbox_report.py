"""What `hpoctl blackbox` prints."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hpoctl.cli.layout import print_facts, print_lines, print_table
from hpoctl.cli.listing import in_short, print_space, source_text, warn
from hpoctl.cli.output import emit_json, error_json, hint, out, show_error
from hpoctl.cli.words import many, size_text

if TYPE_CHECKING:
    from hpoctl.core.entries import Imported
    from hpoctl.core.errors import HpoctlError
    from hpoctl.ops.tables.blackbox_data import Fetched
    from hpoctl.ops.tables.blackbox_plot import Plotted
    from hpoctl.ops.tables.blackboxes import BlackboxInfo, BlackboxList, BlackboxRow, OpenedInfo
    from hpoctl.ops.tables.shared_tables import SharedTable

COMMAND = "blackbox"


def emit_list(found: "BlackboxList") -> None:
    """The list as JSON; partial if a plugin or an imported table failed."""
    errors = [error_json(problem) for problem in found.problems]
    data = {"blackboxes": found.blackboxes, "importers": found.importers}
    emit_json(COMMAND, "partial" if errors else "success", data, errors)


def print_list(found: "BlackboxList", *, wide: bool) -> None:
    """Blackboxes, then importers."""
    warn(found.problems)
    rows = found.blackboxes
    columns: dict[str, Sequence[object]] = {
        "blackbox": [row.name for row in rows],
        "summary": [row.summary for row in rows],
        "curves": [(row.curves or "-") if wide else in_short(row.curves) for row in rows],
    }
    if wide:
        columns |= {
            "size": [_size(row) for row in rows],
            "metrics": [
                ", ".join(f"{name} ({row.mode})" if name == row.metric else name for name in row.metrics)
                for row in rows
            ],
            "from": ["imported" if row.imported else str(row.origin) for row in rows],
        }
    if rows:
        print_table(columns, wide=wide)
    else:
        print_lines(["no blackboxes"])
    print_lines([""])
    importers = found.importers
    downloads = ", downloads with `hpoctl blackbox fetch"
    told = [f"{row.summary} ({row.origin}{f'{downloads} {row.name}`' if row.fetches else ''})" for row in importers]
    print_table({"importer": [row.name for row in importers], "what it imports": told}, wide=wide)
    hint("`hpoctl blackbox info NAME` shows one; `hpoctl blackbox import table FILE` brings your own")


def _size(row: "BlackboxRow") -> str:
    seeds = "seeds known when opened" if row.seeds is None else many(row.seeds, "seed")
    count = f"{'listed ones of ' if row.restricted else ''}{_count(row.configurations)} configurations"
    return f"{count}, {seeds}, {row.resource_attr} to {row.max_resource}"


def emit_info(found: "BlackboxInfo") -> None:
    """All that is known as JSON; partial if the table cannot be opened."""
    errors = [error_json(problem) for problem in (found.problem, *found.warnings) if problem]
    data = {"benchmark": found.benchmark, "card": found.card, "opened": found.opened}
    emit_json(COMMAND, "partial" if errors else "success", data, errors)


def print_info(found: "BlackboxInfo") -> None:
    """Facts, the card, and the space."""
    warn(found.warnings)
    benchmark, opened = found.benchmark, found.opened
    reports = benchmark.max_num_evaluations
    facts = {
        "from": source_text(benchmark.origin) if benchmark.origin else benchmark.source,
        **{str(key): fact for key, fact in benchmark.provenance.items()},
        "metric": f"{benchmark.metric} ({benchmark.mode})",
        "recorded": ", ".join(benchmark.metrics),
        "resource": f"{benchmark.resource_attr} to {benchmark.max_resource} ({benchmark.max_resource_attr})",
        "workers": str(benchmark.n_workers),
        "budget": f"{benchmark.max_wallclock_time:,.0f} s" + (f", {reports:,} reports" if reports else ""),
    }
    if opened:
        facts |= {
            "configurations": _count(opened.configurations),
            "other configurations": _others(opened),
            "seeds": f"{opened.seeds:,}",
            "levels": f"{opened.levels:,}",
            "content hash": opened.content_hash,
        }
    print_facts(f"{benchmark.name}: {benchmark.summary}", facts | dict(found.card))
    print_space(benchmark)
    if found.problem:
        show_error(found.problem)
    else:
        hint(f"`hpoctl blackbox plot {benchmark.name} --output curves.png` draws some curves")


def print_imported(imported: "Imported") -> None:
    """What was imported, what to know about it, and what to type next."""
    print_lines([f"imported {', '.join(imported.benchmarks)}", *(f"  {note}" for note in imported.notes)])
    if imported.benchmarks:
        name = imported.benchmarks[0]
        hint(f"`hpoctl blackbox info {name}` shows what is known of it")
        hint(f"`hpoctl run --method ASHA --benchmark {name}` runs on it")


def print_fetched(fetched: "Fetched") -> None:
    """Where the files are, and how to import them."""
    print_lines([fetched.path])
    hint(f"`hpoctl blackbox import {fetched.kind} {fetched.path}` imports them")


def print_right(line: str) -> None:
    """A thing that is right."""
    out().print(f"{_mark('✓', 'ok')} {line}", style="green", markup=False, emoji=False, soft_wrap=True)


def print_checked(name: str, right: int, wrong: "HpoctlError | None") -> None:
    """How a check has ended."""
    if wrong is None:
        print_lines([f"{name} is sound: {many(right, 'check')}"])
        return
    out().print(f"{_mark('✗', 'wrong')} {wrong.what}", style="bold red", markup=False, emoji=False, soft_wrap=True)
    show_error(type(wrong)(f"{name} is not sound: {wrong.what}", wrong.fix))


def emit_check(name: str, right: Sequence[str], wrong: "HpoctlError | None") -> None:
    """The checks as JSON."""
    data = {"name": name, "sound": wrong is None, "checks": list(right)}
    emit_json(COMMAND, "error" if wrong else "success", data, [error_json(wrong)] if wrong else [])


def print_plotted(plotted: "Plotted") -> None:
    """The file, and what the picture cannot show."""
    print_lines([plotted.path])
    if plotted.not_finite:
        hint(f"{plotted.metric} is NaN or infinite somewhere in {many(plotted.not_finite, 'curve')}: gaps")


def print_shared(word: str, where: str, tables: "Sequence[SharedTable]") -> None:
    """Tables beside results.

    Args:
        word: What was done with those that are new.
        where: The root of results.
        tables: The tables.
    """
    for table in tables:
        state = word if table.new else "there already" if word != "there" else "there"
        print_lines([f"{table.name}  {state}  {size_text(table.size)}  {table.key[:12]}"])
    hint(f"root: {where}")


def _others(opened: "OpenedInfo") -> str:
    """What becomes of configurations of the space that have no curve."""
    if not opened.listed:
        return ""
    return "cannot be tried" if opened.restricted else "get the curve of the nearest one"


def _count(number: int | None) -> str:
    return "infinitely many" if number is None else f"{number:,}"


def _mark(sign: str, word: str) -> str:
    """A sign, or a word where the terminal has no such letter."""
    return sign if "utf" in (sys.stdout.encoding or "").lower() else word
