"""Pack the raw files of the trainer's driver into the packaged files runs-<set>.npz.

    python tools/pack_runs.py --raw FOLDER

Can be run while the driver trains: it takes the runs that are complete. Prints how well the runs reproduce the
original.
"""

import argparse
from pathlib import Path

import numpy as np
from run_files import configs_in_order, raw_file, read_runs
from scipy.stats import spearmanr

from hpoctl_fcnet.packed import load_finals
from hpoctl_fcnet.runs import TRAINED_SETS, Runs, pack_runs, runs_file

DATA = Path(__file__).parents[1] / "src" / "hpoctl_fcnet" / "data"


def collect(folder: Path, name: str) -> Runs:
    """The runs of a set, ordered by seed and draw, without what comes after a gap.

    A run that is missing because it takes long must not bias the choice of configurations.
    """
    records = read_runs(raw_file(folder, name))
    draw = {config: place for place, config in enumerate(configs_in_order(name))}
    found = {(int(record["seed"]), draw[int(record["config"])]): row for row, record in enumerate(records)}
    keys: list[tuple[int, int]] = []
    for seed in range(max((seed for seed, _ in found), default=-1) + 1):
        place = 0
        while (seed, place) in found:
            keys.append((seed, place))
            place += 1
    if not keys:
        raise SystemExit(f"{name}: there are no runs in {folder}")
    kept = records[[found[key] for key in keys]]
    for label in ("train", "valid", "seconds"):
        if not np.isfinite(kept[label]).all() or not (kept[label] > 0).all():
            raise SystemExit(f"{name}: {label} holds values that are not finite or not positive")
    return Runs(
        kept["config"].astype(np.int64), kept["seed"].astype(np.int64), kept["valid"], kept["train"], kept["seconds"]
    )


def main() -> None:
    """Pack all sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raw", type=Path, required=True)
    folder = parser.parse_args().raw
    print(
        "| set | runs | of them repeats | CPU s a run | Spearman with the original | original, seed 0 with seed 1 | "
        "loss / original, median | KB |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name in TRAINED_SETS:
        runs = collect(folder, name)
        target = DATA / runs_file(name)
        np.savez_compressed(target, allow_pickle=False, **pack_runs(runs))
        first = runs.seed == 0
        original = load_finals(name).loss[runs.config[first]].astype(np.float64)
        ours = runs.valid[first, -1]
        print(
            f"| {name} | {len(runs.seed)} | {int((~first).sum())} | {runs.seconds.sum(axis=1).mean():.2f} | "
            f"{spearmanr(ours, original.mean(axis=1)).statistic:.3f} | "
            f"{spearmanr(original[:, 0], original[:, 1]).statistic:.3f} | "
            f"{np.median(ours / original.mean(axis=1)):.2f} | {target.stat().st_size / 1000:.0f} |"
        )


if __name__ == "__main__":
    main()
