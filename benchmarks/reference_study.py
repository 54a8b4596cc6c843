"""The reference study, 640 experiments, with one `hpoctl launch` on this machine: time, memory, disk.

    python benchmarks/reference_study.py [--seeds 20] [--budget 3600] [--jobs 2] [--root FOLDER]

Runs the study `activations` in a temporary root (or in --root, which is kept) and prints wall time, CPU time by part
and by method, the share of MOBSTER and its variants, what is not inside experiments, memory of a worker and bytes of
results. Memory is read from /proc while it runs: private memory is what a worker does not share with the others, so
without the mapped tables.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

TAG = "reference"
PROC = Path("/proc")
LOOK = 0.5
"""Seconds between two looks at the memory of workers."""

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


@dataclass
class Memory:
    """The most memory that a worker had, in MB.

    Attributes:
        resident: Its resident memory, mapped tables included.
        private: What it shares with no other process.
        workers: The processes that were looked at.
    """

    resident: float = 0.0
    private: float = 0.0
    workers: set[int] = field(default_factory=set)

    def look(self, parent: int) -> None:
        for pid in children(parent):
            status, rollup = read(PROC / str(pid) / "status"), read(PROC / str(pid) / "smaps_rollup")
            if "hpoctl.ops.running.worker" in read(PROC / str(pid) / "cmdline") and status and rollup:
                self.workers.add(pid)
                self.resident = max(self.resident, megabytes(status, "VmHWM"))
                self.private = max(
                    self.private, megabytes(rollup, "Private_Clean") + megabytes(rollup, "Private_Dirty")
                )


def read(path: Path) -> str:
    """A file of /proc; empty if its process has gone."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def children(parent: int) -> list[int]:
    text = " ".join(read(task / "children") for task in (PROC / str(parent) / "task").glob("*"))
    return [int(word) for word in text.split()]


def megabytes(text: str, key: str) -> float:
    line = next((line for line in text.splitlines() if line.startswith(f"{key}:")), "x: 0 kB")
    return int(line.split()[1]) / 1024


@contextmanager
def watched(parent: int) -> Iterator[Memory]:
    """Look at the memory of a process's workers while something is done."""
    memory, over = Memory(), Event()

    def watch() -> None:
        while not over.wait(LOOK):
            memory.look(parent)

    thread = Thread(target=watch)
    thread.start()
    try:
        yield memory
    finally:
        over.set()
        thread.join()


def run(words: list[str]) -> tuple[float, float, float, Memory]:
    """Wall seconds, CPU seconds of the launch itself and of its workers, and their memory."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", REPORT, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    with watched(process.pid) as memory:
        _, said = process.communicate()
    wall = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"hpoctl {' '.join(words)} ended with {process.returncode}:\n{said}")
    own, workers = json.loads(said.rpartition("CPU ")[2])
    return wall, own, workers, memory


def measure(root: Path, words: list[str], cores: int) -> None:
    planning = run([*words, "--dry-run"])
    wall, own, workers, memory = run(words)
    experiments = [json.loads(path.read_bytes()) for path in root.glob(f"{TAG}/*/*/metadata.json")]
    incomplete = sum(entry["status"] != "completed" for entry in experiments)
    inside = sum(entry["cpu_seconds"] for entry in experiments)
    mobster = sum(entry["cpu_seconds"] for entry in experiments if entry["scheduler_name"] == "mobster")
    total = own + workers
    print(f"experiments                      {len(experiments):8,}   ({incomplete} incomplete)")
    print(f"wall                             {wall:8.1f} s ({len(experiments) / wall:.1f} experiments a second)")
    print(f"CPU, all processes               {total:8.1f} s ({100 * total / wall / cores:.0f} % of {cores} cores)")
    print(f"  launch: planning               {planning[1]:8.2f} s (a dry run, start of the process included)")
    print(f"  launch: pool, progress, result {own - planning[1]:8.2f} s")
    print(f"  workers                        {workers:8.1f} s ({len(memory.workers)} processes)")
    print(
        f"  inside experiments             {inside:8.1f} s (of it MOBSTER and variants {mobster:.1f} s: "
        f"{100 * mobster / inside:.0f} %)"
    )
    print(f"  overhead: all but experiments  {total - inside:8.1f} s ({100 * (total - inside) / total:.1f} %)")
    print(f"memory of a worker, peak         {memory.resident:8.0f} MB resident, {memory.private:.0f} MB private")
    sizes = {path: path.stat().st_size for path in root.rglob("*") if path.is_file()}
    results = sum(size for path, size in sizes.items() if path.suffix == ".parquet")
    print(
        f"disk                             {sum(sizes.values()) / 1e6:8.1f} MB (results.parquet {results / 1e6:.1f} MB)"
    )
    print("\n| method | experiments | CPU s | an experiment | share |\n|---|---|---|---|---|")
    for method in dict.fromkeys(
        entry["algorithm"] for entry in sorted(experiments, key=lambda one: one["cpu_seconds"])
    ):
        seconds = [entry["cpu_seconds"] for entry in experiments if entry["algorithm"] == method]
        spent = sum(seconds)
        print(
            f"| {method} | {len(seconds)} | {spent:.1f} | {spent / len(seconds):.2f} | {100 * spent / inside:.0f} % |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--budget", type=float, help="simulated seconds of an experiment; default: the benchmark's")
    parser.add_argument("--jobs", type=int, help="experiments at a time; default: one for each core")
    parser.add_argument("--root", type=Path, help="root of results, which is kept; default: a temporary one")
    options = parser.parse_args()
    words = ["launch", "--study", "activations", "--tag", TAG, "--random-seed", "20261124"]
    words += ["--num-seeds", str(options.seeds)]
    words += ["--max-wallclock-time", str(options.budget)] if options.budget else []
    words += ["--jobs", str(options.jobs)] if options.jobs else []
    cores = len(os.sched_getaffinity(0))
    print(f"load average before: {os.getloadavg()[0]:.2f} on {cores} cores\n")
    with tempfile.TemporaryDirectory() as folder:
        root = options.root or Path(folder)
        measure(root, [*words, "--results", str(root)], cores)


if __name__ == "__main__":
    main()
