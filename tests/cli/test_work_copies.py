"""Experiments on a script with results on S3: what other machines see of them, and what continues there."""

import io
import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from command_line import CommandLine
from hpoctl.core.cells import RESULTS, WORK
from hpoctl.stores.folder_copies import fetch
from hpoctl.stores.ledger import read_attempts, read_results
from hpoctl.stores.opening import open_results
from hpoctl.testing.polling import wait_until
from services.seaweedfs import Server

PATIENCE = 120.0
TRAIN = """
import argparse, os, time
from pathlib import Path
import hpoctl

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--epochs", type=int)
args = parser.parse_args()
print("trial", os.environ["HPOCTL_TRIAL_ID"], "trains", flush=True)
state = Path(os.environ["HPOCTL_CHECKPOINT_DIR"]) / "state"
done = int(state.read_text()) if state.exists() else 0
end = time.monotonic() + 300
for epoch in range(done + 1, args.epochs + 1):
    hpoctl.report(epoch=epoch, loss=args.lr + 1 / epoch, loaded=done)
    state.with_suffix(".new").write_text(str(epoch))
    state.with_suffix(".new").replace(state)
    while epoch == 2 and not (Path(__file__).parents[1] / "go").exists() and time.monotonic() < end:
        time.sleep(0.02)
"""
BENCHMARK = """
name = "own"
script = "train.py"
checkpoints = true
metric = "loss"
mode = "min"
resource_attr = "epoch"
max_resource_attr = "epochs"
n_workers = 2
max_wallclock_time = 600
[space]
lr = { type = "loguniform", lower = 0.001, upper = 1.0 }
epochs = 3
"""
RUN = ("run", "--method", "RS", "--benchmark", "own/benchmark.toml", "--tag", "t", "--random-seed", "7")


class Machines:
    """Machines that share nothing but S3 and the folder of the script."""

    def __init__(self, cli: CommandLine, root: str, s3: dict[str, str]) -> None:
        self.cli = cli
        self.s3 = s3
        self.root = root
        self.folder = cli.root.parent / "own"

    def environment(self, machine: str) -> dict[str, str]:
        data = self.data(machine)
        job = {} if machine == "laptop" else {"HPOCTL_JOB": "t/job"}  # the same job begins again, at once
        return self.s3 | job | {"HPOCTL_DATA": str(data), "HPOCTL_CACHE": str(data / "cache")}

    def data(self, machine: str) -> Path:
        return self.cli.root.parent / machine

    def on(self, machine: str, *words: str) -> Any:
        return self.cli(*words, "--results", self.root, **self.environment(machine))

    def start(self, machine: str, *words: str) -> "subprocess.Popen[bytes]":
        environment = self.cli.environment | self.environment(machine)
        with (self.cli.root.parent / f"{machine}.log").open("wb") as log:
            command = self.cli.command(*words, "--results", self.root)
            return subprocess.Popen(command, cwd=self.cli.root.parent, env=environment, stdout=log, stderr=log)

    def listed(self, machine: str) -> list[tuple[str, int]]:
        answer = self.on(machine, "trials", "--tag", "t", "--json")
        trials = json.loads(answer.out)["data"].get("trials", []) if answer.out else []
        return [(trial["outcome"], trial["resource"]) for trial in trials]

    def checkpoints(self) -> list[str]:
        """What the checkpoints in the copy hold."""
        store = open_results(self.root).store
        (attempt,) = read_attempts(store, "t")
        target = self.data("copy")
        fetch(store, f"{WORK}/{attempt.directory}", target)
        return [path.read_text() for path in target.rglob("checkpoints/state")]

    def rows(self) -> dict[tuple[int, int], int]:
        """The checkpoint that each epoch of each trial was trained from, in the latest complete attempt."""
        store = open_results(self.root).store
        attempts = [found for found in read_attempts(store, "t") if found.recorded == "completed"]
        table = pq.read_table(io.BytesIO(read_results(store, attempts[-1]))).to_pydict()
        keys = list(zip(table["trial_id"], table["epoch"], strict=True))
        assert len(set(keys)) == len(keys)
        return dict(zip(keys, map(int, table["extra_loaded"]), strict=True))


@pytest.fixture
def machines(cli: CommandLine, s3_root: str, seaweedfs: Server) -> Iterator[Machines]:
    found = Machines(cli, s3_root, seaweedfs.environment)
    found.folder.mkdir()
    (found.folder / "train.py").write_text(TRAIN)
    (found.folder / "benchmark.toml").write_text(BENCHMARK)
    yield found
    (cli.root.parent / "go").touch()


@pytest.mark.timeout(600)
def test_a_lost_machine(cli: CommandLine, machines: Machines) -> None:
    lost = machines.start("lost", *RUN, "--max-num-trials", "3")
    reported = [("Running", 2)] * 2
    wait_until(lambda: lost.poll() or machines.listed("laptop") == reported, "no copy arrives", PATIENCE)
    logs = machines.on("laptop", "logs", "--tag", "t", "--trial", "1")
    assert (logs.code, "trial 1 trains" in logs.out) == (0, True)
    drawn = machines.on("laptop", "plot", "--tag", "t", "--running", "--terminal")
    assert "Not complete, with the rows so far: RS own seed 0" in drawn.out + drawn.err
    wait_until(lambda: machines.checkpoints() == ["2", "2"], "no copy of the checkpoints arrives", PATIENCE)
    assert lost.poll() is None
    lost.send_signal(signal.SIGKILL)
    lost.wait()
    shutil.rmtree(machines.data("lost"))

    (cli.root.parent / "go").touch()
    other = machines.on("other", *RUN, "--max-num-trials", "3")
    assert other.code == 0, other.err
    loaded = {(0, 3): 2, (1, 3): 2}
    expected = {(trial, epoch): 0 for trial in range(3) for epoch in (1, 2, 3)} | loaded
    assert machines.rows() == expected

    # A larger budget continues on a third machine; then the whole tag goes to the trash and back.
    third = machines.on("third", *RUN, "--max-num-trials", "4")
    assert third.code == 0, third.err
    assert machines.rows() == expected | {(3, epoch): 0 for epoch in (1, 2, 3)}
    store = open_results(machines.root).store
    copies = [name for name in store.list(".work") if name.endswith("copy.json")]
    assert len(copies) == 1  # that of the attempt that was continued is gone
    assert machines.on("laptop", "clean", "--tag", "t", "--yes").code == 0
    assert not store.list(".work")
    assert machines.on("laptop", "clean", "--undo").code == 0
    assert [name for name in store.list(".work") if name.endswith("copy.json")] == copies
    assert "trial 3 trains" in machines.on("laptop", "logs", "--tag", "t", "--trial", "3").out
    assert machines.rows()[3, 3] == 0
    assert any(name.endswith(RESULTS) for name in store.list("t"))
