"""The starts and resumes of the trials of an experiment, from its trials.parquet or from its journal so far."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hpoctl.core.cells import TRIALS
from hpoctl.core.errors import IncompleteError
from hpoctl.core.records import RecordError, from_plain
from hpoctl.ops.reading.tag_contents import FoundResult


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
    name = f"{found.attempt.directory}/{TRIALS}"
    try:
        data = found.root.store.get(name) if found.so_far is None else found.so_far.trials
        table = pq.read_table(io.BytesIO(data))
    except FileNotFoundError:
        return {}
    except (pa.ArrowException, OSError, ValueError) as error:
        raise IncompleteError(
            f"{found.where}/{TRIALS} cannot be read: {' '.join(str(error).split())[:200]}.",
            "Launch its tag again.",
        ) from error
    runs: dict[int, list[Mapping[str, Any]]] = {}
    for run in table.to_pylist():
        try:
            trial_id = from_plain(_Run, run, strict=False).trial_id
        except RecordError as error:
            where = f"{found.where}/{TRIALS}"
            raise IncompleteError(f"{where} cannot be used: {error}.", "Launch its tag again.") from error
        runs.setdefault(trial_id, []).append(run)
    return runs
