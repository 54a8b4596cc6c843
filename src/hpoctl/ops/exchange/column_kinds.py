"""What the values of a hyperparameter's column are, as the configuration space in the metadata says it."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from hpoctl.core.errors import UsageError
from hpoctl.core.space import Space

ColumnKind = Literal["text", "whole", "number", "flag"]
KINDS: Mapping[type, ColumnKind] = {str: "text", int: "whole", float: "number", bool: "flag"}
PREFIX = "config_"


def column_kinds(config_space: object) -> dict[str, ColumnKind]:
    """The kinds of the columns of hyperparameters, by the names of the columns; those that are not known are left out.

    Args:
        config_space: The entry of the metadata: JSON of a space as hpoctl or as Syne Tune writes it.
    """
    try:
        space = json.loads(config_space) if isinstance(config_space, str) else config_space
    except (ValueError, RecursionError):
        return {}
    if not isinstance(space, dict):
        return {}
    kinds = {f"{PREFIX}{name}": _kind(name, entry) for name, entry in space.items()}
    return {name: kind for name, kind in kinds.items() if kind is not None}


def _kind(name: str, entry: object) -> ColumnKind | None:
    if isinstance(entry, dict) and "domain_cls" in entry:
        return _of_syne_tune(entry)
    try:
        domain = Space.from_json({name: entry})[name]
    except UsageError:
        return None
    return KINDS.get(type(domain.middle()))


def _of_syne_tune(entry: Mapping[str, Any]) -> ColumnKind | None:
    stated = entry.get("domain_kwargs")
    arguments: Mapping[str, Any] = stated if isinstance(stated, dict) else {}
    values = arguments.get("categories")
    if isinstance(values, list):
        return _common({KINDS.get(type(value)) for value in values})
    kind = entry["domain_cls"]
    if kind == "Integer" or (kind == "FiniteRange" and arguments.get("cast_int") is True):
        return "whole"
    return "number" if kind in ("Float", "FiniteRange") else None


def _common(kinds: set[ColumnKind | None]) -> ColumnKind | None:
    if kinds == {"whole", "number"}:
        return "number"
    return kinds.pop() if len(kinds) == 1 else None
