"""All that hpoctl reads of metadata.json besides its head: typed, so that errors name the path of the field."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from hpoctl.core.metadata_head import OWN
from hpoctl.core.protocols import Mode, Plain
from hpoctl.core.records import RecordError, from_plain
from hpoctl.core.sealed import DamagedError, unseal


@dataclass(frozen=True, slots=True)
class RanMethod:
    """What determined an experiment: its method.

    Attributes:
        kind: What it is made by.
        options: Its options.
    """

    kind: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RanBenchmark:
    """What determined an experiment: its benchmark.

    Attributes:
        resource_attr: The column of the resource.
    """

    resource_attr: str | None = None


@dataclass(frozen=True, slots=True)
class Determined:
    """What determined an experiment, as far as it is read.

    Attributes:
        method: Its method.
        benchmark: Its benchmark.
        budget: Its budgets by name.
        clock: How its clock ran.
        seeds: Its seeds.
    """

    method: RanMethod = field(default_factory=RanMethod)
    benchmark: RanBenchmark = field(default_factory=RanBenchmark)
    budget: Mapping[str, int | float | None] = field(default_factory=dict)
    clock: Mapping[str, Plain | None] = field(default_factory=dict)
    seeds: Mapping[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImportedFrom:
    """What was imported.

    Attributes:
        tuner: The name of its folder.
        metadata: Its metadata, as they were written.
    """

    tuner: str = ""
    metadata: str = "{}"


@dataclass(frozen=True, slots=True)
class Metadata:
    """Entries of metadata.json, under the names that they have there.

    Attributes:
        determinants: What determined the experiment; None if it did not get that far.
        random_seed: Its random seed; None: not known.
        metric_names: The metrics, the tuned one first.
        metric_mode: Whether the tuned one is minimised or maximised.
        resource_attr: The column of the resource, where `determinants` do not say it.
        results_sha256: The hash of its results.
        st_tuner_start_timestamp: When it began, in seconds since 1970.
        data: What is known of the data behind it.
        benchmark_file: The file that its benchmark stands in, on the machine that it ran on.
        fixed: Values that its method fixes.
        versions: Versions of programs, by name.
        git_commit: The commit of the folder of the command.
        host: The machine that it ran on.
        entrypoint: The command that ran it.
        options: The options of `hpoctl run` that run it with another seed.
        origin: Where it comes from; see `metadata_head`.
        ended_by: Which limit ended it before its budget.
        max_failures: How many of its trials were allowed to fail.
        trials: How many trials were started.
        rows: How many rows were recorded.
        decision_seconds: Seconds that its suggestions took.
        cpu_seconds: CPU time that it took.
        wall_seconds: Real time that it took.
        imported: What was imported.
        entries: All entries, as they stand there, for conditions and for hashes.
    """

    determinants: Determined | None = None
    random_seed: int | None = None
    metric_names: tuple[str, ...] = ()
    metric_mode: Mode | None = None
    resource_attr: str | None = None
    results_sha256: str | None = None
    st_tuner_start_timestamp: float | None = None
    data: Mapping[str, str | None] = field(default_factory=dict)
    benchmark_file: str | None = None
    fixed: Mapping[str, Plain] = field(default_factory=dict)
    versions: Mapping[str, str | None] = field(default_factory=dict)
    git_commit: str | None = None
    host: str | None = None
    entrypoint: str | None = None
    options: tuple[str, ...] = ()
    origin: str | None = None
    ended_by: str | None = None
    max_failures: int | float | str | None = None
    trials: float | None = None
    rows: float | None = None
    decision_seconds: float | None = None
    cpu_seconds: float | None = None
    wall_seconds: float | None = None
    imported: ImportedFrom | None = None
    entries: Mapping[str, Any] = field(default_factory=dict)

    @property
    def made_by(self) -> str:
        """Where it comes from: hpoctl itself unless it says otherwise."""
        return self.origin or OWN

    @property
    def determined_by(self) -> Mapping[str, Any]:
        """All that determined it, as it stands there; nothing if it did not get that far."""
        determined_by: Mapping[str, Any] = self.entries.get("determinants") or {}
        return determined_by

    @property
    def resource(self) -> str:
        """The column of the resource; empty: it is not known."""
        known = self.determinants.benchmark.resource_attr if self.determinants else None
        return known or self.resource_attr or ""


def read_metadata(data: bytes) -> Metadata:
    """What metadata.json says.

    Raises:
        DamagedError: It is not what was written, or an entry has another type; its path is named.
    """
    values = unseal(data)
    try:
        return metadata_of(values)
    except RecordError as error:
        raise DamagedError(str(error)) from error


def metadata_of(values: Mapping[str, Any]) -> Metadata:
    """Metadata from plain values.

    Raises:
        RecordError: An entry has another type.
    """
    try:
        known = msgspec.convert(values, Metadata)
    except (msgspec.ValidationError, RecursionError):
        known = from_plain(Metadata, values, strict=False)  # it says what is wrong
    return replace(known, entries=values)
