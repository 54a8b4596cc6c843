"""`hpoctl blackbox import`, `fetch`, `check` and `remove`: the data behind benchmarks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hpoctl.blackboxes.contract import benchmark_checks
from hpoctl.blackboxes.tables.storage import remove_table
from hpoctl.blackboxes.tables.stored import stored_names
from hpoctl.core.blackbox import Blackbox
from hpoctl.core.entries import Benchmark, Imported, Progress
from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.plugins import Registry
from hpoctl.plugins.isolation import describe


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was downloaded.

    Attributes:
        kind: The importer.
        path: Where it is.
    """

    kind: str
    path: str


def import_files(registry: Registry, kind: str, path: Path, progress: Progress) -> Imported:
    """Import files that a person has.

    Raises:
        UsageError: There is no such importer, or the files are not what they should be.
        IncompleteError: They are damaged or incomplete.
        HpoctlError: The importer failed.
    """
    importer = registry.importer(kind)
    with _guarded(f"The importer {kind} failed on {path}"):
        return importer.load(path, progress)


def fetch_files(registry: Registry, kind: str, url: str | None, progress: Progress) -> Fetched:
    """Download the original files of an importer.

    Raises:
        UsageError: There is no such importer, or it has nothing to download.
        HpoctlError: The download failed; called again, it continues.
    """
    importer = registry.importer(kind)
    if importer.fetch is None:
        can = [name for name, registered in registry.importers.items() if registered.entry.fetch is not None]
        others = f"; {' and '.join(can)} can be downloaded" if can else ""
        raise UsageError(
            f"There is nothing to download for {kind}.",
            f"Import files that you have with `hpoctl blackbox import {kind} PATH`{others}.",
        )
    with _guarded(f"The importer {kind} failed to download"):
        return Fetched(kind, str(importer.fetch(url, progress)))


def check_blackbox(registry: Registry, name: str) -> Iterator[str]:
    """Check the whole table of a benchmark, then the contract of blackboxes; a line for each thing that is right.

    Raises:
        UsageError: There is no benchmark of that name.
        HpoctlError: The first thing that is wrong.
    """
    benchmark = registry.benchmark(name)
    with _guarded(f"The blackbox of {name} failed"):
        if benchmark.check is not None:
            yield from benchmark.check()
        yield from benchmark_checks(benchmark)


def open_blackbox(benchmark: Benchmark) -> Blackbox:
    """The blackbox of a benchmark; any exception of a plugin becomes one error.

    Raises:
        HpoctlError: It cannot be opened.
    """
    with _guarded(f"The table of {benchmark.name} cannot be opened"):
        return benchmark.blackbox()


def remove_imported(registry: Registry, name: str) -> None:
    """Remove an imported table.

    Raises:
        UsageError: No blackbox has that name.
        HpoctlError: It cannot be removed.
    """
    check_removable(registry, name)
    remove_table(name)


def check_removable(registry: Registry, name: str) -> None:
    """Refuse to remove what was not imported.

    Raises:
        UsageError: There is no imported table of that name.
    """
    if name in stored_names():
        return
    if name in registry.benchmarks:
        origin = registry.benchmarks[name].origin
        raise UsageError(
            f"{name} was not imported: it comes with {origin}.", f"Uninstall {origin.distribution} to be without it."
        )
    raise UsageError(f"No table {name!r} was imported.", "`hpoctl blackbox list` lists all of them.")


@contextmanager
def _guarded(what: str) -> Iterator[None]:
    """Whatever the code of a plugin raises is told in one line."""
    try:
        yield
    except HpoctlError:
        raise
    except Exception as error:
        raise HpoctlError(
            f"{what}: {describe(error)}.", "`hpoctl plugins` says whose code it is; tell its author."
        ) from error
