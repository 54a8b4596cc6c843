"""Result directories with rows that can be read: a few columns, given losses."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from hpoctl.core.cells import Cell, Filters
from hpoctl.core.storage import Store
from hpoctl.engine.table import parquet_bytes
from hpoctl.ops.reading.results_of_tags import LoadRequest
from trees import TAG, put_attempt

METRIC = "loss"


def rows_bytes(losses: Sequence[float], times: Sequence[float] | None = None, metric: str = METRIC) -> bytes:
    """A results file with these losses, one a second."""
    count = len(losses)
    columns = {
        metric: np.array(losses, dtype=float),
        "epoch": np.arange(1, count + 1),
        "st_tuner_time": np.arange(1.0, count + 1) if times is None else np.array(times, dtype=float),
        "trial_id": np.arange(count),
    }
    return parquet_bytes(pa.table(columns))


def put_result(
    store: Store,
    cell: Cell,
    losses: Sequence[float] = (3.0, 1.0, 2.0),
    *,
    tag: str = TAG,
    options: int = 0,
    random_seed: int = 7,
    metric: str = METRIC,
    mode: str = "min",
    **values: Any,
) -> str:
    """Write a complete result; returns its directory.

    Args:
        store: Where it goes.
        cell: The experiment.
        losses: The metric of its rows.
        tag: The tag.
        options: What determines it besides its seeds.
        random_seed: Its random seed.
        metric: The metric.
        mode: Whether it is minimised.
        values: Other values for the metadata, and options of `put_attempt`.
    """
    known = {
        "metric_names": [metric],
        "metric_mode": mode,
        "random_seed": random_seed,
        "n_workers": 4,
        "max_wallclock_time": 10.0,
        "determinants": {"options": options, "seeds": {"master_seed": random_seed, "seed": cell.seed}},
        "identity": f"{cell} {options} {random_seed}",
    }
    content = {"rows": rows_bytes(losses, metric=metric)}
    return put_attempt(store, cell, tag=tag, **{**content, **known, **values})


def load_request(root: str, tags: tuple[str, ...], where: tuple[str, ...] = (), **filters: Any) -> LoadRequest:
    """What is asked for of tags, with the fields of `Filters` by name."""
    return LoadRequest(tags, root, Filters(**filters), where)
