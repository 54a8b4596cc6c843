"""Coverage of speed-ups, and of bands of figures."""

import numpy as np
from coverage_shared import Generator, percent, row, share, titles

from hpoctl.analysis.aggregate import Aggregate, band
from hpoctl.analysis.run_times import speed
from hpoctl.analysis.traces import Trace


def runs(count: int, fast: float, generator: Generator, late: float) -> dict[int, Trace]:
    """Runs of a method that is faster by a factor: all times are divided by it."""
    found = {}
    for seed in range(count):
        steps = generator.exponential(size=30) * np.exp(late * generator.normal())
        times, values = 4.0 * np.cumsum(steps) / fast, np.exp(-np.cumsum(generator.exponential(0.3, size=30)))
        within = times <= 100.0
        found[seed] = Trace("tag", "A", "toy", seed, "", "loss", "min", 100.0, times[within], values[within])
    return found


def speeds(repeats: int) -> None:
    titles(
        "Speed-up: interval of 95 %, and the median estimate",
        repeats,
        "run times",
        "truth",
        "12 seeds",
        "20 seeds",
        "median estimate, 20 seeds",
        words=2,
    )
    for name, late in (("alike", 0.3), ("of very different length", 0.8)):
        for fast in (1.0, 2.0, 4.0):
            cells, middle = [], 0.0
            for count in (12, 20):
                generator = np.random.default_rng([count, int(fast)])
                found = [
                    speed(runs(count, fast, generator, late), runs(count, 1.0, generator, late), 100.0)
                    for _ in range(repeats)
                ]
                cells.append(share([each.interval is not None and each.interval.holds(fast) for each in found]))
                middle = float(np.median([each.ratio for each in found if each.ratio is not None]))
            row(name, f"{fast:g}", *cells, f"{middle:.2f}")


def bands(repeats: int) -> None:
    titles(
        "Bands of figures, 20 seeds: how often they hold the truth",
        repeats,
        "band",
        "values",
        "holds the truth",
        words=2,
    )
    generator = np.random.default_rng(21)
    times = np.arange(1.0, repeats + 1.0)
    lognormal = np.exp(generator.normal(size=(20, repeats)))
    big = np.sort(np.exp(generator.normal(size=2_000_000)))
    middle = float(np.mean(big[500_000:1_500_000]))
    cases: list[tuple[str, Aggregate, str, np.ndarray, float]] = [
        ("mean, at each time", "mean", "normal", generator.normal(size=(20, repeats)), 0.0),
        ("mean, at each time", "mean", "skewed (lognormal)", lognormal, float(np.exp(0.5))),
        ("interquartile mean, at each time", "iqm_bootstrap", "normal", generator.normal(size=(20, repeats)), 0.0),
        ("interquartile mean, at each time", "iqm_bootstrap", "skewed (lognormal)", lognormal, middle),
    ]
    for name, aggregate, values, drawn, truth in cases:
        found = band(drawn, times, aggregate)
        row(name, values, percent(float(np.mean((found.low <= truth) & (truth <= found.high)))))
    kinds: tuple[tuple[str, Aggregate], ...] = (("mean", "mean"), ("interquartile mean", "iqm_bootstrap"))
    for name, aggregate in kinds:
        for simultaneous in (False, True):
            whole = 0
            for _ in range(repeats):
                walks = generator.normal(size=(20, 30)).cumsum(axis=1)
                found = band(walks, np.arange(1.0, 31.0), aggregate, simultaneous=simultaneous)
                whole += bool(np.all((found.low <= 0.0) & (found.high >= 0.0)))
            kind = "simultaneous" if simultaneous else "at each time"
            row(f"{name}, {kind}", "whole random walks", percent(whole / repeats))
