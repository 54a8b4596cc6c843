"""Domains that are lists of values: choice, ordinal, finrange, logfinrange.

Each of the k values has one of k equal bins of [0, 1]. What a model sees keeps the natural scale of numbers.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from hpoctl.core.errors import UsageError
from hpoctl.core.space import checks
from hpoctl.core.space.domains import FloatArray, Value, require

MAX_SIZE = 10_000
"""The largest size of a finrange or logfinrange; beyond it a continuous domain says the same."""

SHOWN = 12
"""How many values an error message lists before it abbreviates."""

DIGITS = Context(prec=40)
"""Decimal digits behind a logfinrange: its values are correctly rounded, and the same on every machine."""

OrdinalKind = Literal["equal", "nn", "nn-log"]


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A list of values as lookup tables.

    Attributes:
        values: The values, as an array of objects, shape (k,).
        places: The index of each value.
        points: Where each value stands on the scale of the model, increasing, in [0, 1], shape (k,); None: there
            is no scale, the encoding is one-hot.
    """

    values: NDArray[np.object_]
    places: Mapping[Value, int]
    points: FloatArray | None

    def bins(self, units: FloatArray) -> NDArray[np.int64]:
        """The index of the bin that holds each unit."""
        size = len(self.values)
        bins: NDArray[np.int64] = np.minimum((np.clip(units, 0.0, 1.0) * size).astype(np.int64), size - 1)
        return bins

    def centres(self, indices: NDArray[np.int64]) -> FloatArray:
        """The units in the middle of bins."""
        return (indices + 0.5) / len(self.values)

    def nearest(self, encoded: FloatArray) -> NDArray[np.int64]:
        """The index of the value nearest to each encoded row."""
        if self.points is None:
            return np.argmax(encoded, axis=1)
        if len(self.points) == 1:
            return np.zeros(len(encoded), dtype=np.int64)
        x = encoded[:, 0]
        right = np.clip(np.searchsorted(self.points, x), 1, len(self.points) - 1)
        return np.where(x - self.points[right - 1] <= self.points[right] - x, right - 1, right)


def _grid(values: tuple[Value, ...], points: FloatArray | None) -> Grid:
    objects = np.empty(len(values), dtype=object)
    objects[:] = values
    return Grid(objects, {value: place for place, value in enumerate(values)}, points)


def _equally_spaced(size: int) -> FloatArray:
    return np.linspace(0.0, 1.0, size) if size > 1 else np.array([0.5])


