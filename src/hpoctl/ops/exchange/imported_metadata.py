"""What a result of Syne Tune is in hpoctl: its experiment, its identity, its directory and its metadata."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from msgspec import Meta

from hpoctl import __version__
from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import METADATA, Cell, experiment_prefix
from hpoctl.core.errors import IncompleteError
from hpoctl.core.metadata import metadata_of
from hpoctl.core.metadata_head import ORIGIN, SYNE_TUNE, Head
from hpoctl.core.names import check_entry_name, check_tag
from hpoctl.core.protocols import Mode
from hpoctl.core.records import RecordError, from_plain
from hpoctl.core.rng import WORD
from hpoctl.core.sealed import CHECKSUM
from hpoctl.engine.spec import FORMAT, identity_of
from hpoctl.ops.exchange.syne_tune_files import TunerFiles
from hpoctl.ops.exchange.syne_tune_rows import LEAVE_OUT, TIME, TRIAL, resource_of

if TYPE_CHECKING:
    import pyarrow as pa

LAST_SECOND = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
DATA = "hpoctl_data"
"""The entry in the metadata of an exported result that says what is known of the data behind it, as JSON."""

SOURCE = "imported"
"""The key of the imported metadata, unchanged."""


@dataclass(frozen=True, slots=True)
class ForeignRecord:
    """Entries of the metadata that Syne Tune writes, under the names that they have there; see `Source`."""

    tag: str | None = None
    algorithm: str | None = None
    scheduler_name: str | None = None
    benchmark: str | None = None
    entrypoint: str | None = None
    seed: Annotated[int, Meta(ge=0, lt=WORD, description=f"a whole number from 0 to {WORD - 1}")] | None = None
    random_seed: int | None = None
    metric_names: tuple[str, ...] = ()
    metric_mode: Mode | None = None
    resource_attr: str | None = None
    config_space: str | None = None
    n_workers: int | None = None
    max_size_data_for_model: int | None = None
    max_wallclock_time: float | None = None
    st_tuner_creation_timestamp: float | None = None
    st_tuner_start_timestamp: float | None = None
    hpoctl_data: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A result of Syne Tune, without its rows.

    Attributes:
        folder: Its folder.
        digests: The hashes of its files.
        metadata: Its metadata, numbers that JSON does not have left out.
        record: The entries of them that hpoctl reads.
        tag: The tag that it goes to.
        method: Its method, or its scheduler where it names none.
        benchmark: Its benchmark, or its script where it names none.
        seed: Its seed; None: it names none.
        random_seed: Its random seed; None: it names none.
        metric: The metric, the first one if it has several.
        mode: Whether the metric is minimised or maximised.
        budget: Its budget in seconds; None: it names none.
        started: When it began, in seconds since 1970; 0: unknown.
        unnamed: Whether it names no method or no benchmark.
    """

    folder: Path
    digests: Mapping[str, str]
    metadata: Mapping[str, Any]
    record: ForeignRecord
    tag: str
    method: str
    benchmark: str
    seed: int | None
    random_seed: int | None
    metric: str
    mode: Mode
    budget: float | None
    started: float
    unnamed: bool

    @property
    def determinants(self) -> dict[str, Any]:
        """What is known of what determined it, and its content, as JSON values."""
        record = self.record
        return {
            "format": FORMAT,
            ORIGIN: SYNE_TUNE,
            "method": {"name": self.method, "kind": record.scheduler_name or None},
            "config_space": content_hash(str(record.config_space).encode()),
            "benchmark": {"name": self.benchmark, "metric": self.metric, "mode": self.mode},
            "budget": {
                "n_workers": record.n_workers,
                "max_wallclock_time": self.budget,
                "max_size_data_for_model": record.max_size_data_for_model,
            },
            "seeds": {"master_seed": self.random_seed, "seed": self.seed},
            "content": dict(self.digests),
        }

    @property
    def identity(self) -> str:
        """Its identity: equal for equal files, wherever they lie."""
        return identity_of(self.determinants)


def source_of(files: TunerFiles, tag: str | None) -> Source:
    """What a tuner left, as far as its metadata say it.

    Args:
        files: Its files.
        tag: The tag that it goes to; None: its own.

    Raises:
        IncompleteError: The metadata lack an entry that cannot be derived.
        UsageError: A name in them is not a valid name.
    """
    metadata = _plain(files.metadata)
    record = _read_record(metadata)
    own_tag = tag or record.tag
    if not own_tag:
        raise IncompleteError("Its metadata name no tag.", "Give one with --tag.")
    method, benchmark = record.algorithm or record.scheduler_name, record.benchmark or record.entrypoint
    if not method or not benchmark:
        raise IncompleteError("Its metadata name neither what was run nor on what.", LEAVE_OUT)
    if not record.metric_names or record.metric_mode is None:
        raise IncompleteError("Its metadata do not say what was measured, and whether it is minimised.", LEAVE_OUT)
    return Source(
        folder=files.folder,
        digests=files.digests,
        metadata=metadata,
        record=record,
        tag=check_tag(own_tag),
        method=check_entry_name("method", method),
        benchmark=check_entry_name("benchmark", benchmark),
        seed=record.seed,
        random_seed=record.random_seed,
        metric=record.metric_names[0],
        mode=record.metric_mode,
        budget=record.max_wallclock_time if (record.max_wallclock_time or 0.0) > 0.0 else None,
        started=_date(record),
        unnamed=not (record.algorithm and record.benchmark),
    )


