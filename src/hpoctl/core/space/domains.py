"""What a domain is, and the simplest one: the fixed value.

Domains are frozen and hold plain Python values; a bad parameter raises UsageError when the domain is made.
Units outside [0, 1] count as the nearer end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hpoctl.core.errors import UsageError
from hpoctl.core.space import checks

Value = bool | int | float | str
Config = Mapping[str, Value]
FloatArray = NDArray[np.floating]


class Domain(Protocol):
    """The values a hyperparameter may take, their prior, and their scale."""

    @property
    def size(self) -> int | None:
        """How many values there are; None: uncountably many."""
        ...

    @property
    def encoded_size(self) -> int:
        """How many dimensions a model sees: 0 if fixed, k for a choice among k > 2 values, otherwise 1."""
        ...

    def contains(self, value: Any) -> bool:
        """Whether it is a value of the domain. A whole number may be among floats; a bool is not a number."""
        ...

    def describe(self) -> str:
        """What is allowed, as the object of "use": `a number from 0.1 to 1.0`."""
        ...

    def middle(self) -> Value:
        """The value in the middle of the scale; of a choice, the first value."""
        ...

    def value(self, unit: float) -> Value:
        """The value at a quantile of the prior."""
        ...

    def column(self, units: FloatArray) -> list[Value]:
        """`value` for each of the units, shape (n,)."""
        ...

    def unit(self, value: Value) -> float:
        """The quantile of a value; of a finite domain, the centre of the value's bin.

        Raises:
            UsageError: The domain does not contain the value.
        """
        ...

    def snap(self, units: FloatArray) -> FloatArray:
        """Units moved to the centres of their bins, shape (n,); unchanged where the domain is continuous."""
        ...

    def encode(self, units: FloatArray) -> FloatArray:
        """What a model sees, in [0, 1]: units of shape (n,) to shape (n, encoded_size)."""
        ...

    def decode(self, encoded: FloatArray) -> FloatArray:
        """The units of the nearest values: shape (n, encoded_size) to shape (n,)."""
        ...

    def index(self, value: Value) -> int:
        """The number of a value, from 0.

        Raises:
            UsageError: The domain does not contain the value, or has uncountably many.
        """
        ...

    def at(self, index: int) -> Value:
        """The value with a number in [0, size).

        Raises:
            UsageError: The domain has uncountably many values.
        """
        ...


def kinds(value: Value) -> tuple[type, ...]:
    """The types in which a value may be given: a whole number may stand for a float."""
    return (int, float) if isinstance(value, float) else (type(value),)


def of_kind(value: Any, allowed: tuple[type, ...]) -> bool:
    """Whether a value has one of the types; a bool counts as bool only, though Python makes it an int."""
    return isinstance(value, allowed) and isinstance(value, bool) == (bool in allowed)


def require(domain: Domain, value: Any) -> None:
    """Refuse a value that a domain does not contain.

    Raises:
        UsageError: The domain does not contain the value.
    """
    if not domain.contains(value):
        raise UsageError(f"The value {value!r} is not allowed.", f"Use {domain.describe()}.")


@dataclass(frozen=True, slots=True)
class Fixed:
    """One value. It reaches the trial and the results, and no model sees it."""

    fixed: Value

    def __post_init__(self) -> None:
        object.__setattr__(self, "fixed", checks.plain("fixed", self.fixed))

    @property
    def size(self) -> int:
        """One."""
        return 1

    @property
    def encoded_size(self) -> int:
        """Zero: no model sees it."""
        return 0

    def contains(self, value: Any) -> bool:
        """Whether it is the value, in its type; a whole number may stand for a float."""
        return of_kind(value, kinds(self.fixed)) and bool(value == self.fixed)

    def describe(self) -> str:
        """What is allowed."""
        return f"the fixed value {self.fixed!r}"

    def middle(self) -> Value:
        """The value."""
        return self.fixed

    def value(self, unit: float) -> Value:  # noqa: ARG002
        """The value, for any point."""
        return self.fixed

    def column(self, units: FloatArray) -> list[Value]:
        """The value, repeated."""
        return [self.fixed] * len(units)

    def unit(self, value: Value) -> float:
        """The middle of [0, 1], for want of a better one."""
        require(self, value)
        return 0.5

    def snap(self, units: FloatArray) -> FloatArray:
        """All units become the middle of [0, 1]."""
        return np.full(len(units), 0.5)

    def encode(self, units: FloatArray) -> FloatArray:
        """Rows without columns, shape (n, 0)."""
        return np.empty((len(units), 0))

    def decode(self, encoded: FloatArray) -> FloatArray:
        """The middle of [0, 1] for each row."""
        return np.full(len(encoded), 0.5)

    def index(self, value: Value) -> int:
        """Zero."""
        require(self, value)
        return 0

    def at(self, index: int) -> Value:  # noqa: ARG002
        """The value."""
        return self.fixed
