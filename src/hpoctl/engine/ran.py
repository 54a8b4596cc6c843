"""What metadata say of an experiment that was run, as far as it is needed to put it together again."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hpoctl.core.errors import IncompleteError
from hpoctl.core.protocols import Mode, Plain
from hpoctl.core.records import RecordError, from_plain

UNKNOWN = "Use the versions of hpoctl and its plugins that ran it: they are in its metadata.json."


@dataclass(frozen=True, slots=True)
class MethodThen:
    """The method that ran: what it was made by, and its options."""

    kind: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BenchmarkThen:
    """The benchmark that ran: the tuned metric, its mode, the column of the resource and the largest resource."""

    metric: str
    mode: Mode
    resource_attr: str
    max_resource: int | None


@dataclass(frozen=True, slots=True)
class DeterminedThen:
    """What determined the experiment: its method, its benchmark, and the domains of its space by name."""

    method: MethodThen
    benchmark: BenchmarkThen
    space: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Ran:
    """An experiment that was run.

    Attributes:
        tag: Its tag.
        algorithm: The name of its method.
        benchmark: The name of its benchmark.
        seed: Its seed.
        random_seed: Its random seed.
        determinants: What determined it.
        n_workers: Trials at a time.
        max_wallclock_time: Its budget in seconds.
        fixed: Values that its method fixes.
        backend: The trial backend.
        extra_results: The names of composers of extra results.
        price_per_hour: The price of an hour of a worker; None: not known.
        entries: All entries of the metadata.
    """

    tag: str
    algorithm: str
    benchmark: str
    seed: int
    random_seed: int
    determinants: DeterminedThen
    n_workers: int
    max_wallclock_time: float
    fixed: Mapping[str, Plain] = field(default_factory=dict)
    backend: str = "simulator"
    extra_results: tuple[str, ...] = ()
    price_per_hour: float | None = None
    entries: Mapping[str, Any] = field(default_factory=dict)


def ran(entries: Mapping[str, Any]) -> Ran:
    """The experiment that metadata describe.

    Raises:
        IncompleteError: An entry is missing or has another type; its path is named.
    """
    try:
        return replace(from_plain(Ran, entries, strict=False), entries=entries)
    except RecordError as error:
        raise IncompleteError(f"Its metadata do not say what was run: {str(error).rstrip('.')}.", UNKNOWN) from error
