"""Evidence that stays valid under optional stopping: an e-process that bets on the signs of paired differences.

Where two methods do not differ, the sign of each difference is a fair coin, given how large it is and all that came
before. A gambler who bets on it cannot expect to gain: the chance that the wealth, 1 at the start, ever reaches
1 / level is at most the level (Ville's inequality), at any stopping time (Ramdas et al. 2023).
"""

import numpy as np

from hpoctl.analysis.paired import LEVEL
from hpoctl.core.protocols import FloatArray

STAKES = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Gamblers that share the first wealth equally; each bets such a part on a sign, times the rank of the difference."""


def wealth(differences: FloatArray) -> FloatArray:
    """The wealth after each difference, shape (n,).

    What is staked on a difference grows with the rank of its size among those so far: large differences say more.

    Args:
        differences: Paired differences in an order that was fixed beforehand, such as that of the seeds, shape (n,).
    """
    sizes = np.abs(differences)
    seen = np.tril(sizes[:, None] >= sizes[None, :])
    ranks = np.sum(seen, axis=1) / np.arange(1.0, len(sizes) + 1.0)
    gains = np.sign(differences) * ranks
    stakes = np.array([*STAKES, *(-stake for stake in STAKES)])
    return np.asarray(np.mean(np.cumprod(1.0 + stakes * gains[:, None], axis=0), axis=1))


def decided_after(differences: FloatArray, level: float = LEVEL) -> int | None:
    """After how many differences the wealth first reaches 1 / level; None: it has not yet."""
    reached = np.flatnonzero(wealth(differences) >= 1.0 / level)
    return int(reached[0]) + 1 if len(reached) else None
