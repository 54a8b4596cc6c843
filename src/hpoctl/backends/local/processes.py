"""The processes of trials, by way of their supervisor: started, signalled, and heard of when they have ended."""

import json
import math
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from hpoctl.backends.local import supervisor
from hpoctl.backends.local.leftovers import end_processes
from hpoctl.backends.scripts.starts import Started
from hpoctl.backends.scripts.workers import Command, Exit
from hpoctl.core.errors import HpoctlError

LOST = "its supervisor was killed"
FAREWELL = 5.0
"""Seconds that the supervisor gets to end beyond the grace period."""


class Processes:
    """The processes of one experiment's trials.

    Args:
        grace: Seconds between SIGTERM and SIGKILL.
        detached: Whether trials get that time, too, where the death of this process kills its children at once.
    """

    def __init__(self, grace: float, *, detached: bool = False) -> None:
        self._grace = grace
        self._detached = detached
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self._waiting = select.poll()
        self._running: dict[str, tuple[Started, str]] = {}
        self._exits: list[Exit] = []

    def start(self, key: str, command: Command) -> Started | str:
        """Start a trial; returns its process, or why it cannot be started."""
        message = {
            "do": "start",
            "key": key,
            "words": list(command.words),
            "environment": dict(command.environment),
            "folder": str(command.folder),
            "out": str(command.out),
            "err": str(command.err),
            "cores": list(command.cores),
        }
        self._tell(message)
        answer, others = self._answer(key)
        started: Started | str
        if answer is None:
            started = LOST
        elif answer["event"] == "failed":
            started = str(answer["why"])
        else:
            started = Started(answer["pid"], answer["born"])
            self._running[key] = (started, command.environment[supervisor.OWNER])
        for other in others:  # a quick trial has ended before its start was heard of
            self._note(other)
        return started

    def leave(self, key: str, grace: float | None = None) -> None:
        """Ask a trial to leave; it is killed after the grace period."""
        if key in self._running:
            self._tell({"do": "leave", "key": key, "grace": self._grace if grace is None else grace})

    def hold(self, *, go_on: bool) -> None:
        """Suspend all trials, or let them continue."""
        for started, _ in self._running.values():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(started.pid, signal.SIGCONT if go_on else signal.SIGSTOP)

    def listen(self, seconds: float) -> list[Exit]:
        """Wait so long at most for trials to end; returns those that have."""
        if not self._exits and self._supervisor is not None:
            if self._readable(seconds):
                self._hear()
        elif not self._exits:
            time.sleep(seconds)
        exits, self._exits = self._exits, []
        return exits

    def close(self) -> None:
        """End all trials and the supervisor. Closing twice is not an error."""
        process, self._supervisor = self._supervisor, None
        if process is None:
            return
        with suppress(OSError):
            _pipe(process.stdin).close()
        end = time.monotonic() + self._grace + FAREWELL
        while self._readable(end - time.monotonic()) and os.read(_pipe(process.stdout).fileno(), 1 << 16):
            pass  # until it has ended
        process.kill()
        process.wait()
        _pipe(process.stdout).close()
        self._end_all()

    def _tell(self, message: Mapping[str, Any]) -> None:
        process = self._supervisor or self._begin()
        try:
            _pipe(process.stdin).write(json.dumps(message).encode() + b"\n")
        except BrokenPipeError:
            self._lost()

    def _begin(self) -> subprocess.Popen[bytes]:
        """Start the supervisor, in a separate session: signals to us, or from a terminal, do not reach it."""
        words = ["detached"] if self._detached else []
        try:
            self._supervisor = subprocess.Popen(  # noqa: S603 - our own command, no shell
                [sys.executable, "-I", "-S", supervisor.__file__, str(self._grace), *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            raise HpoctlError(
                f"The supervisor of trials cannot be started: {error.strerror or error}.", "Free memory or processes."
            ) from error
        self._rest = b""
        self._waiting = select.poll()  # `select` knows no file descriptors from 1024 on
        self._waiting.register(_pipe(self._supervisor.stdout), select.POLLIN)
        return self._supervisor

    def _answer(self, key: str) -> tuple[Mapping[str, Any] | None, list[Mapping[str, Any]]]:
        """What the supervisor says to a start (None: it was killed), and what else it has said meanwhile."""
        others: list[Mapping[str, Any]] = []
        answer = None
        while answer is None and self._supervisor is not None:
            for message in self._messages():
                if message["key"] == key and message["event"] != "ended":
                    answer = message
                else:
                    others.append(message)
        return answer, others

    def _hear(self) -> None:
        for message in self._messages():
            self._note(message)

    def _note(self, message: Mapping[str, Any]) -> None:
        if self._running.pop(message["key"], None) is not None:
            code, number, killed = message["code"], message["signal"], message["killed"]
            self._exits.append(Exit(message["key"], code, number, killed, left=message["left"]))

    def _messages(self) -> list[Mapping[str, Any]]:
        """What the supervisor has said; waits until it has said something or is gone."""
        if self._supervisor is None:
            return []
        data = os.read(_pipe(self._supervisor.stdout).fileno(), 1 << 16)
        if not data:
            self._lost()
            return []
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def _readable(self, seconds: float) -> bool:
        """Whether the supervisor says something, or ends, within so many seconds."""
        return bool(self._waiting.poll(math.ceil(1000.0 * max(0.0, seconds))))

    def _lost(self) -> None:
        """The supervisor was killed: what it looked after ends as well."""
        process, self._supervisor = self._supervisor, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    _pipe(pipe).close()
        running = list(self._running)
        self._end_all()
        self._exits.extend(Exit(key, None, signal.SIGKILL, why=LOST) for key in running)

    def _end_all(self) -> None:
        groups = {started.pid: started.born for started, _ in self._running.values()}
        owners = {owner for _, owner in self._running.values()}
        self._running.clear()
        if groups:
            end_processes(groups, owners, 0.0)


def _pipe(pipe: Any) -> Any:
    if pipe is None:
        raise HpoctlError("The supervisor of trials has no pipes.", "Run the command again.")
    return pipe
