"""Finding rows of numbers among others by their hashes."""

import numpy as np
from numpy.typing import NDArray

from hpoctl.core.space.domains import FloatArray

IntArray = NDArray[np.int64]

BLOCK = 10_000
"""How many rows are hashed at a time."""


class Lookup:
    """Finds rows of numbers among others: a binary search in hashes, 16 bytes a row, made when it is first used."""

    __slots__ = ("_hashes", "_order", "_table")

    def __init__(self, table: FloatArray) -> None:
        self._table = table
        self._hashes: NDArray[np.uint64] | None = None
        self._order: IntArray | None = None

    def _sorted(self) -> tuple[NDArray[np.uint64], IntArray]:
        """The hashes in increasing order, and the rows they belong to."""
        if self._hashes is None or self._order is None:
            # In blocks, to bound the memory of intermediate arrays.
            hashes = np.concatenate([_hashes(self._table[at : at + BLOCK]) for at in range(0, len(self._table), BLOCK)])
            self._order = np.argsort(hashes, kind="stable")
            self._hashes = hashes[self._order]
        return self._hashes, self._order

    def find(self, wanted: FloatArray) -> IntArray:
        """The first rows that equal the wanted ones, shape (k, d); -1 without one; shape (k,)."""
        sorted_hashes, order = self._sorted()
        hashes = _hashes(wanted)
        found = np.full(len(wanted), -1, dtype=np.int64)
        places = np.searchsorted(sorted_hashes, hashes)
        left = np.arange(len(wanted))
        while len(left):  # once more for each row of the same hash
            left = left[places[left] < len(sorted_hashes)]
            left = left[sorted_hashes[places[left]] == hashes[left]]
            rows = order[places[left]]
            same = (self._table[rows] == wanted[left]).all(axis=1)
            found[left[same]] = rows[same]
            left = left[~same]
            places[left] += 1
        return found


def _hashes(table: FloatArray) -> NDArray[np.uint64]:
    """A hash of each row, shape (n,): a sum of its 64-bit words times odd numbers; -0.0 counts as 0.0."""
    words = np.ascontiguousarray(table + 0.0, dtype=np.float64).view(np.uint64)
    factors = np.cumprod(np.full(words.shape[1], 0x9E3779B97F4A7C15, dtype=np.uint64))
    hashes: NDArray[np.uint64] = ((words ^ (words >> np.uint64(32))) * factors).sum(axis=1, dtype=np.uint64)
    return hashes
