"""A configuration space: the domains of named hyperparameters, in an order."""

import math
import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hpoctl.core.errors import UsageError, did_you_mean
from hpoctl.core.space.domains import Config, Domain, Fixed, FloatArray, Value
from hpoctl.core.space.finite import Choice
from hpoctl.core.space.plain import from_plain, to_plain


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """Named hyperparameters and their domains. Fixed values are part of a space.

    Matrices have one column for each hyperparameter, fixed ones included, in the order of the names: a space
    and its variants with fixed values turn a matrix into configurations that differ in those values only.

    Attributes:
        domains: The domain of each hyperparameter.
    """

    domains: Mapping[str, Domain]

    def __post_init__(self) -> None:
        if not self.domains:
            raise UsageError("The configuration space is empty.", "Give it one hyperparameter at least.")
        for name in self.domains:
            if not name:
                raise UsageError("A hyperparameter has an empty name.", "Give it a name.")
        object.__setattr__(self, "domains", dict(self.domains))

    def __len__(self) -> int:
        return len(self.domains)

    def __iter__(self) -> Iterator[str]:
        return iter(self.domains)

    def __contains__(self, name: object) -> bool:
        return name in self.domains

    def __getitem__(self, name: str) -> Domain:
        return self.domains[name]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Space) and list(self.domains.items()) == list(other.domains.items())

    def __hash__(self) -> int:
        return hash(tuple(self.domains.items()))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the hyperparameters, in order."""
        return tuple(self.domains)

    @property
    def size(self) -> int | None:
        """How many configurations there are; None: uncountably many."""
        sizes = [domain.size for domain in self.domains.values()]
        return None if None in sizes else math.prod(size for size in sizes if size is not None)

    @property
    def encoded_size(self) -> int:
        """How many dimensions a model sees."""
        return sum(domain.encoded_size for domain in self.domains.values())

    @property
    def encoded_names(self) -> tuple[str, ...]:
        """A name for each dimension a model sees: the hyperparameter, or `name=value` where it is one-hot."""
        names: list[str] = []
        for name, domain in self.domains.items():
            if isinstance(domain, Choice) and domain.encoded_size > 1:
                names.extend(f"{name}={value}" for value in domain.values)
            else:
                names.extend([name] * domain.encoded_size)
        return tuple(names)

    @property
    def fixed(self) -> dict[str, Value]:
        """The fixed values."""
        return {name: domain.fixed for name, domain in self.domains.items() if isinstance(domain, Fixed)}

    def validate(self, config: Config) -> None:
        """Refuse what is not a configuration of this space.

        Raises:
            UsageError: A hyperparameter is missing or unknown, or its value is not allowed.
        """
        for name in config:
            self._require_name(name)
        for name, domain in self.domains.items():
            if name not in config:
                raise UsageError(f"Hyperparameter {name!r} is missing.", f"Give it {domain.describe()}.")
            _require_value(name, domain, config[name])

    def config(self, units: FloatArray) -> dict[str, Value]:
        """The configuration at a point of the unit cube, shape (d,).

        Raises:
            UsageError: The units have another shape or lie outside [0, 1].
        """
        return self.configs(np.asarray(units)[None, :])[0]

    def configs(self, units: FloatArray) -> list[dict[str, Value]]:
        """The configurations at points of the unit cube, shape (n, d).

        Raises:
            UsageError: The units have another shape or lie outside [0, 1].
        """
        units = self._checked(units)
        names = self.names
        columns = [domain.column(units[:, place]) for place, domain in enumerate(self.domains.values())]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def units(self, config: Config) -> FloatArray:
        """The point of the unit cube that stands for a configuration, shape (d,).

        Raises:
            UsageError: It is not a configuration of this space.
        """
        self.validate(config)
        return np.array([domain.unit(config[name]) for name, domain in self.domains.items()], dtype=np.float64)

    def sample(self, count: int, rng: np.random.Generator) -> FloatArray:
        """Points of the unit cube for `count` uniform draws of a configuration, with repetitions, shape (count, d)."""
        return rng.random((count, len(self)))

    def snap(self, units: FloatArray) -> FloatArray:
        """Points of the unit cube, shape (n, d), moved to the points that stand for their configurations.

        Raises:
            UsageError: The units have another shape or lie outside [0, 1].
        """
        units = self._checked(units)
        columns = [domain.snap(units[:, place]) for place, domain in enumerate(self.domains.values())]
        return np.stack(columns, axis=1)

    def encode(self, units: FloatArray) -> FloatArray:
        """What a model sees, in [0, 1]: points of the unit cube, shape (n, d), to shape (n, encoded_size).

        Raises:
            UsageError: The units have another shape or lie outside [0, 1].
        """
        units = self._checked(units)
        blocks = [domain.encode(units[:, place]) for place, domain in enumerate(self.domains.values())]
        return np.concatenate(blocks, axis=1)

    def decode(self, encoded: FloatArray) -> FloatArray:
        """The points of the unit cube, shape (n, d), nearest to encoded ones, shape (n, encoded_size).

        Raises:
            UsageError: The array has another shape, or holds NaN.
        """
        encoded = np.asarray(encoded, dtype=np.float64)
        if encoded.ndim != 2 or encoded.shape[1] != self.encoded_size or np.isnan(encoded).any():
            raise UsageError(
                f"An array of shape {encoded.shape} cannot be decoded.",
                f"Use one of shape (n, {self.encoded_size}) without NaN.",
            )
        columns: list[FloatArray] = []
        start = 0
        for domain in self.domains.values():
            columns.append(domain.decode(encoded[:, start : start + domain.encoded_size]))
            start += domain.encoded_size
        return np.stack(columns, axis=1)

    def middle(self) -> dict[str, Value]:
        """The configuration in the middle of the space."""
        return {name: domain.middle() for name, domain in self.domains.items()}

    def index(self, config: Config) -> int:
        """The number of a configuration in [0, size): mixed radix, the last hyperparameter counts fastest.

        Raises:
            UsageError: The space is infinite, or it is not a configuration of this space.
        """
        sizes = self._sizes()
        self.validate(config)
        number = 0
        for (name, domain), size in zip(self.domains.items(), sizes, strict=True):
            number = number * size + domain.index(config[name])
        return number

    def at(self, index: int) -> dict[str, Value]:
        """The configuration with a number in [0, size); the inverse of `index`.

        Raises:
            UsageError: The space is infinite, or there is no such number.
        """
        sizes = self._sizes()
        rest = operator.index(index)
        places: list[int] = []
        for size in reversed(sizes):
            rest, place = divmod(rest, size)
            places.append(place)
        if rest != 0:
            raise UsageError(f"There is no configuration {index}.", f"Use a number from 0 to {math.prod(sizes) - 1}.")
        return {name: self.domains[name].at(place) for name, place in zip(self.domains, reversed(places), strict=True)}

    def key(self, config: Config) -> tuple[Value, ...]:
        """The values of a configuration in the order of the space: a hashable identity."""
        return tuple([config[name] for name in self.domains])

    def with_fixed(self, values: Mapping[str, Value]) -> "Space":
        """This space with some hyperparameters fixed, in the same order.

        Raises:
            UsageError: There is no such hyperparameter, or its domain does not contain the value.
        """
        domains = dict(self.domains)
        for name, value in values.items():
            self._require_name(name)
            _require_value(name, domains[name], value)
            # A whole number is allowed where the domain holds floats: the trial gets the type it always gets.
            domains[name] = Fixed(float(value) if isinstance(domains[name].middle(), float) else value)
        return Space(domains)

    def with_whole(self, name: str | None) -> "Space":
        """This space, with a fixed whole number that is written as a float, such as 4.0, as a whole number.

        Args:
            name: The hyperparameter; a space that does not have it fixed stays as it is.
        """
        value = self.fixed.get(name) if name is not None else None
        if not isinstance(value, float) or not value.is_integer():
            return self
        return Space({key: Fixed(int(value)) if key == name else domain for key, domain in self.domains.items()})

    def to_json(self) -> dict[str, Any]:
        """The space as a JSON object, one entry for each hyperparameter. Fixed values are plain values."""
        return {name: to_plain(domain) for name, domain in self.domains.items()}

    @staticmethod
    def from_json(obj: Any) -> "Space":
        """The space of a JSON object or of the table `[space]` of a benchmark.toml; the inverse of `to_json`.

        Raises:
            UsageError: An entry describes no domain.
        """
        if not isinstance(obj, Mapping):
            raise UsageError(f"{obj!r} is no configuration space.", "Map names of hyperparameters to domains.")
        return Space({name: from_plain(name, entry) for name, entry in obj.items()})

    def _require_name(self, name: str) -> None:
        if name not in self.domains:
            raise UsageError(f"Unknown hyperparameter {name!r}.", did_you_mean(str(name), self.domains))

    def _checked(self, units: FloatArray) -> FloatArray:
        units = np.asarray(units, dtype=np.float64)
        if units.ndim != 2 or units.shape[1] != len(self.domains):
            raise UsageError(
                f"Units of shape {units.shape} do not fit the space.", f"Use shape (n, {len(self.domains)})."
            )
        if not np.all((units >= 0.0) & (units <= 1.0)):
            raise UsageError("Units lie outside [0, 1].", "Use numbers from 0 to 1.")
        return units

    def _sizes(self) -> list[int]:
        sizes: list[int] = []
        for name, domain in self.domains.items():
            if domain.size is None:
                raise UsageError(
                    f"Hyperparameter {name!r} has infinitely many values: configurations have no number.",
                    "Use a finite space.",
                )
            sizes.append(domain.size)
        return sizes


def _require_value(name: str, domain: Domain, value: Any) -> None:
    if not domain.contains(value):
        raise UsageError(f"Hyperparameter {name!r} cannot be {value!r}.", f"Use {domain.describe()}.")
