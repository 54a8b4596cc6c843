"""An experiment of 60 trials that train, while its controller, its trials, or both are killed at random.

    python benchmarks/trial_kills.py --kills 40 --trials 60

The script is examples/digits-network. Prints how many kills there were of each kind, whether every epoch of every trial
is in the results once, whether a replay of the journal gives the same rows and decisions, and which processes are left.
"""

import argparse
import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pyarrow.parquet as pq

from hpoctl.backends.local.leftovers import processes
from hpoctl.backends.local.supervisor import owner_of
from hpoctl.core.cells import JOURNAL
from hpoctl.engine.journal import read_records
from hpoctl.stores.local import LocalStore

EXAMPLE = Path(__file__).parent.parent / "examples" / "digits-network" / "benchmark.toml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--method", default="ASHA")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        kills: Counter[str] = Counter()
        began = time.monotonic()
        process = start(root, options)
        while process.poll() is None:
            if sum(kills.values()) < options.kills:
                grown = journal_size(root)
                while journal_size(root) <= grown and process.poll() is None:
                    time.sleep(0.05)  # until the controller has replayed the journal, and something happens
                time.sleep(rng.uniform(0.0, 2.0))
                kind = rng.choice(["controller", "trials", "both"])
                trials = of_trials(root)
                if process.poll() is not None:
                    break
                if not trials:
                    continue
                if kind in ("controller", "both"):
                    process.send_signal(signal.SIGKILL)
                if kind in ("trials", "both"):
                    for pid in trials:
                        kill(pid)
                kills[kind] += 1
                if kind != "trials":
                    process.wait()
                    process = start(root, options)
            else:
                process.wait()
        report(root, kills, time.monotonic() - began, process.returncode)


def journal_size(root: Path) -> int:
    return sum(path.stat().st_size for path in (root / ".work").rglob(JOURNAL))


def start(root: Path, options: argparse.Namespace, *more: str) -> "subprocess.Popen[bytes]":
    """Run or continue the experiment in a separate process."""
    words = [sys.executable, "-m", "hpoctl", "run", "--method", options.method, "--benchmark", str(EXAMPLE)]
    words += ["--tag", "kills", "--random-seed", "7", "--results", str(root), "--max-num-trials", str(options.trials)]
    words += ["--max-wallclock-time", "1000000", "--trial-retries", "1000", "--stop-timeout", "1", *more]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def of_trials(root: Path) -> list[int]:
    """The processes of trials of this experiment."""
    found = [(pid, owner_of(pid)) for pid, state, _ in processes() if state != "Z"]
    return [pid for pid, owner in found if owner is not None and owner.startswith(str(root))]


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def report(root: Path, kills: "Counter[str]", seconds: float, code: int) -> None:
    store = LocalStore(root)
    (name,) = [name for name in store.list("kills") if name.endswith("results.parquet")]
    table = pq.read_table(io.BytesIO(store.get(name))).to_pandas()
    print(f"{sum(kills.values())} kills in {seconds:.0f} s: {dict(kills)}; exit code of the last run {code}")
    gaps = doubled = 0
    for _, rows in table.groupby("trial_id"):
        epochs = rows.epoch.tolist()
        doubled += len(epochs) - len(set(epochs))
        gaps += max(epochs) - len(set(epochs))
    print(f"{table.trial_id.nunique()} trials, {len(table)} epochs, {doubled} doubled, {gaps} missing")
    (journal,) = (root / ".work").rglob(JOURNAL)
    kinds = Counter(record["kind"] for record in read_records(journal))
    print(f"journal: {dict(kinds)}")
    print(f"replay: {replayed(root)}")
    print(f"processes left: {len(of_trials(root))}")


def replayed(root: Path) -> str:
    """Whether the journal alone gives the same rows and decisions, as `hpoctl why` finds when it replays it."""
    words = ["why", "--tag", "kills", "--trial", "0", "--results", str(root), "--json"]
    done = subprocess.run([sys.executable, "-m", "hpoctl", *words], check=False, capture_output=True, text=True)
    return str(json.loads(done.stdout)["data"]["check"])


if __name__ == "__main__":
    main()
