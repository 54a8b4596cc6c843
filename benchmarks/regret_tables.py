"""The tables of `regret.py`: benchmarks of hpoctl and files, opened, with the scale on which regrets are measured.

A table of a file is an .npz as in Syne Tune's peer scripts: `param_names`, a column for each, `fidelities`, a metric
and cumulative seconds of shape (configurations, epochs). If its configurations are a full grid, that is the space;
otherwise methods choose among its rows, or, with `--nearest`, get the curve of the row nearest to what they suggest.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np

from hpoctl import builtins
from hpoctl.core.blackbox import Blackbox, Curve
from hpoctl.core.entries import Benchmark, Method
from hpoctl.core.protocols import IntArray
from hpoctl.core.space import (
    Choice,
    Config,
    Domain,
    FloatArray,
    LogRandInt,
    LogUniform,
    Ordinal,
    RandInt,
    Space,
    TableSpace,
    Uniform,
)
from hpoctl.plugins import Registered, Registry, load_registry

NEAREST = "-nearest"
POOL, WHOLE = "fcnet-pool-", "fcnet-"
"""Pools, whose curves have one seed, are parts of tables whose final losses have four."""

LCBENCH: dict[str, Domain] = {
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
    resources: IntArray
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
    domains: dict[str, Domain] = {
        name: _fcnet_domain(name, columns[name]) if fcnet else LCBENCH[name] for name in names
    }
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
    own: np.ndarray = getattr(blackbox, "_loss", np.empty(0))
    if own.ndim == 3:
        return own
    space = blackbox.space
    return np.array(
        [
            [blackbox.curve(space.at(row), seed).metrics[:, 0] for seed in range(blackbox.num_seeds)]
            for row in range(space.size or 0)
        ]
    )


def nothing_more() -> Iterable[Method]:
    """The methods beside those that hpoctl finds."""
    return ()


@cache
def registry_with(tables: tuple[Path, ...], more: Callable[[], Iterable[Method]] = nothing_more) -> Registry:
    registry = load_registry([builtins])
    origin = next(iter(registry.methods.values())).origin
    found = [table_benchmark(path, suffix) for path in tables for suffix in ("", NEAREST)]
    own = {benchmark.name: Registered(benchmark, origin) for benchmark in found}
    methods = {method.name: Registered(method, origin) for method in more()}
    return replace(registry, benchmarks={**registry.benchmarks, **own}, methods={**registry.methods, **methods})


@cache
def opened(tables: tuple[Path, ...], name: str) -> tuple[Benchmark, Blackbox, Scale]:
    benchmark = registry_with(tables).benchmark(name)
    blackbox = benchmark.blackbox()
    return benchmark, blackbox, scale_of(benchmark, blackbox)


@cache
def originals_of(name: str) -> tuple[Callable[[Config], float], Scale] | None:
    """What a pool's configurations are worth by four runs: the mean of the four original final losses of each.

    Returns:
        The mean of a configuration, and the scale of these means over the pool; None: the benchmark is no pool.
    """
    if not name.startswith(POOL):
        return None
    benchmark, pool, _ = opened((), name)
    whole = registry_with(()).benchmark(WHOLE + name.removeprefix(POOL)).blackbox()

    def worth(config: Config) -> float:
        curves = [whole.curve(config, seed) for seed in range(whole.num_seeds)]
        return float(np.mean([curve.metrics[-1, benchmark.goal.column] for curve in curves]))

    means = np.array([worth(pool.space.at(row)) for row in range(pool.space.size or 0)])
    best, typical = float(means.min()), float(np.median(means))
    return worth, Scale(benchmark.goal.sign, typical / best > 3, best, best, typical)
