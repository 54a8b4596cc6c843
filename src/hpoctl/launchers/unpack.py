"""Installs a bundle on the machine that runs a job, before anything else of hpoctl is there.

This file is copied into bundles as `unpack.py`, beside the launcher's own script, which imports it. It needs the
standard library only.
"""

import importlib.metadata
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path


class InstallError(Exception):
    """The bundle cannot be installed."""


def install(bundle: Path, site: Path, say: Callable[[bytes], None]) -> None:
    """Unpack the wheels, and install the libraries that this machine does not have in the right version.

    Args:
        bundle: The folder of the bundle.
        site: The folder to install to; the job needs it on its `PYTHONPATH`.
        say: Gets what is printed.

    Raises:
        InstallError: pip has failed, or this Python is too old.
    """
    if sys.version_info < (3, 11):  # noqa: UP036 - a machine may have anything
        version = ".".join(map(str, sys.version_info[:2]))
        raise InstallError(f"hpoctl needs Python 3.11 or later, and this machine has {version}")
    for wheel in sorted((bundle / "wheels").glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
    lock = bundle / "requirements.txt"
    missing = [line for line in lock.read_text(encoding="utf-8").split() if not _is_installed(line)]
    if missing:
        say(f"installing {len(missing)} libraries that this machine does not have: {', '.join(missing)}\n".encode())
        _pip(["--no-deps", *missing], site, say)
    extra = bundle / "extra.txt"
    if extra.exists():
        _pip(["--constraint", str(lock), "--requirement", str(extra)], site, say)


def _is_installed(line: str) -> bool:
    name, _, version = line.partition("==")
    try:
        return importlib.metadata.version(name) == version
    except importlib.metadata.PackageNotFoundError:
        return False


def _pip(words: Sequence[str], site: Path, say: Callable[[bytes], None]) -> None:
    command = [sys.executable, "-m", "pip", "install", "--target", str(site), "--no-input", "--quiet"]
    done = subprocess.run(  # noqa: S603 - our own command, no shell
        [*command, "--disable-pip-version-check", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    say(done.stdout)
    if done.returncode:
        raise InstallError("pip cannot install what the job needs; its output is above")
