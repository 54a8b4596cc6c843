"""What determines an experiment, and the identity that follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hpoctl.backends.simulator import SimulatorOptions
from hpoctl.core.canonical import canonical_json, content_hash
from hpoctl.core.cells import Cell
from hpoctl.core.entries import Benchmark, ExtraResults, Method
from hpoctl.core.errors import UsageError
from hpoctl.core.options import option_values
from hpoctl.core.space import Space
from hpoctl.core.study import DecisionTime

FORMAT = 1
"""The version of what results mean; it enters every identity."""


@dataclass(frozen=True)
class ExperimentSpec:
    """One (method, benchmark, seed), with everything that determines its rows.

    Attributes:
        tag: The study's tag.
        method: The method, its options set.
        benchmark: The benchmark.
        seed: The seed.
        master_seed: The master seed of the study.
        n_workers: How many trials run at a time.
        max_wallclock_time: The budget in seconds of the experiment's clock.
        max_num_evaluations: The budget in rows; None: none.
        max_size_data_for_model: How many data a model may be fitted to; None: the method's default.
        decision_time: What a suggestion costs on the simulated clock: nothing, what it really took, or so many
            seconds.
        restrict_configurations: Whether the method may try the configurations of the table only.
        simulator: How the simulator tells time.
        extra_results: Extra-result composers.
    """

    tag: str
    method: Method
    benchmark: Benchmark
    seed: int
    master_seed: int
    n_workers: int
    max_wallclock_time: float
    max_num_evaluations: int | None = None
    max_size_data_for_model: int | None = None
    decision_time: DecisionTime = "zero"
    restrict_configurations: bool = False
    simulator: SimulatorOptions = field(default_factory=SimulatorOptions)
    extra_results: tuple[ExtraResults, ...] = ()

    def __post_init__(self) -> None:
        _at_least_one("--n-workers", self.n_workers)
        _at_least_one("--max-num-evaluations", self.max_num_evaluations)
        _at_least_one("--max-size-data-for-model", self.max_size_data_for_model)
        if not 0.0 < self.max_wallclock_time < float("inf"):
            raise UsageError(f"The budget is {self.max_wallclock_time} seconds.", "Use a positive number of seconds.")

    @property
    def cell(self) -> Cell:
        """Which experiment of the study it is."""
        return Cell(self.method.name, self.benchmark.name, self.seed)

    @property
    def name(self) -> str:
        """What the experiment is called in messages."""
        return str(self.cell)

    @property
    def restricted(self) -> bool:
        """Whether the method may try the configurations of the table only: the benchmark's wish, or a person's."""
        return self.benchmark.restricted or self.restrict_configurations

    def space(self) -> Space:
        """The configuration space with the method's fixed values; a table may have less of it, see `search_space`.

        Raises:
            UsageError: The benchmark has no such hyperparameter or value.
        """
        try:
            return self.benchmark.space.with_fixed(self.method.fixed)
        except UsageError as error:
            raise does_not_fit(self, error) from error


def does_not_fit(spec: ExperimentSpec, error: UsageError) -> UsageError:
    """The error for a method whose fixed values the benchmark does not have."""
    return UsageError(f"{spec.method.name} does not fit {spec.benchmark.name}: {error.what}", error.fix)


def make_spec(
    tag: str, method: Method, benchmark: Benchmark, seed: int, master_seed: int, changes: Mapping[str, Any]
) -> ExperimentSpec:
    """A spec with the benchmark's defaults, and some of them changed (None leaves the default)."""
    spec = ExperimentSpec(
        tag=tag,
        method=method,
        benchmark=benchmark,
        seed=seed,
        master_seed=master_seed,
        n_workers=benchmark.n_workers,
        max_wallclock_time=benchmark.max_wallclock_time,
        max_num_evaluations=benchmark.max_num_evaluations,
    )
    return replace(spec, **{name: value for name, value in changes.items() if value is not None})


def determinants(spec: ExperimentSpec, table_hash: str, *, restricted: bool = False) -> dict[str, Any]:
    """Everything that determines the rows of an experiment, as JSON values.

    Args:
        spec: The experiment.
        table_hash: The content hash of its table.
        restricted: Whether the method sees the rows of a table only, and that makes a difference.
    """
    return {
        "format": FORMAT,
        "method": {"kind": spec.method.kind, "options": option_values(spec.method.options)},
        # Pairs, because the order of hyperparameters decides which draws they get.
        "space": [[name, domain] for name, domain in spec.space().to_json().items()],
        "benchmark": {
            "name": spec.benchmark.name,
            "table": table_hash,
            "metric": spec.benchmark.metric,
            "mode": spec.benchmark.mode,
            "resource_attr": spec.benchmark.resource_attr,
            "max_resource": spec.benchmark.max_resource,
        },
        "budget": {
            "n_workers": spec.n_workers,
            "max_wallclock_time": float(spec.max_wallclock_time),  # 3600 and 3600.0 are one budget
            "max_num_evaluations": spec.max_num_evaluations,
            "max_size_data_for_model": spec.max_size_data_for_model,
        },
        "clock": {"decision_time": spec.decision_time, **option_values(spec.simulator)},
        "seeds": {"master_seed": spec.master_seed, "seed": spec.seed},
        "extra_results": [entry.name for entry in spec.extra_results],
        **({"restricted": True} if restricted else {}),  # only where it applies: older identities stay as they are
    }


def identity(spec: ExperimentSpec, table_hash: str, *, restricted: bool = False) -> str:
    """The experiment's identity: the hash of what determines its rows; see `determinants`."""
    return identity_of(determinants(spec, table_hash, restricted=restricted))


def identity_of(determined_by: Mapping[str, Any]) -> str:
    """The identity that follows from what determines the rows of an experiment; see `determinants`."""
    return content_hash(canonical_json(determined_by))


def _at_least_one(option: str, value: int | None) -> None:
    if value is not None and value < 1:
        raise UsageError(f"{option} is {value}.", "Use a whole number >= 1.")
