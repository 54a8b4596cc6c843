"""A table as it stands in a file, before anything is checked but its shape; and what limits its size."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpoctl.core.errors import UsageError
from hpoctl.core.protocols import FloatArray, IntArray
from hpoctl.core.space import Value

MAX_NUMBERS = 100_000_000
"""The most values of metrics in a table: 800 MB in double precision, and some times that while it is imported."""

MAX_CONFIGS = 5_000_000
MAX_BYTES = 2_000_000_000
"""The most bytes of a column."""


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """The values of a hyperparameter, each once, and which of them each configuration has.

    Attributes:
        values: The different values.
        places: The place among them for each configuration, shape (n,).
    """

    values: tuple[Value, ...]
    places: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class RawTable:
    """What a file holds.

    Attributes:
        columns: The hyperparameters that are not fixed, and fixed ones where the file has them.
        resources: Resource levels, shape (r,).
        values: Values of the metrics in the order of the description, shape (n, seeds, r, m).
        elapsed: Cumulative seconds, shape (n, seeds, r).
        unused: What the file holds besides.
    """

    columns: Mapping[str, Column]
    resources: IntArray
    values: FloatArray
    elapsed: FloatArray
    unused: tuple[str, ...]


def check_size(where: str, configs: int, curves: int, metrics: int) -> None:
    """Refuse a table that is too large, before memory is asked for.

    Args:
        where: What is read, for messages.
        configs: How many configurations it claims to have.
        curves: How many numbers a metric claims to have.
        metrics: How many metrics are read.

    Raises:
        UsageError: It is.
    """
    for count, most, what in (
        (configs, MAX_CONFIGS, "configurations"),
        (curves * metrics, MAX_NUMBERS, "values of metrics"),
    ):
        if count > most:
            fix = f"Use at most {most:,}: fewer configurations, levels, seeds or metrics."
            raise UsageError(f"{where} says that it holds {count:,} {what}.", fix)


def floats(numbers: NDArray[np.generic]) -> FloatArray:
    """Numbers as floats: in single precision where they are, otherwise in double precision."""
    if numbers.dtype == np.float32:
        return numbers.astype(np.float32, copy=False)
    return numbers.astype(np.float64)


def whole_numbers(where: str, values: NDArray[np.generic]) -> IntArray:
    """Whole numbers, shape (r,), which may be stored as floats.

    Raises:
        UsageError: Some are not.
    """
    if values.dtype.kind in "iu" and (values.size == 0 or int(values.max()) < 2**62):
        return values.astype(np.int64)
    if values.dtype.kind == "f":
        numbers = values.astype(np.float64)
        if np.isfinite(numbers).all() and (np.abs(numbers) < 2**53).all() and (numbers == np.rint(numbers)).all():
            return numbers.astype(np.int64)
    raise UsageError(f"{where} holds values that are not whole numbers ({values.dtype}).", "Save them as integers.")
