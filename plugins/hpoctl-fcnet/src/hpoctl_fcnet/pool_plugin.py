"""The benchmarks on the pools of real training runs: fcnet-pool-protein, fcnet-pool-naval and fcnet-pool-parkinsons."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from hpoctl.core.blackbox import Blackbox
from hpoctl.core.entries import Benchmark
from hpoctl_fcnet.card import CITATION, TRAINED_ON
from hpoctl_fcnet.grid import NUM_INPUTS
from hpoctl_fcnet.space import MAX_RESOURCE_ATTR, METRICS, SPACE

BUDGETS: Final[Mapping[str, float]] = {"protein": 1800.0, "naval": 600.0, "parkinsons": 300.0}
"""Simulated seconds in which ASHA on 4 workers starts about 500 trials: half of 1,000 configurations."""

_TITLES: Final[Mapping[str, str]] = {
    "protein": "protein structure",
    "naval": "naval propulsion",
    "parkinsons": "Parkinson's telemonitoring",
}


def pool_benchmarks() -> tuple[Benchmark, ...]:
    """The benchmarks; no table is opened."""
    return tuple(_benchmark(name, budget) for name, budget in BUDGETS.items())


def open_pool(name: str) -> Blackbox:
    """The blackbox of a set's pool; its modules are imported at the first use."""
    from hpoctl_fcnet.pool import PoolBlackbox  # noqa: PLC0415

    return PoolBlackbox(name)


def check_data(name: str) -> Iterator[str]:
    """A line for each thing that is right about a pool's data (see `pool`)."""
    from hpoctl_fcnet.pool import check_pool  # noqa: PLC0415

    return check_pool(name)


def _benchmark(name: str, budget: float) -> Benchmark:
    return Benchmark(
        name=f"fcnet-pool-{name}",
        summary=f"Two-layer network on the UCI set {_TITLES[name]} ({NUM_INPUTS[name]} inputs), real runs only",
        space=SPACE,
        metrics=METRICS,
        metric="metric_valid_loss",
        mode="min",
        resource_attr="hp_epoch",
        max_resource_attr=MAX_RESOURCE_ATTR,
        n_workers=4,
        max_wallclock_time=budget,
        blackbox=partial(open_pool, name),
        provenance={
            "curves": "real (trained for hpoctl)",
            "seconds": "original runtimes (Klein and Hutter 2019)",
        },
        restricted=True,
        card=_card(name),
        check=partial(check_data, name),
    )


def _card(name: str) -> Mapping[str, str]:
    from hpoctl_fcnet.pool import pool_size  # noqa: PLC0415

    return {
        "source": "training runs of ours with trainer/fcnet_train.c, one seed; all epochs as they were trained",
        "licence": "Apache-2.0 (training runs), BSD-3-Clause (original runtimes)",
        "citation": CITATION,
        "networks trained on": TRAINED_ON[name],
        "configurations": f"{pool_size(name):,}, drawn uniformly from the 62,208 of fcnet-{name}",
        "modelled": "no loss; seconds of an epoch are 1/100 of the original's runtime, the mean of its four seeds",
    }
