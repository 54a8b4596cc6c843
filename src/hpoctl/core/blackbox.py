"""The contract of blackboxes: learning curves that the simulator looks up."""

from dataclasses import dataclass
from typing import Protocol

from hpoctl.core.protocols import FloatArray, IntArray
from hpoctl.core.space import Config, Space


@dataclass(frozen=True, slots=True)
class Curve:
    """The learning curve of one configuration.

    Attributes:
        resources: Resource levels, strictly increasing, shape (r,).
        metrics: Metric values, shape (r, m), columns in the order of the blackbox's metrics.
        elapsed: Cumulative seconds of training at each level, strictly increasing, shape (r,).
    """

    resources: IntArray
    metrics: FloatArray
    elapsed: FloatArray


class Blackbox(Protocol):
    """Tabulated or surrogate learning curves: what the simulator looks up."""

    @property
    def space(self) -> Space:
        """The configurations that have a curve."""
        ...

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics."""
        ...

    @property
    def num_seeds(self) -> int:
        """How many repetitions of each curve there are."""
        ...

    @property
    def content_hash(self) -> str:
        """A hash of the table: it changes when a value changes."""
        ...

    def curve(self, config: Config, seed: int) -> Curve:
        """The curve of a configuration, in its repetition `seed` (0 to num_seeds - 1).

        Raises:
            UsageError: The configuration has no curve.
        """
        ...
