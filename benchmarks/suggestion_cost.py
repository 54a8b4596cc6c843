"""CPU time of a suggestion by the number of values that the method has seen, beside Syne Tune and Optuna.

    OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 python benchmarks/suggestion_cost.py --rows cost.jsonl \
        --peers poll5.jsonl --benchmark fcnet-protein fcnet-parkinsons --table fcnet_like.npz --figure cost.svg

Runs what `--rows` does not hold yet; `--peers` are rows of `peers.py`, where Syne Tune's suggestions are timed in the
same way: the CPU time of the scheduler's `suggest` whenever it starts a new trial, random ones included. What counts as
seen are the values at the levels at which the scheduler decides: the last one, and for MOBSTER, ASHA and the like the
rungs. Means over all experiments, by doublings in the table and half doublings in the figure.
"""

import argparse
import json
import math
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from regret import RANDOM_SEED, Quiet
from regret_rows import key_of, read
from regret_tables import opened, registry_with

from hpoctl.analysis.comparison_figure import COLOURS
from hpoctl.analysis.drawing import figure_bytes, new_figure
from hpoctl.core.cells import Cell
from hpoctl.core.clock import SystemTime
from hpoctl.core.entries import MethodContext
from hpoctl.core.protocols import Decision, Outcome, Report, Resume, RungState, Scheduler, Start
from hpoctl.core.study import Study
from hpoctl.engine.experiment import simulate
from hpoctl.ops.studies.resolve import resolve, spec_of

PANELS = {
    "every trial runs to the end": ("BO", "OPTUNA-TPE", "OPTUNA-GP", "Syne Tune BO"),
    "trials stop at rungs": ("MOBSTER", "OPTUNA-TPE-ASHA", "Syne Tune MOBSTER"),
}
NAMES = {"BO": "hpoctl BO", "MOBSTER": "hpoctl MOBSTER", "OPTUNA-TPE": "Optuna TPE", "OPTUNA-GP": "Optuna GP"}
NAMES["OPTUNA-TPE-ASHA"] = "Optuna TPE in hpoctl's ASHA"
FIRST = 4
"""The half doubling that the curves begin with: before, there is nothing to learn from."""

LEAST = 3
"""A mean of fewer suggestions is not shown."""


@dataclass
class Timed:
    """A scheduler, with the CPU seconds of its new suggestions by the number of values seen."""

    inner: Scheduler
    seen: int = 0
    bins: dict[int, list[float]] = field(default_factory=lambda: defaultdict(lambda: [0, 0.0]))

    def suggest(self, trial_id: int) -> Start | Resume | None:
        began = time.process_time()
        step = self.inner.suggest(trial_id)
        if isinstance(step, Start):
            entry = self.bins[int(2 * math.log2(self.seen + 1))]
            entry[0] += 1
            entry[1] += time.process_time() - began
        return step

    def on_report(self, report: Report) -> Decision:
        self.seen += 1
        return self.inner.on_report(report)

    def on_end(self, trial_id: int, outcome: Outcome) -> None:
        self.inner.on_end(trial_id, outcome)

    def rungs(self) -> Sequence[RungState]:
        return self.inner.rungs()


def run_one(tables: tuple[Path, ...], name: str, method: str, seed: int) -> dict[str, object]:
    """One experiment and the costs of its suggestions."""
    benchmark, blackbox, _ = opened(tables, name)
    study = Study("cost", "", (method,), (name,), num_seeds=seed + 1, start_seed=seed)
    spec = spec_of(resolve(study, registry_with(tables), "cost", RANDOM_SEED), Cell(method, benchmark.name, seed))
    made: list[Timed] = []

    def make(context: MethodContext, options: object) -> Timed:
        made.append(Timed(spec.method.make(context, options)))
        return made[-1]

    simulate(replace(spec, method=replace(spec.method, make=make)), blackbox, Quiet(), SystemTime())
    costs = {str(place): [count, round(total, 4)] for place, (count, total) in sorted(made[0].bins.items())}
    return {"table": name, "label": "", "method": method, "seed": seed, "costs": costs}


