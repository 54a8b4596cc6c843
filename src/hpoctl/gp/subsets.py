"""Which data a model of bounded size keeps: half of the room goes to the best, half to a uniform choice of the rest."""

import numpy as np
from numpy.typing import NDArray

from hpoctl.gp.linalg import FloatArray

IntArray = NDArray[np.intp]


def subset(levels: NDArray[np.integer], values: FloatArray, limit: int, rng: np.random.Generator) -> IntArray:
    """Indices of the data to keep, increasing, at most `limit` of them.

    Data at higher resource levels come first, at one level the smaller value, at one value the earlier one. The uniform
    half shows the model where the bad and cheap regions are.

    Args:
        levels: Resource levels, shape (n,).
        values: Values to be minimised, shape (n,); NaN counts as the worst.
        limit: How many data to keep at most.
        rng: Draws the uniform half; not used when everything fits.

    Raises:
        ValueError: The limit is below 2, or shapes differ.
    """
    if limit < 2:
        raise ValueError(f"limit is {limit}, but a subset has at least 2 data")
    if levels.shape != values.shape:
        raise ValueError(f"levels have shape {levels.shape}, values {values.shape}")
    n = len(values)
    if n <= limit:
        return np.arange(n)
    order = np.lexsort((values, -levels))
    best = limit // 2
    drawn = rng.choice(n - best, size=limit - best, replace=False)
    return np.asarray(np.sort(np.concatenate([order[:best], order[best:][drawn]])))
