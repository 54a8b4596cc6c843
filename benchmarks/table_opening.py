"""What opening a benchmark's table costs a process: wall time and private memory, in a warm cache.

    python benchmarks/table_opening.py [--runs 5] [--benchmark NAME ...]

Each table is opened, and a curve looked up, in new processes that have loaded hpoctl and its plugins before, as a
worker has; medians. Private memory is what no other process shares: `Private_Clean` and `Private_Dirty` of
/proc/self/smaps_rollup (Linux). The first opening of a table that is expanded into the cache is not counted.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import median

BUDGET_MS, BUDGET_MB = 50.0, 5.0

PROBE = """
import gc, json, sys, time
import hpoctl.engine.experiment
from hpoctl.builtins import open_registry


def private():
    gc.collect()
    with open("/proc/self/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith(("Private_Clean", "Private_Dirty")))


benchmark = open_registry().benchmark(sys.argv[1])
before, began = private(), time.perf_counter()
blackbox = benchmark.blackbox()
seconds = time.perf_counter() - began
blackbox.curve(blackbox.space.middle(), 0)
print(json.dumps({"ms": 1e3 * seconds, "kb": private() - before, "size": blackbox.space.size}))
"""


def names() -> list[str]:
    """The fcnet benchmarks."""
    done = subprocess.run(
        [sys.executable, "-m", "hpoctl", "benchmarks", "--json"], capture_output=True, text=True, check=True
    )
    found = [entry["name"] for entry in json.loads(done.stdout)["data"]["benchmarks"]]
    return [name for name in found if name.startswith("fcnet-")]


def probe(name: str) -> dict[str, float]:
    """One opening in a new process."""
    done = subprocess.run([sys.executable, "-c", PROBE, name], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--benchmark", action="append", default=None)
    options = parser.parse_args()
    print(f"load average {Path('/proc/loadavg').read_text().split()[0]}, medians of {options.runs} processes")
    print(f"{'benchmark':<24}{'configurations':>15}{'ms':>8}{'private MB':>12}")
    for name in options.benchmark or names():
        probe(name)
        found = [probe(name) for _ in range(options.runs)]
        ms, mb = median(run["ms"] for run in found), median(run["kb"] for run in found) / 1024
        over = "" if ms < BUDGET_MS and mb < BUDGET_MB else f"  over the budget of {BUDGET_MS:g} ms, {BUDGET_MB:g} MB"
        print(f"{name:<24}{found[0]['size']:>15,}{ms:>8.1f}{mb:>12.2f}{over}")


if __name__ == "__main__":
    main()
