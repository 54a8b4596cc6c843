"""One worker process: started, given tasks, read from, killed, and how it ended."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import IO, Any

from hpoctl.core.cells import Cell
from hpoctl.core.errors import HpoctlError
from hpoctl.core.jobs import Task, TrialActivity
from hpoctl.core.machine import BLAS_THREADS

MAX_LOG = 1_000_000


class WorkerProcess:
    """A worker process and its running experiment.

    Args:
        command: The command of the worker.

    Raises:
        HpoctlError: The process cannot be started.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.ready = False
        self.cell: Cell | None = None
        self.directory: str | None = None
        self.share: float | None = None
        self.told_at = self.since = time.monotonic()
        self._trials: tuple[TrialActivity, ...] = ()  # as its last message has them
        self.silent = 0.0  # seconds without progress
        self._rest = b""
        self._nonsense = ""
        # What a worker prints, last words in a crash included, goes to a file that it empties before each experiment.
        self._log: IO[bytes] = tempfile.TemporaryFile(mode="w+b", buffering=0)  # noqa: SIM115 - see close
        # Appended to, so that it can be emptied; tempfile does not pass the mode "a" on.
        fcntl.fcntl(self._log, fcntl.F_SETFL, fcntl.fcntl(self._log, fcntl.F_GETFL) | os.O_APPEND)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                env=os.environ | dict.fromkeys(BLAS_THREADS, "1"),
                bufsize=0,
            )
        except OSError as error:
            self._log.close()
            raise HpoctlError(
                f"A worker cannot be started: {error.strerror or error}.", "Use a smaller -j, or free memory."
            ) from error

    @property
    def descriptor(self) -> int:
        """Becomes readable when the worker has sent a message, or has exited."""
        return self._pipe(self._process.stdout).fileno()

    @property
    def ended(self) -> bool:
        """Whether its process has ended; a process that it has forked may keep its descriptor open."""
        return self._process.poll() is not None

    @property
    def seconds(self) -> float:
        """Seconds since it last got or finished an experiment, or started."""
        return time.monotonic() - self.since

    @property
    def trials(self) -> tuple[TrialActivity, ...]:
        """The trials that train in its experiment, with the time that they have left now."""
        age = time.monotonic() - self.told_at
        return tuple(
            trial if trial.left is None else replace(trial, left=max(0.0, trial.left - age)) for trial in self._trials
        )

    def progresses(self, message: Mapping[str, Any]) -> None:
        """Take in a progress message; an unchanged share of the budget is not progress."""
        if message["share"] != self.share:
            self.silent = 0.0
        self.share, self.told_at = message["share"], time.monotonic()
        self._trials = tuple(TrialActivity(**entry) for entry in message.get("trials", ()))

    def give(self, task: Task) -> None:
        """Give it an experiment to run."""
        self.cell, self.directory, self.share, self.since = task.cell, None, None, time.monotonic()
        self._trials = ()
        self.silent = 0.0
        values = {
            "plan": task.plan,
            "method": task.cell.method,
            "benchmark": task.cell.benchmark,
            "seed": task.cell.seed,
        }
        with contextlib.suppress(OSError):  # it has exited: `messages` returns None then
            self._pipe(self._process.stdin).write(json.dumps(values).encode() + b"\n")

    def messages(self) -> list[Mapping[str, Any]] | None:
        """The messages since the last call; None: it has exited, or sent something else. Waits while there is none."""
        data = os.read(self.descriptor, 65536)
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        try:
            return [_message(line) for line in lines]
        except ValueError as error:
            self._nonsense = str(error)
            self.kill()
            return None

    def drop(self) -> None:
        """It has finished its experiment."""
        self.cell, self.directory, self.share, self.since = None, None, None, time.monotonic()
        self._trials = ()

    def log(self) -> bytes:
        """What it printed during its present experiment."""
        descriptor = self._log.fileno()
        return os.pread(descriptor, MAX_LOG, max(0, os.fstat(descriptor).st_size - MAX_LOG))

    def dismiss(self) -> None:
        """Send no more tasks: it exits after its running experiment."""
        with contextlib.suppress(OSError):
            self._pipe(self._process.stdin).close()

    def interrupt(self) -> None:
        """Ask it to stop at once; it records its experiment as interrupted."""
        self._process.terminate()

    def kill(self) -> None:
        """End it."""
        self._process.kill()

    def end(self, seconds: float) -> str:
        """Wait for its end, and kill it if that takes too long; returns how it ended, in words."""
        self.dismiss()
        try:
            code = self._process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._pipe(self._process.stdout).close()
        return self._nonsense or _how(code)

    def close(self) -> None:
        """Close its log."""
        self._log.close()

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        if pipe is None:
            raise HpoctlError("A worker has no pipes.", "Launch again.")
        return pipe


def _message(line: bytes) -> Mapping[str, Any]:
    """A message of a worker.

    Raises:
        ValueError: It is not a message of a worker.
    """
    try:
        message = json.loads(line)
    except ValueError:
        message = None
    if not isinstance(message, dict) or not isinstance(message.get("event"), str):
        raise ValueError(  # noqa: TRY004 - the content is wrong, not the type
            f"it answered {line[:80].decode(errors='replace')!r}, as no worker does"
        )
    return message


def _how(code: int) -> str:
    if code >= 0:
        return f"its process exited with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = " (out of memory, or killed)" if name == "SIGKILL" else ""
    return f"its process was killed by {name}{hint}"


def gist(log: bytes) -> str:
    """The most informative line that a worker printed: an error of hpoctl, else the last one, as of a traceback."""
    lines = log.decode(errors="replace").strip().splitlines()
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return next(iter([*errors, *lines[-1:]]), "it said nothing")
