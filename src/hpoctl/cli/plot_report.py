"""What `hpoctl plot` says: final values, what is missing, the chart of the terminal, and the numbers as JSON."""

import math
from collections.abc import Iterator
from typing import Any

from rich.table import Table
from rich.text import Text

from hpoctl.analysis.comparison_figure import ComparisonPicture, Panel
from hpoctl.analysis.terminal_chart import chart, mark
from hpoctl.cli.output import emit_json, err, hint, out
from hpoctl.cli.words import many
from hpoctl.ops.answers.plot_request import PlottedStudy
from hpoctl.ops.answers.plotted_setups import Setup
from hpoctl.ops.reading.load_traces import Skipped

STYLES = ("blue", "red", "green", "magenta", "bold", "cyan", "yellow", "bright_black")
MOST_SKIPPED = 10
WIDEST = 100


def show(plotted: PlottedStudy, *, terminal: bool) -> None:
    """Print the written files and the skipped results."""
    console = out()
    if terminal:
        for panel in plotted.picture.panels:
            _draw(panel, plotted.picture)
    console.print(_table(plotted))
    console.print(f"{plotted.aggregate}; {plotted.interval}", soft_wrap=True, markup=False)
    for note in plotted.notes:
        console.print(note, style="yellow", soft_wrap=True, markup=False)
    print_skipped(plotted.skipped)
    if plotted.path is not None:
        console.print(f"wrote {plotted.path}", soft_wrap=True, markup=False)


def print_skipped(skipped: tuple[Skipped, ...]) -> None:
    """List on standard error what was left out, and why."""
    listed = [entry for entry in skipped if entry.kind != "missing" or entry.cell is None]
    for entry in listed[:MOST_SKIPPED]:
        line = f"{entry.kind}: {entry.path}: {entry.what}; {entry.policy}"
        err().print(line, style="yellow", markup=False, soft_wrap=True)
    if len(listed) > MOST_SKIPPED:
        hint(f"and {many(len(listed) - MOST_SKIPPED, 'more result')} left out; --json lists all of them")


def emit(plotted: PlottedStudy) -> None:
    """Print the numbers behind the figure."""
    data = {
        "output": plotted.path,
        "tags": plotted.tags,
        "kind": plotted.kind,
        "x": plotted.axis,
        "aggregate": plotted.aggregate,
        "interval": plotted.interval,
        "panels": [{"title": title, "methods": methods} for title, methods in plotted.panels.items()],
        "setups": [_numbers(setup) for setup in plotted.setups],
        "notes": plotted.notes,
        "skipped": [skipped_json(entry) for entry in plotted.skipped],
    }
    emit_json("plot", "success", data)


def skipped_json(entry: Skipped) -> dict[str, Any]:
    """Something that was left out, as a JSON object."""
    cell = entry.cell
    return {
        "kind": entry.kind,
        "tag": entry.tag,
        "method": None if cell is None else cell.method,
        "benchmark": None if cell is None else cell.benchmark,
        "seed": None if cell is None else cell.seed,
        "path": entry.path,
        "what": entry.what,
        "policy": entry.policy,
    }


def _numbers(setup: Setup) -> dict[str, Any]:
    band = setup.band
    return {
        "method": setup.name,
        "benchmark": setup.benchmark,
        "metric": setup.metric,
        "mode": setup.mode,
        "seeds": list(setup.finals),
        "missing": setup.missing,
        "without_value": setup.without_value,
        "finals": list(setup.finals.values()),
        "times": band.times.tolist(),
        "centre": band.centre.tolist(),
        "low": band.low.tolist(),
        "high": band.high.tolist(),
    }


def _table(plotted: PlottedStudy) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    of_columns = plotted.kind in ("rungs", "extra")
    for title in ("benchmark", "method", *(["extra result"] if of_columns else [])):
        table.add_column(title)
    for title in ("seeds", "at the end", "band"):
        table.add_column(title, justify="right")
    before = ("", "")
    for setup in sorted(plotted.setups, key=lambda setup: setup.benchmark):
        of = "" if setup.band.seeds == setup.wanted else f" of {setup.wanted}"
        band = setup.band
        ends = f"{number(band.low[-1])} to {number(band.high[-1])}" if math.isfinite(band.low[-1]) else "-"
        table.add_row(
            Text(setup.benchmark if setup.benchmark != before[0] else ""),
            Text(setup.name if (setup.benchmark, setup.name) != before else ""),
            *([Text(setup.metric)] if of_columns else []),
            Text(f"{band.seeds}{of}", style="yellow" if of else ""),
            Text(number(band.centre[-1])),
            Text(ends),
        )
        before = setup.benchmark, setup.name
    return table


def number(value: float) -> str:
    """A value with four digits."""
    return f"{float(value):.4g}"


def _draw(panel: Panel, picture: ComparisonPicture) -> None:
    console = out()
    peers = [peer for peer in picture.panels if peer.benchmark == panel.benchmark]
    console.print(f"{panel.title}: {panel.metric}", style="bold", markup=False)
    for row in chart(panel, peers, min(console.width, WIDEST), axis=picture.axis):
        line = Text(f"{row.axis} ", style="dim")
        for letter, place in zip(row.cells, row.places, strict=True):
            line.append(letter, style="" if place < 0 else STYLES[place % len(STYLES)])
        console.print(line, soft_wrap=True)
    console.print(Text("  ").join(_legend(panel)), soft_wrap=True)
    console.print()


def _legend(panel: Panel) -> Iterator[Text]:
    for series in panel.series:
        yield Text(f"{mark(series.place)} {series.name}", style=STYLES[series.place % len(STYLES)])