def _scaled(owner: str, values: tuple[Value, ...], log: bool) -> FloatArray:
    """Where increasing numbers stand between the first and the last of them.

    Raises:
        UsageError: Two of them cannot be told apart on this scale.
    """
    if len(values) == 1:
        return _equally_spaced(1)
    numbers = [math.log(value) if log else float(value) for value in values]  # type: ignore[arg-type]
    points = np.array([(x - numbers[0]) / (numbers[-1] - numbers[0]) for x in numbers])
    if not np.all(np.diff(points) > 0):
        raise UsageError(
            f"{owner}: two values are too close to tell apart.", "Leave out one, or use kind 'equal'."
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
        first = self.grid.values[0]
        if isinstance(value, bool) or isinstance(first, bool):
            return isinstance(value, bool) and isinstance(first, bool) and value in self.grid.places
        if isinstance(first, str):
            return isinstance(value, str) and value in self.grid.places
        wanted = int if isinstance(first, int) else int | float
        return isinstance(value, wanted) and value in self.grid.places

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
            return (bins[:, None] == np.arange(self.size)).astype(np.float64)
        points: FloatArray = self.grid.points[bins]
        return points[:, None]

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


@dataclass(frozen=True, slots=True)
class Choice(Listed):
    """One of several values without an order. A model sees 0 and 1 for two values, one-hot for more."""

    values: tuple[Value, ...]
    grid: Grid = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        values = checks.value_list("choice", self.values)
        object.__setattr__(self, "values", values)
        object.__setattr__(
            self, "grid", _grid(values, None if len(values) > 2 else _equally_spaced(len(values)))
        )

    @property
    def size(self) -> int:
        """How many values there are."""
        return len(self.values)

    def middle(self) -> Value:
        """The first value."""
        return self.values[0]


@dataclass(frozen=True, slots=True)
class Ordinal(Listed):
    """One of several values in their order.

    Attributes:
        values: The values. For the kinds `nn` and `nn-log` increasing numbers, for `nn-log` positive.
        kind: What a model sees: `equal` the same distance from each value to the next, `nn` the numbers
            themselves, `nn-log` their logarithms.
    """

    values: tuple[Value, ...]
    kind: OrdinalKind = "equal"
    grid: Grid = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        values = checks.value_list("ordinal", self.values)
        kinds = get_args(OrdinalKind)
        if self.kind not in kinds:
            raise UsageError(f"ordinal: kind is {self.kind!r}.", checks.did_you_mean(str(self.kind), kinds))
        object.__setattr__(self, "values", values)
        points = _equally_spaced(len(values)) if self.kind == "equal" else self._number_scale()
        object.__setattr__(self, "grid", _grid(values, points))

    def _number_scale(self) -> FloatArray:
        if isinstance(self.values[0], bool | str):
            raise UsageError(
                f"ordinal: kind {self.kind!r} needs numbers, not {self.values[0]!r}.",
                "Use numbers, or kind 'equal'.",
            )
        numbers = [checks.number("ordinal", "a value", value) for value in self.values]
        if numbers != sorted(numbers):
            raise UsageError(f"ordinal: kind {self.kind!r} needs increasing values.", "Sort the values.")
        if self.kind == "nn-log" and numbers[0] <= 0:
            raise UsageError(
                f"ordinal: {self.values[0]} has no logarithm.", "Use positive numbers, or kind 'nn'."
            )
        return _scaled("ordinal", self.values, log=self.kind == "nn-log")

    @property
    def size(self) -> int:
        """How many values there are."""
        return len(self.values)

    def middle(self) -> Value:
        """The value half-way, of two the later one."""
        return self.values[len(self.values) // 2]


def _check_range(owner: str, lower: Any, upper: Any, size: Any, cast_int: Any) -> tuple[float, float, int]:
    low, high = checks.number(owner, "lower", lower), checks.number(owner, "upper", upper)
    count = checks.whole(owner, "size", size)
    checks.in_order(owner, low, high)
    if not 2 <= count <= MAX_SIZE:
        raise UsageError(
            f"{owner}: size is {count}.",
            f"Use 2 to {MAX_SIZE}: one value is a fixed value, very many are a continuous domain.",
        )
    if checks.flag(owner, "cast_int", cast_int) and not (low.is_integer() and high.is_integer()):
        raise UsageError(f"{owner}: cast_int with bounds {low} and {high}.", "Use whole numbers as bounds.")
    return low, high, count


def _check_distinct(owner: str, values: tuple[Value, ...], kind: OrdinalKind) -> tuple[Value, ...]:
    distinct = list(dict.fromkeys(values))
    if len(distinct) < len(values):
        shown = ", ".join(map(str, distinct[:SHOWN])) + (", ..." if len(distinct) > SHOWN else "")
        raise UsageError(
            f"{owner}: {len(values)} values have only {len(distinct)} different ones after rounding.",
            f"Use a smaller size, or type 'ordinal' of kind {kind!r} with values {shown}.",
        )
    return values


@dataclass(frozen=True, slots=True)
class FinRange(Listed):
    """Equally spaced numbers from lower to upper, correctly rounded from the decimal bounds.

    Attributes:
        lower: The first value.
        upper: The last value.
        size: How many there are, from 2 to `MAX_SIZE`.
        cast_int: Round them to whole numbers (halves to even). They have to remain distinct.
    """

    lower: float
    upper: float
    size: int
    cast_int: bool = False
    grid: Grid = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        lower, upper, size = _check_range("finrange", self.lower, self.upper, self.size, self.cast_int)
        object.__setattr__(self, "lower", lower)
        object.__setattr__(self, "upper", upper)
        object.__setattr__(self, "size", size)
        start, end = Fraction(repr(lower)), Fraction(repr(upper))
        exact = [start + (end - start) * step / (size - 1) for step in range(size)]
        values = tuple(round(value) if self.cast_int else float(value) for value in exact)
        _check_distinct("finrange", values, "nn")
        object.__setattr__(self, "grid", _grid(values, _scaled("finrange", values, log=False)))

    @property
    def values(self) -> tuple[Value, ...]:
        """The values in increasing order."""
        return tuple(self.grid.values)

    def middle(self) -> Value:
        """The value half-way, of two the later one."""
        return self.at(self.size // 2)


@dataclass(frozen=True, slots=True)
class LogFinRange(Listed):
    """Numbers from lower to upper with equal ratios, correctly rounded from the decimal bounds.

    Attributes:
        lower: The first value, positive.
        upper: The last value.
        size: How many there are, from 2 to `MAX_SIZE`.
        cast_int: Round them to whole numbers (halves to even). They have to remain distinct.
    """

    lower: float
    upper: float
    size: int
    cast_int: bool = False
    grid: Grid = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        lower, upper, size = _check_range("logfinrange", self.lower, self.upper, self.size, self.cast_int)
        checks.positive("logfinrange", lower, upper)
        object.__setattr__(self, "lower", lower)
        object.__setattr__(self, "upper", upper)
        object.__setattr__(self, "size", size)
        start, end = Decimal(repr(lower)), Decimal(repr(upper))
        ratio = DIGITS.ln(DIGITS.divide(end, start))
        exact = [
            DIGITS.multiply(start, DIGITS.exp(DIGITS.divide(DIGITS.multiply(ratio, step), size - 1)))
            for step in range(size)
        ]
        values = tuple(round(value) if self.cast_int else float(value) for value in exact)
        _check_distinct("logfinrange", values, "nn-log")
        object.__setattr__(self, "grid", _grid(values, _scaled("logfinrange", values, log=True)))

    @property
    def values(self) -> tuple[Value, ...]:
        """The values in increasing order."""
        return tuple(self.grid.values)

    def middle(self) -> Value:
        """The value half-way, of two the later one."""
        return self.at(self.size // 2)
