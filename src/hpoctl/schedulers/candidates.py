"""Candidates: the points among which a model-based searcher looks for its next suggestion.

Points are rows of the unit cube that stand for configurations (`Space.snap`), so two rows are equal exactly if their
configurations are. Random points explore; around the best configurations there are

    exchanges       another value for one hyperparameter of few values (all of them), or for two (some of them);
    perturbations   small moves of the hyperparameters of many values.

Where a space lists its configurations such moves would miss most of them: of a short list all are candidates, of a
longer one the rows nearest to the best ones instead of the moves.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np

from hpoctl.core.protocols import IntArray
from hpoctl.core.space import FloatArray, Space, TableSpace

FEW = 16
"""A hyperparameter with at most this many values has all of them exchanged; others are perturbed."""

LEAST_MOVE, GREATEST_MOVE = 0.02, 0.2
"""Standard deviations of perturbations, in units of the range; drawn log-uniformly in between."""

ALL_ROWS = 2_000
"""Of a list with at most this many configurations, all are candidates."""

MOVED = 0.4
"""How likely each hyperparameter of many values moves in a perturbation."""


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The moves that a space allows. The values of all hyperparameters of 2 to 16 values stand in one list.

    Attributes:
        columns: The columns of these hyperparameters, shape (h,).
        sizes: How many values each of them has, shape (h,).
        starts: Where the values of each begin, shape (h,).
        units: The units of all values, shape (sum of sizes,).
        wide: The columns of hyperparameters of more values.
    """

    columns: IntArray
    sizes: IntArray
    starts: IntArray
    units: FloatArray
    wide: tuple[int, ...]

    @classmethod
    def of(cls, space: Space) -> "Neighbourhood":
        """The moves in a space."""
        columns: list[int] = []
        sizes: list[int] = []
        units: list[float] = []
        wide: list[int] = []
        for column, domain in enumerate(space.domains.values()):
            if domain.size is None or domain.size > FEW:
                wide.append(column)
            elif domain.size > 1:
                columns.append(column)
                sizes.append(domain.size)
                units.extend(domain.unit(domain.at(place)) for place in range(domain.size))
        counts = np.array(sizes, dtype=np.int64)
        starts = np.cumsum(counts) - counts
        return cls(np.array(columns, dtype=np.int64), counts, starts, np.array(units), tuple(wide))

    def around(self, point: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
        """Neighbours of a point, shape (d,): all 1-exchanges, `count` 2-exchanges, `count` perturbations.

        Returns:
            Rows of the unit cube, shape (m, d), some of them perhaps equal to one another or to the point.
        """
        return np.concatenate(
            [self._one_exchanges(point), self._two_exchanges(point, count, rng), self._perturbed(point, count, rng)]
        )

    def _one_exchanges(self, point: FloatArray) -> FloatArray:
        total = len(self.units)
        rows = np.tile(point, (total, 1))
        rows[np.arange(total), np.repeat(self.columns, self.sizes)] = self.units
        return rows

    def _two_exchanges(self, point: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
        choices = len(self.columns)
        if choices < 2:
            return np.empty((0, len(point)))
        first = rng.integers(choices, size=count)
        second = (first + rng.integers(1, choices, size=count)) % choices
        draws = rng.random((count, 2))
        rows = np.tile(point, (count, 1))
        for places, draw in zip((first, second), draws.T, strict=True):
            chosen = (draw * self.sizes[places]).astype(np.int64)
            rows[np.arange(count), self.columns[places]] = self.units[self.starts[places] + chosen]
        return rows

    def _perturbed(self, point: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
        choices = len(self.wide)
        if not choices:
            return np.empty((0, len(point)))
        moves = rng.random((count, choices)) < MOVED
        moves[np.arange(count), rng.integers(choices, size=count)] = True
        sd = np.exp(rng.uniform(np.log(LEAST_MOVE), np.log(GREATEST_MOVE), size=(count, 1)))
        rows = np.tile(point, (count, 1))
        rows[:, self.wide] = np.clip(rows[:, self.wide] + moves * sd * rng.standard_normal((count, choices)), 0.0, 1.0)
        return rows


class Suggested:
    """The points that were suggested already, for exact comparison."""

    def __init__(self) -> None:
        self._keys: set[bytes] = set()

    def add(self, point: FloatArray) -> None:
        """Remember a point, shape (d,)."""
        self._keys.update(_keys(point[np.newaxis]))

    def fresh(self, points: FloatArray) -> FloatArray:
        """The points, shape (m, d), that were not suggested, each once, in their order."""
        keys = _keys(points)
        first = dict(zip(reversed(keys), reversed(range(len(keys))), strict=True))  # of equal keys the last one stays
        return points[sorted([row for key, row in first.items() if key not in self._keys])]


def _keys(points: FloatArray) -> list[bytes]:
    whole_rows = np.dtype((np.void, points.shape[1] * 8))
    return cast("list[bytes]", np.ascontiguousarray(points, dtype=np.float64).view(whole_rows).ravel().tolist())


def candidates(
    space: Space,
    neighbourhood: Neighbourhood,
    best: FloatArray,
    num_random: int,
    num_neighbours: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Random points, then the neighbours of the best ones, each standing for its configuration.

    Args:
        space: The configuration space; of a table of up to `ALL_ROWS` all rows are candidates, in their order.
        neighbourhood: Its moves.
        best: The points to look around, shape (b, d).
        num_random: How many random points.
        num_neighbours: How many 2-exchanges and how many perturbations of each of the best.
        rng: Draws them.

    Returns:
        Rows of the unit cube, shape (m, d).
    """
    if isinstance(space, TableSpace):
        return _listed(space, best, num_random, num_neighbours, rng)
    around = [neighbourhood.around(point, num_neighbours, rng) for point in best]
    return space.snap(np.concatenate([space.sample(num_random, rng), *around]))


def _listed(
    space: TableSpace, best: FloatArray, num_random: int, num_neighbours: int, rng: np.random.Generator
) -> FloatArray:
    """All rows of a short table; of a longer one random rows, and the rows nearest to the best ones."""
    if space.size <= ALL_ROWS:
        return space.rows
    near = [space.rows[space.near(point, 3 * num_neighbours)] for point in best]
    return np.concatenate([space.sample(num_random, rng), *near])
