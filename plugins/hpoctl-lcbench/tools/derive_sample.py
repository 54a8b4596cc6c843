"""Derives `tests/data/lcbench_189908_sample.npz`: the first configurations of a table sampled from the surrogate.

    python tools/derive_sample.py lcbench_189908.npz tests/data/lcbench_189908_sample.npz

The table holds 2,000 random configurations x 52 epochs of task 189908: `param_names`, one array for each of them,
`fidelities` (the epochs), `val_accuracy` (percent), `val_cross_entropy` and `time` (cumulative seconds, made strictly
increasing). Nothing is changed but the number of rows; measured values stay float32, hyperparameters as they are.
"""

import sys

import numpy as np

NUM_CONFIGS = 300
MEASURED = ("val_accuracy", "val_cross_entropy", "time")


def derive(source: str, target: str) -> None:
    """Write the first rows of the table."""
    with np.load(source, allow_pickle=False) as table:
        arrays = {name: table[name] for name in ("param_names", "fidelities", "instance")}
        names = [str(name) for name in table["param_names"]]
        arrays |= {name: table[name][:NUM_CONFIGS] for name in names}
        arrays |= {name: table[name][:NUM_CONFIGS].astype(np.float32) for name in MEASURED}
    for name in MEASURED:
        if not np.isfinite(arrays[name]).all():
            raise SystemExit(f"{name} holds values that are not finite")
    if not (np.diff(arrays["time"], axis=1, prepend=0.0) > 0).all():
        raise SystemExit("the times do not increase")
    np.savez_compressed(target, allow_pickle=False, **arrays)


if __name__ == "__main__":
    derive(*sys.argv[1:])
