"""What a container runs: installs the bundle beside this file, runs the job, and says why it failed.

This file is copied into bundles as `entry.py`. It needs the standard library only, and is started as

    python3 /opt/ml/input/data/<channel>/entry.py

where SageMaker has put, below /opt/ml, what the job is (`input/config/hyperparameters.json`). The log goes to the
folder of checkpoints: SageMaker copies it to S3 all the time, and brings it back when a job begins again after an
interruption.
"""

import importlib.metadata
import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO, Any

INTERRUPTED = 143
MAX_REASON = 1024
"""Letters of a reason that SageMaker keeps."""

MAX_LOG = 1_000_000
"""Bytes of the log that are looked at for a reason: the last ones."""

LOG = "log.txt"


class InstallError(Exception):
    """The bundle cannot be installed."""


def main(bundle: Path, machine: Path) -> int:
    """Run the job of a container; returns the exit code.

    Args:
        bundle: The folder of the bundle.
        machine: The folder that SageMaker calls /opt/ml.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    for name in ("checkpoints", "code", "output"):
        (machine / name).mkdir(parents=True, exist_ok=True)
    path = machine / "checkpoints" / LOG
    with path.open("ab") as log:
        try:
            settings = json.loads((machine / "input" / "config" / "hyperparameters.json").read_text(encoding="utf-8"))
            exit_code = run(install(bundle, machine / "code", log), settings, log)
        except KeyboardInterrupt:
            return INTERRUPTED
        except (InstallError, OSError, ValueError) as error:
            _say(log, f"error: {error}\n".encode())
            exit_code = 1
    if exit_code not in {0, INTERRUPTED}:
        (machine / "output" / "failure").write_text(reason(path.read_bytes()[-MAX_LOG:]), encoding="utf-8")
    return exit_code


def install(bundle: Path, site: Path, log: IO[bytes]) -> Path:
    """Unpack the wheels, and install what the image has not got in the right version; returns where it all is.

    Raises:
        InstallError: pip has failed, or the Python of the image is too old.
    """
    if sys.version_info < (3, 11):  # noqa: UP036 - an image may have anything
        version = ".".join(map(str, sys.version_info[:2]))
        raise InstallError(f"hpoctl needs Python 3.11 or later, and the image has {version}: name another image")
    for wheel in sorted((bundle / "wheels").glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
    lock = bundle / "requirements.txt"
    missing = [line for line in lock.read_text(encoding="utf-8").split() if not _is_installed(line)]
    if missing:
        _say(log, f"installing {len(missing)} libraries that the image has not got: {', '.join(missing)}\n".encode())
        _pip(["--no-deps", *missing], site, log)
    extra = bundle / "extra.txt"
    if extra.exists():
        _pip(["--constraint", str(lock), "--requirement", str(extra)], site, log)
    return site


def run(site: Path, settings: Mapping[str, str], log: IO[bytes]) -> int:
    """Run the job's own process, and pass on what it prints and that it is to end; returns its exit code."""
    job: dict[str, Any] = {"results": settings["results"], "tag": settings["tag"], "name": settings["job"]}
    job |= {key: int(settings[key]) for key in ("workers", "retries") if key in settings}
    job |= {"timeout": float(settings["timeout"])} if "timeout" in settings else {}
    process = subprocess.Popen(  # noqa: S603 - our own command, no shell
        [sys.executable, "-P", "-m", "hpoctl.ops.running.job", json.dumps(job)],
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


def _is_installed(line: str) -> bool:
    name, _, version = line.partition("==")
    try:
        return importlib.metadata.version(name) == version
    except importlib.metadata.PackageNotFoundError:
        return False


def _pip(words: Sequence[str], site: Path, log: IO[bytes]) -> None:
    command = [sys.executable, "-m", "pip", "install", "--target", str(site), "--no-input", "--quiet"]
    done = subprocess.run(  # noqa: S603 - our own command, no shell
        [*command, "--disable-pip-version-check", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    _say(log, done.stdout)
    if done.returncode:
        raise InstallError("pip cannot install what the job needs; what it says stands above")


def _say(log: IO[bytes], text: bytes) -> None:
    for stream in (log, sys.stdout.buffer):
        stream.write(text)
        stream.flush()


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
    raise KeyboardInterrupt


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    sys.exit(main(here, here.parents[2]))
