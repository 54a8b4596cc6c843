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
of the best row's configuration and epoch, which luck with a seed does not help. Ranks are those of the final regret
among the methods that have the seed, 1 the best.

A table is an .npz as in Syne Tune's peer scripts: `param_names`, a column for each, `fidelities`, a metric and
cumulative seconds of shape (configurations, epochs). If its configurations are a full grid, that is the space;
otherwise methods choose among its rows, or, with `--nearest`, get the curve of the row nearest to what they suggest.
"""

import argparse
import gzip
import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from hpoctl import builtins
from hpoctl.blackboxes.nearest import NearestRow
from hpoctl.core.cells import Cell
from hpoctl.core.clock import SystemTime
from hpoctl.core.entries import Benchmark
from hpoctl.core.protocols import Blackbox, Curve, Decision, Ended, Report, Resume, Start
from hpoctl.core.space import (
    Choice,
    Config,
    FloatArray,
    LogRandInt,
    LogUniform,
    Ordinal,
    RandInt,
    Space,
    TableSpace,
    Uniform,
)
from hpoctl.core.study import Study
from hpoctl.engine.experiment import simulate
from hpoctl.engine.rows import RowLog
from hpoctl.ops.resolve import resolve, spec_of
from hpoctl.plugins import Registered, Registry, load_registry

SHARES = (0.25, 0.5, 0.75, 1.0)
MASTER_SEED = 31415
NEAREST = "-nearest"
LCBENCH = {
    "num_layers": RandInt(1, 5),
    "max_units": LogRandInt(64, 1024),
    "batch_size": LogRandInt(16, 512),
    "learning_rate": LogUniform(1e-4, 1e-1),
    "weight_decay": Uniform(1e-5, 1e-1),
    "momentum": Uniform(0.1, 0.99),
    "max_dropout": Uniform(0.0, 1.0),
}


@dataclass(frozen=True, eq=False)
class NpzTable:
    """A table of a file as a blackbox."""

    space: TableSpace
    metrics: tuple[str, ...]
    values: FloatArray
    elapsed: FloatArray
    resources: FloatArray
    content_hash: str
    num_seeds: int = 1

    def curve(self, config: Config, seed: int) -> Curve:
        if seed:
            raise ValueError(f"there is no seed {seed}")
        row = self.space.index(config)
        return Curve(self.resources, self.values[row][:, None], self.elapsed[row])


@cache
def npz_table(path: Path) -> NpzTable:
    """Read a table; fcnet-like if it has a validation loss, else lcbench."""
    with np.load(path, allow_pickle=False) as file:
        names = [str(name) for name in file["param_names"]]
        fcnet = "metric_valid_loss" in file
        metric, seconds = ("metric_valid_loss", "metric_elapsed_time") if fcnet else ("val_accuracy", "time")
        columns = {name: file[name] for name in names}
        values, elapsed, resources = file[metric].astype(float), file[seconds].astype(float), file["fidelities"]
    domains = {name: _fcnet_domain(name, columns[name]) if fcnet else LCBENCH[name] for name in names}
    space = Space({**domains, "epochs": RandInt(1, int(resources[-1]))}).with_fixed({"epochs": int(resources[-1])})
    rows = zip(*(columns[name].tolist() for name in names), strict=True)
    configs = [{**dict(zip(names, row, strict=True)), "epochs": int(resources[-1])} for row in rows]
    elapsed = np.maximum.accumulate(elapsed + 1e-6 * np.arange(1, elapsed.shape[1] + 1), axis=1)
    return NpzTable(
        TableSpace.of(space, configs), (metric,), values, elapsed, resources, f"{path.stem}-{values.sum():.9g}"
    )


def _fcnet_domain(name: str, column: np.ndarray) -> Choice | Ordinal:
    values = tuple(sorted(set(column.tolist())))
    if isinstance(values[0], str):
        return Choice(values[::-1])
    return Ordinal(values, "nn" if "dropout" in name else "nn-log")


def table_benchmark(path: Path, suffix: str = "") -> Benchmark:
    """A benchmark on the table of a file; with the suffix `-nearest` on all of the space around it."""
    table = npz_table(path)
    metric = table.metrics[0]
    fcnet = metric == "metric_valid_loss"
    return Benchmark(
        name=path.stem + suffix,
        summary="A table from a file",
        space=table.space.around(),
        restricted=not suffix and table.space.size != table.space.around().size,
        metrics=table.metrics,
        metric=metric,
        mode="min" if fcnet else "max",
        resource_attr="hp_epoch" if fcnet else "epoch",
        max_resource_attr="epochs",
        n_workers=4,
        max_wallclock_time=3600 if fcnet else 7200,
        blackbox=partial(npz_table, path),
    )


@dataclass(frozen=True)
class Scale:
    """What regrets on a table are measured by: the sign, whether logarithms are taken, best and typical values."""

    sign: float
    log: bool
    best: float
    best_mean: float
    typical: float

    def regret(self, value: float, best: float) -> float:
        f = np.log if self.log else (lambda number: number)
        return float((f(self.sign * value) - f(best)) / (f(self.typical) - f(best)))


def scale_of(benchmark: Benchmark, blackbox: Blackbox) -> Scale:
    """Measured on the whole table, shape (n, seeds, epochs)."""
    goal = benchmark.goal
    if isinstance(blackbox, NpzTable):
        values = goal.sign * blackbox.values[:, None, :]
    else:
        values = goal.sign * all_values(blackbox)[..., :]
    finals = values[:, :, -1]
    best, typical = float(np.nanmin(values)), float(np.nanmedian(finals))
    best_mean = min(float(np.nanmin(part.mean(axis=1))) for part in np.array_split(values, 32))
    return Scale(goal.sign, best > 0 and typical / best > 3, best, best_mean, typical)


def all_values(blackbox: Blackbox) -> np.ndarray:
    """The first metric of all curves, shape (n, seeds, epochs); the plugin's own array where it has one."""
    if getattr(blackbox, "_loss", np.empty(0)).ndim == 3:
        return blackbox._loss
    space = blackbox.space
    return np.array(
        [
            [blackbox.curve(space.at(row), seed).metrics[:, 0] for seed in range(blackbox.num_seeds)]
            for row in range(space.size or 0)
        ]
    )


