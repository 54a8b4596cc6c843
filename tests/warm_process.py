"""Commands of hpoctl in separate processes that are forked from one that has imported what they need.

Starting Python and importing the libraries takes longer than most commands that tests run. A command that is forked
has its own memory, working folder, environment and standard streams, and ends as any other process does. What tests
the start of a process, its signals or its encodings starts a real one.
"""

import atexit
import contextlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

MODULES = (
    "hpoctl.cli.app",
    "hpoctl.ops.running.run",
    "numpy",
    "pandas",
    "pyarrow.parquet",
    "rich.console",
    "rich.table",
    "scipy.optimize",
    "scipy.special",
    "scipy.stats",
)
"""What the process that is forked has imported."""

OF_THE_START = ("PYTHONIOENCODING", "PYTHONUTF8", "LC_ALL", "LC_CTYPE", "LANG")
"""Variables that Python reads once, at its start. Warnings are errors here anyway."""

HEADER = 1 << 20
"""Bytes that a request has at most."""


def run(words: Sequence[str], environment: Mapping[str, str], folder: Path, timeout: float) -> tuple[int, str, str]:
    """The exit code, standard output and standard error of a command.

    Raises:
        subprocess.TimeoutExpired: It was ended after `timeout` seconds.
    """
    with TemporaryFile() as out, TemporaryFile() as err, socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        connection.connect(f"\0{_server()}")
        request = json.dumps({"words": list(words), "environment": dict(environment), "folder": str(folder)})
        socket.send_fds(connection, [request.encode() + b"\n"], [out.fileno(), err.fileno()])
        with connection.makefile("rb") as answers:
            process = int(answers.readline())
            try:
                code = int(answers.readline())
            except TimeoutError:
                os.kill(process, signal.SIGKILL)
                raise subprocess.TimeoutExpired(list(words), timeout) from None
        return code, _text(out), _text(err)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode().replace("\r\n", "\n")


@cache
def _server() -> str:
    """The address of this process' server, which ends with it."""
    name = f"hpoctl-tests-{os.getpid()}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HPOCTL_", "PYTEST_"))}
    theirs, ours = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, "-W", "error", __file__, name, str(theirs.fileno())],
        stdin=subprocess.DEVNULL,
        env=kept | {"OPENBLAS_NUM_THREADS": "1"},
        pass_fds=[theirs.fileno()],
    )
    theirs.close()
    assert ours.recv(1) == b"+"
    atexit.register(_end, ours, process)
    return name


def _end(connection: socket.socket, server: "subprocess.Popen[bytes]") -> None:
    connection.close()
    server.wait()


def serve(name: str, parent: socket.socket) -> None:
    """Fork a process for each request, until the other end of `parent` is closed."""
    for module in MODULES:
        __import__(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"\0{name}")  # Linux: an address that is no file
        listening.listen()
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
        parent.send(b"+")
        while True:
            connection, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                _handle(connection)
            connection.close()


def _end_with(parent: socket.socket) -> None:
    parent.recv(1)
    os._exit(0)


def _handle(connection: socket.socket) -> None:
    """Run the command of a request in a child of this process, tell its number and its exit code, and exit."""
    data, files, _, _ = socket.recv_fds(connection, HEADER, 2)
    while not data.endswith(b"\n"):
        more = connection.recv(HEADER)
        if not more:  # the test has ended before it said what to run
            os._exit(1)
        data += more
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        connection.close()
        _become(json.loads(data), *files)
    connection.sendall(b"%d\n" % child)
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(BrokenPipeError):
        connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(request: dict[str, Any], out: int, err: int) -> None:
    """Be the command: its streams, its environment and its folder; exits."""
    code = 1
    try:
        os.dup2(out, 1)
        os.dup2(err, 2)
        started = {name: os.environ.get(name) for name in OF_THE_START}
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["folder"])
        if started != {name: os.environ.get(name) for name in OF_THE_START}:
            os.execv(sys.executable, [sys.executable, "-W", "error", "-m", "hpoctl", *request["words"]])
        paths = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
        sys.path[:] = [request["folder"], *paths, *sys.path[1:]]
        sys.argv[:] = ["hpoctl", *request["words"]]
        runpy.run_module("hpoctl", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as exit_:
        code = exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
    except BaseException:  # noqa: BLE001 - as Python does at the end of a process
        traceback.print_exc()
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1], socket.socket(fileno=int(sys.argv[2])))
