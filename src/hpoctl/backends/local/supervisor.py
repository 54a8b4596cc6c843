"""The supervisor of an experiment's trials: a small process, `python -I -S supervisor.py GRACE [DETACHED]`.

It starts trials, reaps them, and ends them: SIGTERM to the process group, a grace period, SIGKILL. Commands come on
standard input and events go to standard output, a JSON object a line. When standard input ends, for whatever reason the
controller is gone, it ends all trials and itself. Processes that a trial has put into another group or session are
found because they become children of the supervisor (a subreaper) when their parents are gone. If the supervisor is
killed, the kernel kills the first process of each trial; the controller ends the rest. With the word `detached` it is
no child of the process that starts it, for controllers whose children are killed with them, at once.

It needs the standard library only and imports nothing of hpoctl: it has to start quickly and to stay small.
"""

import contextlib
import ctypes
import errno
import json
import os
import select
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
OWNER = "HPOCTL_REPORTS"
"""The environment variable that says which trial a process belongs to: each start has its own file of reports."""

LOOK = 1.0
"""Seconds between two checks that the controller is alive, when nothing happens."""

SOON = 0.05
"""Seconds between two checks of process groups that are about to end."""


class Trial:
    """A trial: its first process, and how far it is on its way out."""

    def __init__(self, key: str, pid: int, owner: str | None) -> None:
        self.key = key
        self.pid = pid
        self.owner = owner
        self.status: int | None = None  # of the first process, when that has ended
        self.kill_at: float | None = None  # when SIGKILL follows
        self.killed = False
        self.left = False  # whether other processes of it lived when the first one had ended


