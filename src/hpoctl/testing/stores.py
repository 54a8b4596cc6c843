"""The contract of a store."""

from collections.abc import Callable

from hpoctl.core.errors import UsageError
from hpoctl.core.storage import Store
from hpoctl.testing.contract import ContractError, require

BAD_NAMES = ("", "/x", "x/", "a//b", ".", "..", "a/../b", "../b", "a/./b", "a\0b", "a\\b", "a\ud800b")


def check_store(store: Store) -> None:
    """Check an empty store: what is put can be got, listed, moved and deleted, and nothing else is.

    Raises:
        ContractError: What is broken.
    """
    require(dict(store.list("")) == {}, "the store is not empty to begin with")
    require(list(store.folders("")) == [], "an empty store has folders")
    blobs = {"a/b/c": b"one", "a/d": b"", "ab/e": bytes(range(256))}
    for name, data in blobs.items():
        store.put(name, data)
    for name, data in blobs.items():
        require(store.get(name) == data, f"{name} comes back changed")
    _check_list(store)
    store.put("a/d", b"new")
    require(store.get("a/d") == b"new", "put does not replace")
    require(dict(store.list("a")) == {"a/b/c": 3, "a/d": 3}, "list does not give the new size of a replaced blob")
    _check_create(store)
    _check_delete(store)
    _check_move(store)
    _check_bad_names(store)
    for name in (*blobs, "a/d"):
        store.delete(name)
    require(dict(store.list("")) == {}, "delete leaves something behind")
    _check_raises(FileNotFoundError, lambda: store.get("a/d"), "get of a missing blob")


def _check_list(store: Store) -> None:
    everything = store.list("")
    require(list(everything) == ["a/b/c", "a/d", "ab/e"], "list does not name all blobs, sorted")
    require(list(everything.values()) == [3, 0, 256], "list does not give the sizes")
    require(list(store.list("a")) == ["a/b/c", "a/d"], "list takes a prefix for a folder")
    require(dict(store.list("nowhere")) == {}, "list of a missing folder is not empty")
    require(dict(store.list("a/d")) == {}, "list takes a blob for a folder")
    require(list(store.folders("")) == ["a", "ab"], "folders does not name the folders of the root, sorted")
    require(list(store.folders("a")) == ["b"], "folders does not name the folders of a folder, or names blobs, too")
    require(list(store.folders("nowhere")) == [], "folders of a missing folder is not empty")


def _check_create(store: Store) -> None:
    store.put("once", b"first", create=True)
    create = "create of an existing blob"
    _check_raises(FileExistsError, lambda: store.put("once", b"second", create=True), create)
    require(store.get("once") == b"first", "create overwrites")
    store.delete("once")


def _check_delete(store: Store) -> None:
    for name in ("p/q/1", "p/q/r/2", "p/qr/3"):
        store.put(name, b"x")
    for missing in ("p/q/none", "p/none", "p/q/1/none", "none/at/all"):
        store.delete(missing)
    require(list(store.list("p")) == ["p/q/1", "p/q/r/2", "p/qr/3"], "delete of what is not there removes something")
    store.delete("p/q")
    require(list(store.list("p")) == ["p/qr/3"], "delete of a folder leaves some of it, or takes a prefix for it")
    _check_raises(FileNotFoundError, lambda: store.get("p/q/1"), "get of a blob in a deleted folder")
    store.put("p/q/1", b"again")
    require(store.get("p/q/1") == b"again", "a deleted folder cannot be used again")
    store.delete("p")
    require(dict(store.list("p")) == {}, "delete of a folder leaves something behind")


def _check_move(store: Store) -> None:
    blobs = {"from/x/1": b"one", "from/x/y/2": b"two", "from/x-ray/3": b"three"}
    for name, data in blobs.items():
        store.put(name, data)
    store.move("from/x", "to/a/b")
    require(
        list(store.list("from")) == ["from/x-ray/3"], "move leaves something behind, or takes a prefix for a folder"
    )
    require(dict(store.list("to")) == {"to/a/b/1": 3, "to/a/b/y/2": 3}, "move does not bring all blobs to the target")
    require(store.get("to/a/b/1") == b"one" and store.get("to/a/b/y/2") == b"two", "move changes a blob")
    _check_raises(FileNotFoundError, lambda: store.move("from/x", "to/c"), "move of a missing folder")
    _check_raises(FileExistsError, lambda: store.move("from/x-ray", "to/a/b"), "move to an existing folder")
    _check_raises(FileExistsError, lambda: store.move("from/x-ray", "to/a/b/1"), "move to an existing blob")
    require(list(store.list("to")) == ["to/a/b/1", "to/a/b/y/2"], "a refused move changes the target")
    require(store.get("from/x-ray/3") == b"three", "a refused move changes the folder")
    store.move("to/a/b", "from/x")
    require({name: store.get(name) for name in store.list("from")} == dict(sorted(blobs.items())), "move is one-way")
    for folder in ("from", "to"):
        store.delete(folder)


def _check_bad_names(store: Store) -> None:
    before = dict(store.list(""))
    for name in BAD_NAMES:
        calls: dict[str, Callable[[], object]] = {
            "put": lambda bad=name: store.put(bad, b""),  # type: ignore[misc]
            "get": lambda bad=name: store.get(bad),  # type: ignore[misc]
            "delete": lambda bad=name: store.delete(bad),  # type: ignore[misc]
            "move of": lambda bad=name: store.move(bad, "target"),  # type: ignore[misc]
            "move to": lambda bad=name: store.move("a", bad),  # type: ignore[misc]
        }
        for what, call in calls.items():
            _check_raises(UsageError, call, f"{what} the name {name!r}")
    require(dict(store.list("")) == before, "a refused name changes something")


def _check_raises(kind: type[Exception], call: Callable[[], object], what: str) -> None:
    try:
        call()
    except kind:
        return
    raise ContractError(f"{what} does not raise {kind.__name__}")
