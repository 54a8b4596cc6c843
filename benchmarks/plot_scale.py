"""Wall time, CPU time and peak memory of `hpoctl plot` on a study of 640 experiments, without and with its cache.

    python benchmarks/plot_scale.py [--experiments 640] [--rows 6000] [--runs 3]

The results are made up: metadata and columns of real size, random losses. Every command is a new process. `cold` starts
with an empty cache of traces and figures, `warm` with the one that the command before it left behind; files are in the
memory of the operating system in both, because they were just written.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa

from hpoctl.builtins import open_registry
from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import METADATA, RESULTS, Cell, experiment_prefix
from hpoctl.core.sealed import seal
from hpoctl.engine.metadata import opening_metadata
from hpoctl.engine.spec import determinants, identity_of
from hpoctl.engine.table import parquet_bytes
from hpoctl.ops.studies.provenance import provenance_of
from hpoctl.ops.studies.resolve import resolve, spec_of
from hpoctl.ops.studies.tags import keep_plan
from hpoctl.stores.local import LocalStore

TAG = "scale"
ONE = ["--method", "ASHA", "--benchmark", "fcnet-protein", "--seed", "0"]
EPOCHS = 8
"""Epochs of each trial; it is paused after the first one."""

DECISIONS = ["CONTINUE", "PAUSE"]


def build(root: Path, experiments: int, rows: int) -> int:
    """Write the tag; returns how many experiments it has."""
    registry = open_registry()
    study = registry.study("activations")
    seeds = -(-experiments // (len(study.methods) * len(study.benchmarks)))
    study = replace(study, num_seeds=seeds)
    specs = resolve(study, registry, TAG, 1)
    cells = study.cells()[:experiments]
    provenance = provenance_of([spec_of(specs, cell) for cell in cells[:1]], registry)
    for number, cell in enumerate(cells):
        spec = spec_of(specs, cell)
        determined_by = determinants(spec, content_hash(cell.benchmark.encode()))
        data = results(cell, rows, number)
        metadata = {
            **opening_metadata(spec, provenance, 1.7e9 + number),
            "identity": identity_of(determined_by),
            "determinants": determined_by,
            "status": "completed",
            "rows": rows,
            "results_bytes": len(data),
            "results_sha256": content_hash(data),
            "wall_seconds": 1.0,
        }
        prefix = experiment_prefix(TAG, cell, expensive=spec.method.expensive)
        folder = root / f"{prefix}20261124-054212-{cell.seed:06d}"
        folder.mkdir(parents=True)
        (folder / METADATA).write_bytes(seal(metadata))
        (folder / RESULTS).write_bytes(data)
    keep_plan(LocalStore(root), TAG, study, study.name)
    return len(cells)


def results(cell: Cell, rows: int, number: int) -> bytes:
    """A results file: the columns that every experiment on the tables has, with random losses."""
    generator = np.random.default_rng(number)
    scale = 1e-4 if cell.benchmark != "fcnet-protein" else 0.2
    columns = {
        "metric_valid_loss": scale * (1.0 + generator.lognormal(0.0, 1.5, rows)),
        "hp_epoch": np.arange(rows) % EPOCHS + 1,
        "st_tuner_time": np.sort(generator.uniform(0.0, 3600.0, rows)),
        "trial_id": np.arange(rows) // EPOCHS,
        **{f"config_{place}": generator.choice([0.0, 0.3, 0.6], rows) for place in range(9)},
        "elapsed_time": generator.uniform(0.0, 3600.0, rows),
        **{f"num_at_level{level}": np.arange(rows) // (EPOCHS * level) for level in (1, 3, 9, 27, 81)},
    }
    words = pa.DictionaryArray.from_arrays(pa.array((np.arange(rows) % EPOCHS == 0).astype(np.int32)), DECISIONS)
    status = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype=np.int32)), ["InProgress"])
    made = {name: pa.array(values) for name, values in columns.items()}
    return parquet_bytes(pa.table({**made, "st_decision": words, "st_status": status}))


def measure(words: list[str], environment: dict[str, str]) -> tuple[float, float, float]:
    """Wall time and CPU time in seconds and peak memory in MB of a command."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "hpoctl", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | environment,
    )
    _, code, used = os.wait4(process.pid, 0)
    process.returncode = code
    if code:
        raise SystemExit(f"hpoctl {' '.join(words)} ended with {code}")
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=640)
    parser.add_argument("--rows", type=int, default=6000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root, cache = Path(folder) / "results", Path(folder) / "cache"
        count = build(root, options.experiments, options.rows)
        plot = ["plot", "--tag", TAG, "--results", str(root)]
        commands = {
            "plot --output x.png": [*plot, "--output", f"{folder}/x.png"],
            "plot --output x.svg": [*plot, "--output", f"{folder}/x.svg"],
            "plot --terminal": [*plot, "--terminal"],
            "plot --x resource": [*plot, "--x", "resource", "--output", f"{folder}/x.png"],
            "plot --x trials": [*plot, "--x", "trials", "--output", f"{folder}/x.png"],
            "plot --kind rungs": [*plot, "--kind", "rungs", "--output", f"{folder}/x.png"],
            "plot --kind curves": [*plot, "--kind", "curves", *ONE, "--output", f"{folder}/x.png"],
        }
        print(f"{count:,} experiments of {options.rows:,} rows, median of {options.runs} runs")
        for name, words in commands.items():
            for state in ("cold", "warm"):
                runs = []
                for _ in range(options.runs):
                    if state == "cold":
                        shutil.rmtree(cache, ignore_errors=True)
                    runs.append(measure(words, {"HPOCTL_CACHE": str(cache)}))
                seconds, cpu, memory = zip(*runs, strict=True)
                wall = f"{median(seconds):6.2f} s ({min(seconds):.2f}-{max(seconds):.2f})"
                print(f"{name:<22} {state} {wall}  CPU {median(cpu):5.2f} s  {max(memory):5.0f} MB")


if __name__ == "__main__":
    main()
