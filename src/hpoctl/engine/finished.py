"""What is told of a completed experiment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hpoctl.blackboxes.nearest import OffTable
from hpoctl.core.canonical import content_hash
from hpoctl.core.space import Config
from hpoctl.engine.rows import Best, Rows, best_of
from hpoctl.engine.spec import ExperimentSpec


@dataclass(frozen=True, slots=True)
class Finished:
    """A completed experiment.

    Attributes:
        name: Method, benchmark and seed, for people.
        identity: The experiment's identity.
        directory: The name of its result directory in the store.
        trials: How many trials were started.
        rows: How many rows were recorded.
        non_finite_rows: How many of them had a metric that is NaN or infinite.
        best: The best row, None if there is no finite value.
        best_config: The configuration of the best row's trial.
        wall_seconds: Real time it took.
        cpu_seconds: CPU time it took.
        off_table: How far its trials were from the rows of a table that does not list all configurations of the space;
            None: its table does, or the method could try no others.
        outcomes: How many trials of a script have which outcome; empty for a table.
        training_seconds: Seconds of training of all trials of a script; None for a table.
        cost: What they cost; None: no price is set.
        resumed_at: The second of the experiment's clock from which it was continued; None: it was not.
    """

    name: str
    identity: str
    directory: str
    trials: int
    rows: int
    non_finite_rows: int
    best: Best | None
    best_config: Config | None
    wall_seconds: float
    cpu_seconds: float
    off_table: OffTable | None = None
    outcomes: Mapping[str, int] = field(default_factory=dict)
    training_seconds: float | None = None
    cost: float | None = None
    resumed_at: float | None = None


def finished(
    spec: ExperimentSpec, rows: Rows, identity: str, directory: str, seconds: tuple[float, float], **others: Any
) -> Finished:
    """What is told of an experiment.

    Args:
        spec: The experiment.
        rows: Its rows.
        identity: Its identity.
        directory: The name of its result directory.
        seconds: Real time and CPU time that it took.
        **others: What else is known, see `Finished`.
    """
    best = best_of(rows, spec.benchmark.goal)
    return Finished(
        name=spec.name,
        identity=identity,
        directory=directory,
        trials=len(rows.configs),
        rows=len(rows),
        non_finite_rows=rows.non_finite(spec.benchmark.goal),
        best=best,
        best_config=rows.configs[best.trial_id] if best else None,
        wall_seconds=seconds[0],
        cpu_seconds=seconds[1],
        **others,
    )


def result_facts(told: Finished, results: bytes) -> dict[str, Any]:
    """What the metadata of a completed experiment say of its results."""
    return {
        "trials": told.trials,
        "rows": told.rows,
        "non_finite_rows": told.non_finite_rows,
        "results_bytes": len(results),
        "results_sha256": content_hash(results),
        "wall_seconds": told.wall_seconds,
        "cpu_seconds": told.cpu_seconds,
    }
