"""Random trees and random criteria: the moved results are those of a plain model, and undo restores them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from clean_trees import NOW, everything, undo_all
from hpoctl.core.cells import METADATA, RESULTS, Cell, Filters, claim_key
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.ops.studies.config import Root
from hpoctl.ops.upkeep.clean import clean
from hpoctl.ops.upkeep.selection import Criteria, select
from hpoctl.stores.local import LocalStore
from support import folder_of
from trees import BEGIN, put_attempt
from wrecks import files

METHODS, BENCHMARKS, TAGS = ("ASHA", "RS", "BO"), ("toy", "toy-max"), ("docs-2", "docs-2-debug", "docs")
STATUSES = ("completed", "running", "failed", "interrupted", "short", "unknown")


class Claimed:
    """Claims of which others have some."""

    def __init__(self, keys: set[str]) -> None:
        self.keys = keys

    def take(self, key: str) -> bool:
        return key not in self.keys

    def release(self, key: str) -> None:
        assert key not in self.keys

    def held(self, key: str) -> bool:
        return key in self.keys


@dataclass(frozen=True)
class Made:
    tag: str
    cell: Cell
    status: str
    second: int


cells = st.builds(Cell, st.sampled_from(METHODS), st.sampled_from(BENCHMARKS), st.integers(0, 3))
made_results = st.lists(
    st.builds(Made, st.sampled_from(TAGS), cells, st.sampled_from(STATUSES), st.integers(0, 50)),
    min_size=1,
    max_size=10,
    unique_by=lambda made: (made.tag, made.cell, made.second),
)
some_criteria = st.builds(
    Criteria,
    st.builds(
        Filters,
        st.lists(st.sampled_from(METHODS), unique=True, max_size=2).map(tuple),
        st.lists(st.sampled_from(BENCHMARKS), unique=True, max_size=1).map(tuple),
        st.none() | st.frozensets(st.integers(0, 4), min_size=1),
    ),
    incomplete=st.booleans(),
    failed=st.booleans(),
    duplicates=st.booleans(),
    older_than=st.none() | st.integers(-10, 60).map(lambda second: (NOW - BEGIN).total_seconds() - second - 0.5),
).filter(lambda criteria: not criteria.whole)


def put(store: LocalStore, made: Made) -> str:
    status = "completed" if made.status in {"short", "unknown"} else made.status
    directory = put_attempt(
        store, made.cell, status, tag=made.tag, expensive=made.cell.method == "BO", seconds=made.second
    )
    if made.status == "short":
        store.put(f"{directory}/{RESULTS}", b"")
    if made.status == "unknown":
        store.put(f"{directory}/{METADATA}", b"")
    return directory


def expected(results: dict[str, Made], tag: str, criteria: Criteria, held: set[Cell]) -> set[str]:
    """The directories that fit, said as plainly as it can be."""
    own = {directory: made for directory, made in results.items() if made.tag == tag}
    if criteria == Criteria(incomplete=True):
        unknown = {directory for directory, made in own.items() if made.status == "unknown"}
    else:
        unknown = set()
    known = {directory: made for directory, made in own.items() if made.status != "unknown"}
    for directory, made in list(known.items()):
        runs = made.status == "running" and made.cell in held
        newer = [
            other
            for other in own.values()
            if other.cell == made.cell and other.status == "completed" and other.second > made.second
        ]
        age = (NOW - (BEGIN + timedelta(seconds=made.second))).total_seconds()
        reasons_to_stay = [
            criteria.filters.methods and made.cell.method not in criteria.filters.methods,
            criteria.filters.benchmarks and made.cell.benchmark not in criteria.filters.benchmarks,
            criteria.filters.seeds is not None and made.cell.seed not in criteria.filters.seeds,
            criteria.incomplete and (made.status == "completed" or runs),
            criteria.failed and (made.status not in {"failed", "running"} or runs),
            criteria.duplicates and not (made.status == "completed" and newer),
            criteria.older_than is not None and not age > criteria.older_than,
        ]
        if any(reasons_to_stay):
            del known[directory]
    return set(known) | unknown


@contextmanager
def planted(results: list[Made], claimed: set[str]) -> Iterator[tuple[Root, dict[str, Made]]]:
    with TemporaryDirectory() as folder, patch("os.fsync"):
        store = LocalStore(Path(folder))
        directories = {put(store, made): made for made in results}
        yield Root(store, Claimed(claimed), None), directories


@settings(max_examples=80, deadline=None)
@given(made_results, some_criteria, st.frozensets(st.integers(0, 9), max_size=3), st.booleans())
def test_what_is_moved_is_what_the_model_says(
    results: list[Made], criteria: Criteria, running: frozenset[int], force: bool
) -> None:
    tag = results[0].tag
    held = {results[place].cell for place in running if place < len(results)}
    with planted(results, {claim_key(tag, cell) for cell in held}) as (root, directories):
        before = files(folder_of(root))
        wanted = expected(directories, tag, criteria, held)
        allowed = {
            one for one in wanted if force or directories[one].status == "unknown" or directories[one].cell not in held
        }
        try:
            cleaned = clean(root, select(root, tag, criteria, NOW), NOW, "", force=force)
        except UsageError:
            names = [made.cell for made in results if made.tag == tag and made.status != "unknown"]
            assert not (
                {cell.method for cell in names}.issuperset(criteria.filters.methods)
                and {cell.benchmark for cell in names}.issuperset(criteria.filters.benchmarks)
            )
            assert files(folder_of(root)) == before
        except IncompleteError:
            assert allowed == set()
            assert files(folder_of(root)) == before
        else:
            assert set(cleaned.directories) == allowed
            assert set(cleaned.running) == wanted - allowed
            assert everything(root) == before
            assert {name.rpartition("/")[0] for name in before} - {
                name.rpartition("/")[0] for name in files(folder_of(root))
            } == allowed
        undo_all(root)
        assert files(folder_of(root)) == before
