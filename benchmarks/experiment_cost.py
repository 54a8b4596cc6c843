"""CPU time of whole simulated experiments (3,600 simulated seconds, 4 workers), in a warm process.

    python benchmarks/experiment_cost.py [--seeds 3] [--peer SYNETUNE/bin/python] [--peer-methods RS ASHA BO]

For each method and benchmark: the median over seeds of trials, rows and CPU seconds, the budget of RS and ASHA
(30 ms + 10 us a row), and CPU time a suggestion. With --peer, Syne Tune 0.13 runs the same benchmark from an export of
the same table (its first repetition), and the ratio of the CPU times is printed; hpoctl then uses the reference's clock
(--poll-interval 5), so that both simulate the same thing.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from hpoctl.builtins import open_registry
from hpoctl.core.entries import Benchmark
from hpoctl.core.settings import Settings
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.plugins import Registry
from hpoctl.testing.methods import run_spec

METHODS = ("RS", "ASHA", "BO", "MOBSTER")
PEER_SCRIPT = Path(__file__).parent / "synetune_peer.py"


def our_runs(
    registry: Registry, method: str, benchmark: Benchmark, seeds: int, poll: float
) -> list[tuple[int, int, float]]:
    """Trials, rows and CPU seconds for each seed, after one run that warms the process up."""
    runs = []
    for seed in [0, *range(seeds)]:
        spec = ExperimentSpec("cost", registry.method(method), benchmark, seed, 0, Settings(poll_interval=poll))
        began = time.process_time()
        rows = run_spec(spec)
        runs.append((len(rows.configs), len(rows), time.process_time() - began))
    return runs[1:]


def export(benchmark: Benchmark, folder: str) -> Path:
    """The first repetition of a table, in the layout of the peer script."""
    blackbox = benchmark.blackbox()
    space = blackbox.space
    configs = [space.at(index) for index in range(space.size or 0)]
    curves = [blackbox.curve(config, 0) for config in configs]
    columns = {name: np.array([config[name] for config in configs]) for name in space.names if name.startswith("hp_")}
    path = Path(folder) / f"{benchmark.name}.npz"
    losses = np.array([curve.metrics[:, 0] for curve in curves], dtype=np.float32)
    times = np.array([curve.elapsed for curve in curves], dtype=np.float32)
    np.savez(path, metric_valid_loss=losses, metric_elapsed_time=times, allow_pickle=False, **columns)
    return path


def peer_run(python: str, table: Path, method: str, seed: int) -> dict[str, float]:
    """One run of the peer."""
    command = [python, str(PEER_SCRIPT), str(table), method, str(seed)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(answer.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--benchmarks", nargs="+", default=["fcnet-protein", "fcnet-parkinsons"])
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--peer")
    parser.add_argument("--peer-methods", nargs="+", default=["RS", "ASHA", "BO"])
    options = parser.parse_args()
    registry = open_registry()
    print("| benchmark | method | clock | trials | rows | CPU s | budget s | ms a trial |")
    print("|---|---|---|---|---|---|---|---|")
    ours = {}
    for name in options.benchmarks:
        for method in options.methods:
            for poll in (0.0, 5.0) if options.peer else (0.0,):
                runs = our_runs(registry, method, registry.benchmark(name), options.seeds, poll)
                trials, rows, cpu = (median(column) for column in zip(*runs, strict=True))
                ours[name, method, poll] = cpu
                budget = {"BO": "0.5", "MOBSTER": "1.5-2.5"}.get(method, f"{0.03 + 1e-5 * rows:.2f}")
                clock = "polling" if poll else "events"
                each = 1000 * cpu / trials
                print(
                    f"| {name} | {method} | {clock} | {trials:,.0f} | {rows:,.0f} | {cpu:.3f} | {budget} | {each:.2f} |"
                )
    if options.peer:
        print("\n| benchmark | method | Syne Tune 0.13 CPU s | trials | rows | hpoctl is faster by |")
        print("|---|---|---|---|---|---|")
        with tempfile.TemporaryDirectory() as folder:
            for name in options.benchmarks:
                table = export(registry.benchmark(name), folder)
                for method in options.peer_methods:
                    seeds = 1 if method == "MOBSTER" else options.seeds
                    peers = [peer_run(options.peer, table, method, seed) for seed in range(seeds)]
                    keys = ("cpu_seconds", "trials", "rows")
                    cpu, trials, rows = (median(run[key] for run in peers) for key in keys)
                    ratio = cpu / ours[name, method, 5.0]
                    counts = f"{trials:,.0f} | {rows:,.0f}"
                    print(f"| {name} | {method} | {cpu:.2f} ({seeds} seeds) | {counts} | {ratio:,.0f}x |")


if __name__ == "__main__":
    main()
