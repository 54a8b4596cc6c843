"""Wall time and peak memory of `hpoctl status` on a tag of 10,000 experiments.

    python benchmarks/status_scale.py [--experiments 10000] [--runs 5] [--cold]

The tag is made up: metadata of the real size and content, a few bytes in place of each results file, two failures in
a hundred, and a plan. Every command is a new process; the first one of each kind finds files that were just written, so
that they are in the memory of the operating system. `--cold` forgets them before each command, which takes root.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

from hpoctl.builtins import open_registry
from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import METADATA, RESULTS, Cell, experiment_prefix
from hpoctl.core.sealed import seal
from hpoctl.engine.metadata import identity_metadata, opening_metadata
from hpoctl.ops.studies.provenance import provenance_of
from hpoctl.ops.studies.resolve import resolve, spec_of
from hpoctl.ops.studies.tags import keep_plan
from hpoctl.stores.local import LocalStore

TAG = "scale"
RESULTS_BYTES = b"PAR1" * 64
TRACEBACK = "Traceback (most recent call last):\n" + '  File "tuner.py", line 1, in tune\n    step()\n' * 12
DROP_CACHES = Path("/proc/sys/vm/drop_caches")


def build(root: Path, experiments: int) -> int:
    """Write the tag; returns how many experiments it has."""
    registry = open_registry()
    study = registry.study("activations")
    seeds = -(-experiments // (len(study.methods) * len(study.benchmarks)))
    study = replace(study, num_seeds=seeds, start_seed=0)
    specs = resolve(study, registry, TAG, 1)
    cells = study.cells()[:experiments]
    provenance = provenance_of([spec_of(specs, cell) for cell in cells[:1]], registry)
    tables = {spec.benchmark.name: spec.benchmark.blackbox() for spec in specs.values()}
    for number, cell in enumerate(cells):
        spec = spec_of(specs, cell)
        metadata = opening_metadata(spec, provenance, 1.7e9 + number) | identity_metadata(spec, tables[cell.benchmark])
        failed = number % 50 == 7
        write(root, cell, seal({**metadata, **closing(number, failed=failed)}), spec.method.expensive, failed=failed)
    keep_plan(LocalStore(root), TAG, study, study.name)
    return len(cells)


def closing(number: int, *, failed: bool) -> dict[str, object]:
    """How an experiment ended."""
    if failed:
        return {"status": "failed", "error": f"{TRACEBACK}RuntimeError: the table is gone ({number % 3})"}
    return {
        "status": "completed",
        "trials": 1000,
        "rows": 6000 + number,
        "non_finite_rows": 0,
        "results_bytes": len(RESULTS_BYTES),
        "results_sha256": content_hash(RESULTS_BYTES),
        "decision_seconds": 0.0169,
        "wall_seconds": 0.2131,
        "cpu_seconds": 0.1841,
    }


def write(root: Path, cell: Cell, metadata: bytes, expensive: bool, *, failed: bool) -> None:
    """Write a result directory, without waiting for the disk."""
    folder = root / f"{experiment_prefix(TAG, cell, expensive=expensive)}20261124-054212-{cell.seed:06d}"
    folder.mkdir(parents=True)
    (folder / METADATA).write_bytes(metadata)
    if not failed:
        (folder / RESULTS).write_bytes(RESULTS_BYTES)


def measure(words: list[str], *, cold: bool) -> tuple[float, float]:
    """Wall time in seconds and peak memory in MB of a command."""
    if cold:
        os.sync()
        DROP_CACHES.write_text("3")
    return measure_python(["-m", "hpoctl", *words])


def measure_python(words: list[str]) -> tuple[float, float]:
    """Wall time in seconds and peak memory in MB of a process."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, code, used = os.wait4(process.pid, 0)
    process.returncode = code
    if code:
        raise SystemExit(f"{' '.join(words)} ended with {code}")
    return time.perf_counter() - began, used.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--cold", action="store_true", help="drop the caches of the operating system (Linux, root)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        count = build(Path(folder), options.experiments)
        commands = {
            "hpoctl --version": ["--version"],
            "hpoctl status --tag": ["status", "--tag", TAG, "--results", folder],
            "hpoctl status --tag --json": ["status", "--tag", TAG, "--json", "--results", folder],
            "hpoctl status": ["status", "--results", folder],
        }
        print(f"{count:,} experiments, {options.runs} runs of each command{', cold' if options.cold else ''}")
        for name, words in commands.items():
            runs = [measure(words, cold=options.cold) for _ in range(options.runs)]
            seconds, memory = zip(*runs, strict=True)
            print(f"{name:<28} {median(seconds):6.2f} s ({min(seconds):.2f}-{max(seconds):.2f})  {max(memory):5.0f} MB")


if __name__ == "__main__":
    main()
