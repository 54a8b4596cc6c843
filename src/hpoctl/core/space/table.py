"""A configuration space restricted to listed configurations, such as those that a table has curves of."""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hpoctl.core.errors import OffTableError, UsageError
from hpoctl.core.space.domains import Config, Domain, Fixed, FloatArray, Value
from hpoctl.core.space.lookup import IntArray, Lookup
from hpoctl.core.space.space import Space

CHUNK = 500_000
"""How many numbers are held at a time when distances are computed."""


AS_NEAR = 1.0 + 1e-12
"""Rows are equally near when their squared distances differ by less than this factor: rounding does not choose."""


@dataclass(frozen=True, slots=True, eq=False)
class TableSpace(Space):
    """A space whose configurations are the rows of a table.

    Points of the unit cube stand for the nearest row, by Euclidean distance in what a model sees; of rows equally near,
    for the first. Draws are uniform over the rows.

    Attributes:
        domains: The domain of each hyperparameter.
        numbers: The configurations, shape (n, d): the number of a value in a finite domain, elsewhere the value.
        rows: The points of the unit cube that stand for them, shape (n, d).
    """

    numbers: FloatArray
    rows: FloatArray
    _by_numbers: "Lookup" = field(init=False, repr=False)
    _by_rows: "Lookup" = field(init=False, repr=False)
    _encoded: list[FloatArray] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # No super() without arguments: a dataclass with slots is another class than the one in which it was written.
        Space.__post_init__(self)
        shape = (len(self.numbers), len(self.domains))
        if not len(self.numbers) or self.numbers.shape != shape or self.rows.shape != shape:
            shapes = f"{self.numbers.shape} and {self.rows.shape}"
            raise UsageError(f"A table of shape {shapes} does not fit its space.", f"Use (n, {len(self.domains)}).")
        object.__setattr__(self, "_by_numbers", Lookup(self.numbers))
        object.__setattr__(self, "_by_rows", Lookup(self.rows))
        object.__setattr__(self, "_encoded", [])

    @classmethod
    def of(cls, space: Space, configs: Sequence[Config]) -> "TableSpace":
        """A space restricted to some of its configurations, in their order.

        Raises:
            UsageError: There is none, one is none of the space, or one comes twice.
        """
        for config in configs:
            space.validate(config)
        numbers = [_numbers(space.domains, config) for config in configs]
        return cls.from_numbers(space, np.array(numbers, dtype=np.float64).reshape(-1, len(space)))

    @classmethod
    def from_numbers(cls, space: Space, numbers: FloatArray) -> "TableSpace":
        """A space restricted to some of its configurations, given as `numbers`, shape (n, d).

        Raises:
            UsageError: There is none, one is none of the space, or one comes twice.
        """
        numbers = np.array(numbers, dtype=np.float64) + 0.0  # there is no -0.0
        if not len(numbers):
            raise UsageError("A table without configurations is no space.", "List one configuration at least.")
        if numbers.ndim != 2 or numbers.shape[1] != len(space):
            raise UsageError(
                f"A table of shape {numbers.shape} does not fit its space.", f"Use shape (n, {len(space)})."
            )
        named = zip(space.domains.items(), numbers.T, strict=True)
        rows = np.stack([_units(name, domain, column) for (name, domain), column in named], axis=1)
        table = cls(space.domains, numbers, rows)
        if (table._by_numbers.find(numbers) != np.arange(len(numbers))).any():
            raise UsageError("A configuration is listed twice.", "List each configuration once.")
        return table

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TableSpace) or list(self.domains.items()) != list(other.domains.items()):
            return False
        return np.array_equal(self.numbers, other.numbers)

    def __hash__(self) -> int:
        return hash((tuple(self.domains.items()), self.numbers.tobytes()))

    @property
    def size(self) -> int:
        """How many configurations there are."""
        return len(self.numbers)

    def around(self) -> Space:
        """The space that the table is a part of."""
        return Space(self.domains)

    def validate(self, config: Config) -> None:
        """Refuse what is not a configuration of the table.

        Raises:
            UsageError: A value is not allowed, or the table has no such configuration.
        """
        self.index(config)

    def configs(self, units: FloatArray) -> list[dict[str, Value]]:
        """The configurations nearest to points of the unit cube, shape (n, d)."""
        return [self.at(row) for row in self.nearest(units).tolist()]

    def units(self, config: Config) -> FloatArray:
        """The point of the unit cube that stands for a configuration of the table, shape (d,)."""
        row: FloatArray = self.rows[self.index(config)]
        return row

    def sample(self, count: int, rng: np.random.Generator) -> FloatArray:
        """The rows of `count` uniform draws of a configuration, with repetitions, shape (count, d)."""
        drawn: FloatArray = self.rows[rng.integers(self.size, size=count)]
        return drawn

    def snap(self, units: FloatArray) -> FloatArray:
        """Points of the unit cube, shape (n, d), moved to the nearest rows."""
        snapped: FloatArray = self.rows[self.nearest(units)]
        return snapped

    def decode(self, encoded: FloatArray) -> FloatArray:
        """The rows nearest to encoded points, shape (n, encoded_size)."""
        return self.snap(Space.decode(self, encoded))

    def middle(self) -> dict[str, Value]:
        """The configuration nearest to the middle of the space."""
        middles = [domain.unit(domain.middle()) for domain in self.domains.values()]
        return self.configs(np.array([middles]))[0]

    def index(self, config: Config) -> int:
        """The row of a configuration.

        Raises:
            UsageError: A value is not allowed. OffTableError: The table has no such configuration.
        """
        row = self.find(config)
        if row is None:
            raise OffTableError(
                f"The table has no configuration {dict(config)!r}.", f"Use one of the {self.size} that it lists."
            )
        return row

    def find(self, config: Config) -> int | None:
        """The row of a configuration; None: the table does not have it.

        Raises:
            UsageError: It is not a configuration of the space around the table.
        """
        Space.validate(self, config)
        row = int(self._by_numbers.find(np.array([_numbers(self.domains, config)]))[0])
        return None if row < 0 else row

    def find_nearest(self, config: Config) -> tuple[int, float]:
        """The row nearest to a configuration of the space around the table, and its distance: 0.0 for its own.

        Raises:
            UsageError: It is not a configuration of the space around the table.
        """
        row = self.find(config)
        if row is not None:
            return row, 0.0
        rows, distances = self._search(Space.units(Space(self.domains), config)[None, :])
        return int(rows[0]), float(distances[0])

    def at(self, index: int) -> dict[str, Value]:
        """The configuration in a row."""
        place = operator.index(index)
        if not 0 <= place < self.size:
            raise UsageError(f"There is no row {index}.", f"Use a number from 0 to {self.size - 1}.")
        values = self.numbers[place].tolist()
        return {
            name: number if domain.size is None else domain.at(int(number))
            for (name, domain), number in zip(self.domains.items(), values, strict=True)
        }

    def nearest(self, units: FloatArray) -> IntArray:
        """The rows nearest to points of the unit cube, shape (n, d); shape (n,)."""
        units = self._checked(units)
        found = self._by_rows.find(units)
        missing = np.flatnonzero(found < 0)
        found[missing] = self._search(units[missing])[0]
        return found

    def distances(self, units: FloatArray) -> FloatArray:
        """How far points of the unit cube, shape (n, d), are from their nearest rows, shape (n,)."""
        return self._search(self._checked(units))[1]

    def near(self, point: FloatArray, count: int) -> IntArray:
        """The `count` rows nearest to a point of the unit cube, shape (d,), the nearest first; at most all rows."""
        squares = self._squares(self.encode(point[None, :]))[0]
        nearest: IntArray = np.argsort(squares, kind="stable")[:count]
        return nearest

    def with_fixed(self, values: Mapping[str, Value]) -> "TableSpace":
        """The rows in which some hyperparameters have a value, in the same order.

        Raises:
            UsageError: There is no such hyperparameter or value, or no row has these values.
        """
        fixed = Space.with_fixed(self, values)
        keep = np.ones(self.size, dtype=bool)
        numbers, rows = np.array(self.numbers), np.array(self.rows)
        for place, (name, domain) in enumerate(self.domains.items()):
            if name in values and not isinstance(domain, Fixed):
                keep &= numbers[:, place] == _number(domain, values[name])
                numbers[:, place], rows[:, place] = 0.0, 0.5  # as `Fixed` has it
        if not keep.any():
            wanted = ", ".join(f"{name}={value}" for name, value in values.items())
            raise UsageError(f"No configuration of the table has {wanted}.", "Fix other values.")
        return TableSpace(fixed.domains, numbers[keep], rows[keep])

    def _search(self, units: FloatArray) -> tuple[IntArray, FloatArray]:
        """Nearest rows and their distances, shape (n,) each."""
        points = self.encode(units)
        nearest = np.zeros(len(points), dtype=np.int64)
        least = np.zeros(len(points))
        step = max(1, CHUNK // self.size)
        for start in range(0, len(points), step):
            part = slice(start, start + step)
            squares = self._squares(points[part])
            least[part] = squares.min(axis=1)
            nearest[part] = (squares <= AS_NEAR * least[part, None]).argmax(axis=1)
        return nearest, np.sqrt(least)

    def _squares(self, points: FloatArray) -> FloatArray:
        """Squared distances of encoded points, shape (n, encoded_size), to all rows, shape (n, size)."""
        if not self._encoded:
            self._encoded.append(self.encode(self.rows))
        squares = np.zeros((len(points), self.size))
        # Column by column: the order of the additions, and with it each bit, is the same on every machine.
        for theirs, ours in zip(self._encoded[0].T, points.T, strict=True):
            squares += (ours[:, None] - theirs) ** 2
        return squares


def _numbers(domains: Mapping[str, Domain], config: Config) -> list[float]:
    return [_number(domain, config[name]) for name, domain in domains.items()]


def _number(domain: Domain, value: Value) -> float:
    return float(value) if domain.size is None else float(domain.index(value))


def _units(name: str, domain: Domain, column: FloatArray) -> FloatArray:
    """The units of a column of `numbers`, shape (n,).

    Raises:
        UsageError: One is not a number of the domain.
    """
    different, where = np.unique(column, return_inverse=True)
    units = []
    for number in different.tolist():
        size = domain.size
        wrong = not domain.contains(number) if size is None else not (number.is_integer() and 0 <= number < size)
        if wrong:
            raise UsageError(f"Hyperparameter {name!r} cannot have the number {number}.", f"Use {domain.describe()}.")
        units.append(domain.unit(number if size is None else domain.at(int(number))))
    placed: FloatArray = np.array(units)[where]
    return placed
