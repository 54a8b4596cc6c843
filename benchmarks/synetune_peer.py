"""One simulated experiment of Syne Tune 0.13 on an exported table; runs in Syne Tune's own environment.

    python benchmarks/synetune_peer.py TABLE.npz METHOD SEED [--budget 3600]

Prints one JSON object: CPU seconds of the tuning alone, trials, rows, best value. Real time is kept out of the
simulated clock, as in hpoctl's default, so that both simulate the same budget.
"""

import argparse
import json
import logging
import os
import tempfile
import time

os.environ["SYNETUNE_FOLDER"] = tempfile.mkdtemp()

import numpy as np
import pandas as pd
from syne_tune import StoppingCriterion, Tuner
from syne_tune.backend.simulator_backend.simulator_callback import SimulatorCallback
from syne_tune.blackbox_repository.blackbox_tabular import BlackboxTabular
from syne_tune.blackbox_repository.conversion_scripts.scripts.fcnet_import import CONFIGURATION_SPACE
from syne_tune.blackbox_repository.simulated_tabular_backend import UserBlackboxBackend
from syne_tune.config_space import randint
from syne_tune.experiments import default_baselines
from syne_tune.experiments.baselines import MethodArguments

METRIC, TIME, RESOURCE, LARGEST = "metric_valid_loss", "metric_elapsed_time", "hp_epoch", "epochs"
BASELINES = {"RS": "RandomSearch", "ASHA": "ASHA", "BO": "BayesianOptimization", "MOBSTER": "MOBSTER"}


def blackbox(path: str) -> BlackboxTabular:
    """The table as Syne Tune reads it."""
    table = np.load(path, allow_pickle=False)
    columns = pd.DataFrame({name: table[name] for name in CONFIGURATION_SPACE})
    values = np.stack([table[METRIC], table[TIME]], axis=-1)[:, np.newaxis]
    return BlackboxTabular(
        hyperparameters=columns,
        configuration_space=dict(CONFIGURATION_SPACE),
        fidelity_space={RESOURCE: randint(1, values.shape[2])},
        objectives_evaluations=values,
        fidelity_values=np.arange(1, values.shape[2] + 1),
        objectives_names=[METRIC, TIME],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table")
    parser.add_argument("method", choices=sorted(BASELINES))
    parser.add_argument("seed", type=int)
    parser.add_argument("--budget", type=float, default=3600.0)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    np.random.seed(options.seed)
    table = blackbox(options.table)
    backend = UserBlackboxBackend(blackbox=table, elapsed_time_attr=TIME, max_resource_attr=LARGEST)
    backend.time_keeper.real_time_since_last_recent_exit = lambda: 0.0
    arguments = MethodArguments(
        config_space=table.configuration_space_with_max_resource_attr(LARGEST),
        metric=METRIC,
        mode="min",
        random_seed=options.seed,
        resource_attr=RESOURCE,
        max_resource_attr=LARGEST,
        fcnet_ordinal="nn-log",
        scheduler_kwargs={"points_to_evaluate": None, "search_options": {"debug_log": False}},
    )
    extra = {"type": "promotion"} if options.method in {"ASHA", "MOBSTER"} else {}
    scheduler = getattr(default_baselines, BASELINES[options.method])(arguments, **extra)
    callback = SimulatorCallback()
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
    rows = pd.DataFrame(callback.results)
    facts = {
        "cpu_seconds": time.process_time() - began,
        "trials": int(rows.trial_id.nunique()),
        "rows": len(rows),
        "best": float(rows[METRIC].min()),
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
