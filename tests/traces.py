"""Traces made by hand."""

from collections.abc import Sequence

import numpy as np

from hpoctl.analysis.traces import Trace
from hpoctl.core.protocols import Mode


def trace(
    values: Sequence[float],
    times: Sequence[float] | None = None,
    *,
    method: str = "A",
    benchmark: str = "toy",
    seed: int = 0,
    mode: Mode = "min",
    budget: float = 100.0,
    metric: str = "loss",
) -> Trace:
    """A trace whose value changes at the given times; None: at the first second, the second one, ..."""
    moments = np.arange(1.0, len(values) + 1.0) if times is None else np.array(times, dtype=float)
    return Trace("docs-2", method, benchmark, seed, "id", metric, mode, budget, moments, np.array(values, dtype=float))
