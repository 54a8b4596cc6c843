"""Makes tests/data/syne-tune: small result trees as Syne Tune 0.13 writes them. Runs in an environment of Syne Tune.

    python tools/synetune_golden.py FOLDER

The environment needs `syne-tune[blackbox-repository,gpsearchers]==0.13.0`. Twelve trials of a toy table, at most nine
epochs each, on its simulator. `FOLDER/old-1` is laid out as its remote launcher lays a study out: two methods, two
benchmarks (one is maximised), two seeds, and the metadata that its `hpo_main_simulator` hands to a `Tuner`, copied
because that module cannot be imported from the installed package (a file is missing from it). `FOLDER/plain` is what a
`Tuner` leaves when it gets no metadata.
"""

import itertools
import logging
import os
import sys
import tempfile
from pathlib import Path

folder = Path(sys.argv[1]).absolute()
os.environ["SYNETUNE_FOLDER"] = tempfile.mkdtemp()

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from syne_tune import StoppingCriterion, Tuner  # noqa: E402
from syne_tune.backend.simulator_backend.simulator_callback import SimulatorCallback  # noqa: E402
from syne_tune.blackbox_repository.blackbox_tabular import BlackboxTabular  # noqa: E402
from syne_tune.blackbox_repository.simulated_tabular_backend import UserBlackboxBackend  # noqa: E402
from syne_tune.config_space import choice, randint  # noqa: E402
from syne_tune.experiments.baselines import MethodArguments  # noqa: E402
from syne_tune.experiments.default_baselines import ASHA, RandomSearch  # noqa: E402
from syne_tune.results_callback import ExtraResultsComposer  # noqa: E402

EPOCHS, SECONDS, RESOURCE, LARGEST = 9, "elapsed_time", "epoch", "epochs"
SPACE = {"lr": choice([0.001, 0.01, 0.1, 0.3]), "units": choice([8, 16, 32]), "activation": choice(["relu", "tanh"])}
METHODS = {"RS": RandomSearch, "ASHA": ASHA}
BENCHMARKS = {"toy-min": ("loss", "min"), "toy-max": ("accuracy", "max")}
RANDOM_SEED = 4711


class Trials(ExtraResultsComposer):
    """How many trials have been started."""

    def __call__(self, tuner: Tuner) -> dict[str, int]:
        """The value of the column now."""
        return {"num_trials": len(tuner.tuning_status.trial_rows)}

    def keys(self) -> list[str]:
        """The column."""
        return ["num_trials"]


def table(metric: str, mode: str) -> BlackboxTabular:
    """A table of all configurations, made from formulas."""
    rows = list(itertools.product(*(SPACE[name].categories for name in SPACE)))
    frame = pd.DataFrame(rows, columns=list(SPACE))
    epochs = np.arange(1, EPOCHS + 1)
    level = np.abs(np.log10(frame["lr"].to_numpy()) + 1.5) + 4.0 / frame["units"].to_numpy()
    losses = level[:, np.newaxis] + 1.0 / epochs
    values = losses if mode == "min" else 1.0 / (1.0 + losses)
    elapsed = frame["units"].to_numpy()[:, np.newaxis] * 0.37 * epochs
    return BlackboxTabular(
        hyperparameters=frame,
        configuration_space=dict(SPACE),
        fidelity_space={RESOURCE: randint(1, EPOCHS)},
        objectives_evaluations=np.stack([values, elapsed], axis=-1)[:, np.newaxis],
        fidelity_values=epochs,
        objectives_names=[metric, SECONDS],
    )


def run(path: Path, name: str, method: str, benchmark: str, seed: int, metadata: "dict | None") -> None:
    """Run one tuner; its results go below a path."""
    os.environ["SYNETUNE_FOLDER"] = str(path)
    np.random.seed(seed)  # noqa: NPY002 - where Syne Tune draws from
    metric, mode = BENCHMARKS[benchmark]
    backend = UserBlackboxBackend(blackbox=table(metric, mode), elapsed_time_attr=SECONDS, max_resource_attr=LARGEST)
    arguments = MethodArguments(
        config_space={**SPACE, LARGEST: EPOCHS},
        metric=metric,
        mode=mode,
        random_seed=seed,
        max_resource_attr=LARGEST,
        resource_attr=RESOURCE,
        scheduler_kwargs={"search_options": {"debug_log": False}},
    )
    Tuner(
        trial_backend=backend,
        scheduler=METHODS[method](arguments, **({"type": "promotion"} if method == "ASHA" else {})),
        stop_criterion=StoppingCriterion(max_num_trials_started=12),
        n_workers=3,
        sleep_time=0,
        callbacks=[SimulatorCallback(extra_results_composer=Trials())],
        tuner_name=name,
        metadata=metadata,
        save_tuner=False,
    ).run()


def main() -> None:
    """Run all of them."""
    logging.disable(logging.WARNING)
    for method, benchmark, seed in itertools.product(METHODS, BENCHMARKS, range(2)):
        metadata = {
            "seed": seed,
            "algorithm": method,
            "tag": "old-1",
            "benchmark": benchmark,
            "random_seed": RANDOM_SEED,
            "fcnet_ordinal": "nn-log",
        }
        run(folder / "old-1" / method, f"old-1-{benchmark}-{seed}", method, benchmark, seed, metadata)
    for seed in range(2):
        run(folder / "plain", "plain", "ASHA", "toy-min", seed, None)


main()
