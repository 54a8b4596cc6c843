"""Checks of what domains are made from: each returns plain Python values or raises an error with a remedy."""

import math
import unicodedata
from collections.abc import Iterable
from typing import Any

from hpoctl.core.errors import UsageError

MAX_BOUND = 1e300
"""The largest magnitude of a bound: differences and exponentials of bounds stay finite."""

MAX_WHOLE = 2**40
"""The largest magnitude of a whole-number bound: a double has a unit coordinate for each value of a range."""

MAX_INT = 2**63 - 1
"""The largest magnitude of a whole number that a results file can hold."""


def plain(owner: str, value: Any) -> bool | int | float | str:
    """The value as a plain bool, int, float or str.

    Raises:
        UsageError: It is something else, not finite, or a whole number beyond `MAX_INT`.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) <= MAX_INT:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if isinstance(value, str) and any(unicodedata.category(char) in {"Cc", "Cs"} for char in value):
        raise UsageError(
            f"{owner}: {value!r} has a control character.", "Use text without control characters: results are text."
        )
    if isinstance(value, str):
        return str(value)
    raise UsageError(
        f"{owner}: {value!r} cannot be a value.",
        "Use text, true or false, or a finite number (whole ones below 2**63).",
    )


def number(owner: str, key: str, value: Any) -> float:
    """The value as a float.

    Raises:
        UsageError: It is not a number, not finite, or beyond `MAX_BOUND`.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{owner}: {key} is {value!r}, which is not a number.", f"Give {key} a finite number.")
    if not abs(value) <= MAX_BOUND:
        raise UsageError(f"{owner}: {key} is {value!r}.", f"Give {key} a number within ±{MAX_BOUND:g}.")
    return float(value)


def whole(owner: str, key: str, value: Any) -> int:
    """The value as an int.

    Raises:
        UsageError: It is not a whole number, or beyond `MAX_WHOLE`.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise UsageError(f"{owner}: {key} is {value!r}, which is not a whole number.", f"Give {key} a whole number.")
    if abs(value) > MAX_WHOLE:
        raise UsageError(f"{owner}: {key} is {value}.", f"Give {key} a whole number within ±{MAX_WHOLE}.")
    return int(value)


def in_order(owner: str, lower: float, upper: float) -> None:
    """Refuse an empty range, and a range of one value.

    Raises:
        UsageError: `lower` is not below `upper`.
    """
    if lower == upper:
        raise UsageError(
            f"{owner}: lower and upper are both {lower}.",
            "A range needs two values; write one value as a fixed value.",
        )
    if lower > upper:
        raise UsageError(f"{owner}: lower {lower} is above upper {upper}.", "Swap the two.")


def positive(owner: str, lower: float, upper: float) -> None:
    """Refuse a range that has no logarithmic scale.

    Raises:
        UsageError: `lower` is not positive, or the logarithms of the bounds cannot be told apart.
    """
    if lower <= 0:
        raise UsageError(f"{owner}: {lower} has no logarithm.", "Use positive numbers, or a linear scale.")
    if math.log(lower) == math.log(upper):
        raise UsageError(f"{owner}: {lower} and {upper} are too close for a log scale.", "Use a linear scale.")


def flag(owner: str, key: str, value: Any) -> bool:
    """The value as a bool.

    Raises:
        UsageError: It is not a bool.
    """
    if not isinstance(value, bool):
        raise UsageError(f"{owner}: {key} is {value!r}.", f"Give {key} true or false.")
    return value


def value_list(owner: str, values: Any) -> tuple[bool | int | float | str, ...]:
    """The values of a list: unique and of one type. Whole numbers among floats become floats.

    Raises:
        UsageError: It is not a list, is empty, mixes types, or repeats a value.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise UsageError(f"{owner}: values is {values!r}.", "Give values a list.")
    listed = tuple(plain(owner, value) for value in values)
    kinds = {type(value) for value in listed}
    if not listed:
        raise UsageError(f"{owner}: values is empty.", "Give values one value at least.")
    if kinds == {int, float}:
        listed = tuple(float(value) for value in listed)
    elif len(kinds) > 1:
        named = " and ".join(sorted(kind.__name__ for kind in kinds))
        raise UsageError(f"{owner}: values mixes {named}.", "Use values of one type: text, numbers, or true and false.")
    if len(set(listed)) < len(listed):
        repeated = next(value for place, value in enumerate(listed) if value in listed[:place])
        raise UsageError(f"{owner}: values has {repeated!r} twice.", "Name each value once.")
    return listed
