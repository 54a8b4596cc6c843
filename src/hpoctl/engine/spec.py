"""What determines an experiment, and the identity that follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hpoctl.backends.simulator import Delays
from hpoctl.core.canonical import canonical_json, content_hash
from hpoctl.core.cells import Cell
from hpoctl.core.entries import Benchmark, ExtraResults, Method
from hpoctl.core.errors import UsageError
from hpoctl.core.options import option_values
from hpoctl.core.settings import OF_BENCHMARK, Settings
from hpoctl.core.space import Space
from hpoctl.core.trial_backends import BackendEntry

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
        random_seed: The random seed of the study.
        settings: What its study says that determines or limits it.
        extra_results: Extra-result composers.
        backend: Where trials execute, its options set; None: where they do by default. Rows of a script's trials do not
            follow from it, so it is not part of the identity.
        effective: The settings that count: the benchmark's where the study says nothing.
    """

    tag: str
    method: Method
    benchmark: Benchmark
    seed: int
    random_seed: int
    settings: Settings = field(default_factory=Settings)
    extra_results: tuple[ExtraResults, ...] = ()
    backend: BackendEntry | None = None
    effective: Settings = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        of_benchmark = {name: getattr(self.benchmark, name) for name in OF_BENCHMARK}
        object.__setattr__(self, "effective", self.settings.effective(of_benchmark))
        if self.effective.max_cost is not None and not self.effective.price_per_hour:
            raise UsageError(
                "--max-cost is a budget in money, and no price is known.",
                "Add --price-per-hour: what an hour of one trial costs.",
            )

    @property
    def n_workers(self) -> int:
        """How many trials run at a time."""
        return self.effective.n_workers or self.benchmark.n_workers

    @property
    def max_wallclock_time(self) -> float:
        """The budget in seconds of the experiment's clock."""
        return self.effective.max_wallclock_time or self.benchmark.max_wallclock_time

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
        return self.benchmark.restricted or self.settings.restrict_configurations

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
        "budget": spec.effective.determinants("budget"),
        "clock": {**option_values(Delays()), **spec.effective.determinants("clock")},
        "seeds": {"master_seed": spec.random_seed, "seed": spec.seed},
        "extra_results": [entry.name for entry in spec.extra_results],
        **({"restricted": True} if restricted else {}),  # only where it applies: older identities stay as they are
    }


def identity(spec: ExperimentSpec, table_hash: str, *, restricted: bool = False) -> str:
    """The experiment's identity: the hash of what determines its rows; see `determinants`."""
    return identity_of(determinants(spec, table_hash, restricted=restricted))


def identity_of(determined_by: Mapping[str, Any]) -> str:
    """The identity that follows from what determines the rows of an experiment; see `determinants`."""
    return content_hash(canonical_json(determined_by))
