"""How good the methods are: normalised regret at 25, 50, 75 and 100 % of the budget, paired by seed.

    OPENBLAS_NUM_THREADS=1 python benchmarks/regret.py --rows regret.jsonl \
        --benchmark fcnet-protein fcnet-naval fcnet-parkinsons --table lcbench_189908.npz fcnet_like.npz \
        --method RS ASHA BO MOBSTER --seeds 0 20

Runs what `--rows` does not hold yet, one line an experiment, and prints the tables; killed and started again, it goes
on.
`--label` marks rows of another version of a method, `--set METHOD.option=value` changes options, `--only-print` runs
nothing. Rows of another clock (`--poll-interval`) or budget are tables of their own: only what ran under the same
conditions is compared.

The regret of a value is f(value) - f(best of the table), divided by f(median of the final values) - f(best): 0 is the
optimum, 1 a typical configuration. f is the logarithm where values are positive and span more than a factor of 3 from
the best to the median, as losses do; otherwise the value. The incumbent's regret takes the mean over the table's seeds
of the best row's configuration and epoch, which luck with a seed does not help; of a pool, `original_regret` takes the
four original final losses of its configuration. Ranks are those of the final regret
among the methods that have the seed, 1 the best.

`regret_tables.py` says what a table of a file is.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from regret_rows import SHARES, key_of, ordered, print_tables, print_wide, read
from regret_tables import NEAREST, Scale, nothing_more, opened, originals_of, registry_with

from hpoctl.blackboxes.nearest import NearestRow
from hpoctl.core.cells import Cell
from hpoctl.core.clock import SystemTime
from hpoctl.core.entries import Method
from hpoctl.core.protocols import Decision, Ended, Report, Resume, Start
from hpoctl.core.settings import Settings
from hpoctl.core.space import FloatArray, TableSpace
from hpoctl.core.study import Study
from hpoctl.engine.experiment import simulate
from hpoctl.engine.rows import RowLog
from hpoctl.ops.studies.resolve import resolve, spec_of

RANDOM_SEED = 31415


class Quiet:
    """Watches nothing."""

    def begins(self, trial_id: int, step: Start | Resume, now: float) -> None: ...

    def reports(self, report: Report, decision: Decision, log: RowLog) -> None: ...

    def ends(self, event: Ended) -> None: ...

    def says(self, text: str) -> None: ...


@dataclass(frozen=True)
class Conditions:
    """What holds for all experiments of a call: `METHOD.option=value` settings, the budget, the clock."""

    settings: tuple[str, ...] = ()
    budget: float | None = None
    poll_interval: float = 0.0
    max_size_data: int | None = None

    def facts(self) -> dict[str, float]:
        """What is written into each row: what is not the default."""
        facts = {"budget": self.budget, "poll_interval": self.poll_interval or None}
        return {name: value for name, value in facts.items() if value is not None}


def run_one(
    tables: tuple[Path, ...],
    name: str,
    method: str,
    seed: int,
    conditions: Conditions,
    more: Callable[[], Iterable[Method]] = nothing_more,
) -> dict[str, object]:
    """One experiment and its figures; `more` are methods that hpoctl does not find by itself."""
    registry = registry_with(tables, more)
    benchmark, blackbox, scale = opened(tables, name)
    own = tuple(text for text in conditions.settings if text.startswith(f"{method}."))
    study = Study(
        name="regret",
        summary="",
        methods=(method,),
        benchmarks=(name,),
        num_seeds=seed + 1,
        start_seed=seed,
        settings=own,
        experiment=Settings(
            max_wallclock_time=conditions.budget,
            poll_interval=conditions.poll_interval,
            max_size_data_for_model=conditions.max_size_data,
        ),
    )
    spec = spec_of(resolve(study, registry, "regret", RANDOM_SEED), Cell(method, name, seed))
    began = time.process_time()
    rows = simulate(spec, blackbox, Quiet(), SystemTime()).rows
    cpu = time.process_time() - began
    column = benchmark.goal.column
    values = rows.metrics[:, column]
    asked = NearestRow(blackbox, blackbox.space) if isinstance(blackbox.space, TableSpace) else blackbox

    def mean_of(row: int) -> float:
        config, resource = rows.configs[rows.trial_ids[row]], rows.resources[row]
        curves = [asked.curve(config, number) for number in range(blackbox.num_seeds)]
        return float(np.mean([curve.metrics[curve.resources == resource, column] for curve in curves]))

    budget = spec.max_wallclock_time
    originals: dict[str, object] = {}
    if named := originals_of(name):
        worth, of_means = named
        best = incumbents(rows.times, values, scale.sign, budget)
        means = [worth(rows.configs[rows.trial_ids[row]]) if row is not None else float("nan") for row in best]
        originals["original_regret"] = [round(of_means.regret(value, of_means.best), 5) for value in means]
    return {
        "table": name,
        "hash": blackbox.content_hash[:16],
        "method": method,
        "seed": seed,
        "cpu": round(cpu, 3),
        "trials": len(rows.configs),
        "rows": len(rows),
        **conditions.facts(),
        **regrets(rows.times, values, mean_of, scale, budget),
        **originals,
    }


def regrets(
    times: FloatArray, values: FloatArray, mean_of: Callable[[int], float], scale: Scale, budget: float
) -> dict[str, list[float]]:
    """Regret of the best value so far, and of its incumbent's mean over seeds, at the shares of the budget.

    Args:
        times: Seconds of each row, shape (n,).
        values: The metric of each row, shape (n,).
        mean_of: The mean over the table's seeds of a row's configuration and epoch.
        scale: The table's.
        budget: Seconds.
    """
    best, mean = [], []
    for row in incumbents(times, values, scale.sign, budget):
        best.append(float("nan") if row is None else round(scale.regret(float(values[row]), scale.best), 5))
        mean.append(float("nan") if row is None else round(scale.regret(mean_of(row), scale.best_mean), 5))
    return {"regret": best, "mean_regret": mean}


def incumbents(times: FloatArray, values: FloatArray, sign: float, budget: float) -> list[int | None]:
    """The row of the best value so far at the shares of the budget; None: there is no value yet."""
    found: list[int | None] = []
    for share in SHARES:
        inside = np.flatnonzero((times <= share * budget) & np.isfinite(values))
        found.append(int(inside[np.argmin(sign * values[inside])]) if len(inside) else None)
    return found


def wanted(options: argparse.Namespace) -> Iterator[tuple[str, str, int]]:
    names = [*options.benchmark, *(path.stem + (NEAREST if options.nearest else "") for path in options.table)]
    for seed in range(*options.seeds):
        for name in names:
            for method in options.method:
                yield name, method, seed


def told(task: tuple[str, str, int], options: argparse.Namespace, conditions: Conditions) -> dict[str, object]:
    """The facts by which the row of a task is known."""
    return {**dict(zip(("table", "method", "seed"), task, strict=True)), "label": options.label, **conditions.facts()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True, help="file of results, a JSON object a line")
    parser.add_argument("--benchmark", nargs="*", default=[])
    parser.add_argument("--table", nargs="*", type=Path, default=[])
    parser.add_argument("--method", nargs="+", default=["RS", "ASHA", "BO", "MOBSTER"])
    parser.add_argument("--seeds", nargs=2, type=int, default=[0, 20], metavar=("FIRST", "END"))
    parser.add_argument("--set", nargs="*", default=[], metavar="METHOD.option=value")
    parser.add_argument("--budget", type=float, help="simulated seconds; default: each benchmark's")
    parser.add_argument("--poll-interval", type=float, default=0.0, help="5: the clock of Syne Tune's simulator")
    parser.add_argument("--max-size-data", type=int, help="as --max-size-data-for-model of hpoctl run")
    parser.add_argument("--nearest", action="store_true", help="tables of files: the nearest row answers")
    parser.add_argument("--label", default="", help="marks these rows")
    parser.add_argument("--reference", default="ASHA", help="method that differences are paired with")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only-print", action="store_true")
    parser.add_argument("--wide", action="store_true", help="also print a line for each table")
    options = parser.parse_args()
    tables = tuple(path.resolve() for path in options.table)
    conditions = Conditions(tuple(options.set), options.budget, options.poll_interval, options.max_size_data)
    if not options.only_print:
        have = read(options.rows)
        todo = [task for task in wanted(options) if key_of(told(task, options, conditions)) not in have]
        with ProcessPoolExecutor(options.processes) as pool, options.rows.open("a") as file:
            futures = [pool.submit(run_one, tables, *task, conditions) for task in todo]
            for future in as_completed(futures):
                row = {**future.result(), "label": options.label}
                file.write(json.dumps(row) + "\n")
                file.flush()
    rows = ordered(read(options.rows).values())
    print_tables(rows, options.reference)
    if options.wide:
        print_wide(rows)


if __name__ == "__main__":
    main()
