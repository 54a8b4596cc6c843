"""What a tag keeps besides its results: its master seed, and the plans that were launched under it.

    <tag>/study.json                       the master seed
    <tag>/.hpoctl/plans/0001-<hash>.json   what was launched: a study as it was after all options

Plans are never changed. The newest one is the highest number; together they are what the tag wants.
"""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from hpoctl.core.canonical import canonical_json, content_hash
from hpoctl.core.cells import CONTROL, Cell
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.protocols import Store
from hpoctl.core.sealed import DamagedError, seal, unseal
from hpoctl.core.study import Study
from hpoctl.core.study_table import study_from_table, study_table

FORMAT = 1
STUDY_FILE = "study.json"
MASTER_SEEDS = 2**31


@dataclass(frozen=True, slots=True)
class MasterSeed:
    """A master seed and where it comes from.

    Attributes:
        value: The master seed.
        stored: Whether the tag has it already.
        warning: What a person should know about it; empty: nothing.
    """

    value: int
    stored: bool
    warning: str = ""


@dataclass(frozen=True)
class Plan:
    """What was launched under a tag.

    Attributes:
        name: Its name, unique within the tag.
        study: The study, as it was after all options.
        source: What the study was read from: the name of a registered study, or a file.
    """

    name: str
    study: Study
    source: str


def master_seed_for(store: Store, tag: str, wanted: int | None) -> MasterSeed:
    """The master seed of a tag: the one that was asked for, else the stored one, else a new one.

    Nothing is written; see `keep_master_seed`.

    Raises:
        IncompleteError: The stored one cannot be read.
    """
    stored = stored_master_seed(store, tag)
    if wanted is None:
        return MasterSeed(secrets.randbelow(MASTER_SEEDS) if stored is None else stored, stored is not None)
    if stored is None or stored == wanted:
        return MasterSeed(wanted, stored is not None)
    warning = f"tag {tag} has the master seed {stored}; results with another one cannot be paired with them"
    return MasterSeed(wanted, stored=False, warning=warning)


def keep_master_seed(store: Store, tag: str, master_seed: int, *, replace: bool = False) -> int:
    """Store the master seed with the tag, unless it has one; returns the one that the tag has now.

    Args:
        store: Where results live.
        tag: The tag.
        master_seed: The master seed.
        replace: Whether it takes the place of one that is there.
    """
    data = seal({"format": FORMAT, "tag": tag, "master_seed": master_seed})
    try:
        store.put(f"{tag}/{STUDY_FILE}", data, create=not replace)
    except FileExistsError:
        stored = stored_master_seed(store, tag)
        return master_seed if stored is None else stored
    return master_seed


def stored_master_seed(store: Store, tag: str) -> int | None:
    """The master seed that a tag has; None: none yet.

    Raises:
        IncompleteError: It cannot be read.
    """
    name = f"{tag}/{STUDY_FILE}"
    try:
        master_seed = unseal(store.get(name)).get("master_seed")
    except FileNotFoundError:
        return None
    except DamagedError:
        master_seed = None
    if not isinstance(master_seed, int) or isinstance(master_seed, bool) or master_seed < 0:
        raise IncompleteError(
            f"{store.location(name)} is damaged.", "Name another --tag, or remove the file and give --random-seed."
        )
    return master_seed


def keep_plan(store: Store, tag: str, study: Study, source: str) -> Plan:
    """Keep what is about to be launched; an equal plan that the tag has already is used again."""
    content = {"format": FORMAT, "tag": tag, "source": source, "study": study_table(study)}
    digest = content_hash(canonical_json(content))[:12]
    names = _plan_names(store, tag)
    for name in names:
        if name.endswith(f"-{digest}"):
            return Plan(name, study, source)
    name = f"{len(names) + 1:04d}-{digest}"
    with suppress(FileExistsError):  # another launch has just written the same
        store.put(_plan_file(tag, name), seal(content), create=True)
    return Plan(name, study, source)


def read_plan(store: Store, tag: str, name: str) -> Plan:
    """One plan of a tag.

    Raises:
        IncompleteError: It is missing or damaged.
    """
    file = _plan_file(tag, name)
    try:
        content = unseal(store.get(file))
        table: Mapping[str, object] = content["study"]
        return Plan(name, study_from_table(table, where=f"plan {name}"), str(content["source"]))
    except (FileNotFoundError, DamagedError, KeyError, TypeError, UsageError) as error:
        raise IncompleteError(
            f"{store.location(file)} is missing or damaged ({error}).",
            "Remove the file and launch with the same options as before.",
        ) from error


def read_plans(store: Store, tag: str) -> list[Plan]:
    """All plans of a tag, the oldest first.

    Raises:
        IncompleteError: One is damaged.
    """
    return [read_plan(store, tag, name) for name in _plan_names(store, tag)]


def wanted_cells(plans: list[Plan]) -> dict[Cell, Plan]:
    """All experiments that a tag wants, each with the newest plan that names it."""
    return {cell: plan for plan in plans for cell in plan.study.cells()}


def tags(store: Store) -> list[str]:
    """The tags that there is anything of."""
    heads = dict.fromkeys(name.partition("/")[0] for name in store.list("") if "/" in name)
    return [head for head in heads if not head.startswith(".")]


def _plan_names(store: Store, tag: str) -> list[str]:
    folder = f"{tag}/{CONTROL}/plans"
    return [name.removeprefix(f"{folder}/").removesuffix(".json") for name in store.list(folder)]


def _plan_file(tag: str, name: str) -> str:
    return f"{tag}/{CONTROL}/plans/{name}.json"
