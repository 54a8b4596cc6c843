"""What a container runs: installs the bundle beside this file, runs the job, and says why it failed.

This file is copied into bundles as `entry.py`. It needs the standard library and hpoctl's `unpack.py`, which lies
beside it there. It is started as

    python3 /opt/ml/input/data/<channel>/entry.py

where SageMaker has put, below /opt/ml, what the job is (`input/config/hyperparameters.json`). The log goes to the
folder of checkpoints: SageMaker copies it to S3 all the time, and brings it back when a job begins again after an
interruption.
"""

import importlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import FrameType
from typing import IO, Any

INTERRUPTED = 143
MAX_REASON = 1024
"""Letters of a reason that SageMaker keeps."""

MAX_LOG = 1_000_000
"""Bytes of the log that are looked at for a reason: the last ones."""

LOG = "log.txt"


def main(bundle: Path, machine: Path) -> int:
    """Run the job of a container; returns the exit code.

    Args:
        bundle: The folder of the bundle.
        machine: The folder that SageMaker calls /opt/ml.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    unpack: Any = importlib.import_module("unpack")  # beside this file
    for name in ("checkpoints", "code", "output"):
        (machine / name).mkdir(parents=True, exist_ok=True)
    path = machine / "checkpoints" / LOG
    with path.open("ab") as log:
        try:
            settings = json.loads((machine / "input" / "config" / "hyperparameters.json").read_text(encoding="utf-8"))
            unpack.install(bundle, machine / "code", partial(_say, log))
            exit_code = run(machine / "code", settings, log)
        except KeyboardInterrupt:
            return INTERRUPTED
        except (unpack.InstallError, OSError, ValueError) as error:
            _say(log, f"error: {error}\n".encode())
            exit_code = 1
    if exit_code not in {0, INTERRUPTED}:
        (machine / "output" / "failure").write_text(reason(path.read_bytes()[-MAX_LOG:]), encoding="utf-8")
    return exit_code


def run(site: Path, settings: Mapping[str, str], log: IO[bytes]) -> int:
    """Run the job's process; pass on its output, and signals to end; returns its exit code."""
    process = subprocess.Popen(  # noqa: S603 - our own command, no shell
        [sys.executable, *json.loads(settings["runner"]), settings["setup"]],
        env={**os.environ, "PYTHONPATH": _path(site)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
        process.terminate()

    signal.signal(signal.SIGTERM, stop)
    if process.stdout is not None:
        for line in process.stdout:
            _say(log, line)
    return process.wait()


def reason(printed: bytes) -> str:
    """Why it failed, in the words of its last error, else in its last ones."""
    lines = [line.strip() for line in printed.decode("utf-8", errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"(^|\s)error: ", line)]
    return next(iter([*errors[-1:], *lines[-1:]]), "it said nothing")[:MAX_REASON]


def _path(site: Path) -> str:
    return os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])


def _say(log: IO[bytes], text: bytes) -> None:
    for stream in (log, sys.stdout.buffer):
        stream.write(text)
        stream.flush()


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
    raise KeyboardInterrupt


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    sys.exit(main(here, here.parents[2]))
