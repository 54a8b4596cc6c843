"""Small tables, benchmarks and contexts that many tests use."""

from collections.abc import Callable

import numpy as np

from hpoctl.blackboxes.tabular import TabularBlackbox
from hpoctl.core.entries import Benchmark, Goal, MethodContext
from hpoctl.core.protocols import Report
from hpoctl.core.rng import Streams
from hpoctl.core.space import Choice, FinRange, Fixed, Ordinal, Space

MAX_EPOCHS = 27


def toy_space(max_epochs: int = MAX_EPOCHS) -> Space:
    """120 configurations with a categorical, an ordinal and a numeric hyperparameter, and the fixed epochs."""
    return Space(
        {
            "activation": Choice(("tanh", "relu")),
            "units": Ordinal((8, 16, 32, 64, 128, 256), kind="nn-log"),
            "rate": FinRange(0.0, 0.9, 10),
            "epochs": Fixed(max_epochs),
        }
    )


def toy_table(max_epochs: int = MAX_EPOCHS, num_seeds: int = 3, seconds: float = 10.0) -> TabularBlackbox:
    """Curves that fall towards a value that depends on the configuration; longer training for more units."""
    space = toy_space(max_epochs)
    epochs = np.arange(1, max_epochs + 1)
    losses, times = [], []
    for index in range(space.size or 0):
        config = space.at(index)
        units, rate = float(config["units"]), float(config["rate"])
        final = 0.1 + abs(np.log2(units) - 6.0) / 10 + (rate - 0.3) ** 2 + 0.05 * (config["activation"] == "tanh")
        curve = final + np.exp(-epochs * (0.1 + rate / 4))
        losses.append([curve * (1 + 0.01 * seed) for seed in range(num_seeds)])
        speed = seconds * (0.5 + np.log2(units) / 8)
        times.append([epochs * speed * (1 + 0.001 * seed) for seed in range(num_seeds)])
    return TabularBlackbox(space, ("loss",), epochs, np.array(losses)[..., np.newaxis], np.array(times))


def toy_benchmark(
    table: Callable[[], TabularBlackbox] = toy_table,
    *,
    name: str = "toy",
    mode: str = "min",
    budget: float = 1500.0,
) -> Benchmark:
    return Benchmark(
        name=name,
        summary="A toy table",
        space=table().space,
        metrics=("loss",),
        metric="loss",
        mode="min" if mode == "min" else "max",
        resource_attr="epoch",
        max_resource_attr="epochs",
        n_workers=4,
        max_wallclock_time=budget,
        blackbox=table,
        provenance={"curves": "made up"},
    )


def context(
    space: Space | None = None,
    *,
    max_resource: int = MAX_EPOCHS,
    seed: int = 0,
    master_seed: int = 1,
    sign: float = 1.0,
) -> MethodContext:
    return MethodContext(space or toy_space(), Goal(0, sign), max_resource, Streams(master_seed, seed))


def report(trial_id: int, resource: int, value: float, *, time: float = 0.0) -> Report:
    """A report of one row."""
    return Report(
        trial_id,
        np.array([resource]),
        np.array([[value]]),
        np.array([float(resource)]),
        np.array([time]),
    )
