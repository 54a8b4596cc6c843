"""A small experiment on a training script that the command runs, and what is in its results when controllers died."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq

BENCHMARK = """
name = "toy"
script = "train.py"
python = "python"
metric = "loss"
resource_attr = "epoch"
max_resource_attr = "epochs"
checkpoints = true
n_workers = {workers}
max_wallclock_time = 100000
[space]
lr = {{ type = "loguniform", lower = 0.001, upper = 1.0 }}
epochs = 9
"""

TRAINING = """
import argparse, os, time
import hpoctl
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--epochs", type=int)
options = parser.parse_args()
state = os.path.join(os.environ["HPOCTL_CHECKPOINT_DIR"], "epoch")
done = int(open(state).read()) if os.path.exists(state) else 0
for epoch in range(done + 1, options.epochs + 1):
    time.sleep({seconds})
    hpoctl.report(epoch=epoch, loss=options.lr / epoch)
    with open(state + ".new", "w") as file:
        file.write(str(epoch))
    os.replace(state + ".new", state)
"""


def write_experiment(folder: Path, *, workers: int, seconds: float) -> None:
    """Write a benchmark and its training script.

    Args:
        folder: Where they go.
        workers: How many trials run at a time.
        seconds: How long an epoch takes; a trial has nine.
    """
    (folder / "benchmark.toml").write_text(BENCHMARK.format(workers=workers))
    (folder / "train.py").write_text(TRAINING.format(seconds=seconds))


def run_words(results: Path, trials: int, more: Sequence[str]) -> list[str]:
    """The command that runs it under ASHA, in the folder of the benchmark.

    Args:
        results: The root of results.
        trials: How many trials there are.
        more: More options.
    """
    words = [sys.executable, "-m", "hpoctl", "run", "--method", "ASHA", "--benchmark", "benchmark.toml", "--tag", "t"]
    return [*words, "--results", str(results), "--random-seed", "7", "--max-num-trials", str(trials), *more]


def run_and_kill(
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    until: Callable[["subprocess.Popen[bytes]"], None],
) -> int:
    """Start a command and kill it; returns how it ended: `-signal.SIGKILL`, unless it had ended before.

    Args:
        words: The command.
        folder: Where it runs.
        environment: Its environment.
        log: The file that it prints to.
        until: Waits until it is to be killed.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(words, cwd=folder, env=dict(environment), stdout=output, stderr=output)  # noqa: S603
        try:
            until(process)
        finally:
            process.send_signal(signal.SIGKILL)
            code = process.wait()
    return code


def epochs_of(results: Path) -> Counter[tuple[int, int]]:
    """How often each epoch of each trial is in the only results below a root."""
    (file,) = results.rglob("results.parquet")
    rows = pq.read_table(file, columns=["trial_id", "epoch"]).to_pydict()
    return Counter(zip(rows["trial_id"], rows["epoch"], strict=True))


def missing_epochs(epochs: Mapping[tuple[int, int], int]) -> list[tuple[int, int]]:
    """Epochs of trials that are not in the results, although later ones are."""
    last = Counter[int]()
    for trial, epoch in epochs:
        last[trial] = max(last[trial], epoch)
    wanted = {(trial, epoch) for trial, end in last.items() for epoch in range(1, end + 1)}
    return sorted(wanted - epochs.keys())
