"""A study of toys that is launched within two seconds, in a separate process group that can be killed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import warm_process
from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import METADATA, RESULTS, Cell
from hpoctl.core.sealed import DamagedError, unseal
from support import write_distribution

LONG = os.environ.get("HPOCTL_RELIABILITY") == "long"
"""Whether `make reliability` asks for more kills and examples than CI has time for."""

LANE = "long lane" if LONG else "short lane (make reliability has the long one)"
FIGURES = "figures"
"""The property in which a test of reliability gives its figures, which are printed at the end."""

PATIENCE = 300.0
"""Seconds that a process may take to end, on a machine that does other things, too."""

SOURCE = """
from hpoctl.plugins import Study, hookimpl
from hpoctl.testing import toy_benchmark


@hookimpl
def hpoctl_benchmarks():
    yield toy_benchmark(name="toy", budget=300.0)
    yield toy_benchmark(name="toy-2", budget=400.0)


@hookimpl
def hpoctl_studies():
    names = {"methods": ("RS", "ASHA", "MOBSTER"), "benchmarks": ("toy", "toy-2")}
    yield Study("toys", "Experiments of milliseconds", **names, num_seeds=7, random_seed=5)
"""
CELLS = [
    Cell(method, benchmark, seed)
    for method in ("RS", "ASHA", "MOBSTER")
    for benchmark in ("toy", "toy-2")
    for seed in range(7)
]


Number = TypeVar("Number", int, float)


def lane(short: Number, long: Number) -> Number:
    """How many of something, in the lane that is run."""
    return long if LONG else short


@contextmanager
def fast_folder() -> Iterator[Path]:
    """A folder in memory where there is one: what a kill leaves behind does not depend on the disk."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(prefix="hpoctl-tests-", dir=memory if os.access(memory, os.W_OK) else None) as made:
        yield Path(made)


@dataclass(frozen=True)
class Done:
    """A completed result directory: its experiment, and the hashes of its files."""

    cell: Cell
    metadata: str
    results: str


@dataclass(frozen=True)
class ToyStudy:
    """Runs `hpoctl` with a plugin from `folder`, and results below it."""

    folder: Path

    def install(self, name: str = "toys-plugin", source: str = SOURCE) -> None:
        plugins = self.folder / "plugins"
        plugins.mkdir(exist_ok=True)
        write_distribution(plugins, name, source)

    @property
    def root(self) -> Path:
        return self.folder / "results"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HPOCTL_")}
        plugins = (path.name.removesuffix(".dist-info") for path in (self.folder / "plugins").glob("*.dist-info"))
        return kept | {
            "PYTHONPATH": str(self.folder / "plugins"),
            "HPOCTL_ROOT": str(self.root),
            "HPOCTL_CACHE": str(self.folder / "cache"),
            "HPOCTL_DATA": str(self.folder / "data"),
            "HPOCTL_PLUGINS": ",".join(name.rpartition("-")[0].replace("_", "-") for name in plugins),
            "OPENBLAS_NUM_THREADS": "1",
            "NO_COLOR": "1",
        }

    def start(self, *words: str) -> "subprocess.Popen[bytes]":
        """Start a command in a separate process group; its output is in `folder/output`."""
        with (self.folder / "output").open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "hpoctl", *words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                env=self.environment,
                start_new_session=True,
            )

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        return subprocess.CompletedProcess(
            words, *warm_process.run(words, self.environment, self.folder, timeout=PATIENCE)
        )

    def launch(self, tag: str) -> "subprocess.CompletedProcess[str]":
        return self.run("launch", "--tag", tag, "--jobs", "2")

    def status(self, tag: str) -> dict[str, Any]:
        answer = self.run("status", "--tag", tag, "--json")
        return {"code": answer.returncode, **json.loads(answer.stdout)}

    def completed(self, tag: str) -> dict[str, Done]:
        """The completed result directories by name, read without any of the code under test but the checksum."""
        found = {}
        for file in (self.root / tag).glob(f"*/*/{METADATA}"):
            with suppress(FileNotFoundError, DamagedError):
                data = file.read_bytes()
                metadata = unseal(data)
                if metadata["status"] == "completed":
                    cell = Cell(metadata["algorithm"], metadata["benchmark"], metadata["seed"])
                    results = content_hash((file.parent / RESULTS).read_bytes())
                    found[str(file.parent.relative_to(self.root))] = Done(cell, content_hash(data), results)
        return found

    def results(self, tag: str) -> int:
        """How many result files there are, completed or about to be."""
        return sum(1 for _ in (self.root / tag).glob(f"*/*/{RESULTS}"))


def wait_for(condition: Callable[[], bool], process: "subprocess.Popen[bytes]") -> bool:
    """Wait until a condition holds; False: the process ended before."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if process.poll() is not None:
            return False
        if time.monotonic() > deadline:
            kill_group(process)
            raise TimeoutError("what was waited for does not happen")
        time.sleep(0.002)
    return process.poll() is None


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process with all that it started, and wait until all of them are gone."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(PATIENCE)
    # Its id may be reused by now: only processes of this study are killed.
    for pid, command in members(process.pid).items():
        if "hpoctl" in command:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    wait_until_gone(process.pid)


def wait_until_gone(group: int) -> None:
    """Wait until nothing of a process group runs any more."""
    deadline = time.monotonic() + PATIENCE
    while members(group):
        if time.monotonic() > deadline:
            raise TimeoutError(f"process group {group} does not end: {members(group)}")
        time.sleep(0.005)


def members(group: int) -> Mapping[int, str]:
    """The command lines of the processes of a group that run, by their ids."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, _, its_group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state not in "ZX":
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def workers_of(process: "subprocess.Popen[bytes]") -> list[int]:
    """The worker processes of a launch."""
    return [pid for pid, command in members(process.pid).items() if " hpoctl.ops.running.worker " in command]


def generator(*parts: object) -> random.Random:
    """A seeded generator, the same in every run."""
    return random.Random(" ".join(map(str, parts)))
