"""trials.parquet: everything that ever happened to the trials of an experiment, a row for each start or resume."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from hpoctl.core.protocols import Bill, Plain
from hpoctl.core.space import Config, Space
from hpoctl.engine.table import plain_columns
from hpoctl.engine.trial_log import Run


@dataclass(slots=True)
class Account:
    """What all jobs of a start or resume of a trial are billed.

    Attributes:
        seconds: Billed seconds, over all machines.
        cost: What they cost; None: no price is known.
    """

    seconds: float = 0.0
    cost: float | None = None


def accounts(bills: Iterable[Bill]) -> dict[tuple[int, int], Account]:
    """What starts of trials are billed, by trial and start; of several bills for a job the last one counts."""
    found: dict[tuple[int, int], Account] = {}
    for bill in {(bill.trial_id, bill.job): bill for bill in bills}.values():
        account = found.setdefault((bill.trial_id, bill.start), Account())
        account.seconds += bill.seconds
        if bill.cost is not None:
            account.cost = (account.cost or 0.0) + bill.cost
    return found


def total_cost(runs: Sequence[Run], price: float | None, bills: Iterable[Bill]) -> float | None:
    """What all runs have cost; None: not known."""
    starts: Counter[int] = Counter()
    billed = accounts(bills)
    costs = []
    for run in runs:
        costs.append(_cost(run, price, billed.get((run.trial_id, starts[run.trial_id]))))
        starts[run.trial_id] += 1
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known or price is not None else None


def _cost(run: Run, price: float | None, account: Account | None) -> float | None:
    if account is not None:
        return account.cost
    return None if price is None else run.seconds * price / 3600.0


def trials_table(
    runs: Sequence[Run], configs: Sequence[Config], space: Space, price: float | None, bills: Iterable[Bill] = ()
) -> pa.Table:
    """The runs as a table, in the order of their begin.

    Args:
        runs: The starts and resumes of all trials.
        configs: The configuration of each trial, by trial id.
        space: The configuration space.
        price: What an hour of one trial costs; None: not known.
        bills: What starts and resumes are billed, where the backend knows.
    """
    billed = accounts(bills)
    starts: dict[int, int] = {}
    columns: dict[str, list[Plain | None]] = {name: [] for name in COLUMNS}
    for run in runs:
        starts[run.trial_id] = start = starts.get(run.trial_id, -1) + 1
        account = billed.get((run.trial_id, start))
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
            "billed_seconds": None if account is None else account.seconds,
            "cost": _cost(run, price, account),
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
    "billed_seconds",
    "cost",
)
"""The columns before the configuration; missing values are null."""
