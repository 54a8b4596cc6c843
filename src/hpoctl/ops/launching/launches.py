"""Launches that run: a record for each in the tag, claimed by its process for as long as it lives.

<tag>/.hpoctl/launches/<datetime>-<pid>.json
"""

import os
import platform
from dataclasses import dataclass
from datetime import datetime

from hpoctl.core.cells import CONTROL
from hpoctl.core.protocols import Claims, Store
from hpoctl.core.sealed import DamagedError, RecordType


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
    """

    name: str
    host: str
    pid: int
    workers: int
    started: float
    command: str
    log: str


LAUNCHES = RecordType("launch", Launch)


def keep_launch(store: Store, claims: Claims, tag: str, workers: int, now: datetime, command: str, log: str) -> Launch:
    """Record that this process launches the tag, until it ends."""
    name = f"{now.strftime('%Y%m%d-%H%M%S-%f')}-{os.getpid()}"
    launch = Launch(name, platform.node(), os.getpid(), workers, now.timestamp(), command, log)
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
