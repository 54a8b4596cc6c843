"""Conditions on metadata as people type them: `n_workers=4`, `max_wallclock_time>=600`, `data.curves=modelled`."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from hpoctl.core.errors import UsageError

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {"==": eq, "=": eq, "!=": ne, "<=": le, ">=": ge, "<": lt, ">": gt}
CONDITION = re.compile(r"\s*([A-Za-z_][\w.-]*)\s*(==|!=|<=|>=|=|<|>)\s*(.*?)\s*", re.ASCII | re.DOTALL)
EQUALITY = frozenset({"=", "==", "!="})


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on one entry of the metadata.

    Attributes:
        key: The name of the entry; the names of nested ones are joined by dots.
        operator: How it is compared.
        value: What it is compared with: a number, true, false, null or a text.
    """

    key: str
    operator: str
    value: bool | int | float | str | None

    def __str__(self) -> str:
        """The condition as it is typed."""
        value = self.value if isinstance(self.value, str) else json.dumps(self.value)
        return f"{self.key}{self.operator}{value}"

    def holds(self, metadata: Mapping[str, Any]) -> bool:
        """Whether an experiment fulfils it; one without the entry does not, nor does a text that is not a number."""
        there, value = look_up(metadata, self.key)
        if not there:
            return False
        if self.operator in EQUALITY:
            same = value == self.value and isinstance(value, bool) == isinstance(self.value, bool)
            return same == (self.operator != "!=")
        return _is_number(value) and OPERATORS[self.operator](value, self.value)


def parse_condition(text: str) -> Condition:
    """The condition that a person typed after `--where`.

    Raises:
        UsageError: It is not a valid condition, or it orders something other than numbers.
    """
    found = CONDITION.fullmatch(text)
    if found is None:
        raise UsageError(
            f"--where cannot be {text[:60]!r}.",
            "Compare an entry of the metadata: n_workers=4, max_wallclock_time>=600.",
        )
    key, operator, value = found[1], found[2], _value(found[3])
    if operator not in EQUALITY and not _is_number(value):
        raise UsageError(
            f"--where {text[:60]} compares with no number.", f"Use = or != with a text: {key}={found[3][:40]}."
        )
    return Condition(key, operator, value)


def check_keys(conditions: Sequence[Condition], metadata: Iterable[Mapping[str, Any]]) -> None:
    """Refuse a key that no experiment has: it is mistyped.

    Raises:
        UsageError: There is such a key.
    """
    experiments = list(metadata)
    for condition in conditions:
        if experiments and not any(look_up(each, condition.key)[0] for each in experiments):
            known = sorted({name for each in experiments for name in _names(each)})
            close = get_close_matches(condition.key, known, n=3, cutoff=0.5)
            hint = f"Did you mean {' or '.join(close)}? " if close else ""
            raise UsageError(
                f"--where: no experiment has {condition.key!r} in its metadata.",
                f"{hint}docs/reference/results.md lists the keys; nested ones are joined by dots.",
            )


def look_up(metadata: Mapping[str, Any], key: str) -> tuple[bool, Any]:
    """Whether there is an entry, and its value; a name that has dots itself goes before nested names."""
    if key in metadata:
        return True, metadata[key]
    head, dot, rest = key.partition(".")
    inner = metadata.get(head)
    return look_up(inner, rest) if dot and isinstance(inner, Mapping) else (False, None)


def _names(metadata: Mapping[str, Any], prefix: str = "") -> list[str]:
    names = []
    for key, value in metadata.items():
        names.append(f"{prefix}{key}")
        if isinstance(value, Mapping):
            names += _names(value, f"{prefix}{key}.")
    return names


def _value(text: str) -> bool | int | float | str | None:
    try:
        value = json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return text
    return value if value is None or isinstance(value, bool | int | float | str) else text


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
