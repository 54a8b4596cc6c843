"""Rows of a tuner of Syne Tune as CSV: read into a table and written from one."""

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.protocols import FloatArray
from hpoctl.core.space import Space

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = "results.csv"
ColumnKind = Literal["text", "whole", "number", "flag"]
TIME, TRIAL = "st_tuner_time", "trial_id"
RESERVED = frozenset({"tag", "method", "benchmark", "seed", "origin"})
"""Columns that a table of all experiments has in front: no row may have others of these names."""

NO_KIND: Mapping[ColumnKind, str] = {
    "whole": "no whole number",
    "number": "no number",
    "flag": "neither true nor false",
    "text": "no text",
}

LEAVE_OUT = "Leave it out, or copy it again."
UTF_8 = "utf-8-sig"
"""Some programs begin a file with a byte order mark."""


def read_rows(data: bytes, metric: str, known: Mapping[str, ColumnKind] = MappingProxyType({})) -> "pa.Table":
    """Rows in time order, with the columns that the file has, in their order.

    Where nothing says what a column holds, whole numbers, numbers, flags and words are told apart by what stands in it,
    as pandas does it; empty fields are missing.

    Args:
        data: The rows as CSV.
        metric: The column of the metric.
        known: What some columns hold.

    Raises:
        IncompleteError: They cannot be read, or lack what an analysis needs.
    """
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.csv as pa_csv  # noqa: PLC0415

    names = _header(data)
    try:
        text = pa_csv.read_csv(
            pa.BufferReader(data),
            pa_csv.ReadOptions(use_threads=False, block_size=len(data) + 1),
            pa_csv.ParseOptions(newlines_in_values=True),
            pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
            ),
        )
    except (pa.ArrowException, ValueError) as error:
        raise IncompleteError(f"{ROWS} is damaged: {in_short(error)}.", LEAVE_OUT) from error
    needed: dict[str, ColumnKind] = {metric: "number", TIME: "number", TRIAL: "whole"}
    kinds = {**known, **needed}
    columns = {name: _typed(name, text.column(name), kinds.get(name)) for name in names}
    for name in needed:
        if name not in columns:
            raise IncompleteError(f"{ROWS} has no column {name}.", LEAVE_OUT)
    table = pa.table(columns)
    times, trials = table.column(TIME).to_numpy(), table.column(TRIAL)
    if not table.num_rows:
        raise IncompleteError(f"{ROWS} has no rows.", LEAVE_OUT)
    if trials.null_count or not (np.isfinite(times).all() and times.min() >= 0.0 < times.max()):
        raise IncompleteError(f"{ROWS} has rows without {TRIAL}, or without a time in {TIME}.", LEAVE_OUT)
    if np.all(times[1:] >= times[:-1]):
        return table.combine_chunks()
    return table.take(pa.array(np.argsort(times, kind="stable"))).combine_chunks()


