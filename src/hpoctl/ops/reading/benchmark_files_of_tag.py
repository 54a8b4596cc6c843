"""Benchmark files by the names that they have in the results of a tag.

`hpoctl run --benchmark benchmark.toml` leaves no plan that says where the file is; its results do.
"""

from dataclasses import replace

from hpoctl.core.cells import METADATA
from hpoctl.core.metadata import read_metadata
from hpoctl.core.sealed import DamagedError
from hpoctl.core.storage import Store
from hpoctl.ops.studies.overrides import Overrides
from hpoctl.plugins import Registry
from hpoctl.stores.ledger import read_attempts


def with_files_of_tag(changes: Overrides, registry: Registry, store: Store, tag: str) -> Overrides:
    """What a person set, with the files of benchmarks that are known by the results of a tag only.

    Args:
        changes: What was set; names that are registered, or whose files are known, stay as they are.
        registry: What is registered.
        store: Where results live.
        tag: The tag.

    Raises:
        HpoctlError: The store cannot be read.
    """
    unknown = set(changes.benchmarks) - registry.benchmarks.keys() - changes.benchmark_files.keys()
    if not unknown:
        return changes
    files: dict[str, str] = {}
    for attempt in sorted(read_attempts(store, tag), key=lambda attempt: attempt.started):
        if attempt.cell is not None and attempt.cell.benchmark in unknown:
            try:
                path = read_metadata(store.get(f"{attempt.directory}/{METADATA}")).benchmark_file
            except (DamagedError, FileNotFoundError):
                continue  # damaged, or removed meanwhile: another one may say it
            if path is not None:
                files[attempt.cell.benchmark] = path
    return replace(changes, benchmark_files={**files, **changes.benchmark_files})
