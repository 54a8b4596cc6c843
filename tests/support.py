"""Contexts and reports that many tests use."""

import numpy as np

from hpoctl.core.entries import Goal, MethodContext
from hpoctl.core.protocols import Report
from hpoctl.core.rng import Streams
from hpoctl.core.space import Space
from hpoctl.testing.toys import MAX_EPOCHS, toy_space


def context(
    space: Space | None = None,
    *,
    max_resource: int = MAX_EPOCHS,
    seed: int = 0,
    master_seed: int = 1,
    sign: float = 1.0,
) -> MethodContext:
    return MethodContext(space or toy_space(), Goal(0, sign), max_resource, Streams(master_seed, seed))


def report(trial_id: int, resource: int, value: float, *, time: float = 0.0) -> Report:
    """A report of one row."""
    return Report(
        trial_id,
        np.array([resource]),
        np.array([[value]]),
        np.array([float(resource)]),
        np.array([time]),
    )
