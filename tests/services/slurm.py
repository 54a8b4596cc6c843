"""A real Slurm for tests: munged, slurmctld and a few slurmd on loopback, with separate folders, ports and a key.

Each test process that asks for it has its own cluster; it ends with the process, however that ends.
"""

import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")
NODES = 3
READY = 30.0
"""Seconds that it may take to be ready."""

CONF = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
MpiDefault=none
SchedulerType=sched/builtin
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0,sched_interval=2
SlurmdTimeout=30
MaxArraySize=10001
MinJobAge=300
KillWait=2
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""

SBATCH = """#!/bin/bash
answer=$({sbatch} "$@")
code=$?
if [ $code = 0 ]; then echo "$*" >> {folder}/accepted; fi
if [ -e {folder}/lose ]; then echo "sbatch: error: Socket timed out on send/recv operation" >&2; exit 1; fi
echo "$answer"
exit $code
"""


def why_not() -> str:
    """Why there cannot be a cluster on this machine; empty: there can."""
    missing = [name for name in PROGRAMS if _program(name) is None]
    if missing:
        return f"no Slurm on this machine: {', '.join(missing)} (Debian: slurm-wlm, munge) not found"
    return "" if os.geteuid() == 0 else "Slurm's daemons are started by root only"


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@dataclass
class Slurm:
    """A running cluster, and what a test can do to it."""

    folder: Path
    _processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to use it: its configuration, and an sbatch that counts and can lose its answers."""
        return {
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
        }

    @property
    def impatient(self) -> dict[str, str]:
        """The same, for who does not wait long for a controller that is down."""
        return self.environment | {"SLURM_CONF": str(self.folder / "impatient.conf")}

    def submissions(self) -> int:
        """How many arrays were taken in."""
        return len(self.accepted())

    def accepted(self) -> list[str]:
        """The options of each sbatch that was taken in."""
        with suppress(FileNotFoundError):
            return (self.folder / "accepted").read_text().splitlines()
        return []

    def start_soon(self, element: str) -> None:
        """Let an element start that was queued again, without the two minutes that Slurm lets it wait.

        A node refuses a job whose credential is not younger, in whole seconds, than the end of its first run.
        """
        self.ask("scontrol", "update", f"JobId={element}", "StartTime=now+3")

    @contextmanager
    def losing_replies(self) -> Iterator[None]:
        """sbatch submits, and says that it was not answered."""
        (self.folder / "lose").touch()
        try:
            yield
        finally:
            (self.folder / "lose").unlink()

    def kill_job(self, name: str) -> None:
        """Kill all processes of an hpoctl job."""
        processes = _processes()
        roots = [
            pid for pid, (_, words) in processes.items() if "hpoctl.ops.running.job" in words and f'"{name}"' in words
        ]
        killed = set(roots)
        while more := {pid for pid, (parent, _) in processes.items() if parent in killed} - killed:
            killed |= more
        for pid in killed:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not roots:
            raise RuntimeError(f"no process of job {name} runs")

    def forget(self) -> None:
        """Let the controller lose all it knew of jobs."""
        self.stop_controller()
        shutil.rmtree(self.folder / "state")
        self.start_controller("-c")

    def stop_controller(self) -> None:
        _end(self._processes.pop("slurmctld"))

    def start_controller(self, *words: str) -> None:
        (self.folder / "state").mkdir(exist_ok=True)
        self._start("slurmctld", "slurmctld", "-D", *words)
        self._wait()

    def ask(self, *words: str) -> str:
        """Run one of Slurm's programs."""
        environment = os.environ | self.environment
        return subprocess.run(words, env=environment, capture_output=True, text=True, check=True, timeout=30).stdout

    def start(self) -> None:
        for name in ("munge", "state", "bin"):
            (self.folder / name).mkdir(mode=0o755)
        (self.folder / "munge" / "key").write_bytes(secrets.token_bytes(64))
        (self.folder / "munge" / "key").chmod(0o400)
        munge = self.folder / "munge"
        files = [f"--{name}-file={munge / name}" for name in ("key", "pid", "log", "seed")]
        self._start("munged", "munged", "--foreground", "--force", f"--socket={munge / 'socket'}", *files)
        host, ports = socket.gethostname(), _free_ports(NODES + 1)
        nodes = [
            f"NodeName=n{place} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=2 RealMemory=1000"
            for place, port in enumerate(ports[1:], 1)
        ]
        conf = CONF.format(host=host, port=ports[0], folder=self.folder)
        # A node may be on a machine that has fewer cores: tests have several on one.
        text = "\n".join([conf, "SlurmdParameters=config_overrides", *nodes, ""])
        (self.folder / "slurm.conf").write_text(text)
        (self.folder / "impatient.conf").write_text(f"{text}MessageTimeout=2\n")
        sbatch = self.folder / "bin" / "sbatch"
        sbatch.write_text(SBATCH.format(sbatch=shutil.which("sbatch"), folder=self.folder))
        sbatch.chmod(0o755)
        end = time.monotonic() + READY
        while not (munge / "socket").exists() and time.monotonic() < end:
            time.sleep(0.01)
        for place in range(1, NODES + 1):
            self._start(f"n{place}", "slurmd", "-D", "-N", f"n{place}")
        self.start_controller()

    def end(self) -> None:
        with suppress(subprocess.SubprocessError):
            self.ask("scancel", "--user=root", "--quiet")
            end = time.monotonic() + 5.0
            while self.ask("squeue", "--noheader", "--states=RUNNING,COMPLETING") and time.monotonic() < end:
                time.sleep(0.05)
        for process in reversed(self._processes.values()):
            _end(process)
        for pid, (_, words) in _processes().items():
            if str(self.folder) in words and pid != os.getpid():  # a step that outlived its daemon
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _start(self, key: str, program: str, *words: str) -> None:
        with (self.folder / f"{key}.out").open("ab") as output:
            self._processes[key] = subprocess.Popen(
                [str(_program(program)), *words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                env=os.environ | {"SLURM_CONF": str(self.folder / "slurm.conf")},
                preexec_fn=_end_with_parent,
            )

    def _wait(self) -> None:
        end = time.monotonic() + READY
        while time.monotonic() < end:
            with suppress(subprocess.SubprocessError):
                states = self.ask("sinfo", "--noheader", "--Node", "--format=%t").split()
                if len(states) == NODES and all(state in {"idle", "mix", "alloc"} for state in states):
                    return
            time.sleep(0.05)
        said = "\n".join(path.read_text(errors="replace")[-1000:] for path in self.folder.glob("*.log"))
        raise RuntimeError(f"Slurm is not ready in time:\n{said}")


@contextmanager
def running(folder: Path) -> Iterator[Slurm]:
    """A cluster, with all it keeps below a new folder."""
    folder.mkdir(parents=True)
    slurm = Slurm(folder)
    try:
        slurm.start()
        yield slurm
    finally:
        slurm.end()


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(5.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _free_ports(count: int) -> Sequence[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _processes() -> dict[int, tuple[int, str]]:
    """The parent and the command line of each process, by its id."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found[int(folder.name)] = (int(parent), words)
    return found
