"""How long `hpoctl launch` takes to end after Ctrl-C (promise P13: at most two seconds on an idle machine).

    python benchmarks/interrupting.py [--runs 5]

A study is launched in a temporary root. Once three experiments are complete, the process group gets SIGINT, as a
terminal sends it. In half of the runs one worker is stopped before, so that it cannot react and has to be killed.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hpoctl.core.cells import RESULTS

COMMAND = [sys.executable, "-m", "hpoctl", "launch", "--study", "activations", "--tag", "a", "--num-seeds", "20"]
LIMIT = 60.0
"""Seconds in which experiments have to begin, and the launch has to end."""


def children_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def seconds_to_end(*, stopped: bool) -> float:
    """Seconds from the signal to the end of the launch.

    Args:
        stopped: Whether a worker cannot react.
    """
    with tempfile.TemporaryDirectory() as folder:
        words = [*COMMAND, "--results", folder]
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        began = time.monotonic()
        while len(list(Path(folder).rglob(RESULTS))) < 3:
            if process.poll() is not None or time.monotonic() - began > LIMIT:
                raise SystemExit("no experiments have been completed")
            time.sleep(0.05)
        if stopped:
            os.kill(children_of(process.pid)[0], signal.SIGSTOP)
        began = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        if process.wait(LIMIT) != 130:
            raise SystemExit(f"hpoctl launch ended with {process.returncode}")
        return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores; seconds from Ctrl-C to the end (budget 2)")
    for name, stopped in (("workers that react", False), ("a worker that is stopped", True)):
        taken = sorted(seconds_to_end(stopped=stopped) for _ in range(options.runs))
        print(f"{name:<26} median {taken[len(taken) // 2]:.2f}, at most {taken[-1]:.2f}")


if __name__ == "__main__":
    main()
