"""A blackbox from arrays: every configuration of a finite space, several seeds, learning curves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np

from hpoctl.core.blackbox import Curve
from hpoctl.core.canonical import canonical_json
from hpoctl.core.errors import UsageError
from hpoctl.core.protocols import FloatArray, IntArray
from hpoctl.core.space import Config, Space


@dataclass(frozen=True, eq=False)
class TabularBlackbox:
    """Learning curves of all configurations of a finite space.

    Row i of each array belongs to the configuration `space.at(i)`.

    Attributes:
        space: The finite configuration space, n configurations.
        metrics: The names of the metrics.
        resources: Resource levels, strictly increasing, shape (r,).
        values: Metric values, shape (n, seeds, r, m), m the number of metrics.
        elapsed: Cumulative seconds of training, strictly increasing along the last axis, shape (n, seeds, r).
        content_hash: A hash of all of this, computed from the arrays.
    """

    space: Space
    metrics: tuple[str, ...]
    resources: IntArray
    values: FloatArray
    elapsed: FloatArray
    content_hash: str = field(init=False)

    def __post_init__(self) -> None:
        size, seeds, levels = self.space.size, self.num_seeds, len(self.resources)
        if self.values.shape != (size, seeds, levels, len(self.metrics)):
            wanted = f"({size}, seeds, {levels}, {len(self.metrics)})"
            raise UsageError(f"The values have shape {self.values.shape}, not {wanted}.", "Check the table's axes.")
        if self.elapsed.shape != (size, seeds, levels):
            wanted = f"({size}, {seeds}, {levels})"
            raise UsageError(f"The times have shape {self.elapsed.shape}, not {wanted}.", "Check the table's axes.")
        if not (np.diff(self.resources) > 0).all() or not len(self.resources) or self.resources[0] < 1:
            raise UsageError("The resource levels do not increase from 1 or more.", "Sort the table by resource.")
        if not np.isfinite(self.elapsed).all() or not (np.diff(self.elapsed, axis=-1, prepend=0.0) > 0).all():
            raise UsageError("The times do not increase along each curve.", "Give cumulative seconds, above 0.")
        object.__setattr__(self, "content_hash", self._hash())

    @property
    def num_seeds(self) -> int:
        """How many repetitions of each curve there are."""
        return int(self.values.shape[1])

    def curve(self, config: Config, seed: int) -> Curve:
        """The curve of a configuration in its repetition `seed`."""
        row = self.space.index(config)
        return Curve(self.resources, self.values[row, seed], self.elapsed[row, seed])

    def _hash(self) -> str:
        digest = sha256(canonical_json(self._description()))
        for array in (self.resources, self.values, self.elapsed):
            digest.update(np.ascontiguousarray(array, dtype=np.float64).tobytes())
        return digest.hexdigest()

    def _description(self) -> Mapping[str, object]:
        return {
            "space": self.space.to_json(),
            "metrics": list(self.metrics),
            "shape": list(self.values.shape),
        }
