"""What `hpoctl launch` costs beyond its experiments: planning, processes, recording, verification, progress.

    python benchmarks/launch_overhead.py [--seeds 20] [--runs 3] [--methods RS ASHA] [--plan-cells 10000]

A study of cheap methods on the four fcnet benchmarks is launched in a temporary root, and its CPU seconds (all
processes) are compared with those of the same experiments simulated in warm processes and turned into the bytes of
their results, without plan, ledger, pool, recording and progress. The experiments are the smallest part of a study
that could be done without hpoctl's own work, so the share is that of everything else (budget: 10 %). Where it goes is
measured in this process, with a store that keeps accounts, around experiments of 20 simulated seconds; these parts vary
less from run to run than the difference of the two long measurements.

The last table is the time of `hpoctl launch --dry-run` for 10,000 experiments, none and all of which are complete
(budget: 5 s).
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from launch_accounts import RANDOM_SEED, TAG, work_accounts

from hpoctl.builtins import open_registry
from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import METADATA, RESULTS, experiment_prefix
from hpoctl.core.clock import SystemTime
from hpoctl.core.sealed import seal
from hpoctl.core.settings import Settings
from hpoctl.core.study import Study
from hpoctl.engine.experiment import simulate
from hpoctl.engine.metadata import identity_metadata, opening_metadata
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.engine.table import parquet_bytes, rows_table
from hpoctl.ops.running.worker import worker_words
from hpoctl.ops.studies.provenance import provenance_of
from hpoctl.ops.studies.resolve import resolve, spec_of
from hpoctl.ops.studies.tags import keep_plan, keep_random_seed
from hpoctl.stores.local import LocalStore
from hpoctl.testing.hard_cases import Nobody

BRIEF = 20.0
"""Simulated seconds of an experiment that costs next to nothing."""

REPORT = """
import atexit, json, resource, sys
def tell():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print("CPU", json.dumps([one.ru_utime + one.ru_stime for one in used]), file=sys.stderr)
atexit.register(tell)
from hpoctl.__main__ import main
sys.argv[0] = "hpoctl"
main()
"""
"""Runs hpoctl and prints the CPU seconds of its process, and of the processes that it started."""


def hpoctl(*words: str) -> tuple[float, float]:
    """CPU seconds of a command's own process, and of those that it started."""
    command = [sys.executable, "-c", REPORT, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"hpoctl {' '.join(words)} ended with {done.returncode}:\n{done.stderr}")
    own, children = json.loads(done.stderr.rpartition("CPU ")[2])
    return own, children


