"""trials.parquet: everything that ever happened to the trials of an experiment, a row for each start or resume."""

from collections.abc import Sequence

import pyarrow as pa

from hpoctl.core.protocols import Plain
from hpoctl.core.space import Config, Space
from hpoctl.engine.table import plain_columns
from hpoctl.engine.trial_log import Run


def trials_table(runs: Sequence[Run], configs: Sequence[Config], space: Space, price: float | None) -> pa.Table:
    """The runs as a table, in the order of their begin.

    Args:
        runs: The starts and resumes of all trials.
        configs: The configuration of each trial, by trial id.
        space: The configuration space.
        price: What an hour of one trial costs; None: not known.
    """
    starts: dict[int, int] = {}
    columns: dict[str, list[Plain | None]] = {name: [] for name in COLUMNS}
    for run in runs:
        starts[run.trial_id] = start = starts.get(run.trial_id, -1) + 1
        values: dict[str, Plain | None] = {
            "trial_id": run.trial_id,
            "start": start,
            "begin": run.begin,
            "end": run.end,
            "seconds": run.seconds,
            "outcome": run.outcome.value if run.outcome else None,
            "reason": run.reason,
            "resource_from": run.resource_from,
            "resource_to": run.resource_to,
            "exit_status": run.exit_status,
            "signal": run.signal,
            "slot": run.slot,
            "devices": run.devices,
            "dropped_rows": run.dropped,
            "cost": None if price is None else run.seconds * price / 3600.0,
        }
        for name, value in values.items():
            columns[name].append(value)
    for name in space.names:
        columns[f"config_{name}"] = [configs[run.trial_id][name] for run in runs]
    arrays = plain_columns(columns)
    return pa.Table.from_arrays(list(arrays.values()), names=list(arrays))


COLUMNS = (
    "trial_id",
    "start",
    "begin",
    "end",
    "seconds",
    "outcome",
    "reason",
    "resource_from",
    "resource_to",
    "exit_status",
    "signal",
    "slot",
    "devices",
    "dropped_rows",
    "cost",
)
"""The columns before the configuration; missing values are null."""
