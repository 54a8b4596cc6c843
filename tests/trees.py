"""Result trees made by hand: attempts in any state, without running anything."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import METADATA, RESULTS, Cell, experiment_prefix
from hpoctl.core.sealed import seal
from hpoctl.core.storage import Store

TAG = "docs-2"
CELL = Cell("ASHA", "toy", 0)
BEGIN = datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC)
ROWS = b"PAR1 the rows PAR1"
ERROR = "Traceback (most recent call last):\n  File ...\nValueError: broken"


def put_attempt(
    store: Store,
    cell: Cell = CELL,
    status: str = "completed",
    *,
    tag: str = TAG,
    expensive: bool = False,
    seconds: float = 0.0,
    rows: bytes = ROWS,
    without: frozenset[str] = frozenset(),
    **values: Any,
) -> str:
    """Write the directory of one attempt, and return its name.

    Args:
        store: Where it goes.
        cell: The experiment.
        status: What its metadata says.
        tag: The tag.
        expensive: Whether its method is expensive.
        seconds: When it began, after `BEGIN`.
        rows: The content of its results file, if it is completed.
        without: Keys to leave out of its metadata.
        values: Other values for its metadata.
    """
    begin = BEGIN + timedelta(seconds=seconds)
    stamp = begin.strftime("%Y%m%d-%H%M%S-%f")
    directory = experiment_prefix(tag, cell, expensive=expensive) + stamp
    metadata: Mapping[str, Any] = {
        "format": 1,
        "status": status,
        "tag": tag,
        "algorithm": cell.method,
        "benchmark": cell.benchmark,
        "seed": cell.seed,
        "random_seed": 7,
        "identity": f"identity of {cell}",
        "max_wallclock_time": 1800.0,
        "host": "here",
        "pid": 1,
        "st_tuner_start_timestamp": begin.timestamp(),
    }
    if status == "completed":
        store.put(f"{directory}/{RESULTS}", rows)
        closing = {"results_bytes": len(rows), "results_sha256": content_hash(rows), "wall_seconds": 2.0}
        metadata = {**metadata, **closing}
    if status == "failed":
        metadata = {**metadata, "error": ERROR}
    kept = {key: value for key, value in {**metadata, **values}.items() if key not in without}
    store.put(f"{directory}/{METADATA}", seal(kept))
    return directory


def put_curve(store: Store, cell: Cell, final: float, **values: Any) -> str:
    """A complete result with a curve of two steps."""
    columns = {"st_tuner_time": [10.0, 600.0], "loss": [2.0 * final, final]}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    known: Mapping[str, Any] = {"metric_names": ["loss"], "metric_mode": "min", **values}
    return put_attempt(store, cell, rows=bytes(sink.getvalue()), **known)