def cpu_of(command: Sequence[str]) -> float:
    """CPU seconds of a process with an empty input."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def experiments_alone(specs: Sequence[ExperimentSpec], processes: int) -> float:
    """CPU seconds of the experiments, simulated and turned into bytes in warm processes, as many as a launch has.

    Two busy cores that share a memory, or are two halves of one, need more CPU time each than one alone.
    """
    for spec in {(spec.method.name, spec.benchmark.name): spec for spec in specs}.values():
        bytes_of(spec)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    children = []
    for place in range(processes):
        child = os.fork()
        if child == 0:
            for spec in specs[place::processes]:
                bytes_of(spec)
            os._exit(0)
        children.append(child)
    if any(os.waitpid(child, 0)[1] for child in children):
        raise SystemExit("an experiment failed")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def bytes_of(spec: ExperimentSpec) -> bytes:
    """An experiment without anything around it."""
    simulation = simulate(spec, spec.benchmark.blackbox(), Nobody(), SystemTime())
    return parquet_bytes(rows_table(simulation.rows, spec.benchmark, spec.space()))


def print_overhead(study: Study, runs: int) -> None:
    """The share of everything that is not an experiment, and where it goes."""
    specs = specs_of(study)
    words = ["--study", study.name, "--tag", TAG, "--num-seeds", str(study.num_seeds), "--random-seed", "1"]
    words += [word for method in study.methods for word in ("--method", method)]
    count = len(os.sched_getaffinity(0))
    pairs = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            own, workers = hpoctl("launch", *words, "--results", folder)
            inside = own_accounts(Path(folder))
            looks = hpoctl("launch", "--tag", TAG, "--results", folder)[0]
        alone = experiments_alone(specs, count)
        pairs.append((own + workers, alone, own, workers, looks, inside))
    total, alone, own, workers, looks, inside = (median(column) for column in zip(*pairs, strict=True))
    share = median((pair[0] - pair[1]) / pair[0] for pair in pairs)
    shares = ", ".join(f"{100 * (pair[0] - pair[1]) / pair[0]:.1f}" for pair in pairs)
    print(f"{len(specs)} experiments of {' and '.join(study.methods)}, medians of {runs} runs, CPU seconds")
    print(f"hpoctl launch, all processes    {total:8.2f}  (its own {own:.2f}, workers {workers:.2f})")
    print(f"the experiments alone           {alone:8.2f}")
    print(f"overhead                        {100 * share:7.1f}%  (budget 10 %; single runs: {shares})")
    rest = 100 * (1 - inside / total)
    print(f"cpu_seconds in their metadata   {inside:8.2f}  (with two of three writes; the rest is {rest:.1f}%)")
    print()
    start = cpu_of([sys.executable, "-m", "hpoctl", "--version"])
    ready = cpu_of(worker_words(TAG, RANDOM_SEED, "nowhere", "none", None))
    with tempfile.TemporaryDirectory() as folder:
        planning = hpoctl("launch", *words, "--dry-run", "--results", folder)[0]
    # Experiments that are over at once: what is done around them does not drown in what they cost themselves.
    brief = replace(study, experiment=Settings(max_wallclock_time=BRIEF))
    brief_specs = specs_of(brief)
    accounts, worked = work_accounts(brief_specs, brief)
    rest = worked - experiments_alone(brief_specs, 1) - sum(accounts.seconds.values())
    parts = {
        "start of hpoctl": start,
        "plan, an empty root (its imports included)": planning - start,
        "pool, progress and last look of the launch": own - planning,
        f"start of {count} workers": count * ready,
        **{f"{name} ({accounts.calls[name]} times)": seconds for name, seconds in accounts.seconds.items()},
        "specs, metadata, hashes of a worker": rest,
    }
    print("where it goes, CPU ms                        in all   an experiment")
    for name, seconds in parts.items():
        row(name, seconds, len(specs))
    row(f"the parts together: {100 * sum(parts.values()) / total:.1f}% of the launch", sum(parts.values()), len(specs))
    print(f"launched again, nothing to do: {looks:.2f} CPU s, {len(specs)} results verified")


def specs_of(study: Study) -> list[ExperimentSpec]:
    """The specs of all experiments of a study."""
    specs = resolve(study, open_registry(), TAG, RANDOM_SEED)
    return [spec_of(specs, cell) for cell in study.cells()]


def own_accounts(root: Path) -> float:
    """The CPU seconds that the experiments have written down themselves."""
    return sum(json.loads(path.read_bytes())["cpu_seconds"] for path in root.glob(f"*/*/*/{METADATA}"))


def row(name: str, seconds: float, count: int) -> None:
    print(f"{name:<42} {1000 * seconds:8.0f} {1000 * seconds / count:12.2f}")


def print_planning(study: Study, cells: int) -> None:
    """Wall and CPU seconds of a dry run of many experiments: none there, and all complete."""
    seeds = -(-cells // (len(study.methods) * len(study.benchmarks)))
    study = replace(study, num_seeds=seeds)
    words = ["launch", "--study", study.name, "--tag", TAG, "--num-seeds", str(seeds), "--random-seed", "1"]
    print(f"\nplan of {len(study.cells()):,} experiments          wall s   CPU s   memory MB")
    with tempfile.TemporaryDirectory() as folder:
        measure_plan("an empty root", [*words, "--dry-run", "--results", folder])
        fill(LocalStore(Path(folder)), study)
        measure_plan("all are complete", [*words, "--dry-run", "--results", folder])


def measure_plan(name: str, words: Sequence[str]) -> None:
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "hpoctl", *words], stdout=subprocess.DEVNULL)
    _, code, used = os.wait4(process.pid, 0)
    process.returncode = code
    if code:
        raise SystemExit(f"hpoctl {' '.join(words)} ended with {code}")
    wall, memory = time.perf_counter() - began, used.ru_maxrss / 1024
    print(f"{name:<34} {wall:8.2f} {used.ru_utime + used.ru_stime:8.2f} {memory:8.0f}")


def fill(store: LocalStore, study: Study) -> None:
    """Complete results, written without waiting for the disk; their rows are a real experiment's."""
    specs = specs_of(study)
    provenance = provenance_of(specs[:1], open_registry())
    first = specs[0]
    results = bytes_of(first)
    tables = {spec.benchmark.name: spec.benchmark.blackbox() for spec in specs[: len(study.benchmarks)]}
    keep_random_seed(store, TAG, RANDOM_SEED)
    keep_plan(store, TAG, study, study.name)
    for number, spec in enumerate(specs):
        metadata = opening_metadata(spec, provenance, 1.7e9 + number)
        metadata |= identity_metadata(spec, tables[spec.benchmark.name])
        metadata |= {
            "trials": 50,
            "rows": 5000,
            "non_finite_rows": 0,
            "results_bytes": len(results),
            "results_sha256": content_hash(results),
            "decision_seconds": 0.002,
            "wall_seconds": 0.03,
            "cpu_seconds": 0.02,
            "status": "completed",
        }
        prefix = experiment_prefix(TAG, spec.cell, expensive=spec.method.expensive)
        folder = store.root / f"{prefix}20261124-000000-{number:06d}"
        folder.mkdir(parents=True)
        (folder / METADATA).write_bytes(seal(metadata))
        (folder / RESULTS).write_bytes(results)
    print(f"  (results of {len(results):,} bytes each)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--methods", nargs="+", default=["RS", "ASHA"])
    parser.add_argument("--plan-cells", type=int, default=10_000)
    options = parser.parse_args()
    study = open_registry().study("activations")
    print(f"load average {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    if options.seeds:
        cheap = replace(study, methods=tuple(options.methods), num_seeds=options.seeds)
        print_overhead(cheap, options.runs)
    if options.plan_cells:
        print_planning(study, options.plan_cells)


if __name__ == "__main__":
    main()
