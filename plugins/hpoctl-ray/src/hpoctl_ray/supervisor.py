"""The supervisor of a job on a node: runs the job, keeps its log, and ends it when the job's actor dies.

This file is copied into bundles as `entry.py` and started by the actor as `python entry.py JSON`. The JSON object names
`runner`, the arguments of a Python that runs the job, and all that these are told in turn: `results`, `tag`, `name`
and limits. hpoctl is on its path.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from hpoctl.stores.job_files import keep_log
from hpoctl.stores.opening import open_results

ENDED = b"hpoctl: the job has ended\n"
GRACE = 10.0
"""Seconds that a job has to record its interrupted experiments."""

LOG_EVERY = 5.0
"""Seconds between two copies of the log, where there is something new."""

MAX_LOG = 1_000_000
"""Bytes of the log that are kept: the last ones."""


class Log:
    """What a job prints, copied beside its results from time to time."""

    def __init__(self, results: str, tag: str, name: str) -> None:
        self._store = open_results(results).store
        self._tag, self._name = tag, name
        self._text = b""
        self._copied = b""
        self._lock = threading.Lock()

    def add(self, text: bytes) -> None:
        """Take a line in."""
        with self._lock:
            self._text = (self._text + text)[-MAX_LOG:]

    def copy(self) -> None:
        """Copy it, if there is something new; a store that fails is asked again next time."""
        with self._lock:
            text = self._text
        if text != self._copied:
            try:
                keep_log(self._store, self._tag, self._name, text)
            except Exception as error:  # noqa: BLE001 - the log is no reason to lose a job
                sys.stderr.write(f"the log of {self._name} cannot be kept: {error}\n")
                return
            self._copied = text


def main(argument: str) -> None:
    """Run the job to its end."""
    setup = json.loads(argument)
    if os.fork():
        os._exit(0)  # Ray kills the children of a process that it ends; this one has to end the job in order
    os.setsid()
    log = Log(setup["results"], setup["tag"], setup["name"])
    log.add(f"hpoctl from {Path(sys.modules['hpoctl'].__file__ or '').parent}\n".encode())
    job = subprocess.Popen(  # noqa: S603 - our own command, no shell
        [sys.executable, *setup["runner"], argument],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    threading.Thread(target=_end_with_actor, args=(job,), daemon=True).start()
    threading.Thread(target=_copy_now_and_then, args=(log,), daemon=True).start()
    for line in job.stdout or ():
        log.add(line)
    code = job.wait()
    log.copy()
    if code >= 0:  # it has reported its end itself; one that was killed has not, and is started again
        sys.stdout.buffer.write(ENDED)
        sys.stdout.buffer.flush()


def _end_with_actor(job: "subprocess.Popen[bytes]") -> None:
    sys.stdin.buffer.read()  # until the actor has died
    job.terminate()
    try:
        job.wait(GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(job.pid, signal.SIGKILL)


def _copy_now_and_then(log: Log) -> None:
    while True:
        time.sleep(LOG_EVERY)
        log.copy()


if __name__ == "__main__":
    main(sys.argv[1])
