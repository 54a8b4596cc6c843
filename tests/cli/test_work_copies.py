"""Experiments on a script with results on S3: what other machines see of them, and what continues there."""

import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import own_script
from command_line import CommandLine
from hpoctl.core.cells import RESULTS
from hpoctl.stores.opening import open_results
from hpoctl.testing.polling import wait_until
from services.seaweedfs import Server

PATIENCE = 120.0
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
        return own_script.saved(open_results(self.root).store, "t")

    def rows(self) -> dict[tuple[int, int], int]:
        """The checkpoint that each epoch of each trial was trained from."""
        return own_script.loaded(open_results(self.root).store, "t")


@pytest.fixture
def machines(cli: CommandLine, s3_root: str, seaweedfs: Server) -> Iterator[Machines]:
    found = Machines(cli, s3_root, seaweedfs.environment)
    own_script.write(cli.root.parent)
    yield found
    own_script.let_go(cli.root.parent)


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

    own_script.let_go(cli.root.parent)
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
