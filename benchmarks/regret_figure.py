"""The rows of `regret.py` and `peers.py` as a figure: mean regret at shares of the budget, a panel for each table.

    python benchmarks/regret_figure.py --rows events.jsonl --figure regret.png --method RS ASHA BO MOBSTER OPTUNA-TPE

Bars are standard errors over seeds. A method of which a table has a single seed is drawn without; with another number
of seeds than the first method, its number is written beside its last point.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.artist import Artist
from regret_rows import SHARES, Seeds, by_table, ordered, read, regret_of

from hpoctl.analysis.comparison_figure import COLOURS
from hpoctl.analysis.drawing import figure_bytes, new_figure

BLUE, ORANGE, GREEN, PURPLE, BLACK, *_, GREY = COLOURS
STYLES = {
    "RS": (GREY, "-", "o"),
    "ASHA": (GREEN, "-", "^"),
    "BO": (BLUE, "-", "s"),
    "MOBSTER": (ORANGE, "-", "D"),
    "Syne Tune RS": (GREY, "--", "o"),
    "Syne Tune ASHA": (GREEN, "--", "^"),
    "Syne Tune BO": (BLUE, "--", "s"),
    "Syne Tune MOBSTER": (ORANGE, "--", "D"),
    "OPTUNA-TPE": (PURPLE, "--", "v"),
    "OPTUNA-GP": (BLACK, "--", "P"),
}
"""Colour, line and mark of each method; peers have dashed lines, in the colour of hpoctl's method of the same kind."""

NAMES = {"OPTUNA-TPE": "Optuna TPE", "OPTUNA-GP": "Optuna GP"}


def draw(tables: dict[str, dict[str, Seeds]], methods: list[str], columns: int) -> bytes:
    """The figure as the bytes of a PNG file."""
    rows = -(-len(tables) // columns)
    with new_figure(2.35 * columns, 2.3 * rows + 0.6) as figure:
        grid = np.ravel(figure.subplots(rows, columns, sharex=True, squeeze=False)).tolist()
        for axes, (table, found) in zip(grid, tables.items(), strict=False):
            panel(axes, found, [method for method in methods if method in found])
            axes.set_title(table.partition(",")[0], fontsize=9)
        for axes in grid[len(tables) :]:
            axes.remove()
        shown: dict[str, Artist] = {}
        for axes in grid[: len(tables)]:
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
                shown.setdefault(label, handle)
        figure.legend(
            list(shown.values()),
            list(shown),
            loc="outside upper center",
            ncols=min(len(shown), 8),
            frameon=False,
            fontsize=8,
        )
        figure.supxlabel("% of the budget", fontsize=9)
        figure.supylabel("normalised regret", fontsize=9)
        return figure_bytes(figure, "png")


def panel(axes, found: dict[str, Seeds], methods: list[str]) -> None:
    """One table."""
    usual = len(found[methods[0]])
    for place, method in enumerate(methods):
        regret = regret_of(found[method])
        there = np.isfinite(regret).any(axis=0)
        count = np.isfinite(regret[:, there]).sum(axis=0)
        several = len(regret) > 1 and (count > 1).all()
        error = np.nanstd(regret[:, there], axis=0, ddof=1) / np.sqrt(count) if several else None
        colour, line, mark = STYLES[method]
        x = 100.0 * np.array(SHARES)[there] + 0.8 * (place - (len(methods) - 1) / 2)  # beside each other
        mean = np.nanmean(regret[:, there], axis=0)
        axes.errorbar(
            x, mean, error, color=colour, linestyle=line, marker=mark, markersize=3.5, linewidth=1.3, elinewidth=0.8,
            label=NAMES.get(method, method),
        )  # fmt: skip
        if len(regret) != usual:
            axes.annotate(f"n = {len(regret)}", (x[-1], mean[-1]), (4, 0), textcoords="offset points", fontsize=6)
    axes.set_ylim(bottom=0.0)
    axes.set_xlim(20.0, 112.0)
    axes.set_xticks([100 * share for share in SHARES])
    axes.tick_params(labelsize=7)
    axes.grid(visible=True, color="#dddddd", linewidth=0.5)
    axes.set_axisbelow(True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, nargs="+", required=True)
    parser.add_argument("--figure", type=Path, required=True, help="a PNG file")
    parser.add_argument("--method", nargs="+", choices=list(STYLES), default=["RS", "ASHA", "BO", "MOBSTER"])
    parser.add_argument("--columns", type=int, default=5)
    options = parser.parse_args()
    rows = [row for path in options.rows for row in read(path).values()]
    options.figure.write_bytes(draw(by_table(ordered(rows)), options.method, options.columns))


if __name__ == "__main__":
    main()
