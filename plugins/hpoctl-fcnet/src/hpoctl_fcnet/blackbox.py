"""The fcnet tables as blackboxes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hpoctl.core.blackbox import Curve
from hpoctl.core.errors import UsageError
from hpoctl.core.protocols import FloatArray
from hpoctl.core.space import Config, Space, Value
from hpoctl_fcnet.grid import NUM_EPOCHS, NUM_SEEDS, steps
from hpoctl_fcnet.space import MAX_RESOURCE_ATTR, METRICS, SPACE
from hpoctl_fcnet.table import open_table


class FcnetBlackbox:
    """The learning curves of one fcnet set: 62,208 configurations, 4 seeds, epochs 1 to 100.

    Args:
        name: The set: protein, naval, parkinsons or slice.
        imported: Where its imported original is (`imported_directory` says it); None: the modelled curves.

    Raises:
        HpoctlError: The table cannot be read or written (see `table`).
    """

    def __init__(self, name: str, imported: Path | None) -> None:
        table = open_table(name, imported)
        self._loss, self._runtime = table.loss, table.runtime
        self._hash = table.content_hash
        moves: dict[str, Mapping[Value, int]] = {MAX_RESOURCE_ATTR: {NUM_EPOCHS: 0}, **steps()}
        self._steps = tuple(moves.items())
        self._epochs = np.arange(1, NUM_EPOCHS + 1)
        self._shares = self._epochs / NUM_EPOCHS

    @property
    def space(self) -> Space:
        """The configurations that have a curve: all of the space."""
        return SPACE

    @property
    def metrics(self) -> tuple[str, ...]:
        """Validation loss (mean squared error of the standardised target) and cumulative seconds of training."""
        return METRICS

    @property
    def num_seeds(self) -> int:
        """How many repetitions of each curve there are."""
        return NUM_SEEDS

    @property
    def content_hash(self) -> str:
        """A hash of the table: of the packaged data and how they are expanded, or of the imported curves."""
        return self._hash

    def curve(self, config: Config, seed: int) -> Curve:
        """The curve of a configuration in its repetition `seed`; seconds are in proportion to epochs.

        Raises:
            UsageError: The configuration or the seed is not in the table.
        """
        row = self._row(config)
        if not 0 <= seed < NUM_SEEDS:
            raise UsageError(f"The table has no seed {seed}.", f"Use a seed from 0 to {NUM_SEEDS - 1}.")
        elapsed: FloatArray = self._shares * float(self._runtime[row, seed])
        metrics = np.empty((NUM_EPOCHS, 2))
        metrics[:, 0] = self._loss[row, seed]
        metrics[:, 1] = elapsed
        return Curve(self._epochs, metrics, elapsed)

    def _row(self, config: Config) -> int:
        if len(config) == len(self._steps):
            try:
                return sum([steps[config[name]] for name, steps in self._steps])
            except (KeyError, TypeError):
                pass  # the space says what is wrong
        SPACE.validate(config)
        raise UsageError(f"There is no curve for {dict(config)!r}.", "Use values of the fcnet space.")
