"""One simulated experiment of Syne Tune 0.13 on an exported table; runs in Syne Tune's own environment.

    python benchmarks/synetune_peer.py TABLE.npz METHOD SEED [--budget 3600] [--rows OUT.npz]

Prints one JSON object: CPU seconds of the tuning alone, trials, rows, best value, and the cost of its suggestions.
Real time is kept out of the simulated clock, as in hpoctl's default, so that both simulate the same budget.

The table is fcnet-like if it has a validation loss, else of lcbench. Values have the shape (configurations, epochs) or
(configurations, seeds, epochs). With --restrict only its configurations are suggested; otherwise, if they are no full
grid, any configuration of the space gets the curve of the nearest one. --rows writes the time, value and resource of
each row, and the place in the table of its configuration (-1: not in the table). With --cpu-limit, or by SIGTERM, an
experiment ends early, and `simulated_seconds` says when.
"""

import argparse
import json
import logging
import math
import os
import signal
import tempfile
import time
from collections import defaultdict

os.environ["SYNETUNE_FOLDER"] = tempfile.mkdtemp()

import numpy as np
import pandas as pd
from syne_tune import StoppingCriterion, Tuner
from syne_tune.backend.simulator_backend.simulator_callback import SimulatorCallback
from syne_tune.blackbox_repository import add_surrogate
from syne_tune.blackbox_repository.blackbox_tabular import BlackboxTabular
from syne_tune.blackbox_repository.conversion_scripts.scripts import fcnet_import
from syne_tune.blackbox_repository.conversion_scripts.scripts.lcbench import lcbench
from syne_tune.blackbox_repository.simulated_tabular_backend import UserBlackboxBackend, make_surrogate
from syne_tune.config_space import randint
from syne_tune.experiments import default_baselines
from syne_tune.experiments.baselines import MethodArguments

LARGEST = "epochs"
FCNET = (fcnet_import.CONFIGURATION_SPACE, "metric_valid_loss", "metric_elapsed_time", "hp_epoch", "min")
LCBENCH = (lcbench.CONFIGURATION_SPACE, "val_accuracy", "time", "epoch", "max")
BASELINES = {"RS": "RandomSearch", "ASHA": "ASHA", "BO": "BayesianOptimization", "MOBSTER": "MOBSTER"}
RUNGS = {"ASHA", "MOBSTER"}


class Watch(SimulatorCallback):
    """Ends the tuning when the CPU time is used up, or on request."""

    def __init__(self, limit: float) -> None:
        super().__init__()
        self.limit = limit
        signal.signal(signal.SIGTERM, self.end)

    def end(self, *_: object) -> None:
        self.limit = 0.0

    def on_loop_end(self) -> None:
        super().on_loop_end()
        if time.process_time() > self.limit:
            self._tuner.stop_criterion = lambda _: True


class Costs:
    """CPU seconds of suggestions by the number of values that the scheduler has seen at the levels it decides at."""

    def __init__(self, scheduler, levels: set[int], resource: str) -> None:
        self.seen = 0
        self.bins: dict[int, list[float]] = defaultdict(lambda: [0, 0.0])
        suggest, on_trial_result = scheduler.suggest, scheduler.on_trial_result

        def suggested(trial_id):
            began = time.process_time()
            step = suggest(trial_id)
            if step is not None and step.spawn_new_trial_id:
                entry = self.bins[int(2 * math.log2(self.seen + 1))]
                entry[0] += 1
                entry[1] += time.process_time() - began
            return step

        def reported(trial, result):
            self.seen += int(result[resource]) in levels
            return on_trial_result(trial, result)

        scheduler.suggest, scheduler.on_trial_result = suggested, reported