class Supervisor:
    """All trials of one controller."""

    def __init__(self, grace: float, *, detached: bool = False) -> None:
        if detached and os.fork():
            os._exit(0)
        self.pid = os.getpid()
        self.grace = grace
        self.trials: dict[str, Trial] = {}
        self.ended: dict[str, Mapping[str, Any]] = {}
        self.closing = False
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.parent = None if detached else os.getppid()
        self.libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def run(self) -> None:
        """Work until standard input has ended and nothing is left."""
        wake, tell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
        for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(ignored, signal.SIG_IGN)  # it leaves when its input ends, and not before
        rest = b""
        while not (self.closing and not self.trials and not children()):
            readable, _, _ = select.select([wake, *([] if self.closing else [0])], [], [], self.patience())
            if wake in readable:
                with contextlib.suppress(BlockingIOError):
                    os.read(wake, 4096)
            if 0 in readable:
                data = os.read(0, 1 << 16)
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self.obey(json.loads(line))
                if not data:
                    self.close()
            if not self.closing and self.parent is not None and os.getppid() != self.parent:
                self.close()
            self.reap()
            self.press()

    def patience(self) -> float:
        """How long nothing needs to be looked at."""
        if self.closing or any(trial.kill_at is not None for trial in self.trials.values()):
            return SOON
        return LOOK

    def obey(self, command: Mapping[str, Any]) -> None:
        """Carry out a command."""
        if command["do"] == "start":
            self.start(command)
        elif command["key"] in self.trials:
            self.leave(self.trials[command["key"]], command["grace"])
        elif command["key"] in self.ended:
            say(self.ended[command["key"]])  # a controller that was interrupted may have lost it

    def start(self, command: Mapping[str, Any]) -> None:
        """Start a trial, and say how that went."""
        read, write = os.pipe2(os.O_CLOEXEC)
        try:
            pid = os.fork()
        except OSError as error:
            say({"event": "failed", "key": command["key"], "why": f"it cannot be started: {error.strerror}"})
            os.close(read)
            os.close(write)
            return
        if pid == 0:
            self.become(command, write)
        os.close(write)
        trouble = b""
        while piece := os.read(read, 4096):
            trouble += piece
        os.close(read)
        if trouble:
            os.waitpid(pid, 0)
            say({"event": "failed", "key": command["key"], "why": trouble.decode()})
            return
        self.trials[command["key"]] = Trial(command["key"], pid, command["environment"].get(OWNER))
        say({"event": "started", "key": command["key"], "pid": pid, "born": born(pid)})

    def become(self, command: Mapping[str, Any], write: int) -> NoReturn:
        """In the child: turn into the trial."""
        doing, program = "it cannot be started", ""
        try:
            signal.set_wakeup_fd(-1)
            os.setsid()
            self.libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != self.pid:
                os._exit(127)
            for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD):
                signal.signal(ignored, signal.SIG_DFL)
            nothing = os.open(os.devnull, os.O_RDONLY)
            os.dup2(nothing, 0)
            for number, name in ((1, "out"), (2, "err")):
                os.dup2(os.open(command[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666), number)
            if command["cores"]:
                with contextlib.suppress(OSError):  # the machine may have taken a core away
                    os.sched_setaffinity(0, command["cores"])
            doing = f"its folder {command['folder']} cannot be entered"
            os.chdir(command["folder"])
            program = command["words"][0]
            doing = f"{program} cannot be started"
            os.execvpe(program, command["words"], command["environment"])  # noqa: S606 - no shell is meant
        except BaseException as error:  # noqa: BLE001 - the parent has to learn of any error
            why = unstarted(error, program)
            os.write(write, f"{doing}: {why}".encode(errors="replace")[:4000])
        finally:
            os._exit(127)

    def leave(self, trial: Trial, grace: float) -> None:
        """Ask a trial to leave; it is killed after the grace period."""
        now = time.monotonic()
        if trial.kill_at is None:
            for pid in (-trial.pid, *self.strays(trial)):
                send(pid, signal.SIGTERM)
                send(pid, signal.SIGCONT)  # a stopped process cannot leave
            trial.kill_at = now + grace
        trial.kill_at = min(trial.kill_at, now + grace)

    def close(self) -> None:
        """End everything."""
        self.closing = True
        for trial in self.trials.values():
            self.leave(trial, self.grace)

    def reap(self) -> None:
        """Take note of processes that have ended."""
        by_pid = {trial.pid: trial for trial in self.trials.values()}
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in by_pid:
                by_pid[pid].status = status

    def press(self) -> None:
        """Say which trials have left; help those along that take too long."""
        now = time.monotonic()
        for trial in list(self.trials.values()):
            if trial.status is not None and trial.kill_at is None:
                trial.left = group_lives(trial.pid) or bool(self.strays(trial))
                self.leave(trial, self.grace)  # the processes it has left behind end with it
            if trial.kill_at is not None and now >= trial.kill_at:
                trial.killed = trial.killed or trial.status is None
                for pid in (-trial.pid, *self.strays(trial)):
                    send(pid, signal.SIGKILL)
                self.reap()
            if trial.status is not None and not group_lives(trial.pid) and not self.strays(trial):
                del self.trials[trial.key]
                code = os.waitstatus_to_exitcode(trial.status)
                how = {"code": code if code >= 0 else None, "signal": -code if code < 0 else None}
                event = {"event": "ended", "key": trial.key, **how, "killed": trial.killed, "left": trial.left}
                self.ended[trial.key] = event
                say(event)
        if self.closing and not self.trials:
            for pid in children():
                send(pid, signal.SIGKILL)

    def strays(self, trial: Trial) -> list[int]:
        """Processes of a trial that are in another group: children of ours, or children of those."""
        own = {other.pid for other in self.trials.values()}
        found = []
        for pid in children():
            if pid not in own and group_of(pid) not in own and owner_of(pid) == trial.owner:
                found += [pid, *descendants(pid)]
        return found


def unstarted(error: BaseException, program: str) -> str:
    """Why a program cannot be started; where its interpreter is missing, the system says that it is missing itself."""
    if isinstance(error, FileNotFoundError) and "/" in program and Path(program).is_file():
        return "the program that its first line names is not there (line ends of Windows, maybe)"
    if isinstance(error, OSError) and error.errno == errno.ENOEXEC:
        return "it is no program, and has no first line such as #!/bin/sh"
    return getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"


def children(pid: int | None = None) -> list[int]:
    """The children of a process."""
    pid = os.getpid() if pid is None else pid
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except (OSError, ValueError):
        return []


def descendants(pid: int) -> list[int]:
    """All processes below a process."""
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def group_of(pid: int) -> int:
    """The process group of a process; 0: it is gone."""
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def owner_of(pid: int) -> str | None:
    """The file of reports of the trial that a process belongs to."""
    try:
        words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return None
    start = f"{OWNER}=".encode()
    return next((os.fsdecode(word[len(start) :]) for word in words if word.startswith(start)), None)


def group_lives(group: int) -> bool:
    """Whether a process group has members."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def send(pid: int, number: int) -> None:
    """Send a signal to a process, or to a group (a negative id)."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def born(pid: int) -> int:
    """When a process was started, in ticks since the machine was: with its id it names the process for good."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0


def say(event: Mapping[str, Any]) -> None:
    """Tell the controller something; it may be gone."""
    data = json.dumps(event).encode() + b"\n"
    while data:
        try:
            data = data[os.write(1, data) :]
        except OSError:
            return


if __name__ == "__main__":
    Supervisor(float(sys.argv[1]), detached="detached" in sys.argv[2:]).run()
