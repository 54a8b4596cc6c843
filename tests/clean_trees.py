"""A tag with a result in each state, what to clean of it, and a look at what a clean leaves."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hpoctl.core.cells import LOG, METADATA, RESULTS, Cell, Filters
from hpoctl.core.errors import IncompleteError
from hpoctl.core.study import Study
from hpoctl.ops.studies.config import Root
from hpoctl.ops.studies.tags import keep_plan, keep_random_seed
from hpoctl.ops.upkeep.clean import Cleaned, clean
from hpoctl.ops.upkeep.selection import Criteria, select
from hpoctl.ops.upkeep.trash import undo
from hpoctl.ops.upkeep.trash_entries import MANIFEST, TRASH
from support import folder_of
from trees import BEGIN, TAG, put_attempt
from wrecks import files

NOW = BEGIN + timedelta(days=10)
OTHER = "docs-2-debug"
INCOMPLETE = Criteria(incomplete=True)


def of(*methods: str, benchmarks: tuple[str, ...] = (), seeds: set[int] | None = None, **more: Any) -> Criteria:
    return Criteria(Filters(methods, benchmarks, None if seeds is None else frozenset(seeds)), **more)


def do(root: Root, criteria: Criteria, tag: str = TAG, *, force: bool = False) -> Cleaned:
    return clean(root, select(root, tag, criteria, NOW), NOW, "hpoctl clean", force=force)


@dataclass(frozen=True)
class Tree:
    """A result directory in each state, and one of another tag."""

    completed: str
    duplicate: str
    failed: str
    interrupted: str
    died: str
    short: str
    unknown: str
    other: str


def grow(root: Root) -> Tree:
    store = root.store
    keep_random_seed(store, TAG, 7)
    keep_plan(store, TAG, Study("s", "", ("ASHA", "RS", "BO", "MOBSTER"), ("toy", "toy-max"), num_seeds=3), "s")
    duplicate = put_attempt(store, Cell("ASHA", "toy", 0))
    completed = put_attempt(store, Cell("ASHA", "toy", 0), seconds=60)
    failed = put_attempt(store, Cell("ASHA", "toy", 0), "failed", seconds=30)
    interrupted = put_attempt(store, Cell("RS", "toy-max", 1), "interrupted")
    died = put_attempt(store, Cell("BO", "toy", 2), "running", expensive=True, seconds=86400)
    short = put_attempt(store, Cell("RS", "toy", 2))
    store.put(f"{short}/{RESULTS}", b"PAR")
    unknown = put_attempt(store, Cell("RS", "toy", 3))
    store.put(f"{unknown}/{METADATA}", b'{"status": "comp')
    store.put(f"{completed}/{LOG}", b"a line\n")
    other = put_attempt(store, Cell("ASHA", "toy", 0), "failed", tag=OTHER)
    return Tree(completed, duplicate, failed, interrupted, died, short, unknown, other)


def everything(root: Root) -> dict[str, str]:
    """All files by their own names, be they in the trash or not, none of them twice; without what cleans add."""
    found: dict[str, str] = {}
    for name, what in files(folder_of(root)).items():
        parts = name.split("/")
        own = "/".join(parts[2:] if parts[0] == TRASH else parts)
        if own != MANIFEST:
            assert own not in found, f"{own} is there twice"
            found[own] = what
    return found


def in_tree(root: Root) -> dict[str, str]:
    """All files that are not in the trash."""
    return {name: what for name, what in files(folder_of(root)).items() if not name.startswith(f"{TRASH}/")}


def undo_all(root: Root) -> None:
    """Undo until there is nothing to undo."""
    while True:
        try:
            restored = undo(root.store, root.claims)
        except IncompleteError:
            return
        assert restored.left == ()
