"""Where an experiment with real trials works on this machine: its journal, and what its trials write.

The folder lies beside the results where these are in a directory, so that another machine that sees them can continue;
with results elsewhere it is among hpoctl's own data. It is not a part of the results: no listing shows it.
"""

from pathlib import Path

from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import JOURNAL, WORK
from hpoctl.core.places import data_directory
from hpoctl.core.storage import Store
from hpoctl.stores.local import LocalStore


def work_folder(store: Store, directory: str) -> Path:
    """The folder of an attempt.

    Args:
        store: Where its results are.
        directory: The name of its result directory there.
    """
    if isinstance(store, LocalStore):
        return store.root / WORK / directory
    return data_directory() / "work" / content_hash(store.location("").encode())[:16] / directory


def journal_of(store: Store, directory: str) -> Path:
    """The journal of an attempt; it need not be there."""
    return work_folder(store, directory) / JOURNAL
