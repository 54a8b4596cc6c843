"""Result directories: made, and how each attempt at an experiment ended."""

import traceback
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from hpoctl.core.cells import LOG, METADATA, experiment_prefix
from hpoctl.core.credentials import concealed, concealed_bytes
from hpoctl.core.errors import HpoctlError
from hpoctl.core.metadata_head import read_head
from hpoctl.core.sealed import DamagedError, seal, unseal
from hpoctl.core.storage import Store
from hpoctl.engine.spec import ExperimentSpec


def new_directory(spec: ExperimentSpec, store: Store, opening: Mapping[str, Any], started: datetime) -> str:
    """Claim a new result directory by creating its metadata."""
    stamp = started.strftime("%Y%m%d-%H%M%S-%f")
    base = experiment_prefix(spec.tag, spec.cell, expensive=spec.method.expensive) + stamp
    attempt = 0
    while True:
        directory = base if attempt == 0 else f"{base}-{attempt}"
        try:
            store.put(f"{directory}/{METADATA}", seal(opening), create=True)
        except FileExistsError:
            attempt += 1
        except KeyboardInterrupt:
            interrupted(store, directory, {})
            raise
        else:
            return directory


def close_metadata(store: Store, directory: str, closing: Mapping[str, Any]) -> None:
    """Write how an attempt ended into its metadata.

    Raises:
        HpoctlError: The metadata is gone, damaged, or cannot be written.
    """
    store.put(f"{directory}/{METADATA}", seal({**unseal(written_metadata(store, directory)), **closing}))


def interrupted(store: Store, directory: str, facts: Mapping[str, Any]) -> None:
    """Record an interruption, unless the attempt is complete already."""
    with suppress(HpoctlError):  # an interruption ends at once, even with a failing disk
        if read_head(written_metadata(store, directory)).status == "running":
            close_metadata(store, directory, {**facts, "status": "interrupted"})


def record_end(store: Store, directory: str, closing: Mapping[str, Any], log: bytes) -> bool:
    """Record how an attempt whose process has died ended, unless the process has; returns whether it is complete.

    Args:
        store: Where results are.
        directory: Its result directory.
        closing: How it ended, if it has not recorded that.
        log: What it printed.
    """
    try:
        status = read_head(store.get(f"{directory}/{METADATA}")).status
        if status == "running":
            close_metadata(store, directory, closing)
        if log:
            store.put(f"{directory}/{LOG}", concealed_bytes(log))
    except (HpoctlError, FileNotFoundError, DamagedError):
        return False  # its directory was removed, or the disk is full: the failure itself is told anyway
    return bool(status == "completed")


def written_metadata(store: Store, directory: str) -> bytes:
    """The metadata of a running attempt.

    Raises:
        HpoctlError: Another process has removed or damaged them.
    """
    try:
        data = store.get(f"{directory}/{METADATA}")
        read_head(data)
    except (FileNotFoundError, DamagedError) as error:
        where = store.location(directory)
        raise HpoctlError(f"{where} was removed or damaged while it ran.", "Run the experiment again.") from error
    return data


def failed(
    spec: ExperimentSpec, store: Store, directory: str, closing: Mapping[str, Any], error: BaseException
) -> HpoctlError:
    """Record a failure beside the experiment, and say it in one line."""
    try:
        close_metadata(store, directory, closing)
    except HpoctlError as unrecorded:
        what = f"{spec.name} failed: {one_line(error)}; and that cannot be recorded: {unrecorded.what}"
        return HpoctlError(what, unrecorded.fix)
    if isinstance(error, HpoctlError):
        return error
    where = store.location(f"{directory}/{METADATA}")
    return HpoctlError(f"{spec.name} failed: {one_line(error)}.", f"The traceback is in {where}.")


def one_line(error: BaseException) -> str:
    """The kind and the message of an error, in one line."""
    message = traceback.TracebackException.from_exception(error)  # a plugin's own `__str__` may fail, too
    return concealed(" ".join(f"{type(error).__name__}: {message}".split())).rstrip(".: ")


def trace_text() -> str:
    """The traceback of the error that is being handled, without credentials."""
    return concealed(traceback.format_exc())
