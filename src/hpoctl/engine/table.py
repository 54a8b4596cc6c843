"""The results file: the rows of an experiment as Parquet, equal rows as equal bytes."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hpoctl.core.entries import Benchmark
from hpoctl.core.space import Space, Value
from hpoctl.engine.rows import Rows


def rows_table(rows: Rows, benchmark: Benchmark, space: Space) -> pa.Table:
    """The rows as a table: metrics, resource, st_* columns, trial_id, config_*, elapsed_time, extra columns."""
    columns: dict[str, pa.Array] = {
        name: pa.array(rows.metrics[:, column]) for column, name in enumerate(benchmark.metrics)
    }
    columns[benchmark.resource_attr] = pa.array(rows.resources)
    columns["st_tuner_time"] = pa.array(rows.times)
    columns["st_decision"] = _words(rows.decisions)
    columns["st_status"] = _words(rows.statuses)
    columns["trial_id"] = pa.array(rows.trial_ids)
    for name in space.names:
        values = [config[name] for config in rows.configs]
        columns[f"config_{name}"] = _column(values, rows.trial_ids)
    columns["elapsed_time"] = pa.array(rows.elapsed)
    for name, series in rows.extra.items():
        columns[name] = _whole_numbers(series)
    return pa.table(columns)


def parquet_bytes(table: pa.Table) -> bytes:
    """The table as a Parquet file; the bytes depend on the table and the version of the library only."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", use_dictionary=True, write_statistics=False)
    return bytes(sink.getvalue().to_pybytes())


def _column(values: Sequence[Value], trial_ids: NDArray[np.integer]) -> pa.Array:
    """One value a trial, spread over the trial's rows."""
    if values and isinstance(values[0], str):
        return pa.array(values, pa.string()).dictionary_encode().take(pa.array(trial_ids))
    return pa.array(np.array(values)[trial_ids])


def _words(words: NDArray[np.str_]) -> pa.Array:
    names, codes = np.unique(words, return_inverse=True)
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(names.tolist(), pa.string()))


def _whole_numbers(series: NDArray[np.floating]) -> pa.Array:
    """Counts as integers, other values as they are; missing ones stay missing."""
    missing = np.isnan(series)
    if np.all(missing | (series == np.round(series))):
        return pa.array(np.where(missing, 0, series).astype(np.int64), mask=missing)
    return pa.array(series, mask=missing)
