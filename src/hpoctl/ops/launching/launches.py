"""Launches that run, in this process or in a background process (`--detach`).

Each has a record in the tag, which its process claims for as long as it lives:

<tag>/.hpoctl/launches/<datetime>-<pid>.json
"""

import os
import platform
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hpoctl.core.cells import CONTROL
from hpoctl.core.clock import SystemTime
from hpoctl.core.errors import HpoctlError
from hpoctl.core.places import cache_directory, is_address
from hpoctl.core.sealed import DamagedError, RecordType
from hpoctl.core.storage import Claims, Store
from hpoctl.ops.studies.config import Root
from hpoctl.ops.studies.provenance import own_python


@dataclass(frozen=True, slots=True)
class Launch:
    """A launch.

    Attributes:
        name: Its name, unique within the tag.
        host: The machine that it runs on.
        pid: Its process.
        workers: How many experiments it runs at a time; 0: unknown.
        started: When it began, in seconds since 1970.
        command: The command line.
        log: Where its output goes; empty: to a terminal.
        total: How many experiments it has submitted; 0: unknown.
        expected: How many seconds it was expected to take.
    """

    name: str
    host: str
    pid: int
    workers: int
    started: float
    command: str
    log: str
    total: int = 0
    expected: float = 0.0


LAUNCHES = RecordType("launch", Launch)


def keep_launch(
    store: Store,
    claims: Claims,
    tag: str,
    workers: int,
    now: datetime,
    command: str,
    log: str,
    size: tuple[int, float] = (0, 0.0),
) -> Launch:
    """Record that this process launches the tag, until it ends; `size`: experiments, and their expected seconds."""
    name = f"{now.strftime('%Y%m%d-%H%M%S-%f')}-{os.getpid()}"
    launch = Launch(name, platform.node(), os.getpid(), workers, now.timestamp(), command, log, *size)
    claims.take(_key(tag, name))
    store.put(f"{_folder(tag)}/{name}.json", LAUNCHES.seal(launch))
    return launch


def running_launches(store: Store, claims: Claims, tag: str) -> list[Launch]:
    """The launches of a tag that other processes run, the oldest first. A damaged record is passed over."""
    running = []
    for file in store.list(_folder(tag)):
        name = file.rpartition("/")[2].removesuffix(".json")
        if claims.held(_key(tag, name)):
            try:
                running.append(LAUNCHES.unseal(store.get(file)))
            except (DamagedError, FileNotFoundError):
                continue
    return running


def _folder(tag: str) -> str:
    return f"{tag}/{CONTROL}/launches"


def _key(tag: str, name: str) -> str:
    return f"{tag}/{CONTROL}/launches/{name}"


PATIENCE = 60.0
"""Seconds that the process gets to begin."""


@dataclass(frozen=True, slots=True)
class Detached:
    """A launch in the background.

    Attributes:
        pid: Its process.
        log: Where its output goes.
    """

    pid: int
    log: Path


def detach(root: Root, tag: str, words: Sequence[str]) -> Detached:
    """Start `hpoctl` with some words in the background, and wait until it has begun to launch.

    Args:
        root: Where results go.
        tag: The tag that it launches.
        words: The command line without `hpoctl` and without `--detach`.

    Raises:
        HpoctlError: It ended, or did not begin in time.
    """
    stamp = SystemTime().utc().strftime("%Y%m%d-%H%M%S-%f")
    name = f"{_folder(tag)}/{stamp}.log"
    log = Path(root.store.location(name))
    try:
        if is_address(root.store.location("")):  # results are elsewhere, but this process is here
            log = cache_directory() / "launches" / f"{tag}-{stamp}.log"
            log.parent.mkdir(parents=True, exist_ok=True)
        else:
            root.store.put(name, b"", create=True)  # no link leads it out of the root
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                [*own_python(), "hpoctl", *words, "--log", str(log)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
    except OSError as error:
        raise HpoctlError(
            f"Cannot write {log}: {error.strerror or error}.", "Name another root with --results."
        ) from error
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if any(launch.pid == process.pid for launch in running_launches(root.store, root.claims, tag)):
            return Detached(process.pid, log)
        if process.poll() is not None:
            if process.returncode == 0:
                return Detached(process.pid, log)  # another launch has done the work in the meantime
            raise HpoctlError(f"The launch ended with exit code {process.returncode}.", f"{log} says why.")
        time.sleep(0.05)
    process.terminate()
    raise HpoctlError(f"The launch has not begun within {PATIENCE:.0f} s.", f"{log} may say why.")
