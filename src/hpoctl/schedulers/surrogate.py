"""The Gaussian process of the model-based searchers: conditioned on demand, fitted on a schedule."""

import math
from collections.abc import Sequence

import numpy as np

from hpoctl.core.protocols import FloatArray
from hpoctl.core.rng import Streams
from hpoctl.gp.fitting import fit
from hpoctl.gp.kernels import Hyperparameters
from hpoctl.gp.likelihood import Priors
from hpoctl.gp.posterior import Posterior, condition
from hpoctl.gp.subsets import subset
from hpoctl.gp.transforms import targets
from hpoctl.schedulers.observations import Data

MAX_FIT = 100
"""Hyperparameters are fitted to at most this many data: more change them little, and the time goes with the cube."""

GROWTH = 1.3
"""Hyperparameters are fitted again when there are this many times the data of the last fit."""


class Surrogate:
    """A Gaussian process whose hyperparameters are fitted whenever the data have grown enough.

    When that is depends on the number of data alone, and what comes out on the data alone.

    Args:
        names: The names of the inputs.
        priors: The priors of the hyperparameters.
        streams: The experiment's random streams.
    """

    def __init__(self, names: Sequence[str], priors: Priors, streams: Streams) -> None:
        self._names = tuple(names)
        self._priors = priors
        self._streams = streams
        self._hyper: Hyperparameters | None = None
        self._next_fit = 0

    def condition(self, x: FloatArray, data: Data) -> tuple[Posterior, str]:
        """The posterior given data with inputs `x`, shape (n, e), and a note for people if there was a new fit."""
        note = ""
        y = targets(data.values)
        if self._hyper is None or data.total >= self._next_fit:
            kept = subset(data.levels, data.values, MAX_FIT, self._streams.get("model-fit-data", data.total))
            self._hyper = fit(x[kept], y[kept], self._priors)
            self._next_fit = max(data.total + 1, math.ceil(GROWTH * data.total))
            note = f"model fitted to {len(kept)} of {data.total} data, {self._described(self._hyper)}"
        return condition(x, y, self._hyper), note

    def _described(self, hyper: Hyperparameters) -> str:
        noise = math.sqrt(hyper.noise / (hyper.signal + hyper.noise))
        order = np.argsort(hyper.length_scales, kind="stable")
        shortest, longest = (f"{self._names[place]} {hyper.length_scales[place]:.2g}" for place in order[[0, -1]])
        return f"noise {noise:.0%} of the sd, shortest length scale {shortest}, longest {longest}"
