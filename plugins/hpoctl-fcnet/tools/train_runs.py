"""Train the runs behind the curves of fcnet: draws configurations, feeds the C trainer, saves as it goes.

Killed at any time and started again with the same options, it resumes.
See trainer/README.md.
"""

import argparse
import fcntl
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from run_files import Run, append_run, plan, random_state, raw_file, read_runs

from hpoctl_fcnet.grid import NUM_EPOCHS, config_at

UCI_FILES = {
    "protein": "protein_structure.npz",
    "naval": "naval_propulsion.npz",
    "parkinsons": "parkinsons_telemonitoring.npz",
}


def export(source: Path, target: Path) -> None:
    """Write a set in the trainer's format: inputs and target standardised by the training part.

    Args:
        source: An .npz file with X (n, d), y (n,), split (a permutation of the rows), n_train and n_valid.
        target: The file to write.
    """
    with np.load(source) as data:
        inputs, target_values = data["X"].astype(np.float64), data["y"].astype(np.float64)
        n_train, n_valid = int(data["n_train"]), int(data["n_valid"])
        train, valid = np.split(data["split"][: n_train + n_valid], [n_train])
    mean, scale = inputs[train].mean(axis=0), inputs[train].std(axis=0)
    inputs = (inputs - mean) / np.where(scale > 0, scale, 1.0)
    target_values = (target_values - target_values[train].mean()) / target_values[train].std()
    with target.open("wb") as file:
        file.write(np.array([inputs.shape[1], n_train, n_valid], np.int32).tobytes())
        for rows in (train, valid):
            file.write(inputs[rows].astype(np.float32).tobytes())
            file.write(target_values[rows].astype(np.float32).tobytes())


def command_line(run: Run) -> bytes:
    """The line that asks the trainer for a run."""
    act1, act2, batch, dropout1, dropout2, lr, schedule, n1, n2 = config_at(run.config).values()
    acts = [int(act == "relu") for act in (act1, act2)]
    fields = [0, random_state(run), *acts, batch, dropout1, dropout2, lr, int(schedule == "cosine"), n1, n2]
    return (" ".join(map(str, fields)) + "\n").encode()


class Trainers:
    """The trainer processes of one thread, one a set, started when first used."""

    def __init__(self, binary: Path, folder: Path) -> None:
        self._binary, self._folder = binary, folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def train(self, run: Run) -> bytes:
        """Training loss, validation loss and seconds of each epoch, float32, as bytes."""
        if run.name not in self._running:
            command = [str(self._binary), str(self._folder / f"{run.name}.data"), str(NUM_EPOCHS)]
            self._running[run.name] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process = self._running[run.name]
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the trainer has no pipes")
        process.stdin.write(command_line(run))
        process.stdin.flush()
        size = 8 + 3 * 4 * NUM_EPOCHS
        answer = process.stdout.read(size)
        if len(answer) != size:
            raise RuntimeError(f"the trainer ended with code {process.wait()} in {run}")
        return answer[8:]


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: two drivers must not write to the same files."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"Another driver is training into {folder}.")
        yield


def work(tasks: "queue.SimpleQueue[Run]", trainers: Trainers, folder: Path, lock: threading.Lock) -> None:
    """Train until there is nothing left."""
    while True:
        try:
            run = tasks.get_nowait()
        except queue.Empty:
            return
        result = trainers.train(run)
        with lock:
            append_run(raw_file(folder, run.name), run, result)
        print(time.strftime("%H:%M:%S"), *run, f"left {tasks.qsize()}", flush=True)


def main() -> None:
    """Read the options and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uci", type=Path, required=True, help="folder of the UCI sets as .npz files")
    parser.add_argument("--trainer", type=Path, required=True, help="the compiled fcnet_train")
    parser.add_argument("--out", type=Path, required=True, help="folder of the files of runs")
    parser.add_argument("--sets", nargs="+", default=["parkinsons", "naval", "protein"], choices=sorted(UCI_FILES))
    parser.add_argument("--runs", type=int, default=1000, help="configurations per set")
    parser.add_argument(
        "--per-round", type=int, nargs="+", default=[100], help="runs of each set before the next one's"
    )
    parser.add_argument("--repeated", type=int, default=150, help="configurations trained with more seeds")
    parser.add_argument("--repeats", type=int, default=3, help="how many more seeds")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    counts = options.per_round * len(options.sets) if len(options.per_round) == 1 else options.per_round
    if len(counts) != len(options.sets) or min(counts) < 1:
        parser.error("--per-round needs one number >= 1, or one for each set")

    options.out.mkdir(parents=True, exist_ok=True)
    with only_one(options.out):
        done: set[Run] = set()
        for name in options.sets:
            export(options.uci / UCI_FILES[name], options.out / f"{name}.data")
            records = read_runs(raw_file(options.out, name))
            done.update(Run(name, int(record["config"]), int(record["seed"])) for record in records)
        tasks: queue.SimpleQueue[Run] = queue.SimpleQueue()
        per_round = dict(zip(options.sets, counts, strict=True))
        for run in plan(per_round, options.runs, options.repeated, options.repeats):
            if run not in done:
                tasks.put(run)
        print(f"{len(done)} runs done, {tasks.qsize()} to do", flush=True)
        lock = threading.Lock()
        with ThreadPoolExecutor(options.processes) as pool:
            workers = [
                pool.submit(work, tasks, Trainers(options.trainer, options.out), options.out, lock)
                for _ in range(options.processes)
            ]
        for worker in workers:
            worker.result()


if __name__ == "__main__":
    main()
