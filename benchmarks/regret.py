"""How good the methods are: normalised regret at 25, 50, 75 and 100 % of the budget, paired by seed.

    OPENBLAS_NUM_THREADS=1 python benchmarks/regret.py --rows regret.jsonl \
        --benchmark fcnet-protein fcnet-naval fcnet-parkinsons --table lcbench_189908.npz fcnet_like.npz \
        --method RS ASHA BO MOBSTER --seeds 0 20

Runs what `--rows` does not hold yet, one line an experiment, and prints the tables; killed and started again, it goes
on.
`--label` marks rows of another version of a method, `--set METHOD.option=value` changes options, `--only-print` runs
nothing.

The regret of a value is f(value) - f(best of the table), divided by f(median of the final values) - f(best): 0 is the
optimum, 1 a typical configuration. f is the logarithm where values are positive and span more than a factor of 3 from
the best to the median, as losses do; otherwise the value. The incumbent's regret takes the mean over the table's seeds
of the best row's configuration and epoch, which luck with a seed does not help. Ranks are those of the final regret
among the methods that have the seed, 1 the best.

A table is an .npz as in Syne Tune's peer scripts: `param_names`, a column for each, `fidelities`, a metric and
cumulative seconds of shape (configurations, epochs). If its configurations are a full grid, that is the space;
otherwise methods choose among its rows.
"""

import argparse
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from hpoctl import builtins
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
from hpoctl.engine.rows import RowLog, Rows
from hpoctl.ops.resolve import resolve, spec_of
from hpoctl.plugins import Registered, Registry, load_registry

SHARES = (0.25, 0.5, 0.75, 1.0)
MASTER_SEED = 31415
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


