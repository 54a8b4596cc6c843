"""The contract of a blackbox and of a benchmark on it."""

import numpy as np

from hpoctl.core.entries import Benchmark
from hpoctl.core.errors import UsageError
from hpoctl.core.protocols import Blackbox, Curve
from hpoctl.core.rng import stream
from hpoctl.core.space import Config, Space
from hpoctl.testing.contract import ContractError, require

SAMPLES = 20


def check_blackbox(blackbox: Blackbox) -> None:
    """Check the curves of some random configurations.

    Raises:
        ContractError: What is broken.
    """
    require(blackbox.num_seeds >= 1, "num_seeds is below 1")
    require(blackbox.content_hash, "content_hash is empty")
    for config in _sample(blackbox.space):
        for seed in {0, blackbox.num_seeds - 1}:
            curve = blackbox.curve(config, seed)
            _check_curve(curve, len(blackbox.metrics))
            again = blackbox.curve(config, seed)
            same = np.array_equal(curve.metrics, again.metrics, equal_nan=True)
            require(same and np.array_equal(curve.elapsed, again.elapsed), "the same question has two answers")
    _check_refuses(blackbox)


def check_benchmark(benchmark: Benchmark) -> None:
    """Check a benchmark against its blackbox, and the blackbox itself.

    Raises:
        ContractError: What is broken.
    """
    blackbox = benchmark.blackbox()
    require(blackbox.metrics == benchmark.metrics, f"metrics are {benchmark.metrics}, its table has {blackbox.metrics}")
    require(blackbox.content_hash == benchmark.blackbox().content_hash, "its table has another hash when opened again")
    for config in _sample(benchmark.space):
        curve = blackbox.curve(config, 0)
        last = int(curve.resources[-1])
        require(last == benchmark.max_resource, f"curves end at {last}, {benchmark.max_resource_attr} says otherwise")
    check_blackbox(blackbox)


def _sample(space: Space) -> list[dict[str, bool | int | float | str]]:
    return space.configs(stream(0, 0, "contract").random((SAMPLES, len(space))))


def _check_curve(curve: Curve, num_metrics: int) -> None:
    levels = len(curve.resources)
    require(levels >= 1 and curve.resources[0] >= 1, "resources do not start at 1 or more")
    require((np.diff(curve.resources) > 0).all(), "resources do not strictly increase")
    require(curve.metrics.shape == (levels, num_metrics), f"metrics have shape {curve.metrics.shape}")
    require(curve.elapsed.shape == (levels,), f"elapsed has shape {curve.elapsed.shape}")
    finite = np.isfinite(curve.elapsed).all()
    require(finite and (np.diff(curve.elapsed, prepend=0.0) > 0).all(), "elapsed seconds do not strictly increase")


def _check_refuses(blackbox: Blackbox) -> None:
    nonsense: Config = dict.fromkeys(blackbox.space.names, "no such value")
    try:
        blackbox.curve(nonsense, 0)
    except UsageError:
        return
    raise ContractError("it answers for a configuration that is not in its space; raise UsageError")
