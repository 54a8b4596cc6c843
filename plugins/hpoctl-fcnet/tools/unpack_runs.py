"""Write the packaged runs as raw files of the trainer's driver, so that training continues from them.

    python tools/unpack_runs.py --out RUNS

A set that has a raw file there already is left alone. Validation losses come back as they were; training losses and
seconds were rounded when they were packed, and packing them again does not change them.
"""

import argparse
from pathlib import Path

import numpy as np
from run_files import Run, append_run, raw_file

from hpoctl_fcnet.runs import TRAINED_SETS, load_runs


def write_raw(folder: Path, name: str) -> int:
    """Write the packaged runs of a set; returns how many."""
    runs = load_runs(name)
    for place, (config, seed) in enumerate(zip(runs.config.tolist(), runs.seed.tolist(), strict=True)):
        columns = (runs.train[place], runs.valid[place], runs.seconds[place])
        append_run(raw_file(folder, name), Run(name, config, seed), np.concatenate(columns).astype("<f4").tobytes())
    return len(runs.config)


def main() -> None:
    """Write the raw files of all sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    for name in TRAINED_SETS:
        path = raw_file(folder, name)
        print(f"{name}: {'there already' if path.exists() else f'{write_raw(folder, name)} runs'}")


if __name__ == "__main__":
    main()
