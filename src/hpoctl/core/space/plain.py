"""Domains as plain values: what a benchmark.toml and the metadata of results hold."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any

from hpoctl.core.errors import UsageError
from hpoctl.core.space.checks import did_you_mean
from hpoctl.core.space.domains import Domain, Fixed
from hpoctl.core.space.finite import Choice, FinRange, LogFinRange, Ordinal
from hpoctl.core.space.ranges import LogRandInt, LogUniform, RandInt, Uniform

TYPES: Mapping[str, Callable[..., Domain]] = {
    "uniform": Uniform,
    "loguniform": LogUniform,
    "randint": RandInt,
    "lograndint": LogRandInt,
    "choice": Choice,
    "ordinal": Ordinal,
    "finrange": FinRange,
    "logfinrange": LogFinRange,
}
NAMES = {domain: name for name, domain in TYPES.items()}


def to_plain(domain: Domain) -> Any:
    """A domain as a JSON value: a fixed value as itself, any other as an object with its `type`.

    Raises:
        UsageError: It is none of the domains of this package.
    """
    if isinstance(domain, Fixed):
        return domain.fixed
    if type(domain) not in NAMES:
        raise UsageError(f"{domain!r} cannot be written down.", f"Use one of: {', '.join(TYPES)}, or a fixed value.")
    entries = {key: getattr(domain, key) for key in _keys(type(domain))}
    listed = {key: list(entry) if isinstance(entry, tuple) else entry for key, entry in entries.items()}
    return {"type": NAMES[type(domain)], **listed}


def from_plain(name: str, entry: Any) -> Domain:
    """The domain of a hyperparameter from its JSON value; the inverse of `to_plain`.

    Args:
        name: The hyperparameter, for the error.
        entry: An object with a `type` and the parameters of the domain, or a fixed value.

    Raises:
        UsageError: The entry describes no domain.
    """
    where = f"Hyperparameter {name!r}"
    if isinstance(entry, list | tuple):
        raise UsageError(f"{where} is a list.", 'Write { type = "choice", values = [...] }.')
    try:
        return _domain(entry) if isinstance(entry, Mapping) else Fixed(entry)
    except UsageError as error:
        raise UsageError(f"{where}: {error.what}", error.fix) from None


def _domain(entry: Mapping[str, Any]) -> Domain:
    if "type" not in entry:
        raise UsageError("the key 'type' is missing.", f"Use one of: {', '.join(TYPES)}.")
    kind = entry["type"]
    if not isinstance(kind, str) or kind not in TYPES:
        raise UsageError(f"unknown type {kind!r}.", did_you_mean(str(kind), TYPES))
    keys = _keys(TYPES[kind])
    for key in entry:
        if key != "type" and key not in keys:
            raise UsageError(f"{kind}: unknown key {key!r}.", did_you_mean(str(key), keys))
    missing = [key for key, required in keys.items() if required and key not in entry]
    if missing:
        raise UsageError(f"{kind}: the key {missing[0]!r} is missing.", f"It needs {', '.join(keys)}.")
    return TYPES[kind](**{key: entry[key] for key in keys if key in entry})


def _keys(domain: Any) -> dict[str, bool]:
    """The parameters of a domain, and whether they are required."""
    return {entry.name: entry.default is MISSING for entry in fields(domain) if entry.init}
