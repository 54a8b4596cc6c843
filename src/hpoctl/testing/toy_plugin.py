"""A plugin for tests of launchers: quick toy benchmarks, and experiments that come to grief in a chosen way.

The composer `trip-wire` adds no columns. At each report it looks for a file of the experiment's name in the folder that
the environment variable HPOCTL_TRIP_WIRES names; what the file says happens. So an experiment that goes wrong has the
identity, and the rows, of one that does not.
"""

import ctypes
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from hpoctl.builtins import RS
from hpoctl.core.blackbox import Blackbox
from hpoctl.core.cells import Cell
from hpoctl.core.columns import ExperimentView
from hpoctl.core.entries import Benchmark, ExtraResults, Method
from hpoctl.plugins import hookimpl
from hpoctl.testing.toys import toy_benchmark, toy_table

WIRES = "HPOCTL_TRIP_WIRES"
BUDGET = 600.0
"""Simulated seconds: enough for a few trials that run to the end, and so report."""

LONG = 60.0
"""Seconds after which one who waits gives up, so that no process is left behind."""


def wire(folder: Path, name: str) -> Path:
    """The file that decides what happens to an experiment, or to the opening of a benchmark's table (`open NAME`)."""
    return folder / name


def _fail() -> None:
    raise RuntimeError("tripped over a wire")


def _leave() -> None:
    raise SystemExit(3)


def _exit() -> None:
    os._exit(3)


def _crash() -> None:
    ctypes.string_at(0)


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _exhaust_memory() -> None:
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (2**33, limits[1]))
    try:
        bytearray(2**34)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


def _recurse() -> None:
    _recurse()


def _say() -> None:
    sys.stdout.write("a word\n")
    sys.stdout.flush()


def _flood() -> None:
    """Megabytes in every way to print, and a last word from C."""
    line = b"." * 999_999 + b"\n"
    for stream in (sys.stdout, sys.stderr):
        stream.write(line.decode())
        stream.flush()
    for descriptor in (1, 2):
        os.write(descriptor, line)
    libc = ctypes.CDLL(None)
    libc.puts(b"a word from C")
    libc.fflush(None)


def _ignore_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))


FATES: Mapping[str, Callable[[], None]] = {
    "fail": _fail,
    "leave": _leave,
    "exit": _exit,
    "crash": _crash,
    "kill": _kill,
    "memory": _exhaust_memory,
    "recurse": _recurse,
    "say": _say,
    "flood": _flood,
    "ignore signals": _ignore_signals,
}
"""What can happen, by what the file says. `wait` is another one: until the file is gone. With `once` before it, the
file goes first."""


def trip(name: str) -> None:
    """Let happen what the file of that name says, if there is one."""
    folder = os.environ.get(WIRES)
    if folder is None:
        return
    file = wire(Path(folder), name)
    try:
        fates = file.read_text(encoding="utf-8").split(", ")
    except FileNotFoundError:
        return
    for fate in fates:
        if fate == "wait":
            _wait(file)
        elif fate.startswith("once "):
            file.unlink()
            FATES[fate.removeprefix("once ")]()
        else:
            FATES[fate]()


def _wait(file: Path) -> None:
    end = time.monotonic() + LONG
    while file.exists() and time.monotonic() < end:
        time.sleep(0.01)


class TripWire:
    """Looks for the experiment's file at each report."""

    def keys(self) -> Sequence[str]:
        """No columns."""
        return ()

    def __call__(self, view: ExperimentView) -> None:
        """Let happen what the file says."""
        trip(str(Cell(view.method, view.benchmark, view.seed)))


def _table(name: str) -> Blackbox:
    trip(f"open {name}")
    return toy_table()


@hookimpl
def hpoctl_methods() -> Iterable[Method]:
    """Random search that gets a job for each seed."""
    yield replace(RS, name="RS-EACH", summary="Random search, a job for each seed", expensive=True)


@hookimpl
def hpoctl_benchmarks() -> Iterable[Benchmark]:
    """Two toy benchmarks."""
    for name in ("toy-1", "toy-2"):
        # The space is asked for at once, the table only when an experiment begins.
        yield replace(toy_benchmark(name=name, budget=BUDGET), blackbox=partial(_table, name))


@hookimpl
def hpoctl_extra_results() -> Iterable[ExtraResults]:
    """The trip wire."""
    yield ExtraResults("trip-wire", "No columns: what the experiment's file says happens", TripWire)
