"""The master seed of a tag: drawn once, stored with the tag's results, reused by whatever joins them later."""

import json
import secrets
from dataclasses import dataclass

from hpoctl.core.errors import IncompleteError
from hpoctl.core.protocols import Store

STUDY_FILE = "study.json"
MASTER_SEEDS = 2**31


@dataclass(frozen=True, slots=True)
class MasterSeed:
    """A master seed and where it comes from.

    Attributes:
        value: The master seed.
        warning: What a person should know about it; empty: nothing.
    """

    value: int
    warning: str = ""


def master_seed_for(store: Store, tag: str, wanted: int | None) -> MasterSeed:
    """The master seed of a tag: the one that was asked for, else the stored one, else a new one.

    Nothing is written; see `keep_master_seed`.

    Raises:
        IncompleteError: The stored one cannot be read.
    """
    stored = _stored(store, tag)
    if wanted is None:
        return MasterSeed(secrets.randbelow(MASTER_SEEDS) if stored is None else stored)
    if stored is None or stored == wanted:
        return MasterSeed(wanted)
    return MasterSeed(
        wanted, f"tag {tag} has the master seed {stored}; results with another one cannot be paired with them"
    )


def keep_master_seed(store: Store, tag: str, master_seed: int) -> None:
    """Store the master seed with the tag, unless it has one."""
    try:
        data = json.dumps({"format": 1, "tag": tag, "master_seed": master_seed}, indent=2) + "\n"
        store.put(f"{tag}/{STUDY_FILE}", data.encode(), create=True)
    except FileExistsError:
        return


def _stored(store: Store, tag: str) -> int | None:
    name = f"{tag}/{STUDY_FILE}"
    try:
        data = store.get(name)
    except FileNotFoundError:
        return None
    try:
        master_seed = json.loads(data)["master_seed"]
    except (ValueError, KeyError, TypeError):
        master_seed = None
    if not isinstance(master_seed, int) or isinstance(master_seed, bool) or master_seed < 0:
        raise IncompleteError(
            f"{store.location(name)} is damaged.", "Name another --tag, or remove the file and give --random-seed."
        )
    return master_seed
