"""What a result of Syne Tune is in hpoctl: its experiment, its identity, its directory and its metadata."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hpoctl import __version__
from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import Cell, experiment_prefix
from hpoctl.core.errors import IncompleteError
from hpoctl.core.metadata_head import ORIGIN, SYNE_TUNE
from hpoctl.core.names import check_entry_name, check_tag
from hpoctl.core.protocols import Mode
from hpoctl.core.rng import WORD
from hpoctl.core.sealed import CHECKSUM
from hpoctl.engine.spec import FORMAT, identity_of
from hpoctl.ops.exchange.syne_tune_files import LEAVE_OUT, TIME, TRIAL, TunerFiles, resource_of

if TYPE_CHECKING:
    import pyarrow as pa

LAST_SECOND = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
DATA = "hpoctl_data"
"""The entry in the metadata of an exported result that says what is known of the data behind it, as JSON."""

SOURCE = "imported"
"""The entry of the metadata that holds what was imported, as it was."""


@dataclass(frozen=True, slots=True)
class Source:
    """A result of Syne Tune, without its rows.

    Attributes:
        folder: Its folder.
        digests: The hashes of its files.
        metadata: Its metadata.
        tag: The tag that it goes to.
        method: Its method, or its scheduler where it names none.
        benchmark: Its benchmark, or its script where it names none.
        seed: Its seed; None: it names none.
        master_seed: Its master seed; None: it names none.
        metric: The metric, the first one if it has several.
        mode: Whether the metric is minimised or maximised.
        budget: Its budget in seconds; None: it names none.
        started: When it began, in seconds since 1970; 0: unknown.
        unnamed: Whether it names no method or no benchmark.
    """

    folder: Path
    digests: Mapping[str, str]
    metadata: Mapping[str, Any]
    tag: str
    method: str
    benchmark: str
    seed: int | None
    master_seed: int | None
    metric: str
    mode: Mode
    budget: float | None
    started: float
    unnamed: bool

    @property
    def determinants(self) -> dict[str, Any]:
        """What is known of what determined it, and its content, as JSON values."""
        said = self.metadata
        return {
            "format": FORMAT,
            ORIGIN: SYNE_TUNE,
            "method": {"name": self.method, "kind": _text(said.get("scheduler_name"))},
            "config_space": content_hash(str(said.get("config_space")).encode()),
            "benchmark": {"name": self.benchmark, "metric": self.metric, "mode": self.mode},
            "budget": {
                "n_workers": _whole(said.get("n_workers")),
                "max_wallclock_time": self.budget,
                "max_size_data_for_model": _whole(said.get("max_size_data_for_model")),
            },
            "seeds": {"master_seed": self.master_seed, "seed": self.seed},
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
        IncompleteError: The metadata lack something that nobody else knows.
        UsageError: A name in it is none.
    """
    said = files.metadata
    own_tag = tag or _text(said.get("tag"))
    if own_tag is None:
        raise IncompleteError("Its metadata name no tag.", "Give one with --tag.")
    method = _text(said.get("algorithm")) or _text(said.get("scheduler_name"))
    benchmark = _text(said.get("benchmark")) or _text(said.get("entrypoint"))
    if method is None or benchmark is None:
        raise IncompleteError("Its metadata name neither what was run nor on what.", LEAVE_OUT)
    metric, mode = _measured(said)
    budget = _number(said.get("max_wallclock_time"))
    return Source(
        folder=files.folder,
        digests=files.digests,
        metadata=said,
        tag=check_tag(own_tag),
        method=check_entry_name("method", method),
        benchmark=check_entry_name("benchmark", benchmark),
        seed=_seed(said.get("seed")),
        master_seed=_whole(said.get("random_seed")),
        metric=metric,
        mode=mode,
        budget=budget if budget is not None and budget > 0.0 else None,
        started=_date(said),
        unnamed=not (_text(said.get("algorithm")) and _text(said.get("benchmark"))),
    )


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
        "random_seed": source.master_seed,
        "identity": source.identity,
        "determinants": source.determinants,
        "metric_names": _names(source.metadata),
        "metric_mode": source.mode,
        "resource_attr": _resource(source, rows),
        "max_wallclock_time": source.budget or budget or float(times[-1]),
        "data": _data(source.metadata),
        "versions": {"hpoctl": __version__},
        "host": "",
        "st_tuner_creation_timestamp": _number(source.metadata.get("st_tuner_creation_timestamp")) or source.started,
        "st_tuner_start_timestamp": source.started,
        "trials": len(set(trials.tolist())),
        "rows": rows.num_rows,
        "non_finite_rows": rows.num_rows - int(np.isfinite(values).sum()),
        "results_bytes": len(results),
        "results_sha256": content_hash(results),
        SOURCE: {"tuner": source.folder.name, "metadata": files.text},
    }
    others = {key: _plain(value) for key, value in source.metadata.items() if key not in own and key != CHECKSUM}
    return {**own, **others}


def _measured(said: Mapping[str, Any]) -> tuple[str, Mode]:
    names, mode = _names(said), said.get("metric_mode")
    mode = mode[0] if isinstance(mode, list) and mode else mode
    if not names or mode not in ("min", "max"):
        raise IncompleteError("Its metadata do not say what was measured, and whether it is minimised.", LEAVE_OUT)
    return names[0], mode


def _names(said: Mapping[str, Any]) -> list[str]:
    names = said.get("metric_names")
    names = [names] if isinstance(names, str) else names
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else []


def _data(said: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of the data behind a result: only what hpoctl itself wrote when it exported it."""
    try:
        known = json.loads(said.get(DATA) or "{}")
    except (ValueError, TypeError, RecursionError):
        return {}
    return {key: value for key, value in known.items() if isinstance(value, str)} if isinstance(known, dict) else {}


def _resource(source: Source, rows: "pa.Table") -> str | None:
    stated = _text(source.metadata.get("resource_attr"))
    return stated if stated in rows.column_names else resource_of(rows, source.metric)


def _seed(value: object) -> int | None:
    if value is None:
        return None
    seed = _whole(value)
    if seed is None or not 0 <= seed < WORD:
        raise IncompleteError(f"Its seed is {str(value)[:40]!r}.", f"A seed is a whole number from 0 to {WORD - 1}.")
    return seed


def _date(said: Mapping[str, Any]) -> float:
    for key in ("st_tuner_start_timestamp", "st_tuner_creation_timestamp"):
        date = _number(said.get(key))
        if date is not None and 0.0 <= date < LAST_SECOND:
            return date
    return 0.0


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # a whole number that no float holds
        return None


def _plain(value: Any) -> Any:
    """A value of Python's JSON as one of JSON: NaN and infinity are missing."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value
