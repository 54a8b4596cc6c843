"""Small benchmarks to test on: tables of made-up curves, milliseconds a run, and any script that reports its loss."""

from collections.abc import Callable

import numpy as np

from hpoctl.blackboxes.tabular import TabularBlackbox
from hpoctl.core.blackbox import Blackbox
from hpoctl.core.entries import Benchmark
from hpoctl.core.protocols import FloatArray, Mode
from hpoctl.core.script import Script
from hpoctl.core.space import Choice, FinRange, Fixed, Ordinal, Space

MAX_EPOCHS = 27
METRIC = "loss"


def toy_space(max_epochs: int = MAX_EPOCHS) -> Space:
    """120 configurations: a categorical, an ordinal and a numeric hyperparameter, and the fixed epochs."""
    return Space(
        {
            "activation": Choice(("tanh", "relu")),
            "units": Ordinal((8, 16, 32, 64, 128, 256), kind="nn-log"),
            "rate": FinRange(0.0, 0.9, 10),
            "epochs": Fixed(max_epochs),
        }
    )


def toy_loss(space: Space, max_epochs: int, num_seeds: int) -> FloatArray:
    """Curves that fall towards a value that depends on the configuration, shape (n, seeds, epochs)."""
    epochs = np.arange(1, max_epochs + 1)
    units = space.encode(np.array([space.units(space.at(index)) for index in range(space.size or 0)]))
    distance = ((units - 0.3) ** 2).sum(axis=1)
    final = 0.1 + distance[:, np.newaxis]
    curves = final + np.exp(-np.outer(0.1 + units.mean(axis=1), epochs))
    return np.stack([curves * (1 + 0.01 * seed) for seed in range(num_seeds)], axis=1)


def toy_table(
    space: Space | None = None,
    *,
    max_epochs: int = MAX_EPOCHS,
    num_seeds: int = 3,
    change: Callable[[FloatArray], FloatArray] = lambda losses: losses,
) -> TabularBlackbox:
    """A table of made-up curves.

    Args:
        space: A finite space with `epochs` fixed; None: `toy_space`.
        max_epochs: The number of epochs.
        num_seeds: Repetitions of each curve.
        change: Changes the losses, shape (n, seeds, epochs), before the table is made.
    """
    space = space or toy_space(max_epochs)
    losses = change(toy_loss(space, max_epochs, num_seeds))
    epochs = np.arange(1, max_epochs + 1)
    speeds = 5.0 + 10.0 * np.linspace(0.0, 1.0, len(losses))
    times = np.repeat(np.outer(speeds, epochs)[:, np.newaxis, :], num_seeds, axis=1)
    return TabularBlackbox(space, (METRIC,), epochs, losses[..., np.newaxis], times)


def toy_benchmark(
    table: Callable[[], Blackbox] = toy_table, *, name: str = "toy", mode: Mode = "min", budget: float = 1500.0
) -> Benchmark:
    """A benchmark on such a table: 4 workers, `budget` simulated seconds."""
    return Benchmark(
        name=name,
        summary="A toy table with made-up curves",
        space=table().space,
        metrics=(METRIC,),
        metric=METRIC,
        mode=mode,
        resource_attr="epoch",
        max_resource_attr="epochs",
        n_workers=4,
        max_wallclock_time=budget,
        blackbox=table,
        provenance={"curves": "made up"},
    )


def toy_script_benchmark(
    space: Space,
    script: Script,
    *,
    name: str = "toy-script",
    metrics: tuple[str, ...] = (METRIC,),
    budget: float = 60.0,
) -> Benchmark:
    """A benchmark on a script that reports its loss after each epoch: 2 workers, `budget` seconds.

    Args:
        space: Its space, with `epochs` fixed.
        script: The script.
        name: Its name.
        metrics: What it reports, the loss first.
        budget: Its budget in seconds.
    """
    return Benchmark(
        name=name,
        summary="A script that reports its loss after each epoch",
        space=space,
        metrics=metrics,
        metric=metrics[0],
        mode="min",
        resource_attr="epoch",
        max_resource_attr="epochs",
        n_workers=2,
        max_wallclock_time=budget,
        script=script,
    )