def means(rows: Sequence[dict], method: str, width: int) -> dict[int, float]:
    """Milliseconds of a suggestion of a method, by the number of values seen in ranges of some half doublings."""
    total: dict[int, list[float]] = defaultdict(lambda: [0, 0.0])
    for row in rows:
        for place, (count, seconds) in row["costs"].items() if row["method"] == method else ():
            entry = total[int(place) // width]
            entry[0] += count
            entry[1] += seconds
    return {place: 1000.0 * seconds / count for place, (count, seconds) in sorted(total.items()) if count >= LEAST}


def middle(place: int) -> float:
    """About how many values have been seen in a range."""
    return 2.0 ** (place / 2 + 0.25) - 1.0


def print_table(rows: Sequence[dict]) -> None:
    """Means by doublings."""
    methods = [method for panel in PANELS.values() for method in panel]
    found = {method: means(rows, method, 2) for method in methods}
    shown = sorted({place for costs in found.values() for place in costs if place > 0})
    print(f"| values seen | {' | '.join(f'{2**place - 1:,}-{2 ** (place + 1) - 2:,}' for place in shown)} |")
    print(f"|---|{'---|' * len(shown)}")
    for method, costs in found.items():
        if costs:
            cells = [f"{float(f'{costs[place]:.2g}'):,g}" if place in costs else "" for place in shown]
            print(f"| {NAMES.get(method, method)} | {' | '.join(cells)} |")


def draw(rows: Sequence[dict], path: Path) -> None:
    """The curves, a panel for each kind of method."""
    with new_figure(8.0, 3.4) as figure:
        for axes, (title, methods) in zip(figure.subplots(1, 2, sharey=True), PANELS.items(), strict=True):
            for number, method in enumerate(methods):
                costs = {place: cost for place, cost in means(rows, method, 1).items() if place >= FIRST}
                if costs:
                    x = [middle(place) for place in costs]
                    style = {"color": COLOURS[number], "linewidth": 1.8, "marker": "osD^"[number], "markersize": 3.5}
                    axes.plot(x, list(costs.values()), label=NAMES.get(method, method), **style)
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_title(title, fontsize=10)
            axes.set_xlabel("values seen")
            axes.grid(visible=True, color="#dddddd", linewidth=0.5)
            axes.set_axisbelow(True)
            axes.legend(frameon=False, fontsize=8)
        figure.axes[0].set_ylabel("CPU milliseconds of a suggestion")
        path.write_bytes(figure_bytes(figure, path.suffix[1:]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True, help="file of results, a JSON object a line")
    parser.add_argument("--peers", type=Path, help="rows of peers.py")
    parser.add_argument("--benchmark", nargs="*", default=[])
    parser.add_argument("--table", nargs="*", type=Path, default=[])
    parser.add_argument("--method", nargs="*", default=["BO", "MOBSTER", "OPTUNA-TPE"])
    parser.add_argument("--seeds", nargs=2, type=int, default=[20, 22], metavar=("FIRST", "END"))
    parser.add_argument("--figure", type=Path, help="PNG, SVG or PDF")
    options = parser.parse_args()
    tables = tuple(path.resolve() for path in options.table)
    done = read(options.rows)
    for name in (*options.benchmark, *(path.stem for path in tables)):
        for method in options.method:
            for seed in range(*options.seeds):
                if key_of({"table": name, "label": "", "method": method, "seed": seed}) not in done:
                    row = run_one(tables, name, method, seed)
                    with options.rows.open("a") as file:
                        file.write(json.dumps(row) + "\n")
    peers = read(options.peers).values() if options.peers else ()
    # That file may hold rows of regret.py, too, whose suggestions were not timed.
    rows = [*read(options.rows).values(), *(row for row in peers if "costs" in row)]
    print_table(rows)
    if options.figure:
        draw(rows, options.figure)


if __name__ == "__main__":
    main()
