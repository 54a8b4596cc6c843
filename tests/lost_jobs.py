"""A job that tunes a training script is lost in the middle, without notice, and another one continues."""

import io
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq

import own_script
from hpoctl.core.storage import Store
from hpoctl.stores.ledger import read_attempts, read_results
from hpoctl.testing.polling import wait_until
from travelling_script import STUDY

TAG = "lost"
PATIENCE = 280.0
TRAIN = """
import argparse, os, time
from pathlib import Path
import hpoctl

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--epochs", type=int)
args = parser.parse_args()
state = Path(os.environ["HPOCTL_CHECKPOINT_DIR"]) / "state"
done = int(state.read_text()) if state.exists() else 0
for epoch in range(done + 1, args.epochs + 1):
    hpoctl.report(epoch=epoch, loss=args.lr / epoch, loaded=done)
    state.with_suffix(".new").write_text(str(epoch))
    state.with_suffix(".new").replace(state)
    if epoch == 2 and done == 0 and os.environ["HPOCTL_TRIAL_ID"] == "1":
        time.sleep(600)  # until its machine is lost
"""
BENCHMARK = own_script.BENCHMARK.replace("n_workers = 2", "n_workers = 1").replace("= 600\n", "= 6000\n")


def lose(
    folder: Path,
    words: Sequence[str],
    environment: Mapping[str, str],
    copied: Callable[[], Path],
    kill: Callable[[], None],
) -> tuple[int, str]:
    """Launch, lose the job after the second epoch of trial 1; returns the exit code, and what was printed.

    Args:
        folder: Where script and study are written.
        words: What the command line says besides.
        environment: The environment of the command.
        copied: A folder with what another machine will find of the working folder.
        kill: Kills all processes of the job.
    """
    (folder / "own").mkdir()
    (folder / "own" / "train.py").write_text(TRAIN)
    (folder / "own" / "benchmark.toml").write_text(BENCHMARK)
    (folder / "study.toml").write_text(STUDY)

    def saved() -> bool:
        return "2" in [path.read_text() for path in copied().rglob("trials/1/checkpoints/state")]

    with (folder / "printed").open("wb") as printed:
        process = subprocess.Popen(_command(words), cwd=folder, env=environment, stdout=printed, stderr=printed)
        try:
            wait_until(lambda: process.poll() is not None or saved(), "no checkpoint is kept", PATIENCE)
            kill()
            code = process.wait(PATIENCE)
        finally:
            process.kill()
    return code, (folder / "printed").read_text()


def launch_again(folder: Path, words: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """Launch again; returns the exit code, and what was printed."""
    done = subprocess.run(
        _command(words), cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    return done.returncode, done.stdout + done.stderr


def check(store: Store) -> None:
    """One attempt is complete, with each epoch once, and trial 1 has continued from its checkpoint."""
    (attempt,) = read_attempts(store, TAG, verify=True)
    assert attempt.recorded == "completed"
    rows = pq.read_table(io.BytesIO(read_results(store, attempt))).to_pydict()
    found = sorted(zip(rows["trial_id"], rows["epoch"], map(int, rows["extra_loaded"]), strict=True))
    expected = [(trial, epoch, 2 if (trial, epoch) == (1, 3) else 0) for trial in range(3) for epoch in (1, 2, 3)]
    assert found == expected, found


def _command(words: Sequence[str]) -> list[str]:
    own = ["--study", "study.toml", "--tag", TAG, "--random-seed", "7"]
    return [sys.executable, "-m", "hpoctl", "launch", *own, *words]
