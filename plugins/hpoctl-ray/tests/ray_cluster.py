"""A real Ray cluster for tests: nodes on this machine, bound to its loopback interface, gone when the tests end.

Each node is the process of `ray start --block` in a session of its own, so that its end is the end of all that it has
started. Ray replaces 127.0.0.1 by an address of the network; the process of a node puts it back (see `main`).
"""

import ctypes
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

HOST = "127.0.0.1"
READY = 120.0
"""Seconds that a node may take to be ready."""

STORE = 80_000_000
"""Bytes of a node's object store: about the least that Ray accepts."""

ATTEMPTS = 4
NODE = "HPOCTL_TEST_NODE"
"""The environment variable that tells all processes of a node its number."""

HEALTH = "RAY_health_check_period_ms"
"""How often a head asks whether a node is alive: it gives one up that refuses five times, and waits for a slow one."""

START_WAIT = "RAY_raylet_start_wait_time_s"
"""How long Ray waits for a node that it starts: half a minute otherwise, too short on a loaded machine."""

LIGHT = ("--include-log-monitor=false", "--disable-usage-stats")
HEAD = ("--head", "--include-dashboard=false", "--no-monitor")
"""Options that leave out processes of Ray which no test needs: each takes seconds to start on a loaded machine."""

STARTED = "Ray runtime started"


def why_not() -> str:
    """Why there can be no cluster here; empty: there can."""
    return "" if importlib.util.find_spec("ray") else "Ray is not installed"


class RayNodes:
    """The nodes of a cluster, with one CPU each unless options say otherwise.

    Args:
        folder: Where Ray keeps sockets and logs; its path has to be short.
        environment: Variables of the nodes, besides those of this process.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.address = f"{HOST}:{_free_port()}"
        own = {HEALTH: "500", START_WAIT: f"{READY:.0f}", "RAY_TMPDIR": str(folder), "TMPDIR": str(folder)}
        self._environment = {**os.environ, **environment, **own}
        self._nodes: list[subprocess.Popen[bytes]] = []

    def add(self, *options: str, apart: bool = False) -> int:
        """Start a node, the head first; returns its number.

        Args:
            options: Words for `ray start`.
            apart: Whether it has separate folders for temporary files and for hpoctl's data, as another machine has.
        """
        number = len(self._nodes)
        port = self.address.rpartition(":")[2]
        words = [sys.executable, __file__, "start", f"--node-ip-address={HOST}", "--block"]
        words += [] if any(word.startswith("--num-cpus") for word in options) else ["--num-cpus=1"]
        words += [f"--object-store-memory={STORE}", *LIGHT, *options]
        words += [f"--address={self.address}"] if number else [*HEAD, f"--port={port}"]
        for _ in range(ATTEMPTS):
            node = self._start(
                number, words, self.folder / f"node-{number}.log", self.scratch(number) if apart else None
            )
            if node is not None:
                self._nodes.append(node)
                return number
        log = (self.folder / f"node-{number}.log").read_text(errors="replace")
        raise RuntimeError(f"node {number} of Ray does not start: {log[-2000:]}")

    def scratch(self, number: int) -> Path:
        """The temporary files of a node that was started apart."""
        return self.folder / f"node-{number}"

    def kill(self, number: int) -> None:
        """Kill all processes of a node, as the crash of its machine would."""
        _kill(self._nodes[number])
        marks = {f"{NODE}={number}".encode(), f"RAY_TMPDIR={self.folder}".encode()}
        for place in Path("/proc").glob("[0-9]*"):  # those that have left its session are told by their environment
            with suppress(OSError):
                if marks <= set((place / "environ").read_bytes().split(b"\0")):
                    os.kill(int(place.name), signal.SIGKILL)

    def _start(
        self, number: int, words: Sequence[str], log: Path, scratch: Path | None
    ) -> "subprocess.Popen[bytes] | None":
        """Start a node; None: Ray has given it up, as it does after half a minute on a loaded machine."""
        environment = {**self._environment, NODE: str(number)}
        if scratch is not None:
            scratch.mkdir(exist_ok=True)
            environment |= {"TMPDIR": str(scratch), "HPOCTL_DATA": str(scratch / "data")}
        with log.open("wb") as output:
            node = subprocess.Popen(
                words,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )
        end = time.monotonic() + READY
        while STARTED not in log.read_text(errors="replace"):
            if node.poll() is not None or time.monotonic() > end:
                _kill(node)
                return None
            time.sleep(0.1)
        return node

    def stop(self) -> None:
        """Kill all nodes."""
        for number in reversed(range(len(self._nodes))):
            self.kill(number)


def _end_with_parent() -> None:
    """Let the node end, and all that it has started, when the process of the tests is killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _kill(node: "subprocess.Popen[bytes]") -> None:
    for pid in _session(node.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    node.wait()


@contextmanager
def running(head: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> Iterator[RayNodes]:
    """A cluster of two nodes, until the end of the block."""
    folder = Path(tempfile.mkdtemp(prefix="hpoctl-ray-", dir="/tmp"))
    cluster = RayNodes(folder, environment or {})
    try:
        cluster.add(*head)
        cluster.add()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def kill_job(name: str) -> None:
    """Kill the processes of a job, its supervisor and its workers included; not its actor, which Ray has started."""
    for pid in _processes_of(name):
        with suppress(ProcessLookupError):
            sessions = _session(os.getsid(pid))
            for each in sessions:
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)


def node_of(name: str) -> int:
    """The number of the node that runs a job."""
    for pid in _processes_of(name):
        for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
            variable, _, value = entry.partition(b"=")
            if variable.decode() == NODE:
                return int(value)
    raise RuntimeError(f"no node runs {name}")


def end_processes_below(folder: Path) -> None:
    """Kill the processes of a cluster that keeps its files in a folder, and remove the folder."""
    mark, found = str(folder).encode(), set()
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (place / "cmdline").read_bytes():
                found.add(int(place.name))
    for pid in _with_children(found):  # Ray's agents have titles that do not name the folder
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def _processes_of(job: str) -> list[int]:
    """The processes whose command names a job."""
    mark, found = f'"name": "{job}"'.encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


def _session(leader: int) -> list[int]:
    """The processes of a session, and those that they have started in separate sessions."""
    return _with_children({pid for pid, (_, session) in _all_processes().items() if session == leader})


def _with_children(pids: set[int]) -> list[int]:
    """Processes, and all that they have started."""
    found, parents = set(pids), {pid: parent for pid, (parent, _) in _all_processes().items()}
    while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= more
    return sorted(found)


def _all_processes() -> dict[int, tuple[int, int]]:
    """The parent and the session of each process."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            fields = re.sub(r"^.*\) ", "", (folder / "stat").read_text(), flags=re.DOTALL).split()
            found[int(folder.name)] = int(fields[1]), int(fields[3])
    return found


def _free_port() -> int:
    """A free port outside those that Ray gives to workers."""
    for port in range(21_000 + os.getpid() % 5000, 32_000):
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port
    raise RuntimeError("no port is free")


def main() -> None:
    """`ray WORDS...`, with a node address on loopback."""
    from ray._private import services
    from ray.scripts.scripts import main as ray_main

    services.get_node_ip_address = lambda address=None: HOST
    ray_main()


if __name__ == "__main__":
    main()
