"""What `hpoctl plot` says: final values or levels, what is missing, the chart of the terminal, numbers as JSON."""

import math
from collections.abc import Iterator
from typing import Any

from rich.table import Table
from rich.text import Text

from hpoctl.analysis.comparison_figure import ComparisonPicture, Panel
from hpoctl.analysis.terminal_chart import chart, mark
from hpoctl.analysis.trial_curves import Mark, mark_counts
from hpoctl.cli.output import emit_json, err, hint, out
from hpoctl.cli.words import many
from hpoctl.ops.answers.plot_curves import PlottedCurves
from hpoctl.ops.answers.plot_request import PlottedStudy
from hpoctl.ops.answers.plotted_setups import Setup
from hpoctl.ops.reading.load_traces import Skipped

STYLES = ("blue", "red", "green", "magenta", "bold", "cyan", "yellow", "bright_black")
MOST_SKIPPED = 10
MARKS = {Mark.WENT_ON: "went on", Mark.PAUSED: "paused", Mark.STOPPED: "stopped"}
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


def show_curves(plotted: PlottedCurves) -> None:
    """Print what happened at each level, and what was drawn."""
    console = out()
    console.print(f"{plotted.tag}: {plotted.cell}, {plotted.metric}", style="bold", markup=False, soft_wrap=True)
    if plotted.levels:
        console.print(_levels_table(plotted))
    best = plotted.curves.best()
    if best is not None:
        trial, value = plotted.curves.trial_ids[best], plotted.curves.values[best]
        at = f"{plotted.resource} {plotted.curves.resources[best]}"
        console.print(f"best: trial {trial}, {number(value)} at {at}", markup=False, soft_wrap=True)
    counts = mark_counts(plotted.curves)
    console.print(", ".join(f"{mark.value}: {count:,}" for mark, count in counts.items()), soft_wrap=True)
    for note in plotted.notes:
        console.print(note, style="yellow" if note.startswith("Modelled") else "", markup=False, soft_wrap=True)
    print_skipped(plotted.skipped)
    if plotted.path is not None:
        console.print(f"wrote {plotted.path}", soft_wrap=True, markup=False)


def emit_curves(plotted: PlottedCurves) -> None:
    """Print the curves and what was decided on them."""
    curves = plotted.curves
    trials: list[dict[str, Any]] = [
        {
            "trial_id": int(curves.trial_ids[rows.start]),
            "resources": curves.resources[rows].tolist(),
            "values": curves.values[rows].tolist(),
            "decisions": {
                str(curves.resources[row]): curves.marks[row].value
                for row in range(rows.start, rows.stop)
                if curves.marks[row] is not Mark.NONE
            },
        }
        for rows in curves.trials()
    ]
    data = {
        "output": plotted.path,
        "kind": "curves",
        "tag": plotted.tag,
        "method": plotted.cell.method,
        "benchmark": plotted.cell.benchmark,
        "seed": plotted.cell.seed,
        "metric": plotted.metric,
        "mode": curves.mode,
        "resource": plotted.resource,
        "levels": [
            {"level": count.level, "reached": count.reached, "best": count.best}
            | {mark.value: number_of for mark, number_of in count.marks.items()}
            for count in plotted.levels
        ],
        "counts": {mark.value: count for mark, count in mark_counts(curves).items()},
        "trials": trials,
        "notes": plotted.notes,
        "skipped": [skipped_json(entry) for entry in plotted.skipped],
    }
    emit_json("plot", "success", data)


def _levels_table(plotted: PlottedCurves) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in (plotted.resource, "reached", *MARKS.values(), "best"):
        table.add_column(title, justify="right")
    for count in plotted.levels:
        cells = [count.level, count.reached, *(count.marks[mark] for mark in MARKS)]
        table.add_row(*(Text(f"{cell:,}") for cell in cells), Text("-" if count.best is None else number(count.best)))
    return table
