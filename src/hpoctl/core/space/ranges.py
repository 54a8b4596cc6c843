"""Domains that are ranges: uniform, loguniform, randint, lograndint. Both bounds are inclusive."""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hpoctl.core.errors import UsageError
from hpoctl.core.space import checks
from hpoctl.core.space.domains import FloatArray, Value, of_kind, require


def _clip(units: FloatArray) -> FloatArray:
    return np.clip(np.asarray(units, dtype=np.float64), 0.0, 1.0)


def _between(value: float, lower: float, upper: float) -> float:
    return min(max(value, lower), upper)


def _uncountable(asked: Value) -> UsageError:
    return UsageError(
        f"A range of floats has infinitely many values, and {asked!r} no number in it.", "Use a finite domain."
    )


class Continuous(Protocol):
    """What ranges of floats do alike: the unit coordinate is what a model sees."""

    __slots__ = ()
    lower: float
    upper: float

    @property
    def size(self) -> None:
        """None: uncountably many values."""
        return

    @property
    def encoded_size(self) -> int:
        """One."""
        return 1

    def contains(self, value: Any) -> bool:
        """Whether it is a number within the bounds."""
        return of_kind(value, (int, float)) and bool(self.lower <= value <= self.upper)

    def describe(self) -> str:
        """What is allowed."""
        return f"a number from {self.lower} to {self.upper}"

    def snap(self, units: FloatArray) -> FloatArray:
        """The units themselves."""
        return _clip(units)

    def encode(self, units: FloatArray) -> FloatArray:
        """The units as a column, shape (n, 1)."""
        return _clip(units)[:, None]

    def decode(self, encoded: FloatArray) -> FloatArray:
        """The column as units."""
        return _clip(encoded[:, 0])

    def index(self, value: Value) -> int:
        """Refused: the values have no numbers."""
        raise _uncountable(value)

    def at(self, index: int) -> Value:
        """Refused: the values have no numbers."""
        raise _uncountable(index)


@dataclass(frozen=True, slots=True)
class Uniform(Continuous):
    """A float, uniform between two bounds."""

    lower: float
    upper: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "lower", checks.number("uniform", "lower", self.lower))
        object.__setattr__(self, "upper", checks.number("uniform", "upper", self.upper))
        checks.in_order("uniform", self.lower, self.upper)

    def middle(self) -> float:
        """The midpoint."""
        return self.value(0.5)

    def value(self, unit: float) -> float:
        """The value at a quantile; exactly the bounds at 0 and 1."""
        unit = _between(unit, 0.0, 1.0)
        return _between(self.lower * (1.0 - unit) + self.upper * unit, self.lower, self.upper)

    def column(self, units: FloatArray) -> list[Value]:
        """`value` for each of the units."""
        units = _clip(units)
        values = np.clip(self.lower * (1.0 - units) + self.upper * units, self.lower, self.upper)
        return list(values.tolist())

    def unit(self, value: Value) -> float:
        """The quantile of a value."""
        require(self, value)
        return _between((float(value) - self.lower) / (self.upper - self.lower), 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class LogUniform(Continuous):
    """A positive float whose logarithm is uniform between the logarithms of two bounds."""

    lower: float
    upper: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "lower", checks.number("loguniform", "lower", self.lower))
        object.__setattr__(self, "upper", checks.number("loguniform", "upper", self.upper))
        checks.in_order("loguniform", self.lower, self.upper)
        checks.positive("loguniform", self.lower, self.upper)

    def middle(self) -> float:
        """The geometric mean of the bounds."""
        return _between(math.sqrt(self.lower) * math.sqrt(self.upper), self.lower, self.upper)

    def value(self, unit: float) -> float:
        """The value at a quantile; exactly the bounds at 0 and 1."""
        if unit <= 0.0:
            return self.lower
        if unit >= 1.0:
            return self.upper
        low, high = math.log(self.lower), math.log(self.upper)
        return _between(math.exp(low * (1.0 - unit) + high * unit), self.lower, self.upper)

    def column(self, units: FloatArray) -> list[Value]:
        """`value` for each of the units."""
        # With math.exp, not numpy's: the last bit of a vectorised exponential depends on the processor.
        return [self.value(unit) for unit in units.tolist()]

    def unit(self, value: Value) -> float:
        """The quantile of a value."""
        require(self, value)
        low, high = math.log(self.lower), math.log(self.upper)
        return _between((math.log(float(value)) - low) / (high - low), 0.0, 1.0)


class WholeNumbers(Protocol):
    """What ranges of whole numbers do alike."""

    __slots__ = ()
    lower: int
    upper: int

    @property
    def size(self) -> int:
        """How many whole numbers there are from bound to bound."""
        return self.upper - self.lower + 1

    @property
    def encoded_size(self) -> int:
        """One."""
        return 1

    def contains(self, value: Any) -> bool:
        """Whether it is a whole number within the bounds."""
        return of_kind(value, (int,)) and bool(self.lower <= value <= self.upper)

    def describe(self) -> str:
        """What is allowed."""
        return f"a whole number from {self.lower} to {self.upper}"

    def at(self, index: int) -> int:
        """The value with a number in [0, size)."""
        return self.lower + index


