"""Domains as plain values: what a benchmark.toml and the metadata of results hold."""

from collections.abc import Mapping
from typing import Any

from hpoctl.core import records
from hpoctl.core.errors import UsageError, did_you_mean
from hpoctl.core.space.domains import Domain, Fixed
from hpoctl.core.space.finite import Choice, FinRange, LogFinRange, Ordinal
from hpoctl.core.space.ranges import LogRandInt, LogUniform, RandInt, Uniform

TYPES: Mapping[str, type[Any]] = {
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
    return {"type": NAMES[type(domain)], **records.to_plain(domain)}


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
    try:
        domain: Domain = records.from_plain(TYPES[kind], {key: entry[key] for key in entry if key != "type"})
    except records.RecordError as error:
        own = error.__cause__  # a domain names itself in what it says
        raise own if isinstance(own, UsageError) else UsageError(f"{error.text(kind)}.", error.fix) from None
    return domain
