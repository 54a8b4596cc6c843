"""The contract of a store."""

from hpoctl.core.errors import UsageError
from hpoctl.core.protocols import Store
from hpoctl.testing.contract import ContractError, require

BAD_NAMES = ("", "/x", "x/", "a//b", ".", "..", "a/../b", "../b", "a/./b", "a\0b", "a\\b")


def check_store(store: Store) -> None:
    """Check an empty store: what is put can be got, listed and deleted, and nothing else.

    Raises:
        ContractError: What is broken.
    """
    require(list(store.list("")) == [], "the store is not empty to begin with")
    blobs = {"a/b/c": b"one", "a/d": b"", "ab/e": bytes(range(256))}
    for name, data in blobs.items():
        store.put(name, data)
    for name, data in blobs.items():
        require(store.get(name) == data, f"{name} comes back changed")
    require(list(store.list("")) == sorted(blobs), "list does not name all blobs, sorted")
    require(list(store.list("a")) == ["a/b/c", "a/d"], "list takes a prefix for a folder")
    require(list(store.list("nowhere")) == [], "list of an empty folder is not empty")
    store.put("a/d", b"new")
    require(store.get("a/d") == b"new", "put does not replace")
    _check_create(store)
    _check_bad_names(store)
    for name in (*blobs, "a/d"):
        store.delete(name)
    require(list(store.list("")) == [], "delete leaves something behind")
    try:
        store.get("a/d")
    except FileNotFoundError:
        return
    raise ContractError("get of a missing blob does not raise FileNotFoundError")


def _check_create(store: Store) -> None:
    store.put("once", b"first", create=True)
    try:
        store.put("once", b"second", create=True)
    except FileExistsError:
        require(store.get("once") == b"first", "create overwrites")
        store.delete("once")
        return
    raise ContractError("create of an existing blob does not raise FileExistsError")


def _check_bad_names(store: Store) -> None:
    for name in BAD_NAMES:
        try:
            store.put(name, b"")
        except UsageError:
            continue
        raise ContractError(f"it accepts the name {name!r}")
