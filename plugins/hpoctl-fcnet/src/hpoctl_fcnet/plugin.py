"""What the plugin registers: the four fcnet benchmarks with the defaults of the reference study, and the importer."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from hpoctl.core.blackbox import Blackbox
from hpoctl.core.entries import Benchmark, Imported, Importer, Progress
from hpoctl.plugins.hookspecs import hookimpl
from hpoctl_fcnet.card import card
from hpoctl_fcnet.grid import NUM_INPUTS, SETS
from hpoctl_fcnet.imported import imported_directory
from hpoctl_fcnet.pool_plugin import pool_benchmarks
from hpoctl_fcnet.space import MAX_RESOURCE_ATTR, SPACE

_TITLES: Final[Mapping[str, str]] = {
    "protein": "protein structure",
    "naval": "naval propulsion",
    "parkinsons": "Parkinson's telemonitoring",
    "slice": "slice localization",
}
_ORIGINAL: Final = "original"
_MODELLED: Final = "modelled"
_EXTRAPOLATED: Final = "modelled (shapes extrapolated from the other sets)"


def open_blackbox(name: str, imported: Path | None) -> Blackbox:
    """The blackbox of a set. Its modules are imported, and its table is expanded, at the first use."""
    from hpoctl_fcnet.blackbox import FcnetBlackbox

    return FcnetBlackbox(name, imported)


def check_data(name: str, imported: Path | None) -> Iterator[str]:
    """A line for each thing that is right about a set's data (see `checks`)."""
    from hpoctl_fcnet.checks import check

    return check(name, imported)


def import_originals(folder: Path, progress: Progress) -> Imported:
    """Import the original files of a folder (see `importing`)."""
    from hpoctl_fcnet.importing import load

    return load(folder, progress)


def fetch_originals(url: str | None, progress: Progress) -> Path:
    """Download the original files (see `fetching`)."""
    from hpoctl_fcnet.fetching import fetch

    return fetch(url, progress)


def _benchmark(name: str) -> Benchmark:
    """The benchmark of a set. What it says of its data and the table that it opens are decided here, together."""
    imported = imported_directory(name)
    modelled = _EXTRAPOLATED if name == "slice" else _MODELLED
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
        blackbox=partial(open_blackbox, name, imported),
        provenance={
            "curves": _ORIGINAL if imported else modelled,
            "final losses and runtimes": "original (Klein and Hutter 2019)",
        },
        card=card(name, imported),
        check=partial(check_data, name, imported),
    )


@hookimpl
def hpoctl_benchmarks() -> Iterable[Benchmark]:
    """Register fcnet-protein, fcnet-naval, fcnet-parkinsons and fcnet-slice, and the pools of the first three."""
    return (*(_benchmark(name) for name in SETS), *pool_benchmarks())


@hookimpl
def hpoctl_importers() -> Iterable[Importer]:
    """Register the importer of the original files."""
    return (
        Importer(
            name="fcnet",
            summary="A folder with original HDF5 files of fcnet, any of the four; their curves replace modelled ones",
            load=import_originals,
            fetch=fetch_originals,
        ),
    )
