"""What `hpoctl plot --kind curves` says: what happened at each rung level, and the curves as JSON."""

from typing import Any

from rich.table import Table
from rich.text import Text

from hpoctl.analysis.trial_curves import Mark, mark_counts
from hpoctl.cli.output import emit_json, out
from hpoctl.cli.plot_report import number, print_skipped, skipped_json
from hpoctl.ops.answers.plot_curves import PlottedCurves

SHOWN = {Mark.WENT_ON: "went on", Mark.PAUSED: "paused", Mark.STOPPED: "stopped"}


def show(plotted: PlottedCurves) -> None:
    """Print what happened at each level, and what was drawn."""
    console = out()
    console.print(f"{plotted.tag}: {plotted.cell}, {plotted.metric}", style="bold", markup=False, soft_wrap=True)
    if plotted.levels:
        console.print(_table(plotted))
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


def emit(plotted: PlottedCurves) -> None:
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


def _table(plotted: PlottedCurves) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in (plotted.resource, "reached", *SHOWN.values(), "best"):
        table.add_column(title, justify="right")
    for count in plotted.levels:
        cells = [count.level, count.reached, *(count.marks[mark] for mark in SHOWN)]
        table.add_row(*(Text(f"{cell:,}") for cell in cells), Text("-" if count.best is None else number(count.best)))
    return table
