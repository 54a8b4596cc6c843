"""Syne Tune 0.13 on the tables of `regret.py`: rows in its format, so that its tables show both side by side.

    python benchmarks/peers.py --synetune synetune/bin/python --rows poll5.jsonl \
        --benchmark fcnet-protein fcnet-naval --table fcnet_like.npz lcbench_189908.npz --method RS ASHA BO MOBSTER \
        --seeds 20 24

One experiment after the other, each in a separate process in Syne Tune's environment; killed and started again, it
continues. Tables are exported once into `--exports`. Regrets are computed here, by the functions of `regret.py`, from
the times and values that the peer reports. Syne Tune looks at its trials every 5 s: compare with
`regret.py --poll-interval 5 --rows poll5.jsonl`, which adds hpoctl's rows to the same file.

An experiment that has used `--cpu-limit` seconds ends there; its regrets are NaN from then on. Optuna's samplers are
methods of hpoctl (plugin hpoctl-optuna): `regret.py --method OPTUNA-TPE OPTUNA-GP` runs them.
"""

import argparse
import json
import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from regret import regrets
from regret_rows import SHARES, key_of, ordered, print_tables, read, table_of
from regret_tables import NEAREST, opened

from hpoctl.core.blackbox import Blackbox
from hpoctl.core.entries import Benchmark

SCRIPT = Path(__file__).parent / "synetune_peer.py"
POLL_INTERVAL = 5.0
PREFIX = "Syne Tune "


@cache
def curves(folder: Path, tables: tuple[Path, ...], name: str) -> tuple[Path, np.ndarray]:
    """The exported table of a benchmark and its values, shape (configurations, seeds, epochs)."""
    benchmark, blackbox, _ = opened(tables, name)
    path = folder / f"{name.removesuffix(NEAREST)}-{blackbox.content_hash[:16]}.npz"
    metric = benchmark.metric
    if not path.exists():
        beside = path.with_suffix(".part.npz")
        np.savez(beside, allow_pickle=False, **exported(benchmark, blackbox))
        beside.replace(path)
    with np.load(path, allow_pickle=False) as file:
        return path, file[metric]


def exported(benchmark: Benchmark, blackbox: Blackbox) -> dict[str, np.ndarray]:
    """Hyperparameters, values and cumulative seconds of a table."""
    space = blackbox.space
    size = space.size or 0
    configs = [space.at(row) for row in range(size)]
    columns = {name: np.array([config[name] for config in configs]) for name in space.names if name not in space.fixed}
    epochs = len(blackbox.curve(configs[0], 0).resources)
    values, seconds = (np.empty((size, blackbox.num_seeds, epochs), dtype=np.float32) for _ in range(2))
    for row, config in enumerate(configs):
        for seed in range(blackbox.num_seeds):
            curve = blackbox.curve(config, seed)
            values[row, seed], seconds[row, seed] = curve.metrics[:, benchmark.goal.column], curve.elapsed
    clock = "time" if benchmark.mode == "max" else "metric_elapsed_time"
    return {**columns, benchmark.metric: values, clock: seconds}


def run_peer(
    options: argparse.Namespace, tables: tuple[Path, ...], name: str, method: str, seed: int
) -> dict[str, object]:
    """One experiment of the peer and its figures."""
    benchmark, blackbox, scale = opened(tables, name)
    path, values = curves(options.exports, tables, name)
    budget = options.budget or benchmark.max_wallclock_time
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "rows.npz"
        command = [options.synetune, str(SCRIPT), str(path), method, str(seed), "--budget", str(budget)]
        command += ["--rows", str(report), "--cpu-limit", str(options.cpu_limit)]
        if benchmark.restricted:
            command.append("--restrict")
        threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        answer = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **threads, "TMPDIR": folder}
        )
        with np.load(report) as file:
            rows = {key: file[key] for key in file.files}
    facts = json.loads(answer.stdout.splitlines()[-1])

    def mean_of(row: int) -> float:
        place = rows["places"][row]
        if place < 0 and values.shape[1] == 1:
            return float(rows["values"][row])
        return float(values[place, :, rows["resources"][row] - 1].mean(dtype=float))

    found = regrets(rows["times"], rows["values"], mean_of, scale, budget)
    if facts["simulated_seconds"] < budget:
        reached = [share * budget <= facts["simulated_seconds"] for share in SHARES]
        found = {
            key: [value if there else float("nan") for value, there in zip(column, reached, strict=True)]
            for key, column in found.items()
        }
    return {
        **known_by(options, name, method, seed),
        "hash": blackbox.content_hash[:16],
        "cpu": round(facts["cpu_seconds"], 3),
        "trials": facts["trials"],
        "rows": facts["rows"],
        "simulated_seconds": round(facts["simulated_seconds"], 1),
        "costs": facts["costs"],
        **found,
    }


def known_by(options: argparse.Namespace, name: str, method: str, seed: int) -> dict[str, object]:
    """The facts by which the row of an experiment is known."""
    budget = {"budget": options.budget} if options.budget else {}
    facts = {"table": name, "label": "", "method": PREFIX + method, "seed": seed}
    return {**facts, **budget, "poll_interval": POLL_INTERVAL}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--synetune", required=True, help="python of Syne Tune's environment")
    parser.add_argument("--rows", type=Path, required=True, help="file of results, a JSON object a line")
    parser.add_argument("--exports", type=Path, default=Path(tempfile.gettempdir()) / "hpoctl-peers")
    parser.add_argument("--benchmark", nargs="*", default=[])
    parser.add_argument("--table", nargs="*", type=Path, default=[])
    parser.add_argument("--nearest", action="store_true", help="tables of files: the nearest row answers")
    parser.add_argument("--method", nargs="+", default=["RS", "ASHA", "BO"])
    parser.add_argument("--seeds", nargs=2, type=int, default=[20, 22], metavar=("FIRST", "END"))
    parser.add_argument("--budget", type=float, help="simulated seconds; default: each benchmark's")
    parser.add_argument("--cpu-limit", type=float, default=float("inf"), help="CPU seconds of an experiment")
    options = parser.parse_args()
    options.exports.mkdir(parents=True, exist_ok=True)
    tables = tuple(path.resolve() for path in options.table)
    names = [*options.benchmark, *(path.stem + (NEAREST if options.nearest else "") for path in tables)]
    for seed in range(*options.seeds):
        for name in names:
            for method in options.method:
                if key_of(known_by(options, name, method, seed)) in read(options.rows):
                    continue
                row = run_peer(options, tables, name, method, seed)
                with options.rows.open("a") as file:
                    file.write(json.dumps(row) + "\n")
    shown = {table_of(known_by(options, name, "", 0)) for name in names}
    rows = [row for row in ordered(read(options.rows).values()) if table_of(row) in shown]
    print_tables(rows, PREFIX + "ASHA")


if __name__ == "__main__":
    main()
