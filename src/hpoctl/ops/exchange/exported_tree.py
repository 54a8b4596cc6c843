"""Result trees as Syne Tune writes them, for its own loaders.

    <output>/<tag>/<method>[-<seed>]/<tag>-<benchmark>-<seed>-<date>/results.csv.zip
                                                                    /metadata.json

The metadata are written last: loaders look for them, so they never find half an experiment. Equal results are equal
bytes. So an export can be repeated: it resumes after an interruption, and adds new results.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpoctl.core.cells import METADATA, Cell
from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.files import read_regular
from hpoctl.core.metadata_head import OWN
from hpoctl.ops.exchange.imported_metadata import DATA, LAST_SECOND
from hpoctl.ops.exchange.syne_tune_files import ROWS_ZIP, zipped
from hpoctl.ops.exchange.syne_tune_rows import rows_csv
from hpoctl.ops.reading.tag_contents import FoundResult
from hpoctl.ops.reading.written_files import write_file

if TYPE_CHECKING:
    import pyarrow as pa

KEPT = (
    "seed",
    "algorithm",
    "tag",
    "benchmark",
    "random_seed",
    "max_size_data_for_model",
    "n_workers",
    "max_wallclock_time",
    "max_num_evaluations",
    "metric_names",
    "metric_mode",
    "scheduler_name",
    "config_space",
    "backend",
    "entrypoint",
    "identity",
    "st_tuner_creation_timestamp",
    "st_tuner_start_timestamp",
)
"""What both programs call the same, and the identity. Loaders make a column of each, so there are no nested values."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where an experiment goes.

    Attributes:
        folder: Its folder.
        metadata: Its metadata, as they are written.
        present: Whether it is there.
    """

    folder: Path
    metadata: bytes
    present: bool


class ExportedTree:
    """A folder with result trees, of this export and of those before it.

    Args:
        output: The folder.
    """

    def __init__(self, output: Path) -> None:
        self._output = output
        self._tags: dict[str, dict[Cell, Path]] = {}
        self._names: set[str] = set()  # loaders know results by these alone

    def target(self, found: FoundResult) -> Target:
        """Where a result goes; nothing is written.

        Raises:
            UsageError: Another result of the same experiment is there, or something that is not an export.
            HpoctlError: The folder cannot be read.
        """
        metadata, there = _metadata(found), self._there(found.tag).get(found.cell)
        if there is None:
            name = _tuner_name(found, self._names)
            self._names.add(name)
            job = found.attempt.directory.split("/")[1]
            return Target(self._output / found.tag / job / name, metadata, present=False)
        if read_regular(there / METADATA) != metadata:
            raise UsageError(
                f"{there} is another result of {found.cell}.", "Remove it, or name another folder with --output."
            )
        return Target(there, metadata, (there / ROWS_ZIP).exists())

    def _there(self, tag: str) -> dict[Cell, Path]:
        """The experiments of a tag that were exported before."""
        if tag not in self._tags:
            self._tags[tag] = dict(_exported(self._output / tag))
            self._names |= {folder.name for folder in self._tags[tag].values()}
        return self._tags[tag]


def write_result(target: Target, rows: "pa.Table") -> None:
    """Write the files of an experiment.

    Raises:
        HpoctlError: They cannot be written.
    """
    try:
        target.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HpoctlError(
            f"Cannot make {target.folder}: {error.strerror or error}.", "Name another folder with --output."
        ) from error
    write_file(target.folder / ROWS_ZIP, zipped(rows_csv(rows)))
    write_file(target.folder / METADATA, target.metadata)


def _exported(folder: Path) -> Iterator[tuple[Cell, Path]]:
    """The experiments in the folder of a tag."""
    try:
        for file in sorted(folder.glob(f"*/*/{METADATA}")):
            entries = json.loads(read_regular(file))
            yield Cell(str(entries["algorithm"]), str(entries["benchmark"]), int(entries["seed"])), file.parent
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{file} is not of an export.", "Remove it, or name another folder with --output.") from error
    except OSError as error:
        raise HpoctlError(
            f"Cannot read {error.filename}: {error.strerror or error}.", "Check the folder and its permissions."
        ) from error


def _metadata(found: FoundResult) -> bytes:
    """The metadata for Syne Tune: those that were imported as they were, under their present names."""
    here = found.metadata
    if here.made_by != OWN and here.imported is not None:
        entries = _imported(here.imported.metadata)
        cell = found.cell
        entries |= {"tag": found.tag, "algorithm": cell.method, "benchmark": cell.benchmark, "seed": cell.seed}
    else:
        entries = {key: here.entries[key] for key in KEPT if here.entries.get(key) is not None}
        entries |= {"resource_attr": here.resource, DATA: json.dumps(here.data)}
    return json.dumps(entries).encode()


def _imported(text: str) -> dict[str, Any]:
    """Metadata as they were imported; nothing of them if they are damaged."""
    with suppress(ValueError, RecursionError):
        entries = json.loads(text)
        if isinstance(entries, dict):
            return entries
    return {}


def _tuner_name(found: FoundResult, taken: set[str]) -> str:
    """A name as Syne Tune makes them up; of an imported result the one that it had, under its own tag."""
    had = found.metadata.imported.tuner if found.metadata.imported else ""
    if had.startswith(f"{found.tag}-") and had not in taken:
        return had
    cell = found.cell
    base = f"{found.tag}-{cell.benchmark}-{cell.seed}".replace("_", "-").replace(".", "-")
    began = found.attempt.started
    milliseconds = int(began * 1000) if 0.0 <= began < LAST_SECOND else 0  # a clock may be wrong
    while True:
        date = datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%d-%H-%M-%S")
        name = f"{base}-{date}-{milliseconds % 1000:03d}"
        if name not in taken:
            return name
        milliseconds += 1