def _header(data: bytes) -> list[str]:
    try:
        names = next(csv.reader(io.TextIOWrapper(io.BytesIO(data), UTF_8, newline="")), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise IncompleteError(f"{ROWS} is damaged: {in_short(error)}.", LEAVE_OUT) from error
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise IncompleteError(f"{ROWS} has the column {twice[0]!r} twice.", LEAVE_OUT)
    taken = sorted(RESERVED & set(names))
    if taken:
        raise IncompleteError(f"{ROWS} has a column {taken[0]!r}, a name that hpoctl needs.", "Rename the column.")
    return names


def _typed(name: str, column: "pa.ChunkedArray", kind: ColumnKind | None) -> "pa.ChunkedArray":
    import pyarrow as pa  # noqa: PLC0415

    types = {"whole": pa.int64(), "number": pa.float64(), "flag": pa.bool_()}
    if kind == "text":
        return column.dictionary_encode()
    for wanted in (types[kind],) if kind else types.values():
        with suppress(pa.ArrowInvalid):
            return column.cast(wanted)
    if kind == "whole":  # such as 3.0, as pandas writes a column in which a value is missing
        with suppress(pa.ArrowInvalid):
            return column.cast(pa.float64()).cast(pa.int64())
    if kind:
        raise IncompleteError(f"{ROWS} has something in {name} that is {NO_KIND[kind]}.", LEAVE_OUT)
    return column.dictionary_encode()


def resource_of(table: "pa.Table", metric: str) -> str | None:
    """The column of the resource: the one of whole numbers that grows from row to row of each trial; None: not one."""
    import pyarrow as pa  # noqa: PLC0415

    trials = table.column(TRIAL).to_numpy()
    order = np.argsort(trials, kind="stable")
    same = np.diff(trials[order]) == 0
    found = [
        field.name
        for field in table.schema
        if field.type == pa.int64()
        and field.name not in {TRIAL, metric}
        and not field.name.startswith(("config_", "st_"))
        and not table.column(field.name).null_count
        and same.any()
        and (np.diff(table.column(field.name).to_numpy()[order])[same] > 0).all()
    ]
    return found[0] if len(found) == 1 else None


def rows_csv(table: "pa.Table") -> bytes:
    """Rows as CSV: missing values are empty, numbers are written so that they are read back exactly."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.csv as pa_csv  # noqa: PLC0415

    table = without_dictionaries(table)
    for place, field in enumerate(table.schema):
        if field.type == pa.float64() and _all_whole(table.column(place).to_numpy()):
            # 3.0, because 3 would be read as a whole number
            words = [None if value is None else repr(value) for value in table.column(place).to_pylist()]
            table = table.set_column(place, field.name, pa.array(words, pa.string()))
    sink = io.BytesIO()
    pa_csv.write_csv(table, sink)
    return sink.getvalue()


def _all_whole(values: FloatArray) -> bool:
    finite = values[np.isfinite(values)]
    return bool((finite == np.round(finite)).all())


def without_dictionaries(table: "pa.Table") -> "pa.Table":
    """The table with words as words, not as codes."""
    import pyarrow as pa  # noqa: PLC0415

    fields = [
        pa.field(field.name, field.type.value_type if pa.types.is_dictionary(field.type) else field.type)
        for field in table.schema
    ]
    return table.cast(pa.schema(fields))


def in_short(error: Exception) -> str:
    """The text of an error on one line."""
    return " ".join(str(error).split())[:160].rstrip(".")


KINDS: Mapping[type, ColumnKind] = {str: "text", int: "whole", float: "number", bool: "flag"}
PREFIX = "config_"


def column_kinds(config_space: object) -> dict[str, ColumnKind]:
    """The kinds of the columns of hyperparameters, by the names of the columns; those that are not known are left out.

    Args:
        config_space: The entry of the metadata: JSON of a space as hpoctl or as Syne Tune writes it.
    """
    try:
        space = json.loads(config_space) if isinstance(config_space, str) else config_space
    except (ValueError, RecursionError):
        return {}
    if not isinstance(space, dict):
        return {}
    kinds = {f"{PREFIX}{name}": _kind(name, entry) for name, entry in space.items()}
    return {name: kind for name, kind in kinds.items() if kind is not None}


def _kind(name: str, entry: object) -> ColumnKind | None:
    if isinstance(entry, dict) and "domain_cls" in entry:
        return _of_syne_tune(entry)
    try:
        domain = Space.from_json({name: entry})[name]
    except UsageError:
        return None
    return KINDS.get(type(domain.middle()))


def _of_syne_tune(entry: Mapping[str, Any]) -> ColumnKind | None:
    stated = entry.get("domain_kwargs")
    arguments: Mapping[str, Any] = stated if isinstance(stated, dict) else {}
    values = arguments.get("categories")
    if isinstance(values, list):
        return _common({KINDS.get(type(value)) for value in values})
    kind = entry["domain_cls"]
    if kind == "Integer" or (kind == "FiniteRange" and arguments.get("cast_int") is True):
        return "whole"
    return "number" if kind in ("Float", "FiniteRange") else None


def _common(kinds: set[ColumnKind | None]) -> ColumnKind | None:
    if kinds == {"whole", "number"}:
        return "number"
    return kinds.pop() if len(kinds) == 1 else None
