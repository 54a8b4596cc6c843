"""How good the methods are on tables that no choice was ever made on: twelve tasks of YAHPO Gym's lcbench surrogate.

    hpoctl blackbox import lcbench FOLDER          # the user's copy of the scenario, version 1.0.2
    OPENBLAS_NUM_THREADS=1 python benchmarks/unseen.py --rows unseen.jsonl

Runs what `--rows` does not hold yet, one line an experiment, task after task within a seed; killed and started again,
it continues. `claims.py --unseen` prints the tables.

The tasks were set aside before the first run on any of them: methods, priors and defaults were chosen on other tables
and on other tasks of the surrogate. Each row holds the best validation accuracy (in percent) at 25, 50, 75 and 100 % of
the budget in simulated seconds, with 4 workers, events at their own time. No method knows the budget. A row of the kind
"scale" holds what regrets are measured by: the median final accuracy and the best one of 2,000 configurations drawn
uniformly from the space.
"""

import argparse
import json
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from regret import RANDOM_SEED, Quiet, incumbents

from hpoctl import builtins
from hpoctl.core.blackbox import Blackbox, Curve
from hpoctl.core.cells import Cell
from hpoctl.core.clock import SystemTime
from hpoctl.core.settings import Settings
from hpoctl.core.space import Config, Space
from hpoctl.core.study import Study
from hpoctl.engine.experiment import simulate
from hpoctl.ops.studies.resolve import resolve, spec_of
from hpoctl.plugins import Registry, load_registry

TASKS = (3945, 126029, 167149, 167161, 167184, 167200, 168329, 168331, 168868, 189354, 189865, 189905)
METHODS = ("RS", "ASHA", "HYPERBAND", "BO", "MOBSTER", "OPTUNA-TPE")
SCALE_SAMPLE = 2000


@dataclass(frozen=True, eq=False)
class Remembered:
    """A task whose curves are computed once: methods without a model suggest the same configurations for a seed."""

    blackbox: Blackbox
    curves: dict[tuple[object, ...], Curve] = field(default_factory=dict)

    @property
    def space(self) -> Space:
        return self.blackbox.space

    @property
    def metrics(self) -> tuple[str, ...]:
        return self.blackbox.metrics

    @property
    def num_seeds(self) -> int:
        return self.blackbox.num_seeds

    @property
    def content_hash(self) -> str:
        return self.blackbox.content_hash

    def curve(self, config: Config, seed: int) -> Curve:
        key = (seed, *config.values())
        if key not in self.curves:
            self.curves[key] = self.blackbox.curve(config, seed)
        return self.curves[key]


def run_one(
    registry: Registry, blackbox: Blackbox, task: int, method: str, seed: int, budget: float
) -> dict[str, object]:
    """One experiment and its best values."""
    name = f"lcbench-{task}"
    study = Study(
        name="unseen",
        summary="",
        methods=(method,),
        benchmarks=(name,),
        num_seeds=seed + 1,
        start_seed=seed,
        experiment=Settings(max_wallclock_time=budget),
    )
    spec = spec_of(resolve(study, registry, "unseen", RANDOM_SEED), Cell(method, name, seed))
    benchmark = registry.benchmark(name)
    began = time.process_time()
    rows = simulate(spec, blackbox, Quiet(), SystemTime()).rows
    cpu = time.process_time() - began
    values = rows.metrics[:, benchmark.goal.column]
    best = incumbents(rows.times, values, benchmark.goal.sign, spec.max_wallclock_time)
    return {
        "task": task,
        "hash": blackbox.content_hash[:16],
        "method": method,
        "seed": seed,
        "budget": budget,
        "cpu": round(cpu, 3),
        "trials": len(rows.configs),
        "rows": len(rows),
        "best": [None if row is None else float(values[row]) for row in best],
    }


def scale_of(registry: Registry, task: int) -> dict[str, object]:
    """The median and the best of what configurations drawn uniformly reach."""
    benchmark = registry.benchmark(f"lcbench-{task}")
    blackbox = benchmark.blackbox()
    rng = np.random.default_rng([RANDOM_SEED, task])
    configs = blackbox.space.configs(blackbox.space.sample(SCALE_SAMPLE, rng))
    curves = [blackbox.curve(config, 0) for config in configs]
    values = np.array([curve.metrics[:, benchmark.goal.column] for curve in curves])
    return {
        "task": task,
        "kind": "scale",
        "typical": float(np.median(values[:, -1])),
        "best": float(values.max()),
        "sample": SCALE_SAMPLE,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True, help="file of results, a JSON object a line")
    parser.add_argument("--tasks", nargs="+", type=int, default=list(TASKS), choices=TASKS)
    parser.add_argument("--method", nargs="+", default=list(METHODS))
    parser.add_argument("--seeds", nargs=2, type=int, default=[20, 40], metavar=("FIRST", "END"))
    parser.add_argument("--budget", type=float, default=1800.0, help="simulated seconds")
    options = parser.parse_args()
    registry = load_registry([builtins])
    lines = options.rows.read_text().splitlines() if options.rows.exists() else []
    have = {
        (row["task"], row.get("kind"), row.get("method"), row.get("seed"), row.get("budget"))
        for row in map(json.loads, lines)
    }
    with options.rows.open("a") as file:

        def keep(row: dict[str, object]) -> None:
            file.write(json.dumps(row) + "\n")
            file.flush()
            print(row, flush=True)

        for task in options.tasks:
            if (task, "scale", None, None, None) not in have:
                keep(scale_of(registry, task))
        for seed in range(*options.seeds):
            for task in options.tasks:
                blackbox = Remembered(registry.benchmark(f"lcbench-{task}").blackbox())
                for method in options.method:
                    if (task, None, method, seed, options.budget) not in have:
                        keep(run_one(registry, blackbox, task, method, seed, options.budget))


if __name__ == "__main__":
    main()
