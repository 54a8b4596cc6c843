"""What a tag keeps besides its results: its random seed, and the plans that were launched under it.

    <tag>/study.json                       the random seed
    <tag>/.hpoctl/plans/0001-<hash>.json   what was launched: a study as it was after all options

Plans are never changed. The newest one is the highest number; together they are what the tag wants.
"""

import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Annotated

from msgspec import Meta

from hpoctl.core.canonical import canonical_json, content_hash
from hpoctl.core.cells import CONTROL, Cell
from hpoctl.core.credentials import check_values
from hpoctl.core.errors import HpoctlError, IncompleteError, unknown_name
from hpoctl.core.names import made_up_tag
from hpoctl.core.records import to_plain
from hpoctl.core.rng import stream
from hpoctl.core.sealed import FORMAT, DamagedError, RecordType, seal
from hpoctl.core.storage import Store
from hpoctl.core.study import Study
from hpoctl.ops.studies.config import Root
from hpoctl.ops.studies.overrides import Overrides
from hpoctl.stores.ledger import DIED, Attempt, Standing, read_again, read_attempts, standings

STUDY_FILE = "study.json"
RANDOM_SEEDS = 2**31


@dataclass(frozen=True, slots=True)
class RandomSeed:
    """A random seed and where it comes from.

    Attributes:
        value: The random seed.
        drawn: Whether it has just been drawn.
        warning: What a person should know about it; empty: nothing.
    """

    value: int
    drawn: bool
    warning: str = ""


@dataclass(frozen=True)
class TagPlan:
    """What was launched under a tag.

    Attributes:
        tag: The tag.
        source: What the study was read from: the name of a registered study, or a file.
        study: The study, as it was after all options.
        changes: What the options changed about it.
        name: Its name, unique within the tag: that of its file, which does not hold it. Empty: it is not stored yet.
    """

    tag: str
    source: str
    study: Study
    changes: Overrides
    name: str = ""


@dataclass(frozen=True, slots=True)
class RandomSeedFile:
    """What a tag keeps of its random seed.

    Attributes:
        tag: The tag.
        master_seed: The random seed; the key has this name in files of all versions.
    """

    tag: str
    master_seed: Annotated[int, Meta(ge=0)]


PLANS = RecordType("plan", TagPlan, strict=True, defaults=False)
RANDOM_SEEDS_OF_TAGS = RecordType("random seed", RandomSeedFile)


def new_tag() -> str:
    """A tag that a person can read and say."""
    return made_up_tag(stream(secrets.randbelow(RANDOM_SEEDS), 0, "tag"))


def draw_random_seed() -> int:
    """A new random seed."""
    return secrets.randbelow(RANDOM_SEEDS)


def random_seed_for(store: Store, tag: str, wanted: int | None, of_study: int | None = None) -> RandomSeed:
    """The random seed of a tag: the one that was asked for, else the stored one, else the study's, else a new one.

    Nothing is written; see `keep_random_seed`.

    Raises:
        IncompleteError: The stored one cannot be read.
    """
    stored = stored_random_seed(store, tag)
    if wanted is None:
        known = of_study if stored is None else stored
        return RandomSeed(draw_random_seed(), drawn=True) if known is None else RandomSeed(known, drawn=False)
    if stored is None or stored == wanted:
        return RandomSeed(wanted, drawn=False)
    warning = f"tag {tag} has the random seed {stored}; results with another one cannot be paired with them"
    return RandomSeed(wanted, drawn=False, warning=warning)


def keep_random_seed(store: Store, tag: str, random_seed: int, *, replace: bool = False) -> int:
    """Store the random seed with the tag, unless it has one; returns the one that the tag has now.

    Args:
        store: Where results live.
        tag: The tag.
        random_seed: The random seed.
        replace: Whether it takes the place of one that is there.
    """
    data = RANDOM_SEEDS_OF_TAGS.seal(RandomSeedFile(tag, random_seed))
    try:
        store.put(f"{tag}/{STUDY_FILE}", data, create=not replace)
    except FileExistsError:
        stored = stored_random_seed(store, tag)
        return random_seed if stored is None else stored
    return random_seed


def stored_random_seed(store: Store, tag: str) -> int | None:
    """The random seed that a tag has; None: none yet.

    Raises:
        IncompleteError: It cannot be read.
    """
    name = f"{tag}/{STUDY_FILE}"
    try:
        return RANDOM_SEEDS_OF_TAGS.unseal(store.get(name)).master_seed
    except FileNotFoundError:
        return None
    except DamagedError as error:
        raise IncompleteError(
            f"{store.location(name)} is damaged: {error}.",
            "Name another --tag, or remove the file and give --random-seed.",
        ) from error


