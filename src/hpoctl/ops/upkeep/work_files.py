"""The working files of experiments with real trials on this machine: checkpoints, output, journals."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hpoctl.core.cells import CHECKPOINTS, ELSEWHERE, WORK
from hpoctl.core.errors import HpoctlError
from hpoctl.core.files import read_regular
from hpoctl.core.storage import Store
from hpoctl.engine.work_folder import copy_name, readable_work, work_folder
from hpoctl.stores.local import LocalStore

if TYPE_CHECKING:
    from hpoctl.backends.scripts.starts import StartFolder

MOST_OF_ADDRESS = 4096
"""Bytes of the longest address."""


@dataclass(frozen=True, slots=True)
class WorkUse:
    """What working files take of the disk.

    Attributes:
        size: Bytes of all of them.
        checkpoints: Bytes of the checkpoints among them.
    """

    size: int = 0
    checkpoints: int = 0


def work_use(store: Store, directory: str) -> WorkUse:
    """What the working files of a result directory, or of a whole tag, take of the disk of this machine."""
    size = checkpoints = 0
    for entry, kept in _files(work_folder(store, directory), within=False):
        with suppress(OSError):  # what vanishes meanwhile does not count
            blocks = entry.stat(follow_symlinks=False).st_blocks * 512
            size += blocks
            checkpoints += blocks if kept else 0
    return WorkUse(size, checkpoints)


def kept_elsewhere(store: Store, tag: str, directories: Iterable[str]) -> tuple[str, ...]:
    """The addresses at which trial backends keep files of experiments, as far as that is known here.

    Args:
        store: Where results are.
        tag: The tag.
        directories: The names of result directories of the tag.
    """
    copied = () if isinstance(store, LocalStore) else store.list(copy_name(tag))
    found = []
    for directory in directories:
        copy = any(name.startswith(f"{copy_name(directory)}/") for name in copied)
        with suppress(HpoctlError, OSError, UnicodeDecodeError):
            folder = readable_work(store, directory, ELSEWHERE) if copy else work_folder(store, directory)
            found.append(read_regular(folder / ELSEWHERE, MOST_OF_ADDRESS).decode().strip())
    return tuple(dict.fromkeys(found))


def move_work(store: Store, directory: str, folder: str) -> None:
    """Working files follow their results into a folder of the trash; of results elsewhere, the copy beside them does.

    Args:
        store: Where results are.
        directory: The name that their result directory, or tag, had.
        folder: The folder of the trash.
    """
    with suppress(FileNotFoundError, FileExistsError):
        store.move(copy_name(directory), f"{folder}/{WORK}/{directory}")
    if not isinstance(store, LocalStore):
        shutil.rmtree(work_folder(store, directory), ignore_errors=True)


def restore_work(store: Store, directory: str, folder: str) -> None:
    """Working files come back with their results."""
    with suppress(FileNotFoundError, FileExistsError):
        store.move(f"{folder}/{WORK}/{directory}", copy_name(directory))


def starts_of(store: Store, directory: str, trial_id: int) -> "list[StartFolder]":
    """The folders of all starts of a trial, the first one first; none, if this machine knows of none."""
    from hpoctl.backends.scripts.folders import TRIALS, trial_folder  # noqa: PLC0415 - status does without it

    return trial_folder(readable_work(store, directory, f"{TRIALS}/{trial_id}/starts"), trial_id).starts()


def _files(folder: Path | str, *, within: bool) -> "Iterator[tuple[os.DirEntry[str], bool]]":
    """All files in a folder and below, and whether they are checkpoints. Links are not followed."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path, within=within or entry.name == CHECKPOINTS)
            else:
                yield entry, within
