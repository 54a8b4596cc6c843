"""Columns of a results file as arrays, and what the metadata beside it say that they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpoctl.core.cells import RESULTS
from hpoctl.core.errors import IncompleteError
from hpoctl.core.protocols import FloatArray, IntArray, Mode
from hpoctl.ops.reading.tag_contents import FoundResult

TIME, TRIAL, DECISION, STATUS = "st_tuner_time", "trial_id", "st_decision", "st_status"

LARGEST, SMALLEST = 1e75, 1e-75
"""The fourth power of a number between them is a number, too: variances, and ratios of what is tiny, stay finite."""

EXACT = 2.0**53
AGAIN = "Launch its tag again."


def no_value() -> IncompleteError:
    """The error where no experiment reported a value that statistics can use."""
    return IncompleteError(
        "No experiment reported a finite value.",
        f"See what it reports with `hpoctl trials` (sizes beyond {LARGEST:g} count as infinite), or name another tag.",
    )


@dataclass(frozen=True, slots=True)
class Measured:
    """What the metadata of a result say of its columns.

    Attributes:
        metric: The column of the metric.
        mode: Whether it is minimised or maximised.
        digest: The hash of the results file.
        resource: The column of the resource; empty: they do not say.
        starts_over: Whether a trial that is resumed starts over from nothing.
        where: The directory of the result, for messages.
    """

    metric: str
    mode: Mode
    digest: str
    resource: str
    starts_over: bool
    where: str

    @property
    def resource_column(self) -> str:
        """The column of the resource.

        Raises:
            IncompleteError: The metadata do not say which it is.
        """
        if not self.resource:
            raise IncompleteError(
                f"{self.where} does not say which column is its resource.", "Leave it out, or use --x time."
            )
        return self.resource


def measured(found: FoundResult) -> Measured:
    """What the metadata of a result say of its columns.

    Raises:
        IncompleteError: They do not say what was measured.
    """
    metadata = found.metadata
    if not metadata.metric_names or metadata.metric_mode is None or metadata.results_sha256 is None:
        missing = [name for name in ("metric_names", "metric_mode", "results_sha256") if not getattr(metadata, name)]
        raise IncompleteError(f"{found.where} does not say what it measured: it has no {missing[0]}.", "Leave it out.")
    clock = metadata.determinants.clock if metadata.determinants else {}
    starts_over = clock.get("checkpointing") is False
    return Measured(
        metric=metadata.metric_names[0],
        mode=metadata.metric_mode,
        digest=metadata.results_sha256,
        resource=metadata.resource,
        starts_over=starts_over,
        where=found.where,
    )


def columns_of(found: FoundResult) -> "Columns":
    """The columns of the results file of an experiment.

    Raises:
        IncompleteError: The file is missing or damaged.
        HpoctlError: The store cannot be read.
    """
    return Columns(found.results(), found.where)


class Columns:
    """The columns of a results file, read when they are asked for.

    Args:
        data: The bytes of the file.
        where: The directory of the result, for messages.

    Raises:
        IncompleteError: It is not a results file.
    """

    def __init__(self, data: bytes, where: str) -> None:
        import pyarrow as pa  # noqa: PLC0415 - a second look does without it
        import pyarrow.parquet as pq  # noqa: PLC0415

        self._where = where
        try:
            self._file = pq.ParquetFile(pa.BufferReader(data))
        except (pa.ArrowException, OSError, ValueError) as error:
            raise self._error(error) from error

    @property
    def numeric(self) -> tuple[str, ...]:
        """The names of the columns that hold numbers, in their order."""
        import pyarrow as pa  # noqa: PLC0415

        kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)
        return tuple(field.name for field in self._file.schema_arrow if any(kind(field.type) for kind in kinds))

    def floats(self, *names: str) -> list[FloatArray]:
        """Columns of numbers, shape (n,) each; NaN where a value is missing, see `within_bounds`.

        Raises:
            IncompleteError: There is no such column, or it cannot be read.
        """
        columns = zip(names, self._read(names), strict=True)
        return [within_bounds(self._numbers(name, column)) for name, column in columns]

    def whole(self, *names: str) -> list[IntArray]:
        """Columns of whole numbers, shape (n,) each.

        Raises:
            IncompleteError: There is no such column, or it cannot be read.
        """
        numbers = [self._numbers(name, column) for name, column in zip(names, self._read(names), strict=True)]
        for name, column in zip(names, numbers, strict=True):
            if not np.all(np.abs(column) <= EXACT) or not np.array_equal(column, np.round(column)):
                raise self._error(ValueError(f"something in {name} is no whole number"))
        return [column.astype(np.int64) for column in numbers]

    def words(self, name: str) -> NDArray[np.object_]:
        """A column of words, shape (n,).

        Raises:
            IncompleteError: There is no such column, or it cannot be read.
        """
        (column,) = self._read((name,))
        return np.asarray(column.to_numpy(), dtype=object)

    def _read(self, names: Sequence[str]) -> list[Any]:
        import pyarrow as pa  # noqa: PLC0415

        try:
            table = self._file.read(columns=list(names), use_threads=False)
            return [table.column(name) for name in names]
        except (pa.ArrowException, KeyError, OSError, ValueError) as error:
            raise self._error(error) from error

    def _numbers(self, name: str, column: Any) -> FloatArray:
        try:
            return np.asarray(column.to_numpy(), dtype=float)
        except (TypeError, ValueError) as error:
            raise self._error(ValueError(f"something in {name} is no number")) from error

    def _error(self, error: Exception) -> IncompleteError:
        return unreadable(f"{self._where}/{RESULTS}", error)


def unreadable(where: str, error: Exception) -> IncompleteError:
    """The error where a file of an experiment cannot be read."""
    return IncompleteError(f"{where} cannot be read: {' '.join(str(error).split())[:200]}.", AGAIN)


def within_bounds(values: FloatArray) -> FloatArray:
    """Numbers for statistics: values beyond `LARGEST` become infinite, values below `SMALLEST` zero."""
    sizes = np.abs(values)
    if not np.any((sizes > LARGEST) | ((sizes < SMALLEST) & (sizes > 0.0))):
        return values
    beyond = np.where(sizes > LARGEST, np.copysign(np.inf, values), np.where(sizes < SMALLEST, 0.0, values))
    return np.where(np.isnan(values), np.nan, beyond)
