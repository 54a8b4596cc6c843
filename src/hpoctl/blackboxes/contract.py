"""The contract of a blackbox and of a benchmark on it: what `hpoctl blackbox check` and contract tests look at.

Each check yields a line for each thing that is right, and raises `BrokenError` for the first that is not.
"""

from collections.abc import Iterator

import numpy as np

from hpoctl.core.blackbox import Blackbox, Curve
from hpoctl.core.entries import Benchmark
from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.rng import stream
from hpoctl.core.space import Config, Space, TableSpace, Value

SAMPLES = 20
FIX = "Its table or its code is wrong: tell its author, or import its file again."


class BrokenError(HpoctlError):
    """A blackbox or benchmark is not what it should be."""


def blackbox_checks(blackbox: Blackbox) -> Iterator[str]:
    """Check the curves of some random configurations.

    Raises:
        BrokenError: What is broken.
    """
    _require(blackbox.num_seeds >= 1, "num_seeds is below 1")
    _require(blackbox.content_hash, "content_hash is empty")
    for config in _sample(blackbox.space):
        for seed in {0, blackbox.num_seeds - 1}:
            curve = blackbox.curve(config, seed)
            _check_curve(curve, len(blackbox.metrics))
            again = blackbox.curve(config, seed)
            same = np.array_equal(curve.metrics, again.metrics, equal_nan=True)
            _require(same and np.array_equal(curve.elapsed, again.elapsed), "the same question has two answers")
    yield f"{SAMPLES} curves have increasing levels and times, and are the same when asked for again"
    _check_refuses(blackbox, dict.fromkeys(blackbox.space.names, "no such value"), "in its space")
    yield "a configuration that is not in the space is refused"
    if isinstance(blackbox.space, TableSpace):
        yield from _table_checks(blackbox, blackbox.space)


def benchmark_checks(benchmark: Benchmark) -> Iterator[str]:
    """Check a benchmark against its blackbox, and the blackbox itself.

    Raises:
        BrokenError: What is broken.
    """
    blackbox = benchmark.blackbox()
    _require(
        blackbox.metrics == benchmark.metrics, f"metrics are {benchmark.metrics}, its table has {blackbox.metrics}"
    )
    yield "the table has the metrics of the benchmark"
    _require(blackbox.content_hash == benchmark.blackbox().content_hash, "its table has another hash when opened again")
    yield "the table has the same content hash when it is opened again"
    listed = isinstance(blackbox.space, TableSpace)
    if listed:
        same = list(blackbox.space.domains.items()) == list(benchmark.space.domains.items())
        _require(same, "the space of the benchmark is not the one around its table")
    _require(
        not benchmark.restricted or blackbox.space.size is not None,
        "it is restricted to its table, which lists no configurations",
    )
    # A table has curves of the configurations that it lists; others are looked up elsewhere.
    for config in _sample(blackbox.space if listed else benchmark.space):
        last = int(blackbox.curve(config, 0).resources[-1])
        _require(last == benchmark.max_resource, f"curves end at {last}, {benchmark.max_resource_attr} says otherwise")
    yield f"curves end at {benchmark.resource_attr} {benchmark.max_resource}"
    yield from blackbox_checks(blackbox)


def _sample(space: Space) -> list[dict[str, Value]]:
    return space.configs(space.sample(SAMPLES, stream(0, 0, "contract")))


def _check_curve(curve: Curve, num_metrics: int) -> None:
    levels = len(curve.resources)
    _require(levels >= 1 and curve.resources[0] >= 1, "resources do not start at 1 or more")
    _require((np.diff(curve.resources) > 0).all(), "resources do not strictly increase")
    _require(curve.metrics.shape == (levels, num_metrics), f"metrics have shape {curve.metrics.shape}")
    _require(curve.elapsed.shape == (levels,), f"elapsed has shape {curve.elapsed.shape}")
    finite = np.isfinite(curve.elapsed).all()
    _require(finite and (np.diff(curve.elapsed, prepend=0.0) > 0).all(), "elapsed seconds do not strictly increase")


def _table_checks(blackbox: Blackbox, table: TableSpace) -> Iterator[str]:
    """Its last row has a curve; configurations between its rows have no curve: `nearest` is a separate step."""
    _check_curve(blackbox.curve(table.at(table.size - 1), 0), len(blackbox.metrics))
    around = table.around()
    others = [config for config in _sample(around) if table.find(config) is None]
    for config in others:
        _check_refuses(blackbox, config, "in its table")
    if others:
        yield "configurations that the table does not list are refused"


def _check_refuses(blackbox: Blackbox, config: Config, where: str) -> None:
    try:
        blackbox.curve(config, 0)
    except UsageError:
        return
    raise BrokenError(f"it answers for a configuration that is not {where}; raise UsageError", FIX)


def _require(condition: object, what: str) -> None:
    if not condition:
        raise BrokenError(what, FIX)
