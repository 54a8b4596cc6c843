"""ASHA and MOBSTER against random search on the network of examples/digits-network, which really trains, at equal time.

python benchmarks/real_training.py --results FOLDER [--seconds 60] [--seeds 10] [--figure FILE.png]

Experiments run one at a time, method by method within each seed, so that what else the machine does meets all methods
alike. What is complete is not run again: killed, the same command continues. Prints a table; draws the mean best loss.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np

import hpoctl
from hpoctl.core.errors import IncompleteError

METHODS = ("RS", "ASHA", "MOBSTER")
TAG = "real-training"
BENCHMARK = Path(__file__).parent.parent / "examples" / "digits-network" / "benchmark.toml"
RANDOM_SEED = "20261128"


def complete(results: Path) -> set[tuple[str, int]]:
    """The methods and seeds that there are results of."""
    try:
        rows = hpoctl.load(TAG, results=results)
    except IncompleteError:
        return set()
    return set(zip(rows["method"].astype(str), rows["seed"].astype(int), strict=True))


def run_missing(results: Path, seconds: float, seeds: int) -> None:
    done = complete(results)
    for seed in range(seeds):
        for method in METHODS:
            if (method, seed) not in done:
                words = ["--tag", TAG, "--method", method, "--benchmark", str(BENCHMARK), "--start-seed", str(seed)]
                words += ["--num-seeds", str(seed + 1), "--random-seed", RANDOM_SEED, "--results", str(results)]
                words += ["--max-wallclock-time", str(seconds)]
                subprocess.run([sys.executable, "-m", "hpoctl", "run", *words], check=True, stdout=subprocess.DEVNULL)


def table(results: Path) -> None:
    rows = hpoctl.load(TAG, results=results)
    budget = rows["st_tuner_time"].max()
    best = rows.groupby(["method", "seed"], observed=True)["loss"].min().unstack("method")[list(METHODS)].dropna()
    print(f"{len(best)} seeds with results of all methods; experiments of up to {budget:.0f} s, 2 workers\n")
    print("| method | trials | epochs | best validation loss: median | mean | smallest | largest | below RS |")
    print("|---|---|---|---|---|---|---|---|")
    for method in METHODS:
        own = rows[(rows["method"] == method) & rows["seed"].isin(best.index)].groupby("seed")
        values = best[method].to_numpy()
        wins = int(np.sum(values < best["RS"].to_numpy()))
        print(
            f"| {method} | {own['trial_id'].nunique().median():.0f} | {own.size().median():.0f} "
            f"| {np.median(values):.4f} | {values.mean():.4f} | {values.min():.4f} | {values.max():.4f} "
            f"| {'-' if method == 'RS' else f'{wins} of {len(best)}'} |"
        )
    sys.stdout.flush()
    compare = ["compare", *METHODS, "--tag", TAG, "--results", str(results)]
    subprocess.run([sys.executable, "-m", "hpoctl", *compare], check=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--figure", type=Path)
    args = parser.parse_args()
    run_missing(args.results, args.seconds, args.seeds)
    table(args.results)
    if args.figure is not None:
        plot = ["plot", "--tag", TAG, "--results", str(args.results), "--output", str(args.figure)]
        subprocess.run([sys.executable, "-m", "hpoctl", *plot], check=True)


if __name__ == "__main__":
    main()
