"""Imported tables beside results, for jobs on other machines: uploaded once, fetched by what they hold.

<root>/.blackboxes/<content hash>/<version>/description.json     written last: what has it is whole
                                           /numbers.npy/0000 ...  the arrays, in parts
<tag>/.hpoctl/tables.json                                        the tables that the tag's experiments need

The version is a hash of the content and of the table's description, its name among it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from hpoctl.blackboxes.tables.stored import (
    ARRAYS,
    DESCRIPTION,
    TABLE,
    Stored,
    TableFile,
    check_stored,
    read_stored,
    stored_hash,
    stored_names,
)
from hpoctl.core.cells import CONTROL
from hpoctl.core.entries import Progress
from hpoctl.core.errors import HpoctlError, IncompleteError, UsageError, unknown_name
from hpoctl.core.files import read_regular, sync_directory, write_durably
from hpoctl.core.sealed import DamagedError, RecordType
from hpoctl.core.storage import Store

FOLDER = ".blackboxes"
TABLES = "tables.json"
PART = 32 * 2**20
"""Bytes of a part: no more of a table is in memory at once."""


@dataclass(frozen=True, slots=True)
class SharedTable:
    """A table beside results.

    Attributes:
        name: The name of its benchmark.
        key: Its content hash and its version, which say exactly which table it is.
        size: Its size in bytes.
        new: Whether it was not there before.
    """

    name: str
    key: str
    size: int
    new: bool = False


@dataclass(frozen=True, slots=True)
class NeededTables:
    """The imported tables that the experiments of a tag need.

    Attributes:
        tables: Their keys by name.
    """

    tables: Mapping[str, str]


NEEDED = RecordType("tables of a tag", NeededTables)


def needed_tables(benchmarks: Iterable[str]) -> list[str]:
    """Which of some benchmarks are imported tables of this machine: no plugin brings them to another one."""
    imported = set(stored_names())
    return [name for name in dict.fromkeys(benchmarks) if name in imported]


def share_tables(store: Store, tag: str, benchmarks: Iterable[str], progress: Progress) -> tuple[SharedTable, ...]:
    """Upload the tables that a tag's experiments need, and note in the tag which they are.

    Raises:
        HpoctlError: A table is damaged, or the store failed.
    """
    pushed = push_tables(store, needed_tables(benchmarks), progress)
    noted = _noted(store, tag)
    wanted = {**noted} | {table.name: table.key for table in pushed}
    if wanted != noted:
        store.put(f"{tag}/{CONTROL}/{TABLES}", NEEDED.seal(NeededTables(wanted)))
    return pushed


def fetch_tables(store: Store, tag: str, progress: Progress) -> tuple[SharedTable, ...]:
    """Bring the tables that a tag's experiments need to this machine; those that are here are looked at.

    Raises:
        UsageError: This machine has another table of the same name.
        HpoctlError: A table is missing or damaged, or the store failed.
    """
    return tuple(_pull(store, name, key, progress, replace=False) for name, key in _noted(store, tag).items())


def push_tables(store: Store, names: Iterable[str], progress: Progress) -> tuple[SharedTable, ...]:
    """Upload imported tables that the root does not have.

    Raises:
        UsageError: There is no imported table of a name.
        HpoctlError: A table is damaged, or the store failed.
    """
    return tuple(_push(store, read_stored(name), progress) for name in dict.fromkeys(names))


def shared_tables(store: Store) -> tuple[SharedTable, ...]:
    """The tables beside results, by name; those that are not whole are left out."""
    found = []
    for name, size in store.list(FOLDER).items():
        parts = name.split("/")
        if len(parts) == 4 and parts[-1] == DESCRIPTION:  # .blackboxes/<content hash>/<version>/description.json
            key = "/".join(parts[1:3])
            table = _description(store, key)
            found.append(SharedTable(table.description.name, key, size + table.size))
    return tuple(sorted(found, key=lambda table: (table.name, table.key)))


def pull_tables(
    store: Store, names: Iterable[str], progress: Progress, *, replace: bool = False
) -> tuple[SharedTable, ...]:
    """Bring tables to this machine, by name or by content hash; none named: all of them.

    Args:
        store: Where results live.
        names: Names, or beginnings of content hashes.
        progress: Told how far it is.
        replace: Whether a table takes the place of another one of the same name.

    Raises:
        UsageError: There is no such table, or several, or this machine has another one of the name.
        IncompleteError: There are no tables at all.
        HpoctlError: A table is damaged, or the store failed.
    """
    there = shared_tables(store)
    if not there:
        raise IncompleteError(
            f"There are no tables in {store.location('')}.", "`hpoctl blackbox push NAME` uploads one."
        )
    chosen = list(dict.fromkeys(_find(there, name) for name in names)) or list(there)
    by_name = {table.name: table for table in chosen}
    if len(by_name) < len(chosen):
        raise _ambiguous(chosen)
    return tuple(_pull(store, table.name, table.key, progress, replace=replace) for table in chosen)


def _find(there: Iterable[SharedTable], wanted: str) -> SharedTable:
    matches = [table for table in there if table.name == wanted]
    matches = matches or [table for table in there if len(wanted) >= 8 and table.key.startswith(wanted)]
    if not matches:
        raise unknown_name("table", wanted, [table.name for table in there], "hpoctl blackbox pull --list")
    if len(matches) > 1:
        raise _ambiguous(matches)
    return matches[0]


def _ambiguous(tables: Iterable[SharedTable]) -> UsageError:
    listed = ", ".join(f"{table.key[:12]} ({table.name})" for table in tables)
    return UsageError(f"Several tables are meant: {listed}.", "Name one by the beginning of its content hash.")


def _push(store: Store, stored: Stored, progress: Progress) -> SharedTable:
    key = f"{stored.table.content_hash}/{stored.folder.name}"
    base = f"{FOLDER}/{key}"
    there = store.list(base)
    table = SharedTable(stored.name, key, stored.table.size, new=f"{base}/{DESCRIPTION}" not in there)
    if not table.new:
        return table
    for _ in check_stored(stored):  # a damaged table must not be shared with others
        pass
    done = 0
    for array in ARRAYS:
        with (stored.folder / f"{array}.npy").open("rb") as file:
            for number, part in enumerate(iter(lambda: file.read(PART), b"")):
                name = f"{base}/{array}.npy/{number:04d}"
                if there.get(name) != len(part):
                    store.put(name, part)
                done += len(part)
                progress(f"uploading {stored.name}", done, stored.table.size)
    store.put(f"{base}/{DESCRIPTION}", read_regular(stored.folder / DESCRIPTION))
    return table


def _pull(store: Store, name: str, key: str, progress: Progress, *, replace: bool) -> SharedTable:
    from hpoctl.blackboxes.tables.storage import install  # noqa: PLC0415 - only writing needs it

    table = _description(store, key)
    version = key.rpartition("/")[2]
    if not replace and name in stored_names() and read_stored(name).folder.name != version:
        raise UsageError(
            f"This machine has another table {name} than {store.location(f'{FOLDER}/{key}')}.",
            "Remove it with `hpoctl blackbox remove`, or let it be replaced: `hpoctl blackbox pull --replace`.",
        )

    def fill(folder: Path) -> None:
        done = 0
        for array in ARRAYS:
            expected, digest = table.files[array].sha256, sha256()
            with (folder / f"{array}.npy").open("xb") as file:
                for part in sorted(store.list(f"{FOLDER}/{key}/{array}.npy")):
                    data = store.get(part)
                    digest.update(data)
                    file.write(data)
                    done += len(data)
                    progress(f"fetching {name}", done, table.size)
            if digest.hexdigest() != expected:
                raise _damaged(store, key, f"{array}.npy has changed")
        write_durably(folder / DESCRIPTION, store.get(f"{FOLDER}/{key}/{DESCRIPTION}"))
        sync_directory(folder)

    stored, new = install(name, version, fill)
    if new:
        for _ in check_stored(stored):
            pass
    return SharedTable(name, key, stored.table.size, new=new)


def _description(store: Store, key: str) -> TableFile:
    """What a table beside results is: its description, its content hash and its files."""
    content, _, version = key.partition("/")
    try:
        table = TABLE.unseal(store.get(f"{FOLDER}/{key}/{DESCRIPTION}"))
    except FileNotFoundError as error:
        raise IncompleteError(
            f"There is no table {store.location(f'{FOLDER}/{key}')}.",
            "Upload it from the machine that has it: `hpoctl blackbox push NAME`.",
        ) from error
    except DamagedError as error:
        raise _damaged(store, key, f"{DESCRIPTION}: {error}") from error
    if table.content_hash != content or stored_hash(table.description, content) != version:
        raise _damaged(store, key, f"{DESCRIPTION} is another table's")
    return table


def _noted(store: Store, tag: str) -> Mapping[str, str]:
    """The tables that a tag's experiments need: their names and keys."""
    file = f"{tag}/{CONTROL}/{TABLES}"
    try:
        return NEEDED.unseal(store.get(file)).tables
    except FileNotFoundError:
        return {}
    except DamagedError as error:
        raise IncompleteError(
            f"{store.location(file)} is damaged: {error}.", "Remove it and launch the tag again."
        ) from error


def _damaged(store: Store, key: str, why: str) -> HpoctlError:
    where = store.location(f"{FOLDER}/{key}")
    return IncompleteError(
        f"The table {where} is damaged: {why}.", "Remove it, and upload it again: `hpoctl blackbox push NAME`."
    )
