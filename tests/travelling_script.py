"""A study of a training script that is launched elsewhere: its files travel with the jobs, or machines have them."""

import io
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq

import own_script
from hpoctl.core.storage import Store
from hpoctl.stores.ledger import read_attempts
from hpoctl.testing.polling import wait_until
from hpoctl.testing.toy_jobs import complete_results

TAG = "travels"
PATIENCE = 280.0
STUDY = """
methods = ["RS"]
benchmarks = ["own/benchmark.toml"]
num_seeds = 1
max_num_trials = 3
"""
TRAIN = """
import argparse, json
from pathlib import Path
from loss import loss_of

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--epochs", type=int)
args = parser.parse_args()
here = int(Path(__file__).resolve() == Path({here!r}))
for epoch in range(1, args.epochs + 1):
    print("[tune-metric]: " + json.dumps({{"epoch": epoch, "loss": loss_of(args.lr, epoch), "here": here}}), flush=True)
"""
LOSS = """
def loss_of(lr, epoch):
    return lr / epoch
"""
BENCHMARK = own_script.BENCHMARK.replace("n_workers = 2", "n_workers = 1").replace(
    "checkpoints = true", 'files = ["loss.py"]'
)


def launch(
    folder: Path, words: Sequence[str], environment: Mapping[str, str], submitted: Callable[[], bool] | None = None
) -> tuple[int, str]:
    """Write the script and its study, and launch it; returns the exit code and what was printed.

    Args:
        folder: Where all of it is.
        words: What the command line says besides.
        environment: The environment of the command.
        submitted: Whether the job is submitted: from then on the files are not here any more. None: they stay.
    """
    train = TRAIN.format(here=str((folder / "own" / "train.py").resolve()))
    own = own_script.write(folder, train, BENCHMARK)
    (own / "loss.py").write_text(LOSS)
    (folder / "study.toml").write_text(STUDY)
    command = [sys.executable, "-m", "hpoctl", "launch", "--study", "study.toml", "--tag", TAG, "--random-seed", "7"]
    with (folder / "printed").open("wb") as printed:
        process = subprocess.Popen([*command, *words], cwd=folder, env=environment, stdout=printed, stderr=printed)
        try:
            if submitted is not None:
                wait_until(lambda: submitted() or process.poll() is not None, "no job is submitted", PATIENCE)
                own.rename(folder / "away")
            code = process.wait(PATIENCE)
        finally:
            process.kill()
    return code, (folder / "printed").read_text()


def check(store: Store, answer: tuple[int, str], *, by_a_copy: bool) -> None:
    """The experiment is complete, three trials of three epochs, by the script here or by a copy of it."""
    code, printed = answer
    assert code == 0, printed
    (results,) = complete_results(store, read_attempts(store, TAG, verify=True)).values()
    rows = pq.read_table(io.BytesIO(results)).to_pydict()
    assert sorted(zip(rows["trial_id"], rows["epoch"], strict=True)) == [(t, e) for t in range(3) for e in (1, 2, 3)]
    assert rows["loss"] == [lr / epoch for lr, epoch in zip(rows["config_lr"], rows["epoch"], strict=True)]
    assert set(rows["extra_here"]) == {0 if by_a_copy else 1}
