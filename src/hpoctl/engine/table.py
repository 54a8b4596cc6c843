"""The files of an experiment as Parquet: its rows, equal rows as equal bytes, and what its suggestions cost.

suggestions.parquet has what each suggestion cost on the simulated clock, where that is the time that it really took:
with `--decision-time measured` a simulated experiment depends on the speed of the machine, and with these numbers it
can be run again as it was.

Arrays go to Arrow as buffers. Its converters (`pa.array`, `pa.scalar`) would import pandas, which costs more than most
experiments do.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hpoctl.core.entries import Benchmark
from hpoctl.core.errors import IncompleteError
from hpoctl.core.protocols import Plain
from hpoctl.core.space import Space, Value
from hpoctl.engine.rows import Rows

ENCODINGS: dict[pa.DataType, str] = {pa.int64(): "DELTA_BINARY_PACKED", pa.float64(): "BYTE_STREAM_SPLIT"}
"""How columns of numbers that differ from row to row are written: a quarter smaller and faster than dictionaries."""

SECONDS = "seconds"
NUMBERS: dict[np.dtype[Any], pa.DataType] = {np.dtype(np.int64): pa.int64(), np.dtype(np.float64): pa.float64()}

LARGEST = 2.0**53
"""The largest count; beyond it a double has no whole numbers."""


def column_names(benchmark: Benchmark, space: Space) -> list[str]:
    """The columns that every results file of a benchmark has, in their order."""
    standard = [benchmark.resource_attr, "st_tuner_time", "st_decision", "st_status", "trial_id"]
    return [*benchmark.metrics, *standard, *(f"config_{name}" for name in space.names), "elapsed_time"]


def rows_table(rows: Rows, benchmark: Benchmark, space: Space) -> pa.Table:
    """The rows as a table: metrics, resource, st_* columns, trial_id, config_*, elapsed_time, extra columns."""
    columns = [
        *(_numbers(rows.metrics[:, place]) for place in range(len(benchmark.metrics))),
        _numbers(rows.resources),
        _numbers(rows.times),
        _words(rows.decisions),
        _words(rows.statuses),
        _numbers(rows.trial_ids),
        *(_hyperparameter([config[name] for config in rows.configs], rows.trial_ids) for name in space.names),
        _numbers(rows.elapsed),
        *(_extra(series) for series in rows.extra.values()),
    ]
    names = [*column_names(benchmark, space), *rows.extra]
    carried = {f"extra_{name}": values for name, values in rows.reported.items() if f"extra_{name}" not in names}
    reported = plain_columns(carried)
    return pa.Table.from_arrays([*columns, *reported.values()], names=[*names, *reported])


def plain_columns(columns: Mapping[str, Sequence[Plain | None]]) -> dict[str, pa.Array]:
    """Columns of plain values: whole numbers, numbers, true and false, or else texts; None is missing."""
    return {name: _plain(values) for name, values in columns.items()}


def _plain(values: Sequence[Plain | None]) -> pa.Array:
    missing = np.array([value is None for value in values], dtype=bool)
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {bool} and kinds:
        flags = np.array([bool(value) for value in values], dtype=bool)
        valid = _bits(~missing) if missing.any() else None
        return pa.Array.from_buffers(pa.bool_(), len(flags), [valid, _bits(flags)])
    if kinds == {int} and all(value is None or -(2**63) <= int(value) < 2**63 for value in values):
        return _numbers(np.array([0 if value is None else int(value) for value in values], dtype=np.int64), missing)
    if kinds <= {int, float}:
        numbers = [0.0 if value is None else float(value) for value in values]
        return _numbers(np.array(numbers, dtype=np.float64), missing)
    texts = ["" if value is None else value if isinstance(value, str) else str(value) for value in values]
    return _texts(texts, missing)


def parquet_bytes(table: pa.Table) -> bytes:
    """The table as a Parquet file; the bytes depend on the table and the version of the library only."""
    encodings = {field.name: ENCODINGS[field.type] for field in table.schema if _changes_by_row(field)}
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        compression_level=11,
        use_dictionary=[name for name in table.column_names if name not in encodings],
        column_encoding=encodings,
        write_statistics=False,
    )
    return bytes(sink.getvalue().to_pybytes())


def _changes_by_row(field: pa.Field) -> bool:
    """Whether a column has its own values in every row, unlike words and hyperparameters."""
    return field.type in ENCODINGS and not field.name.startswith("config_")


def _hyperparameter(values: Sequence[Value], trial_ids: NDArray[np.integer]) -> pa.Array:
    """One value a trial, spread over the trial's rows."""
    if any(isinstance(value, str) for value in values):
        texts = [str(value) for value in values]
        return _texts([texts[trial_id] for trial_id in trial_ids.tolist()])
    column: NDArray[Any] = np.array(values)[trial_ids] if values else np.empty(0)
    return _flags(column) if column.dtype == bool else _numbers(column)


