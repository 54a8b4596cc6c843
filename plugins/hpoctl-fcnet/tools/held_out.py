"""What fitting and checking the curve models have in common: neighbours that are other configurations."""

import numpy as np

from hpoctl_fcnet.curves import NEIGHBOURS, places


def held_out_neighbours(config: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """For each run the nearest runs of other configurations, nearest first, shape (n, 5).

    Args:
        config: Rows of the grid, shape (n,).
        logs: ln L(100) on the scale of the original, shape (n,).
    """
    here = places(config, logs)
    distances = ((here[:, None, :] - here[None, :, :]) ** 2).sum(axis=2)
    distances[config[:, None] == config[None, :]] = np.inf
    return np.argsort(distances, axis=1, kind="stable")[:, :NEIGHBOURS]


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's correlation of two samples."""
    ranks = [np.argsort(np.argsort(values, kind="stable"), kind="stable") for values in (first, second)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
