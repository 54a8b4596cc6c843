"""What domains with a list of values do alike: lookup tables, bins of equal size, points on a scale."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hpoctl.core.errors import UsageError
from hpoctl.core.space.domains import FloatArray, Value, kinds, of_kind, require

SHOWN = 12
"""How many values an error message lists before it abbreviates."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A list of values as lookup tables.

    Attributes:
        values: The values, as an array of objects, shape (k,).
        places: The index of each value.
        kinds: The types that a value may have.
        points: Where each value stands on the scale of the model, increasing, in [0, 1], shape (k,); None: there
            is no scale, the encoding is one-hot.
    """

    values: NDArray[np.object_]
    places: Mapping[Value, int]
    kinds: tuple[type, ...]
    points: NDArray[np.float64] | None

    def bins(self, units: FloatArray) -> NDArray[np.int64]:
        """The index of the bin that holds each unit."""
        size = len(self.values)
        inside = np.maximum(np.minimum(units, 1.0), 0.0)  # np.clip does the same in four times the time
        bins: NDArray[np.int64] = np.minimum((inside * size).astype(np.int64), size - 1)
        return bins

    def centres(self, indices: NDArray[np.int64]) -> FloatArray:
        """The units in the middle of bins."""
        return (indices + 0.5) / len(self.values)

    def nearest(self, encoded: FloatArray) -> NDArray[np.int64]:
        """The index of the value nearest to each encoded row."""
        if self.points is None:
            largest: NDArray[np.int64] = np.argmax(encoded, axis=1)
            return largest
        if len(self.points) == 1:
            return np.zeros(len(encoded), dtype=np.int64)
        x = encoded[:, 0]
        right = np.clip(np.searchsorted(self.points, x), 1, len(self.points) - 1).astype(np.int64)
        closer_left: NDArray[np.bool_] = x - self.points[right - 1] <= self.points[right] - x
        return np.where(closer_left, right - 1, right)


def make_grid(values: tuple[Value, ...], points: NDArray[np.float64] | None) -> Grid:
    """The lookup tables of unique values of one type, at least one."""
    objects = np.empty(len(values), dtype=object)
    objects[:] = values
    return Grid(objects, {value: place for place, value in enumerate(values)}, kinds(values[0]), points)


def equally_spaced(size: int) -> NDArray[np.float64]:
    """Points from 0 to 1 with equal distances; one alone lies in the middle."""
    return np.linspace(0.0, 1.0, size) if size > 1 else np.array([0.5])


def scaled(owner: str, values: tuple[Value, ...], log: bool) -> NDArray[np.float64]:
    """Where increasing numbers stand between the first and the last of them.

    Raises:
        UsageError: Two of them cannot be told apart on this scale.
    """
    if len(values) == 1:
        return equally_spaced(1)
    numbers = [math.log(value) if log else float(value) for value in values]  # type: ignore[arg-type]
    span = numbers[-1] - numbers[0]
    points = np.array([(x - numbers[0]) / span if span else 0.0 for x in numbers])
    if not np.all(np.diff(points) > 0):
        raise UsageError(
            f"{owner}: two values are too close to tell apart.", "Use fewer values, or an ordinal of kind 'equal'."
        )
    return points


class Listed(Protocol):
    """What all domains with a list of values do alike."""

    __slots__ = ()

    @property
    def grid(self) -> Grid:
        """The values as lookup tables."""
        ...

    @property
    def size(self) -> int:
        """How many values there are."""
        ...

    @property
    def encoded_size(self) -> int:
        """One; without a scale, one for each value."""
        return self.size if self.grid.points is None else 1

    def contains(self, value: Any) -> bool:
        """Whether it is one of the values, and of their type; a whole number may stand for a float."""
        grid = self.grid
        return of_kind(value, grid.kinds) and value in grid.places

    def describe(self) -> str:
        """What is allowed."""
        shown = [repr(value) for value in self.grid.values]
        if len(shown) > SHOWN:
            shown = [*shown[: SHOWN // 2], f"... ({len(shown) - SHOWN // 2 - 1} more) ...", shown[-1]]
        return f"one of {', '.join(shown)}"

    def middle(self) -> Value:
        """The value in the middle."""
        ...

    def value(self, unit: float) -> Value:
        """The value whose bin holds the unit."""
        size = self.size
        found: Value = self.grid.values[min(int(min(max(unit, 0.0), 1.0) * size), size - 1)]
        return found

    def column(self, units: FloatArray) -> list[Value]:
        """`value` for each of the units."""
        found: list[Value] = self.grid.values[self.grid.bins(units)].tolist()
        return found

    def unit(self, value: Value) -> float:
        """The centre of the value's bin."""
        return (self.index(value) + 0.5) / self.size

    def snap(self, units: FloatArray) -> FloatArray:
        """The centres of the units' bins."""
        return self.grid.centres(self.grid.bins(units))

    def encode(self, units: FloatArray) -> FloatArray:
        """The values' points on the scale, or one-hot rows; shape (n, encoded_size)."""
        bins = self.grid.bins(units)
        if self.grid.points is None:
            one_hot: NDArray[np.bool_] = bins[:, None] == np.arange(self.size)
            return one_hot.astype(np.float64)
        return np.take(self.grid.points, bins)[:, None]

    def decode(self, encoded: FloatArray) -> FloatArray:
        """The bin centres of the nearest values."""
        return self.grid.centres(self.grid.nearest(encoded))

    def index(self, value: Value) -> int:
        """The number of a value, from 0."""
        require(self, value)
        return self.grid.places[value]

    def at(self, index: int) -> Value:
        """The value with a number in [0, size)."""
        found: Value = self.grid.values[index]
        return found
