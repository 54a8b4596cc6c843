"""Tables beside results: uploaded once, fetched by what they hold, verified."""

from pathlib import Path

import numpy as np
import pytest

from hpoctl.blackboxes.tables.stored import read_stored, stored_names
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.storage import Store
from hpoctl.ops.tables import shared_tables
from hpoctl.ops.tables.shared_tables import fetch_tables, needed_tables, pull_tables, push_tables, share_tables
from hpoctl.stores.local import LocalStore
from hpoctl.stores.opening import open_results
from own_tables import Own, benchmark, description, import_it, write_npz

TAG = "docs-2"


def quiet(what: str, done: int, total: int | None) -> None:
    """Nobody watches."""


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(shared_tables, "PART", 100)
    if request.param == "s3":
        return open_results(request.getfixturevalue("s3_root")).store
    return LocalStore(tmp_path / "root")


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine that has a table."""
    monkeypatch.setenv("HPOCTL_DATA", str(tmp_path / "data"))
    import_it(write_npz(tmp_path, Own().arrays()))
    return monkeypatch


def elsewhere(machine: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another machine, that has none."""
    machine.setenv("HPOCTL_DATA", str(tmp_path / "other"))
    assert stored_names() == []


def another(tmp_path: Path) -> None:
    """Let the machine have another table of the name."""
    import_it(write_npz(tmp_path, Own(loss=np.ones((6, 2, 3))).arrays()))


def test_a_table_gets_to_another_machine(store: Store, machine: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hash_here = benchmark().blackbox().content_hash
    assert [table.new for table in push_tables(store, ["mine"], quiet)] == [True]
    assert [table.new for table in push_tables(store, ["mine"], quiet)] == [False]
    elsewhere(machine, tmp_path)
    assert [table.new for table in pull_tables(store, [], quiet)] == [True]
    assert benchmark().blackbox().content_hash == hash_here
    assert [table.new for table in pull_tables(store, ["mine", hash_here[:12]], quiet)] == [False]


def test_what_a_tag_needs(store: Store, machine: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert needed_tables(["toy", "mine", "mine"]) == ["mine"]
    assert share_tables(store, TAG, ["toy"], quiet) == ()
    assert fetch_tables(store, TAG, quiet) == ()
    (shared,) = share_tables(store, TAG, ["toy", "mine"], quiet)
    another(tmp_path)
    push_tables(store, ["mine"], quiet)
    with pytest.raises(UsageError, match="This machine has another table mine"):
        fetch_tables(store, TAG, quiet)
    elsewhere(machine, tmp_path)
    (fetched,) = fetch_tables(store, TAG, quiet)
    assert fetched.key == shared.key, "not the newest of the name, but the one that the tag was launched with"
    assert [table.new for table in fetch_tables(store, TAG, quiet)] == [False]


def test_tables_of_one_name(store: Store, machine: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (first,) = push_tables(store, ["mine"], quiet)
    another(tmp_path)
    (second,) = push_tables(store, ["mine"], quiet)
    with pytest.raises(UsageError, match="Several tables are meant"):
        pull_tables(store, ["mine"], quiet)
    with pytest.raises(UsageError, match="This machine has another table mine"):
        pull_tables(store, [first.key[:12]], quiet)
    assert read_stored("mine").table.content_hash == second.key.partition("/")[0]
    pull_tables(store, [first.key[:12]], quiet, replace=True)
    assert read_stored("mine").table.content_hash == first.key.partition("/")[0]


@pytest.mark.parametrize("leaf", ["values.npy/0001", "description.json"])
@pytest.mark.parametrize("how", ["changed", "removed"])
def test_a_damaged_one_is_not_taken(
    store: Store, machine: pytest.MonkeyPatch, tmp_path: Path, leaf: str, how: str
) -> None:
    (table,) = push_tables(store, ["mine"], quiet)
    name = f".blackboxes/{table.key}/{leaf}"
    data = store.get(name)
    if how == "changed":
        store.put(name, data[:-1] + b"X")
    else:
        store.delete(name)
    elsewhere(machine, tmp_path)
    with pytest.raises(IncompleteError, match=r"is damaged|There are no tables"):
        pull_tables(store, [], quiet)
    assert stored_names() == []


def test_an_upload_that_was_killed_goes_on(store: Store, machine: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class KilledError(BaseException):
        pass

    def kill(what: str, done: int, total: int | None) -> None:
        if done > 300:
            raise KilledError

    with pytest.raises(KilledError):
        push_tables(store, ["mine"], kill)
    with pytest.raises(IncompleteError, match="There are no tables"):
        pull_tables(store, [], quiet)
    push_tables(store, ["mine"], quiet)
    elsewhere(machine, tmp_path)
    assert len(pull_tables(store, [], quiet)) == 1


def test_names_that_are_none(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No table 'mein' was imported"):
        push_tables(store, ["mein"], quiet)
    push_tables(store, ["mine"], quiet)
    with pytest.raises(UsageError, match="Unknown table 'mein'"):
        pull_tables(store, ["mein"], quiet)
    import_it(write_npz(tmp_path, Own().arrays(), description(name="second")))
    assert needed_tables(["second"]) == ["second"]
