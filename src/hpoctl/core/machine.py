"""This machine and this process: cores, other processes, threads of numerical libraries, and how the process exits."""

import atexit
import os
import re
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Environment variables that BLAS libraries read when numpy is imported."""


def usable_cores() -> list[int]:
    """The numbers of the cores that this process may use, sorted."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def this_machine() -> str:
    """This machine since it was started, and which numbering of processes; empty: that cannot be told."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def process_began(pid: int) -> str | None:
    """When a process began, in ticks since the machine did; None: no such process is alive."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = re.sub(r"^.*\)", "", text, flags=re.DOTALL).split()  # a name may hold anything, brackets too
    return None if fields[0] in {"Z", "X"} else fields[19]


PATIENCE = 1.0
"""Seconds that threads of plugins get to end by themselves when the process exits."""


def leave(code: int) -> NoReturn:
    """End this process with an exit code, even if threads that a plugin started still run."""
    end = time.monotonic() + PATIENCE
    left = [each for each in threading.enumerate() if each is not threading.main_thread() and not each.daemon]
    for thread in left:
        thread.join(max(end - time.monotonic(), 0.0))
    if not any(thread.is_alive() for thread in left):
        sys.exit(code)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
