"""Run-time profiles: the share of targets and seeds that a method has reached, by the share of the budget."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from hpoctl.analysis.comparison import budget_of, by_benchmark
from hpoctl.analysis.comparison_model import Traces
from hpoctl.analysis.run_times import CURVE, PROFILE, hit_times, profile_curve, targets_of
from hpoctl.analysis.traces import Trace
from hpoctl.core.protocols import FloatArray
from hpoctl.ops.answers.plotted_setups import Setup, Summary, band_over_seeds, missing_seeds
from hpoctl.ops.reading.load_traces import Loaded
from hpoctl.ops.reading.read_columns import no_value

ALL = "all benchmarks"
REACHED = "share of targets and seeds reached"

Curves = Mapping[str, Mapping[int, FloatArray]]
"""The share of targets that each seed of each method has reached by each of `CURVE`, shape (61,) each."""


def profile_setups(loaded: Loaded[Trace], summary: Summary) -> tuple[Setup, ...]:
    """The run-time profile of each method on each benchmark, and over all of them, in numbers.

    The targets of a benchmark are values that 90, 80, ..., 10 % of all its runs reach. A run that never reaches a
    target counts as not reached; nothing is extrapolated. Over all benchmarks each counts alike, with the seeds that
    a method has on all of them: a seed has the same random numbers everywhere.

    Args:
        loaded: What was read.
        summary: How seeds become a line and a band.

    Raises:
        UsageError: Results on a benchmark are of different metrics.
        IncompleteError: No value is finite.
    """
    missing = missing_seeds(loaded.skipped)
    setups, curves = [], dict[str, Curves]()
    for benchmark, traces in by_benchmark(loaded.traces).items():
        found = _curves(traces)
        if found:
            curves[benchmark] = found
        for name, shares in found.items():
            absent = tuple(sorted(missing.get((name, benchmark), set()) - shares.keys()))
            setups.append(_setup(name, benchmark, shares, absent, summary))
    if not setups:
        raise no_value()
    if len(curves) > 1:
        setups += _over_all(curves, summary)
    return tuple(setups)


def not_on_all(setups: Sequence[Setup]) -> list[str]:
    """Which methods are missing on a benchmark, so that they are not drawn over all of them, in words."""
    over_all = {setup.name for setup in setups if setup.benchmark == ALL}
    names = dict.fromkeys(setup.name for setup in setups if setup.name not in over_all)
    if not over_all or not names:
        return []
    return [f"No seed on every benchmark, and so not drawn over all of them: {', '.join(names)}."]


def _curves(traces: Traces) -> Curves:
    end = budget_of(traces)
    targets = targets_of([run for runs in traces.values() for run in runs.values()], PROFILE, end)
    if not targets:
        return {}
    found = {}
    for name, runs in traces.items():
        times = hit_times(list(runs.values()), targets, end) / end
        shares = {seed: profile_curve(own, CURVE) for seed, own in zip(runs, times, strict=True)}
        found[name] = dict(sorted(shares.items()))
    return found


def _over_all(curves: Mapping[str, Curves], summary: Summary) -> list[Setup]:
    names = dict.fromkeys(name for found in curves.values() for name in found)
    setups = []
    for name in names:
        own = [found.get(name, {}) for found in curves.values()]
        common = [seed for seed in own[0] if all(seed in shares for shares in own)]
        if common:
            means = {seed: np.mean([shares[seed] for shares in own], axis=0) for seed in common}
            setups.append(_setup(name, ALL, means, (), summary))
    return setups


def _setup(
    name: str, benchmark: str, shares: Mapping[int, FloatArray], absent: tuple[int, ...], summary: Summary
) -> Setup:
    band = band_over_seeds(np.stack(list(shares.values())), np.array(CURVE), summary)
    band = replace(band, low=np.clip(band.low, 0.0, 1.0), high=np.clip(band.high, 0.0, 1.0))
    finals = {seed: float(curve[-1]) for seed, curve in shares.items()}
    return Setup(name, benchmark, REACHED, "max", band, finals, absent, ())