def keep_plan(store: Store, tag: str, study: Study, source: str, changes: Overrides | None = None) -> TagPlan:
    """Store a plan before its launch; if the tag's newest plan is equal, it is used again.

    Raises:
        UsageError: A value in it is a credential.
    """
    for name, values in {"launcher": study.launcher_options, "backend": study.backend_options, **study.fixed}.items():
        check_values(f"{name} in study {study.name}", values)
    plan = TagPlan(tag, source, study, changes or Overrides())
    values = {FORMAT: PLANS.format, **to_plain(plan, defaults=False)}
    digest = content_hash(canonical_json(values))[:12]
    names = plan_names(store, tag)
    if names and names[-1].endswith(f"-{digest}"):
        return replace(plan, name=names[-1])
    name = f"{max(map(_number, names), default=0) + 1:04d}-{digest}"
    with suppress(FileExistsError):  # another launch has just written the same
        store.put(_plan_file(tag, name), seal(values), create=True)
    return replace(plan, name=name)


def read_plan(store: Store, tag: str, name: str) -> TagPlan:
    """One plan of a tag.

    Raises:
        IncompleteError: It is missing or damaged.
    """
    file = _plan_file(tag, name)
    try:
        return replace(PLANS.unseal(store.get(file)), name=name)
    except (FileNotFoundError, DamagedError) as error:
        raise IncompleteError(
            f"{store.location(file)} is missing or damaged ({error}).",
            "Remove the file and launch with the same options as before.",
        ) from error


def read_plans(store: Store, tag: str) -> list[TagPlan]:
    """All plans of a tag, the oldest first.

    Raises:
        IncompleteError: One is damaged.
    """
    return [read_plan(store, tag, name) for name in plan_names(store, tag)]


def wanted_cells(plans: list[TagPlan]) -> dict[Cell, TagPlan]:
    """All experiments that a tag wants, each with the newest plan that names it."""
    return {cell: plan for plan in plans for cell in plan.study.cells()}


def tags(store: Store) -> list[str]:
    """The tags that there is anything of."""
    return [name for name in store.folders("") if not name.startswith(".")]


def plan_names(store: Store, tag: str) -> list[str]:
    """The names of all plans of a tag, the oldest first; some may be damaged."""
    folder = f"{tag}/{CONTROL}/plans"
    return [
        name.removeprefix(f"{folder}/").removesuffix(".json") for name in store.list(folder) if name.endswith(".json")
    ]


def _number(name: str) -> int:
    number = name.partition("-")[0]
    return int(number) if number.isdecimal() else 0


def _plan_file(tag: str, name: str) -> str:
    return f"{tag}/{CONTROL}/plans/{name}.json"


def read_standings(
    root: Root, tag: str, wanted: Iterable[Cell], *, verify: bool = False
) -> tuple[list[Attempt], dict[Cell, Standing]]:
    """All attempts of a tag, and where its experiments stand. What ends while we look is not taken for dead."""
    attempts = read_attempts(root.store, tag, verify=verify)
    stands = standings(tag, wanted, attempts, root.claims)
    doubtful = {
        attempt.directory
        for stand in stands.values()
        if stand.reason == DIED
        for attempt in stand.attempts
        if attempt.recorded == "running"
    }
    if doubtful:
        # An experiment is recorded as complete before its claim is given up: now the record is the last word.
        attempts = [attempt for attempt in attempts if attempt.directory not in doubtful]
        attempts += read_again(root.store, sorted(doubtful), verify=verify)
        stands = standings(tag, stands, attempts, root.claims)
    return attempts, stands


def readable_plans(root: Root, tag: str) -> tuple[list[TagPlan], list[str]]:
    """The plans of a tag, the oldest first, and what is wrong with those that cannot be read."""
    plans, problems = [], []
    for name in plan_names(root.store, tag):
        try:
            plans.append(read_plan(root.store, tag, name))
        except HpoctlError as error:  # damaged, or private to the person who launched
            problems.append(error.what)
    return plans, problems


def nothing_of(root: Root, tag: str) -> IncompleteError:
    """The error for a tag that there is nothing of, with the closest tags that there are."""
    unknown = unknown_name("tag", tag, tags(root.store), root.command("status"))
    return IncompleteError(f"There is nothing of tag {tag} in {root.store.location('')}.", unknown.fix)
