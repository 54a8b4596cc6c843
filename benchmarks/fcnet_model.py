"""What the model of fcnet's curves changes for methods: BO over ASHA on the same configurations, real and modelled.

    OPENBLAS_NUM_THREADS=1 python benchmarks/fcnet_model.py --seeds 0 40

A pool's 1,000 configurations are met three times: with the pool's real curves, and with the curves that the table of
the set holds for the same configurations (its first seed), on the pool's clock. Prints the mean normalised regret of
each method at 25 % of the pool's budget, and the ratio of BO's to ASHA's with a bootstrap interval over seeds (95 %).
"""

import argparse
from dataclasses import dataclass

import numpy as np
from regret import RANDOM_SEED, Quiet, incumbents
from regret_tables import Scale, scale_of

from hpoctl import builtins
from hpoctl.core.blackbox import Blackbox, Curve
from hpoctl.core.cells import Cell
from hpoctl.core.clock import SystemTime
from hpoctl.core.entries import Benchmark
from hpoctl.core.space import Config, FloatArray, Space
from hpoctl.core.study import Study
from hpoctl.engine.experiment import simulate
from hpoctl.ops.studies.resolve import resolve, spec_of
from hpoctl.plugins import Registry, load_registry

METHODS = ("BO", "ASHA")
BOOTSTRAPS = 4000
PLACE = 0
"""The share of the budget that is looked at: the first of `regret_rows.SHARES`, 25 %."""


@dataclass(frozen=True, eq=False)
class Modelled:
    """A pool's configurations and seconds with the losses that the table of the set has for them."""

    pool: Blackbox
    table: Blackbox
    num_seeds: int = 1

    @property
    def space(self) -> Space:
        return self.pool.space

    @property
    def metrics(self) -> tuple[str, ...]:
        return self.pool.metrics

    @property
    def content_hash(self) -> str:
        return self.pool.content_hash

    def curve(self, config: Config, seed: int) -> Curve:
        clock, losses = self.pool.curve(config, seed), self.table.curve(config, seed)
        metrics = clock.metrics.copy()
        metrics[:, 0] = losses.metrics[:, 0]
        return Curve(clock.resources, metrics, clock.elapsed)


def regrets(registry: Registry, benchmark: Benchmark, blackbox: Blackbox, method: str, seeds: range) -> FloatArray:
    """Normalised regret of the incumbent at the share, shape (seeds,)."""
    scale = scale_of(benchmark, blackbox)
    return np.array([regret(registry, benchmark, blackbox, scale, method, seed) for seed in seeds])


def regret(registry: Registry, benchmark: Benchmark, blackbox: Blackbox, scale: Scale, method: str, seed: int) -> float:
    study = Study(
        name="model", summary="", methods=(method,), benchmarks=(benchmark.name,), num_seeds=seed + 1, start_seed=seed
    )
    spec = spec_of(resolve(study, registry, "model", RANDOM_SEED), Cell(method, benchmark.name, seed))
    rows = simulate(spec, blackbox, Quiet(), SystemTime()).rows
    values = rows.metrics[:, benchmark.goal.column]
    row = incumbents(rows.times, values, scale.sign, spec.max_wallclock_time)[PLACE]
    return float("nan") if row is None else scale.regret(float(values[row]), scale.best)


def ratio_and_interval(first: FloatArray, second: FloatArray) -> tuple[float, float, float]:
    """The ratio of two means over the same seeds, and its bootstrap interval."""
    random = np.random.default_rng(0)
    drawn = random.integers(0, len(first), (BOOTSTRAPS, len(first)))
    low, high = np.quantile(first[drawn].mean(axis=1) / second[drawn].mean(axis=1), [0.025, 0.975])
    return float(first.mean() / second.mean()), float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=["protein", "naval", "parkinsons"])
    parser.add_argument("--seeds", nargs=2, type=int, default=[0, 40], metavar=("FIRST", "END"))
    options = parser.parse_args()
    registry = load_registry([builtins])
    print("| set | curves | BO | ASHA | BO over ASHA (95 %) |\n|---|---|---|---|---|")
    for name in options.sets:
        benchmark = registry.benchmark(f"fcnet-pool-{name}")
        pool, table = benchmark.blackbox(), registry.benchmark(f"fcnet-{name}").blackbox()
        for curves, blackbox in (("real", pool), ("modelled", Modelled(pool, table))):
            found = [regrets(registry, benchmark, blackbox, method, range(*options.seeds)) for method in METHODS]
            cells = [f"{each.mean():.3f} ± {each.std(ddof=1) / np.sqrt(len(each)):.3f}" for each in found]
            ratio, low, high = ratio_and_interval(*found)
            print(f"| {name} | {curves} | {' | '.join(cells)} | {ratio:.2f} ({low:.2f} to {high:.2f}) |", flush=True)


if __name__ == "__main__":
    main()
