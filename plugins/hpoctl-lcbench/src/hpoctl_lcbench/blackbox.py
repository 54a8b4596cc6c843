"""The surrogate as a blackbox: one task, any configuration of the space, epochs 1 to 52."""

from typing import Final

import numpy as np

from hpoctl.core.blackbox import Curve
from hpoctl.core.canonical import canonical_json, content_hash
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.protocols import FloatArray
from hpoctl.core.space import Config, Space
from hpoctl_lcbench.model import Float32Array, Model
from hpoctl_lcbench.space import METRICS, NUM_EPOCHS, SPACE

FORMAT: Final = 1
"""Raised when the same model file would give other curves: other corrections, other columns."""

MIN_STEP: Final = 0.01
"""Seconds that an epoch takes at least."""

_MAX_SECONDS: Final = 1e9


class LcbenchBlackbox:
    """The learning curves of one task.

    Args:
        task: The OpenML task.
        model: The surrogate.
        place: The number of the task in the model's encoding.
        model_hash: The hash of the model file.
    """

    def __init__(self, task: str, model: Model, place: int, model_hash: str) -> None:
        self._model = model
        self._place = place
        self._hash = content_hash(
            canonical_json({"format": FORMAT, "task": task, "place": place, "model": model_hash, "step": MIN_STEP})
        )
        self._epochs = np.arange(1, NUM_EPOCHS + 1)

    @property
    def space(self) -> Space:
        """The configurations that have a curve: all of the space."""
        return SPACE

    @property
    def metrics(self) -> tuple[str, ...]:
        """The model's predictions, the seconds last."""
        return METRICS

    @property
    def num_seeds(self) -> int:
        """One: the surrogate has no noise."""
        return 1

    @property
    def content_hash(self) -> str:
        """A hash of the model file, the task and the rules of this module."""
        return self._hash

    def curve(self, config: Config, seed: int) -> Curve:
        """The curve of a configuration; `seed` is 0.

        Raises:
            UsageError: It is no configuration of the space, or another seed.
            IncompleteError: The model gives no usable time for this configuration.
        """
        SPACE.validate(config)
        if seed != 0:
            raise UsageError(f"The surrogate has no seed {seed}.", "Use seed 0.")
        predicted = self._model.curve(self._place, config)
        elapsed = increasing(predicted[:, 0])
        metrics = np.empty((NUM_EPOCHS, len(METRICS)))
        metrics[:, :-1] = predicted[:, 1:]
        metrics[:, -1] = elapsed
        return Curve(self._epochs, metrics, elapsed)


def increasing(seconds: Float32Array) -> FloatArray:
    """Predicted seconds as strictly increasing ones: the running maximum, and `MIN_STEP` at least for each epoch.

    Where the prediction increases by that much anyway, it stays as it is.

    Raises:
        IncompleteError: A prediction is NaN, infinite or beyond any use.
    """
    if not (np.abs(seconds) < _MAX_SECONDS).all():
        raise IncompleteError(
            "The model predicts no usable time for a configuration.", "Import the model again; it may be another one."
        )
    elapsed = np.empty(len(seconds))
    before = 0.0
    for place, predicted in enumerate(seconds.tolist()):
        before = max(predicted, before + MIN_STEP)
        elapsed[place] = before
    return elapsed