def table_benchmark(path: Path) -> Benchmark:
    """A benchmark on the table of a file."""
    table = npz_table(path)
    metric = table.metrics[0]
    fcnet = metric == "metric_valid_loss"
    return Benchmark(
        name=path.stem,
        summary="A table from a file",
        space=Space(table.space.domains) if table.space.size == Space(table.space.domains).size else table.space,
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
    own = {path.stem: Registered(table_benchmark(path), origin) for path in tables}
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


def run_one(
    tables: tuple[Path, ...], name: str, method: str, seed: int, settings: tuple[str, ...], budget: float | None
) -> dict[str, object]:
    """One experiment and its figures."""
    registry = registry_with(tables)
    benchmark, blackbox, scale = opened(tables, name)
    own = tuple(text for text in settings if text.startswith(f"{method}."))
    study = Study(
        name="regret",
        summary="",
        methods=(method,),
        benchmarks=(name,),
        num_seeds=seed + 1,
        start_seed=seed,
        settings=own,
        max_wallclock_time=budget,
    )
    spec = spec_of(resolve(study, registry), "regret", MASTER_SEED, Cell(method, name, seed))
    began = time.process_time()
    rows = simulate(spec, blackbox, Quiet(), SystemTime()).rows
    cpu = time.process_time() - began
    return {
        "table": name,
        "hash": blackbox.content_hash[:16],
        "method": method,
        "seed": seed,
        "cpu": round(cpu, 3),
        "trials": len(rows.configs),
        "rows": len(rows),
        **regrets(rows, benchmark, blackbox, scale, spec.max_wallclock_time),
    }


def regrets(
    rows: Rows, benchmark: Benchmark, blackbox: Blackbox, scale: Scale, budget: float
) -> dict[str, list[float]]:
    """Regret of the best value so far, and of its incumbent's mean over seeds, at the shares of the budget."""
    values = benchmark.goal.sign * rows.metrics[:, benchmark.goal.column]
    best, mean = [], []
    for share in SHARES:
        inside = np.flatnonzero((rows.times <= share * budget) & np.isfinite(values))
        if not len(inside):
            best.append(float("nan"))
            mean.append(float("nan"))
            continue
        row = inside[np.argmin(values[inside])]
        config, resource = rows.configs[rows.trial_ids[row]], rows.resources[row]
        curves = [blackbox.curve(config, seed) for seed in range(blackbox.num_seeds)]
        column = benchmark.goal.column
        across = np.mean([curve.metrics[np.flatnonzero(curve.resources == resource)[0], column] for curve in curves])
        best.append(round(scale.regret(scale.sign * values[row], scale.best), 5))
        mean.append(round(scale.regret(float(across), scale.best_mean), 5))
    return {"regret": best, "mean_regret": mean}


def read(path: Path) -> dict[tuple[object, ...], dict]:
    if not path.exists():
        return {}
    rows = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    return {(row["table"], row["hash"], row["label"], row["method"], row["seed"]): row for row in rows}


def print_tables(rows: Sequence[dict], reference: str) -> None:
    """Mean regrets with standard errors, mean ranks, CPU; and paired differences from a reference at the end."""
    by_table: dict[str, dict[str, dict[int, dict]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        name = row["method"] + (f" ({row['label']})" if row["label"] else "")
        by_table[row["table"]][name][row["seed"]] = row
    shares = " | ".join(f"{share:.0%}".replace("%", " %") for share in SHARES)
    print(f"| table | method | seeds | {shares} | mean rank | incumbent's mean | less {reference} | trials | CPU s |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    for table, methods in by_table.items():
        ranks = mean_ranks(methods)
        for name, seeds in methods.items():
            regret = np.array([row["regret"] for row in seeds.values()])
            others = methods.get(reference, {})
            gaps = [seeds[seed]["regret"][-1] - others[seed]["regret"][-1] for seed in seeds if seed in others]
            cells = [
                *(f"{value:.3f}" for value in np.nanmean(regret, axis=0)[:-1]),
                mean_and_error(regret[:, -1]),
                f"{ranks[name]:.2f}",
                f"{np.nanmean([row['mean_regret'][-1] for row in seeds.values()]):.3f}",
                mean_and_error(np.array(gaps), "+") if gaps and name != reference else "",
                f"{np.mean([row['trials'] for row in seeds.values()]):.0f}",
                f"{np.mean([row['cpu'] for row in seeds.values()]):.2f}",
            ]
            print(f"| {table} | {name} | {len(regret)} | {' | '.join(cells)} |")


def mean_and_error(values: np.ndarray, sign: str = "") -> str:
    """A mean with its standard error."""
    if len(values) < 2:
        return f"{values.mean():{sign}.3f}"
    return f"{np.nanmean(values):{sign}.3f} ± {np.nanstd(values, ddof=1) / np.sqrt(len(values)):.3f}"


def mean_ranks(methods: dict[str, dict[int, dict]]) -> dict[str, float]:
    """The mean rank of each method over the seeds that all of them have; equal regrets share their ranks."""
    shared = sorted(set.intersection(*(set(seeds) for seeds in methods.values())))
    finals = np.array([[seeds[seed]["regret"][-1] for seed in shared] for seeds in methods.values()])
    ranks = rankdata(finals, axis=0).mean(axis=1) if shared else np.full(len(methods), np.nan)
    return dict(zip(methods, ranks.tolist(), strict=True))


def wanted(options: argparse.Namespace) -> Iterator[tuple[str, str, int]]:
    names = [*options.benchmark, *(path.stem for path in options.table)]
    for seed in range(*options.seeds):
        for name in names:
            for method in options.method:
                yield name, method, seed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True, help="file of results, a JSON object a line")
    parser.add_argument("--benchmark", nargs="*", default=[])
    parser.add_argument("--table", nargs="*", type=Path, default=[])
    parser.add_argument("--method", nargs="+", default=["RS", "ASHA", "BO", "MOBSTER"])
    parser.add_argument("--seeds", nargs=2, type=int, default=[0, 20], metavar=("FIRST", "END"))
    parser.add_argument("--set", nargs="*", default=[], metavar="METHOD.option=value")
    parser.add_argument("--budget", type=float, help="simulated seconds; default: each benchmark's")
    parser.add_argument("--label", default="", help="marks these rows")
    parser.add_argument("--reference", default="ASHA", help="method that differences are paired with")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only-print", action="store_true")
    options = parser.parse_args()
    tables = tuple(path.resolve() for path in options.table)
    done = read(options.rows)
    if not options.only_print:
        have = {(key[0], key[2], key[3], key[4]) for key in done}
        todo = [task for task in wanted(options) if (task[0], options.label, task[1], task[2]) not in have]
        with ProcessPoolExecutor(options.processes) as pool, options.rows.open("a") as file:
            futures = [pool.submit(run_one, tables, *task, tuple(options.set), options.budget) for task in todo]
            for future in as_completed(futures):
                row = {**future.result(), "label": options.label}
                file.write(json.dumps(row) + "\n")
                file.flush()
    rows = list(read(options.rows).values())
    print_tables(
        sorted(rows, key=lambda row: (row["table"], row["method"], row["label"], row["seed"])), options.reference
    )


if __name__ == "__main__":
    main()