def _read_record(metadata: Mapping[str, Any]) -> ForeignRecord:
    """What the metadata say, their values checked.

    Raises:
        IncompleteError: A value has another type; its path is named.
    """
    values = dict(metadata)
    if isinstance(values.get("metric_names"), str):
        values["metric_names"] = [values["metric_names"]]
    if isinstance(values.get("metric_mode"), list):
        values["metric_mode"] = next(iter(values["metric_mode"]), None)
    known = {key: value for key, value in values.items() if value is not None}
    try:
        return from_plain(ForeignRecord, known, strict=False)
    except RecordError as error:
        raise IncompleteError(f"{error.text(METADATA)}.", error.fix) from error


def directory_of(source: Source, cell: Cell) -> str:
    """The directory of an imported result; it follows from its content and its experiment."""
    expensive = source.folder.parent.name == f"{cell.method}-{cell.seed}"
    stamp = datetime.fromtimestamp(source.started, UTC).strftime("%Y%m%d-%H%M%S-%f")
    return f"{experiment_prefix(source.tag, cell, expensive=expensive)}{stamp}-{source.identity[:8]}"


def imported_metadata(
    source: Source, files: TunerFiles, cell: Cell, rows: "pa.Table", results: bytes, budget: float | None
) -> dict[str, Any]:
    """The metadata of an imported result.

    What Syne Tune wrote keeps its names where hpoctl has no other use for them; all of it, as it was, is there as text.

    Args:
        source: The result.
        files: Its files.
        cell: Its experiment.
        rows: Its rows.
        results: The same, as they are stored.
        budget: The budget in seconds if it names none; None: the time of its last row.
    """
    times, trials = rows.column(TIME).to_numpy(), rows.column(TRIAL).to_numpy()
    values = rows.column(source.metric).to_numpy()
    own = {
        "format": FORMAT,
        "status": "completed",
        ORIGIN: SYNE_TUNE,
        "tag": source.tag,
        "algorithm": cell.method,
        "benchmark": cell.benchmark,
        "seed": cell.seed,
        "random_seed": source.random_seed,
        "identity": source.identity,
        "determinants": source.determinants,
        "metric_names": list(source.record.metric_names),
        "metric_mode": source.mode,
        "resource_attr": _resource(source, rows),
        "max_wallclock_time": source.budget or budget or float(times[-1]),
        "data": _data(source.record),
        "versions": {"hpoctl": __version__},
        "host": "",
        "st_tuner_creation_timestamp": source.record.st_tuner_creation_timestamp or source.started,
        "st_tuner_start_timestamp": source.started,
        "trials": len(set(trials.tolist())),
        "rows": rows.num_rows,
        "non_finite_rows": rows.num_rows - int(np.isfinite(values).sum()),
        "results_bytes": len(results),
        "results_sha256": content_hash(results),
        SOURCE: {"tuner": source.folder.name, "metadata": files.text},
    }
    others = {key: value for key, value in source.metadata.items() if key not in own and key != CHECKSUM}
    metadata = {**own, **others}
    try:
        metadata_of(metadata)
        from_plain(Head, metadata, strict=False)
    except RecordError as error:
        raise IncompleteError(f"{error.text(METADATA)}.", error.fix) from error
    return metadata


def _data(record: ForeignRecord) -> dict[str, str]:
    """What is known of the data behind a result: only what hpoctl itself wrote when it exported it."""
    try:
        known = json.loads(record.hpoctl_data or "{}")
    except (ValueError, RecursionError):
        return {}
    return {key: value for key, value in known.items() if isinstance(value, str)} if isinstance(known, dict) else {}


def _resource(source: Source, rows: "pa.Table") -> str | None:
    stated = source.record.resource_attr
    return stated if stated in rows.column_names else resource_of(rows, source.metric)


def _date(record: ForeignRecord) -> float:
    for date in (record.st_tuner_start_timestamp, record.st_tuner_creation_timestamp):
        if date is not None and 0.0 <= date < LAST_SECOND:
            return date
    return 0.0


def _plain(value: Any) -> Any:
    """A value of Python's JSON as one of JSON: NaN and infinity are missing."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value
