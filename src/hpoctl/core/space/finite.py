"""Domains that are lists of values: choice, ordinal, finrange, logfinrange.

Each of the k values has one of k equal bins of [0, 1]. What a model sees keeps the natural scale of numbers.
"""

from dataclasses import dataclass, field
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from hpoctl.core.errors import UsageError, did_you_mean
from hpoctl.core.space import checks
from hpoctl.core.space.domains import Value
from hpoctl.core.space.listed import SHOWN, Grid, Listed, equally_spaced, make_grid, scaled

MAX_SIZE = 10_000
"""The largest size of a finrange or logfinrange; beyond it a continuous domain says the same."""

OrdinalKind = Literal["equal", "nn", "nn-log"]


@dataclass(frozen=True, slots=True)
class Choice(Listed):
    """One of several values without an order. A model sees 0 and 1 for two values, one-hot for more."""

    values: tuple[Value, ...]
    grid: Grid = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        values = checks.value_list("choice", self.values)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "grid", make_grid(values, None if len(values) > 2 else equally_spaced(len(values))))

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
        known = get_args(OrdinalKind)
        if self.kind not in known:
            raise UsageError(f"ordinal: kind is {self.kind!r}.", did_you_mean(str(self.kind), known))
        object.__setattr__(self, "values", values)
        points = equally_spaced(len(values)) if self.kind == "equal" else self._number_scale()
        object.__setattr__(self, "grid", make_grid(values, points))

    def _number_scale(self) -> NDArray[np.float64]:
        if isinstance(self.values[0], bool | str):
            raise UsageError(
                f"ordinal: kind {self.kind!r} needs numbers, not {self.values[0]!r}.",
                "Use numbers, or kind 'equal'.",
            )
        numbers = [checks.number("ordinal", "a value", value) for value in self.values]
        if numbers != sorted(numbers):
            raise UsageError(f"ordinal: kind {self.kind!r} needs increasing values.", "Sort the values.")
        if self.kind == "nn-log" and numbers[0] <= 0:
            raise UsageError(f"ordinal: {self.values[0]} has no logarithm.", "Use positive numbers, or kind 'nn'.")
        return scaled("ordinal", self.values, log=self.kind == "nn-log")

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
    if checks.flag(owner, "cast_int", cast_int):
        if not (low.is_integer() and high.is_integer()):
            raise UsageError(f"{owner}: cast_int with bounds {low} and {high}.", "Use whole numbers as bounds.")
        checks.whole(owner, "lower", int(low))
        checks.whole(owner, "upper", int(high))
    return low, high, count


def _check_distinct(owner: str, values: tuple[Value, ...], kind: OrdinalKind) -> None:
    distinct = list(dict.fromkeys(values))
    if len(distinct) < len(values):
        shown = ", ".join(map(str, distinct[:SHOWN])) + (", ..." if len(distinct) > SHOWN else "")
        raise UsageError(
            f"{owner}: {len(values)} values have only {len(distinct)} different ones after rounding.",
            f"Use a smaller size, or type 'ordinal' of kind {kind!r} with values {shown}.",
        )


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
        object.__setattr__(self, "grid", make_grid(values, scaled("finrange", values, log=False)))

    @property
    def values(self) -> tuple[Value, ...]:
        """The values in increasing order."""
        return tuple(self.grid.values)

    def middle(self) -> Value:
        """The value half-way, of two the later one."""
        return self.at(self.size // 2)


def _geometric(lower: float, upper: float, size: int) -> list[Decimal]:
    """Numbers with equal ratios to 40 digits, so that their nearest floats are the same on every machine."""
    digits = Context(prec=40)
    start = Decimal(repr(lower))
    log_ratio = digits.ln(digits.divide(Decimal(repr(upper)), start))
    steps = [digits.divide(digits.multiply(log_ratio, step), size - 1) for step in range(size)]
    return [digits.multiply(start, digits.exp(step)) for step in steps]


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
        values = tuple(round(value) if self.cast_int else float(value) for value in _geometric(lower, upper, size))
        _check_distinct("logfinrange", values, "nn-log")
        object.__setattr__(self, "grid", make_grid(values, scaled("logfinrange", values, log=True)))

    @property
    def values(self) -> tuple[Value, ...]:
        """The values in increasing order."""
        return tuple(self.grid.values)

    def middle(self) -> Value:
        """The value half-way, of two the later one."""
        return self.at(self.size // 2)
