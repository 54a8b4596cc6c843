"""All rows of completed experiments of one or several tags, for notebooks and for other programs; runs of trials."""

import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hpoctl.core.cells import RESULTS, TRIALS
from hpoctl.core.errors import IncompleteError
from hpoctl.core.records import RecordError, from_plain
from hpoctl.ops.reading.read_columns import AGAIN, unreadable
from hpoctl.ops.reading.results_of_tags import LoadRequest, find_results, read_each
from hpoctl.ops.reading.setups import notes_of, renamed, setup_names
from hpoctl.ops.reading.tag_contents import FoundResult, Skipped

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ATTRIBUTE, NOTES = "skipped", "notes"
EXACT = 2**53
"""Up to here each whole number is a float."""


def load_rows(request: LoadRequest) -> tuple["pd.DataFrame", tuple[Skipped, ...]]:
    """All rows that fit; `tag`, `method`, `benchmark` and `seed` are the first columns, `attrs["notes"]` what to know.

    Raises:
        UsageError: A tag or condition is invalid, or a filter matches no experiment of the tags.
        IncompleteError: There is nothing of a tag, or no completed experiment fits.
        HpoctlError: The store cannot be read.
    """
    import pandas as pd  # noqa: PLC0415 - costs more than a plot

    results = find_results(request)
    newest = [found for tag in results for found in tag.newest]
    names = setup_names(newest)

    def read(found: FoundResult) -> pd.DataFrame:
        rows: pd.DataFrame = read_table(found).to_pandas()
        cell = found.cell
        rows.insert(0, "seed", cell.seed)
        rows.insert(0, "benchmark", cell.benchmark)
        rows.insert(0, "method", names[found.tag, cell.method])
        rows.insert(0, "tag", found.tag)
        return rows

    frames, skipped = read_each(results, read)
    rows = pd.concat(apart(frames), ignore_index=True)
    for name in ("tag", "method", "benchmark"):
        rows[name] = rows[name].astype("category")
    rows.attrs[NOTES] = list(notes_of(newest))
    return rows, renamed(skipped, names)


def apart(frames: "list[pd.DataFrame]") -> "list[pd.DataFrame]":
    """The frames, with values as objects where a common type would change them: flags, and whole numbers above 2^53."""
    kinds: dict[str, set[str]] = {}
    for frame in frames:
        for name in frame.columns:
            kinds.setdefault(name, set()).add(_kind_of(frame[name]))
    apart = [name for name, found in kinds.items() if len(found) > 1 and found & {"b", "wide"}]
    return [frame.astype(dict.fromkeys([name for name in apart if name in frame], object)) for frame in frames]


def _kind_of(column: "pd.Series[Any]") -> str:
    kind = getattr(column.dtype, "kind", "O")
    return "wide" if kind in "iu" and len(column) and abs(column).max() > EXACT else str(kind)


def load_for_notebook(request: LoadRequest) -> "pd.DataFrame":
    """All matching rows; results that were left out are an attribute, and counted in a warning."""
    rows, skipped = load_rows(request)
    rows.attrs[ATTRIBUTE] = [
        {"kind": entry.kind, "path": entry.path, "experiment": str(entry.cell or ""), "what": entry.what}
        for entry in skipped
    ]
    if skipped:
        kinds = {kind: sum(entry.kind == kind for entry in skipped) for kind in {entry.kind for entry in skipped}}
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        warnings.warn(f'left out: {counts}; see frame.attrs["{ATTRIBUTE}"]', stacklevel=3)
    return rows


def read_table(found: FoundResult) -> "pa.Table":
    """The rows of a result, compared with their hash.

    Raises:
        IncompleteError: They are missing or damaged.
        HpoctlError: The store cannot be read.
    """
    import pyarrow as pa  # noqa: PLC0415

    data, where = found.results(), f"{found.where}/{RESULTS}"
    table = _parquet(data, where)
    for column in table.schema:
        if pa.types.is_nested(column.type):
            raise IncompleteError(f"{where} has a column {column.name!r} of lists or tables, not of values.", AGAIN)
    return table


@dataclass(frozen=True, slots=True)
class _Run:
    """What is read of a start or resume of a trial, as trials.parquet has it."""

    trial_id: int
    outcome: str | None
    reason: str | None
    seconds: float
    begin: float
    cost: float | None = None


def load_runs(found: FoundResult) -> dict[int, list[Mapping[str, Any]]]:
    """The starts and resumes of each trial, where trials really trained; none for a simulated experiment.

    Raises:
        IncompleteError: They cannot be read, or are not what they should be.
    """
    where = f"{found.where}/{TRIALS}"
    try:
        so_far = found.so_far
        data = found.root.store.get(f"{found.attempt.directory}/{TRIALS}") if so_far is None else so_far.trials
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise unreadable(where, error) from error
    runs: dict[int, list[Mapping[str, Any]]] = {}
    for run in _parquet(data, where).to_pylist():
        try:
            trial_id = from_plain(_Run, run, strict=False).trial_id
        except RecordError as error:
            raise IncompleteError(f"{where} cannot be used: {error}.", AGAIN) from error
        runs.setdefault(trial_id, []).append(run)
    return runs


def _parquet(data: bytes, where: str) -> "pa.Table":
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        return pq.read_table(io.BytesIO(data))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise unreadable(where, error) from error
