"""Keyed random streams.

Nothing in hpoctl draws from a shared generator. Whoever needs randomness names its purpose and a counter and gets
a fresh generator for exactly that key, so a result never depends on the order in which others drew. All methods of
one seed share their streams: the comparison between them is paired (common random numbers).
"""

from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from hpoctl.core.errors import UsageError

WORD = 2**32
"""Random seeds, seeds and counters are single 32-bit words, so that no two keys can be read as the same entropy."""


def stream(random_seed: int, seed: int, purpose: str, counter: int = 0) -> np.random.Generator:
    """A generator that depends on nothing but its four arguments.

    Args:
        random_seed: The random seed of the study, in [0, 2**32).
        seed: The seed (repetition) of the experiment, in [0, 2**32).
        purpose: What the numbers are for, such as `random-configurations`.
        counter: Which generator of this purpose, in [0, 2**32).

    Raises:
        UsageError: A number lies outside its range.
    """
    for name, word in (("random seed", random_seed), ("seed", seed), ("counter", counter)):
        if not 0 <= word < WORD:
            raise UsageError(f"The {name} {word} is out of range.", f"Use a whole number from 0 to {WORD - 1}.")
    digest = sha256(purpose.encode()).digest()
    words = (int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:8], "big"))
    sequence = np.random.SeedSequence(entropy=random_seed, spawn_key=(seed, *words, counter))
    return np.random.Generator(np.random.PCG64(sequence))


@dataclass(frozen=True, slots=True)
class Streams:
    """The streams of one experiment.

    Attributes:
        random_seed: The random seed of the study.
        seed: The seed of the experiment.
    """

    random_seed: int
    seed: int

    def get(self, purpose: str, counter: int = 0) -> np.random.Generator:
        """The generator of this purpose and counter; see `stream`."""
        return stream(self.random_seed, self.seed, purpose, counter)
