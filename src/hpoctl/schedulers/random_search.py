"""Random search: configurations drawn without replacement, in an order that all methods of one seed share."""

import numpy as np

from hpoctl.core.rng import Streams
from hpoctl.core.space import Config, Space
from hpoctl.schedulers.searcher import Suggestion

BLOCK = 256
"""Configurations drawn at a time: one generator and one vectorised conversion serve this many trials."""

PATIENCE = 4 * BLOCK
"""Repeated draws after which a finite space is searched for what is left."""


class RandomConfigs:
    """The random configurations of one seed: the middle of the space, then uniform draws, none of them twice.

    Every method of a seed walks the same sequence, so random search and the initial designs of model-based methods
    begin with the same trials. A configuration that a model suggested is marked as used and skipped from then on.
    """

    def __init__(self, space: Space, streams: Streams) -> None:
        self.space = space
        self._streams = streams
        self._used: set[tuple[object, ...]] = set()
        self._drawn = 0
        self._block: list[dict[str, bool | int | float | str]] = []
        self._size = space.size

    def draw(self) -> Config | None:
        """The next configuration that was not used before, or None: all of a finite space are used."""
        if self._size is not None and len(self._used) >= self._size:
            return None
        if not self._used:
            middle = self.space.middle()
            self.use(middle)
            return middle
        for _ in range(PATIENCE):
            config = self._next()
            if self.use(config):
                return config
        return self._left_over()

    def use(self, config: Config) -> bool:
        """Mark a configuration as used; False if it was used already."""
        before = len(self._used)
        self._used.add(self.space.key(config))
        return len(self._used) > before

    def is_used(self, config: Config) -> bool:
        """Whether a configuration was drawn or marked before."""
        return self.space.key(config) in self._used

    def _next(self) -> Config:
        block, place = divmod(self._drawn, BLOCK)
        if place == 0:
            rng = self._streams.get("random-configurations", block)
            self._block = self.space.configs(self.space.sample(BLOCK, rng))
        self._drawn += 1
        return self._block[place]

    def _left_over(self) -> Config | None:
        """A uniform draw among the unused configurations of a nearly exhausted finite space."""
        if self._size is None:
            return None
        used = np.fromiter((self.space.index(self._config(key)) for key in self._used), dtype=np.int64)
        left = np.setdiff1d(np.arange(self._size), used)
        rng = self._streams.get("left-over-configurations", len(self._used))
        config = self.space.at(int(left[rng.integers(len(left))]))
        self.use(config)
        return config

    def _config(self, key: tuple[object, ...]) -> Config:
        return dict(zip(self.space.names, key, strict=True))  # type: ignore[arg-type]


class RandomSearcher:
    """Suggests random configurations; reports do not change them."""

    def __init__(self, configs: RandomConfigs) -> None:
        self._configs = configs

    def suggest(self, trial_id: int) -> Suggestion | None:
        """The next configuration of the sequence, or None: the space is exhausted."""
        config = self._configs.draw()
        return None if config is None else Suggestion(config, "random" if trial_id else "initial")

    def pending(self, trial_id: int, resource: int) -> None:
        """Random search does not look at pending trials."""

    def observe(self, trial_id: int, resource: int, value: float) -> None:
        """Random search does not learn."""

    def ended(self, trial_id: int) -> None:
        """Random search does not look at pending trials."""