def blackbox(table, space, metric: str, seconds: str, resource: str) -> BlackboxTabular:
    """The table as Syne Tune reads it."""
    columns = pd.DataFrame({name: table[name] for name in space})
    values = np.stack([table[metric], table[seconds]], axis=-1)
    if values.ndim == 3:
        values = values[:, np.newaxis]
    return BlackboxTabular(
        hyperparameters=columns,
        configuration_space=dict(space),
        fidelity_space={resource: randint(1, values.shape[2])},
        objectives_evaluations=values,
        fidelity_values=np.arange(1, values.shape[2] + 1),
        objectives_names=[metric, seconds],
    )


def write_rows(path: str, results: pd.DataFrame, columns: pd.DataFrame, metric: str, resource: str) -> None:
    """Time, value, resource and place in the table of each row."""
    places = {key: place for place, key in enumerate(columns.itertuples(index=False, name=None))}
    keys = results[[f"config_{name}" for name in columns]].itertuples(index=False, name=None)
    np.savez(
        path,
        times=results["st_tuner_time"].to_numpy(float),
        values=results[metric].to_numpy(float),
        resources=results[resource].to_numpy(int),
        places=np.array([places.get(key, -1) for key in keys]),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table")
    parser.add_argument("method", choices=sorted(BASELINES))
    parser.add_argument("seed", type=int)
    parser.add_argument("--budget", type=float, default=3600.0)
    parser.add_argument("--restrict", action="store_true")
    parser.add_argument("--rows")
    parser.add_argument("--cpu-limit", type=float, default=math.inf)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    np.random.seed(options.seed)
    file = np.load(options.table, allow_pickle=False)
    space, metric, seconds, resource, mode = FCNET if FCNET[1] in file else LCBENCH
    table = blackbox(file, space, metric, seconds, resource)
    columns = table.hyperparameters
    largest = len(table.fidelity_values)
    search_options: dict[str, object] = {"debug_log": False}
    surrogate = mode == "max" and not options.restrict
    if options.restrict:
        search_options["restrict_configurations"] = [
            {**config, LARGEST: largest} for config in columns.to_dict("records")
        ]
    if surrogate:
        table = add_surrogate(table, surrogate=make_surrogate("KNeighborsRegressor", {"n_neighbors": 1}))
    backend = UserBlackboxBackend(blackbox=table, elapsed_time_attr=seconds, max_resource_attr=LARGEST)
    backend.time_keeper.real_time_since_last_recent_exit = lambda: 0.0
    arguments = MethodArguments(
        config_space=table.configuration_space_with_max_resource_attr(LARGEST),
        metric=metric,
        mode=mode,
        random_seed=options.seed,
        resource_attr=resource,
        max_resource_attr=LARGEST,
        use_surrogates=surrogate,
        fcnet_ordinal="nn-log",
        scheduler_kwargs={"points_to_evaluate": None, "search_options": search_options},
    )
    extra = {"type": "promotion"} if options.method in RUNGS else {}
    scheduler = getattr(default_baselines, BASELINES[options.method])(arguments, **extra)
    levels = {3**power for power in range(10) if 3**power < largest} if options.method in RUNGS else set()
    costs = Costs(scheduler, levels | {largest}, resource)
    callback = Watch(options.cpu_limit)
    tuner = Tuner(
        trial_backend=backend,
        scheduler=scheduler,
        stop_criterion=StoppingCriterion(max_wallclock_time=options.budget),
        n_workers=4,
        sleep_time=0,
        callbacks=[callback],
        results_update_interval=600,
        print_update_interval=600,
        tuner_name=f"peer-{os.getpid()}",
        metadata={},
        save_tuner=False,
    )
    began = time.process_time()
    tuner.run()
    cpu = time.process_time() - began
    rows = pd.DataFrame(callback.results)
    if options.rows:
        write_rows(options.rows, rows, columns, metric, resource)
    facts = {
        "cpu_seconds": cpu,
        "trials": int(rows.trial_id.nunique()),
        "rows": len(rows),
        "best": float(rows[metric].agg(mode)),
        "simulated_seconds": float(rows["st_tuner_time"].max()),
        "costs": {str(place): [count, round(total, 4)] for place, (count, total) in sorted(costs.bins.items())},
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