@dataclass(frozen=True, slots=True)
class RandInt(WholeNumbers):
    """A whole number, uniform between two bounds."""

    lower: int
    upper: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "lower", checks.whole("randint", "lower", self.lower))
        object.__setattr__(self, "upper", checks.whole("randint", "upper", self.upper))
        checks.in_order("randint", self.lower, self.upper)

    def middle(self) -> int:
        """The midpoint, rounded (a half to the even neighbour)."""
        return round((self.lower + self.upper) / 2)

    def value(self, unit: float) -> int:
        """The value whose bin holds the unit: one of `size` equal bins."""
        return min(self.lower + int(_between(unit, 0.0, 1.0) * self.size), self.upper)

    def column(self, units: FloatArray) -> list[Value]:
        """`value` for each of the units."""
        return list((self.lower + self._steps(units)).tolist())

    def index(self, value: Value) -> int:
        """The number of a value, from 0."""
        require(self, value)
        return int(value) - self.lower

    def unit(self, value: Value) -> float:
        """The centre of the value's bin."""
        return (self.index(value) + 0.5) / self.size

    def snap(self, units: FloatArray) -> FloatArray:
        """The centres of the units' bins."""
        return (self._steps(units) + 0.5) / self.size

    def encode(self, units: FloatArray) -> FloatArray:
        """The values on a linear scale, shape (n, 1)."""
        return (self._steps(units) / (self.size - 1))[:, None]

    def decode(self, encoded: FloatArray) -> FloatArray:
        """The bin centres of the nearest values."""
        return (np.rint(_clip(encoded[:, 0]) * (self.size - 1)) + 0.5) / self.size

    def _steps(self, units: FloatArray) -> NDArray[np.int64]:
        return np.minimum((_clip(units) * self.size).astype(np.int64), self.size - 1)


@dataclass(frozen=True, slots=True)
class LogRandInt(WholeNumbers):
    """A positive whole number: a log-uniform float between lower - 1/2 and upper + 1/2, rounded.

    So the bin of the value v in [0, 1] has the length log((v + 1/2) / (v - 1/2)) / log((upper + 1/2) /
    (lower - 1/2)): bins are not equal, as they are in the other finite domains.
    """

    lower: int
    upper: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "lower", checks.whole("lograndint", "lower", self.lower))
        object.__setattr__(self, "upper", checks.whole("lograndint", "upper", self.upper))
        checks.in_order("lograndint", self.lower, self.upper)
        checks.positive("lograndint", self.lower, self.upper)

    def middle(self) -> int:
        """The geometric mean of the bounds, rounded."""
        return round(math.sqrt(self.lower * self.upper))

    def value(self, unit: float) -> int:
        """The value whose bin holds the unit."""
        low, high = math.log(self.lower - 0.5), math.log(self.upper + 0.5)
        unit = _between(unit, 0.0, 1.0)
        return self._clamp(math.floor(math.exp(low * (1.0 - unit) + high * unit) + 0.5))

    def column(self, units: FloatArray) -> list[Value]:
        """`value` for each of the units."""
        return [self.value(unit) for unit in units.tolist()]

    def index(self, value: Value) -> int:
        """The number of a value, from 0."""
        require(self, value)
        return int(value) - self.lower

    def unit(self, value: Value) -> float:
        """The centre of the value's bin."""
        require(self, value)
        return self._centre(int(value))

    def snap(self, units: FloatArray) -> FloatArray:
        """The centres of the units' bins."""
        return np.array([self._centre(self.value(unit)) for unit in units.tolist()], dtype=np.float64)

    def encode(self, units: FloatArray) -> FloatArray:
        """The values on a logarithmic scale, shape (n, 1)."""
        low, high = math.log(self.lower), math.log(self.upper)
        scaled = [(math.log(self.value(unit)) - low) / (high - low) for unit in units.tolist()]
        return np.array(scaled, dtype=np.float64)[:, None]

    def decode(self, encoded: FloatArray) -> FloatArray:
        """The bin centres of the nearest values."""
        low, high = math.log(self.lower), math.log(self.upper)
        numbers = [math.exp(low * (1.0 - x) + high * x) for x in _clip(encoded[:, 0]).tolist()]
        return np.array([self._centre(self._nearest_on_log_scale(number)) for number in numbers], dtype=np.float64)

    def _nearest_on_log_scale(self, number: float) -> int:
        below = math.floor(number)
        return self._clamp(below + (number > math.sqrt(below * (below + 1))))

    def _clamp(self, number: int) -> int:
        return min(max(number, self.lower), self.upper)

    def _centre(self, value: int) -> float:
        low, high = math.log(self.lower - 0.5), math.log(self.upper + 0.5)
        return ((math.log(value - 0.5) + math.log(value + 0.5)) / 2 - low) / (high - low)