@cache
def registry_with(tables: tuple[Path, ...]) -> Registry:
    registry = load_registry([builtins])
    origin = next(iter(registry.methods.values())).origin
    found = [table_benchmark(path, suffix) for path in tables for suffix in ("", NEAREST)]
    own = {benchmark.name: Registered(benchmark, origin) for benchmark in found}
    return replace(registry, benchmarks={**registry.benchmarks, **own})


@cache
def opened(tables: tuple[Path, ...], name: str) -> tuple[Benchmark, Blackbox, Scale]:
    benchmark = registry_with(tables).benchmark(name)
    blackbox = benchmark.blackbox()
    return benchmark, blackbox, scale_of(benchmark, blackbox)


class Quiet:
    """Watches nothing."""

    def begins(self, trial_id: int, step: Start | Resume, now: float) -> None: ...

    def reports(self, report: Report, decision: Decision, log: RowLog) -> None: ...

    def ends(self, event: Ended) -> None: ...


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


def run_one(tables: tuple[Path, ...], name: str, method: str, seed: int, conditions: Conditions) -> dict[str, object]:
    """One experiment and its figures."""
    registry = registry_with(tables)
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
        max_wallclock_time=conditions.budget,
        poll_interval=conditions.poll_interval,
        max_size_data_for_model=conditions.max_size_data,
    )
    spec = spec_of(resolve(study, registry), "regret", MASTER_SEED, Cell(method, name, seed))
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

    return {
        "table": name,
        "hash": blackbox.content_hash[:16],
        "method": method,
        "seed": seed,
        "cpu": round(cpu, 3),
        "trials": len(rows.configs),
        "rows": len(rows),
        **conditions.facts(),
        **regrets(rows.times, values, mean_of, scale, spec.max_wallclock_time),
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
    for share in SHARES:
        inside = np.flatnonzero((times <= share * budget) & np.isfinite(values))
        if not len(inside):
            best.append(float("nan"))
            mean.append(float("nan"))
            continue
        row = int(inside[np.argmin(scale.sign * values[inside])])
        best.append(round(scale.regret(float(values[row]), scale.best), 5))
        mean.append(round(scale.regret(mean_of(row), scale.best_mean), 5))
    return {"regret": best, "mean_regret": mean}


def read(path: Path) -> dict[tuple[object, ...], dict]:
    """The rows of a file, which may be packed (.gz), by what they are known by."""
    if not path.exists():
        return {}
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        rows = [json.loads(line) for line in file if line.strip()]
    return {key_of(row): row for row in rows}


def key_of(row: dict) -> tuple[object, ...]:
    """What an experiment is known by."""
    return *(row[name] for name in ("table", "label", "method", "seed")), row.get("budget"), row.get("poll_interval")


def table_of(row: dict) -> str:
    """The table and the conditions under which methods met it: what is compared with each other."""
    budget = f", {row['budget']:,.0f} s" if "budget" in row else ""
    return row["table"] + budget + (f", polled every {row['poll_interval']:g} s" if "poll_interval" in row else "")


Seeds = dict[int, dict]
"""The row of each seed."""


def by_table(rows: Sequence[dict]) -> dict[str, dict[str, Seeds]]:
    """Rows by table, method and seed; a label makes another method."""
    found: dict[str, dict[str, Seeds]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        name = row["method"] + (f" ({row['label']})" if row["label"] else "")
        found[table_of(row)][name][row["seed"]] = row
    return found


def regret_of(seeds: Seeds) -> FloatArray:
    """Regrets, shape (seeds, shares); NaN where an experiment has not come so far."""
    return np.array([row["regret"] for row in seeds.values()])


def gaps_of(seeds: Seeds, others: Seeds) -> FloatArray:
    """Differences of regrets from another method's with the same seed, shape (seeds that both have, shares)."""
    shared = [seed for seed in seeds if seed in others]
    gaps = [np.subtract(seeds[seed]["regret"], others[seed]["regret"]) for seed in shared]
    return np.array(gaps).reshape(-1, len(SHARES))


def print_tables(rows: Sequence[dict], reference: str) -> None:
    """Mean regrets with standard errors, mean ranks, CPU; and paired differences from a reference."""
    tables = by_table(rows)
    shares = " | ".join(f"{share:.0%}".replace("%", " %") for share in SHARES)
    print(f"| table | method | seeds | {shares} | mean rank | incumbent's mean | trials | CPU s |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for table, methods in tables.items():
        ranks = mean_ranks(methods)
        for name, seeds in methods.items():
            regret = regret_of(seeds)
            cells = [
                *(mean(column) for column in regret.T[:-1]),
                mean_and_error(regret[:, -1]),
                f"{ranks[name]:.2f}",
                mean(np.array([row["mean_regret"][-1] for row in seeds.values()])),
                f"{np.mean([row['trials'] for row in seeds.values()]):.0f}",
                f"{np.mean([row['cpu'] for row in seeds.values()]):.2f}",
            ]
            print(f"| {table} | {name} | {counted(regret)} | {' | '.join(cells)} |")
    print(f"\nRegret less that of {reference} with the same seed, mean ± standard error:\n")
    print(f"| table | method | seeds | {shares} |")
    print("|---|---|---|---|---|---|---|")
    for table, methods in tables.items():
        for name, seeds in methods.items():
            gaps = gaps_of(seeds, methods.get(reference, {}))
            if len(gaps) and name != reference:
                print(
                    f"| {table} | {name} | {counted(gaps)} | {' | '.join(mean_and_error(gap, '+') for gap in gaps.T)} |"
                )


def print_wide(rows: Sequence[dict]) -> None:
    """A line for each table, a column for each method: regrets at the first share and at the end."""
    tables = by_table(rows)
    names = list(dict.fromkeys(name for methods in tables.values() for name in methods))
    for place in (0, -1):
        print(f"\nAt {SHARES[place]:.0%} of the budget, mean ± standard error:\n".replace("%", " %"))
        print(f"| table | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
        for table, methods in tables.items():
            usual = max(len(seeds) for seeds in methods.values())
            cells = [wide_cell(regret_of(methods[name])[:, place], usual) if name in methods else "" for name in names]
            print(f"| {table} | {' | '.join(cells)} |")


def wide_cell(regret: FloatArray, usual: int) -> str:
    """A mean with its error, and the number of seeds if it is not the usual one."""
    count = int(np.isfinite(regret).sum())
    return mean_and_error(regret) + (f" (n = {count})" if count != usual else "")


def counted(regret: FloatArray) -> str:
    """How many seeds there are, and how many of them have come to the end of the budget."""
    done = int(np.isfinite(regret[:, -1]).sum())
    return str(done) if done == len(regret) else f"{len(regret)}, {done} to the end"


def mean(values: FloatArray) -> str:
    """The mean of what is there."""
    values = values[np.isfinite(values)]
    return f"{values.mean():.3f}" if len(values) else "-"


def mean_and_error(values: FloatArray, sign: str = "") -> str:
    """A mean with its standard error."""
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return f"{values[0]:{sign}.3f}" if len(values) else "-"
    return f"{values.mean():{sign}.3f} ± {values.std(ddof=1) / np.sqrt(len(values)):.3f}"


def mean_ranks(methods: dict[str, dict[int, dict]]) -> dict[str, float]:
    """The mean rank of each method over the seeds that all of them have; equal regrets share their ranks."""
    shared = sorted(set.intersection(*(set(seeds) for seeds in methods.values())))
    finals = np.array([[seeds[seed]["regret"][-1] for seed in shared] for seeds in methods.values()])
    ranks = rankdata(finals, axis=0).mean(axis=1) if shared else np.full(len(methods), np.nan)
    return dict(zip(methods, ranks.tolist(), strict=True))


def ordered(rows: Iterable[dict]) -> list[dict]:
    """Rows by table, conditions, method and seed; methods in the order of their names, hpoctl's own first."""
    own = ["RS", "ASHA", "BO", "MOBSTER"]
    place = {method: number for number, method in enumerate(own)}
    return sorted(
        rows,
        key=lambda row: (
            table_of(row), place.get(row["method"], len(own)), row["method"], row["label"], row["seed"]
        ),
    )  # fmt: skip


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
