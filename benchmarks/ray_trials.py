"""Sixty trials on two Ray nodes: a node is killed and comes back, and the controller is killed five times.

    python benchmarks/ray_trials.py [--trials 60] [--kills 5]

The script is examples/digits-network, under ASHA. The cluster has a head without CPUs and two nodes with one CPU each,
all of them processes of this machine. Prints whether every epoch of every trial is in the results once, whether
replaying the journal gives the same results, why starts have failed, and how many processes are left.
"""

import argparse
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(CHECKOUT / "tests"), str(CHECKOUT / "plugins" / "hpoctl-ray" / "tests")]

import pyarrow.parquet as pq
from trial_kills import journal_size, of_trials, report, start

from ray_cluster import running, why_not


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--method", default="ASHA")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if reason := why_not():
        print(reason)
        return 1
    rng = random.Random(options.seed)
    kills: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="ray-trials-") as name, running(["--num-cpus=0"]) as cluster:
        root = Path(name)
        cluster.add()
        more = ("--backend", "ray", "--backend-option", f"address={cluster.address}")
        began = time.monotonic()
        process = start(root, options, *more)
        while process.poll() is None and kills["controller"] < options.kills:
            grown = journal_size(root)
            while journal_size(root) <= grown + 2000 and process.poll() is None:
                time.sleep(0.05)  # until the controller has replayed the journal, and something happens
            time.sleep(rng.uniform(0.0, 2.0))
            if kills["controller"] == options.kills // 2 and not kills["node"]:
                cluster.kill(1)
                kills["node"] += 1
                cluster.add()
                continue
            process.send_signal(signal.SIGKILL)
            kills["controller"] += process.wait() == -signal.SIGKILL
            process = start(root, options, *more)
        code = process.wait()
        report(root, kills, time.monotonic() - began, code)
        (trials,) = root.rglob("trials.parquet")
        reasons = Counter(pq.read_table(trials).to_pandas().query("outcome == 'Failed'").reason.str.slice(0, 60))
        print(f"starts that failed: {dict(reasons)}")
        planned = code == 0 and kills == {"controller": options.kills, "node": 1} and not of_trials(root)
    print("as planned" if planned else "NOT as planned")
    return 0 if planned else 1


if __name__ == "__main__":
    sys.exit(main())
