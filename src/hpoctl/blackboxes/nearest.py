"""Any configuration on a table that lists some: it gets the curve of the nearest row, and the distance is counted."""

from dataclasses import dataclass

from hpoctl.core.blackbox import Blackbox, Curve
from hpoctl.core.space import Config, Space, TableSpace


@dataclass(frozen=True, slots=True)
class OffTable:
    """How far the trials of an experiment were from the rows whose curves they got.

    Attributes:
        trials: How many trials there were.
        off_table: How many of them had a configuration that the table does not list.
        mean_distance: The mean distance of those, in what a model sees: each number has the range [0, 1]; 0: none.
        max_distance: The largest distance.
    """

    trials: int
    off_table: int
    mean_distance: float
    max_distance: float


class NearestRow:
    """A blackbox of the whole space around a table.

    It counts each call: callers ask once for each trial, as the simulator does.

    Args:
        blackbox: The table's blackbox.
        table: Its space.
    """

    def __init__(self, blackbox: Blackbox, table: TableSpace) -> None:
        self._blackbox = blackbox
        self._table = table
        self._trials = 0
        self._distances: list[float] = []

    @property
    def space(self) -> Space:
        """The space around the table."""
        return self._table.around()

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics."""
        return self._blackbox.metrics

    @property
    def num_seeds(self) -> int:
        """How many repetitions of each curve there are."""
        return self._blackbox.num_seeds

    @property
    def content_hash(self) -> str:
        """The hash of the table."""
        return self._blackbox.content_hash

    def curve(self, config: Config, seed: int) -> Curve:
        """The curve of the row nearest to a configuration, in its repetition `seed`.

        Raises:
            UsageError: It is not a configuration of the space around the table.
        """
        row = self._table.find(config)
        self._trials += 1
        if row is None:
            row, distance = self._table.find_nearest(config)
            self._distances.append(distance)
        return self._blackbox.curve(self._table.at(row), seed)

    def counted(self) -> OffTable:
        """How far the configurations of the questions so far were from the table."""
        far = self._distances
        return OffTable(self._trials, len(far), sum(far) / len(far) if far else 0.0, max(far, default=0.0))
