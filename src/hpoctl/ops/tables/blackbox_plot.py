"""`hpoctl blackbox plot`: learning curves of some configurations as a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hpoctl.analysis.curves import CurvesPicture, draw_curves
from hpoctl.analysis.drawing import figure_format
from hpoctl.core.blackbox import Blackbox, Curve
from hpoctl.core.entries import Benchmark
from hpoctl.core.errors import unknown_name
from hpoctl.core.rng import stream
from hpoctl.core.space import Space, Value
from hpoctl.ops.reading.written_files import check_file, write_file
from hpoctl.ops.tables.blackbox_data import open_blackbox
from hpoctl.ops.tables.blackboxes import CURVES
from hpoctl.plugins import Registry

MODELLED = "modelled"
PURPOSE = "plot"


@dataclass(frozen=True, slots=True)
class Plotted:
    """A picture of learning curves that was written.

    Attributes:
        benchmark: The benchmark.
        path: The file.
        metric: The metric that is shown.
        configurations: How many configurations are shown.
        not_finite: In how many of them the metric is NaN or infinite somewhere.
        seed: The seed of the sample.
    """

    benchmark: str
    path: str
    metric: str
    configurations: int
    not_finite: int
    seed: int


def plot_curves(registry: Registry, name: str, output: Path, *, metric: str | None, num: int, seed: int) -> Plotted:
    """Draw the curves of a random sample of configurations; the same question gives the same file.

    Args:
        registry: What is registered.
        name: The benchmark.
        output: The file; its suffix says the format.
        metric: The metric; None: the one that is tuned.
        num: The largest number of configurations.
        seed: The seed of the sample, and of which repetition of each curve is shown.

    Raises:
        UsageError: There is no such benchmark, metric, format or folder, or no matplotlib.
        HpoctlError: The table cannot be opened, or the file not written.
    """
    benchmark = registry.benchmark(name)
    kind = figure_format(output)
    shown = metric or benchmark.metric
    if shown not in benchmark.metrics:
        raise unknown_name("metric", shown, benchmark.metrics, f"hpoctl blackbox info {name}")
    check_file(output)
    blackbox = open_blackbox(benchmark)
    curves = _curves(blackbox, num, seed)
    column = benchmark.metrics.index(shown)
    values = [curve.metrics[:, column].astype(float) for curve in curves]
    picture = CurvesPicture(
        title=f"{name}: {shown}",
        subtitle=_subtitle(benchmark, blackbox, len(curves), seed),
        resource=benchmark.resource_attr,
        metric=shown,
        mode=benchmark.mode if shown == benchmark.metric else None,
        resources=[curve.resources for curve in curves],
        curves=values,
    )
    write_file(output, draw_curves(picture, kind))
    bad = sum(1 for curve in values if not np.isfinite(curve).all())
    return Plotted(name, str(output), shown, len(curves), bad, seed)


def is_modelled(benchmark: Benchmark) -> bool:
    """Whether the benchmark says that its curves are modelled."""
    return MODELLED in str(benchmark.provenance.get(CURVES, ""))


def _subtitle(benchmark: Benchmark, blackbox: Blackbox, count: int, seed: int) -> str:
    size = blackbox.space.size
    of = "infinitely many" if size is None else f"{size:,}"
    kind = "modelled curves" if is_modelled(benchmark) else "curves"
    return f"{kind} of {count:,} of {of} configurations, sample {seed}"


def _curves(blackbox: Blackbox, num: int, seed: int) -> Sequence[Curve]:
    repetitions = stream(seed, 0, PURPOSE, 1).integers(blackbox.num_seeds, size=num).tolist()
    configs = _sample(blackbox.space, num, seed)
    return [blackbox.curve(config, row) for config, row in zip(configs, repetitions, strict=False)]


def _sample(space: Space, num: int, seed: int) -> list[dict[str, Value]]:
    """Different configurations, uniformly drawn; all of them if there are no more than were asked for."""
    if space.size is not None and space.size <= num:
        return [space.at(place) for place in range(space.size)]
    generator = stream(seed, 0, PURPOSE)
    found: dict[tuple[Value, ...], dict[str, Value]] = {}
    while len(found) < num:
        for config in space.configs(space.sample(num, generator)):
            found.setdefault(space.key(config), config)
    return list(found.values())[:num]
