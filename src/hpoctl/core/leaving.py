"""The end of a process: threads that a plugin has left running do not keep it."""

import atexit
import os
import sys
import threading
import time
from typing import NoReturn

PATIENCE = 1.0
"""Seconds that such threads get to end by themselves."""


def leave(code: int) -> NoReturn:
    """End this process with an exit code, even if threads still run."""
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
