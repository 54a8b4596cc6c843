"""What the plugin registers: the four fcnet benchmarks with the defaults of the reference study."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final

from hpoctl.core.entries import Benchmark
from hpoctl.core.protocols import Blackbox
from hpoctl.plugins.hookspecs import hookimpl
from hpoctl_fcnet.grid import NUM_INPUTS, SETS
from hpoctl_fcnet.space import MAX_RESOURCE_ATTR, SPACE

_TITLES: Final[Mapping[str, str]] = {
    "protein": "protein structure",
    "naval": "naval propulsion",
    "parkinsons": "Parkinson's telemonitoring",
    "slice": "slice localization",
}
_MODELLED: Final = "modelled"
_EXTRAPOLATED: Final = "modelled (shapes extrapolated from the other sets)"


def open_blackbox(name: str) -> Blackbox:
    """The blackbox of a set. Its modules are imported, and its table is expanded, when somebody uses it."""
    from hpoctl_fcnet.blackbox import FcnetBlackbox  # noqa: PLC0415

    return FcnetBlackbox(name)


def _benchmark(name: str) -> Benchmark:
    return Benchmark(
        name=f"fcnet-{name}",
        summary=f"Two-layer network on the UCI set {_TITLES[name]} ({NUM_INPUTS[name]} inputs), tabulated",
        space=SPACE,
        metrics=("metric_valid_loss", "metric_elapsed_time"),
        metric="metric_valid_loss",
        mode="min",
        resource_attr="hp_epoch",
        max_resource_attr=MAX_RESOURCE_ATTR,
        n_workers=4,
        max_wallclock_time=3600,
        blackbox=partial(open_blackbox, name),
        provenance={
            "curves": _EXTRAPOLATED if name == "slice" else _MODELLED,
            "final losses and runtimes": "original (Klein and Hutter 2019)",
        },
    )


@hookimpl
def hpoctl_benchmarks() -> Iterable[Benchmark]:
    """Register fcnet-protein, fcnet-naval, fcnet-parkinsons and fcnet-slice."""
    return tuple(_benchmark(name) for name in SETS)