def _extra(series: NDArray[np.floating]) -> pa.Array:
    """Counts as integers, other values as they are; missing ones stay missing."""
    missing = np.isnan(series)
    if np.all(missing | ((series == np.round(series)) & (np.abs(series) <= LARGEST))):
        return _numbers(np.where(missing, 0, series).astype(np.int64), missing)
    return _numbers(series, missing)


def _numbers(column: NDArray[np.generic], missing: NDArray[np.bool_] | None = None) -> pa.Array:
    valid = None if missing is None or not missing.any() else _bits(~missing)
    return pa.Array.from_buffers(
        NUMBERS[column.dtype], len(column), [valid, pa.py_buffer(np.ascontiguousarray(column))]
    )


def _flags(column: NDArray[np.bool_]) -> pa.Array:
    return pa.Array.from_buffers(pa.bool_(), len(column), [None, _bits(column)])


def _words(column: NDArray[np.generic]) -> pa.Array:
    """Short words of which there are few different ones."""
    names, codes = np.unique(column, return_inverse=True)
    return _coded(names.tolist(), codes)


def _texts(texts: Sequence[str], missing: NDArray[np.bool_] | None = None) -> pa.Array:
    """Texts of any length. An array of NumPy would take the memory of the longest one for each of them."""
    names = sorted(set(texts))
    places = {name: place for place, name in enumerate(names)}
    return _coded(names, np.array([places[text] for text in texts], dtype=np.int32), missing)


def _coded(names: Sequence[str], codes: NDArray[np.integer], missing: NDArray[np.bool_] | None = None) -> pa.Array:
    """Text as codes and a dictionary."""
    kind = pa.dictionary(pa.int32(), pa.string())
    codes = codes.astype(np.int32)
    valid = None if missing is None or not missing.any() else _bits(~missing)
    return pa.DictionaryArray.from_buffers(kind, len(codes), [valid, pa.py_buffer(codes)], _strings(names))


def _strings(texts: Sequence[str]) -> pa.Array:
    encoded = [text.encode() for text in texts]
    ends = np.cumsum([0, *(len(text) for text in encoded)], dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), len(texts), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))])


def _bits(flags: NDArray[np.bool_]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(flags, bitorder="little"))


def suggestion_times_bytes(seconds: Sequence[float]) -> bytes:
    """The seconds of all suggestions in their order, as a file."""
    columns = plain_columns({SECONDS: seconds})
    return parquet_bytes(pa.Table.from_arrays(list(columns.values()), names=list(columns)))


def read_suggestion_times(data: bytes, where: str) -> Sequence[float]:
    """The seconds of all suggestions in their order.

    Args:
        data: The file.
        where: What it is called in messages.

    Raises:
        IncompleteError: It is damaged.
    """
    try:
        column = pq.read_table(io.BytesIO(data)).column(SECONDS)
        seconds = np.asarray(column.to_numpy(), dtype=np.float64)
    except (pa.ArrowException, KeyError, OSError, TypeError, ValueError) as error:
        why = " ".join(str(error).split())[:200]
        raise IncompleteError(f"{where} cannot be read: {why}.", "Ask about another experiment.") from error
    if not np.all(np.isfinite(seconds) & (seconds >= 0.0)):
        raise IncompleteError(f"{where} has a value that is no duration.", "Ask about another experiment.")
    found: list[float] = seconds.tolist()
    return found
