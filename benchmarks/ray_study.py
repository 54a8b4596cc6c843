"""The reference study's plan of 84 jobs on a Ray cluster, with a node and a launch that are killed on the way.

The cluster has a head without CPUs and two nodes, all of them processes of this machine. Experiments are shortened.
After a second launch everything has to be complete, no job submitted twice, and the results byte-identical to those of
the local launcher.

    python benchmarks/ray_study.py [--seconds 150]
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(CHECKOUT / "tests"), str(CHECKOUT / "plugins" / "hpoctl-ray" / "tests")]

from hpoctl.core.cells import Cell
from ray_cluster import running, why_not
from ray_rehearsal import rehearse

STUDY = """
methods = ["RS", "BO", "ASHA", "MOBSTER", "ASHA-TANH", "MOBSTER-TANH", "ASHA-RELU", "MOBSTER-RELU"]
benchmarks = ["fcnet-protein", "fcnet-naval", "fcnet-parkinsons", "fcnet-slice"]
num_seeds = 20
extra_results = ["rung-levels", "trip-wire"]
max_wallclock_time = {seconds}
"""
HELD = Cell("BO", "fcnet-naval", 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=150.0, help="the budget of each experiment, simulated")
    seconds = parser.parse_args().seconds
    if reason := why_not():
        print(reason)
        return 1
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ray-study-") as text, running(["--num-cpus=0"]) as cluster:
        cluster.add()
        found = rehearse(cluster, Path(text), STUDY.format(seconds=seconds), "fcnet,activations", HELD, [])
    print(found.second[1][-2000:])
    different = [cell for cell in found.results_here if found.results.get(cell) != found.results_here[cell]]
    completed = found.completed()
    twice = [cell for cell, times in completed.items() if times != 1]
    other = [one for one in found.attempts if one.recorded != "completed"]
    print(f"took {time.monotonic() - began:.0f} s")
    print(f"{found.jobs} jobs, {len(completed)} experiments complete, {len(twice)} of them not exactly once")
    print(f"{len(other)} attempts that did not complete: {sorted({str(one.cell) for one in other})}")
    print(f"{len(different)} of {len(found.results_here)} results differ from those of the local launcher")
    good = found.second[0] == 0 and not different and not twice and found.jobs == 84
    print("as planned" if good else "NOT as planned")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
