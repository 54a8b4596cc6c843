"""What an experiment has spent when a row arrives: the axes besides time that its best value is drawn against."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hpoctl.core.protocols import FloatArray, IntArray

Axis = Literal["time", "resource", "trials"]

Against = Literal["time", "resource", "trials", "budget"]
"""What a line is drawn against: one of these, or the share of the budget."""


def resource_spent(trial_ids: IntArray, resources: IntArray, starts_over: NDArray[np.bool_]) -> FloatArray:
    """The resource that all trials together have spent up to each row, shape (n,).

    Args:
        trial_ids: The trial of each row, in time order, shape (n,).
        resources: Its resource level, shape (n,).
        starts_over: Whether its trial has started over from nothing since its row before, shape (n,).
    """
    order = np.argsort(trial_ids, kind="stable")
    levels = resources[order].astype(float)
    before = np.concatenate([[0.0], levels[:-1]])[: len(levels)]
    first = np.diff(trial_ids[order], prepend=-1) != 0
    before[first | starts_over[order]] = 0.0
    spent = np.empty(len(levels))
    spent[order] = np.maximum(levels - before, 0.0)
    return np.cumsum(spent)


def follows_a_pause(trial_ids: IntArray, paused: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether a row is the first one after its trial was paused, shape (n,).

    Args:
        trial_ids: The trial of each row, in time order, shape (n,).
        paused: Whether its trial was paused at this row, shape (n,).
    """
    order = np.argsort(trial_ids, kind="stable")
    same = np.diff(trial_ids[order], prepend=-1) == 0
    after = np.empty(len(order), dtype=bool)
    after[order] = same & np.concatenate([[False], paused[order][:-1]])[: len(order)]
    return after


def trials_started(trial_ids: IntArray) -> FloatArray:
    """How many trials had been started by each row, so far as rows tell, shape (n,): ids are given in this order."""
    return np.maximum.accumulate(trial_ids).astype(float) + 1.0
