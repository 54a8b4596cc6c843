"""The contract of a method: deterministic, inside its space, unmoved by bad metrics, done when the space is."""

import warnings
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from hpoctl.core.clock import SystemTime
from hpoctl.core.entries import Benchmark, Method
from hpoctl.core.protocols import Curve, Decision, Ended, FloatArray, Report, Resume, Start
from hpoctl.core.space import Choice, Config, Fixed, LogUniform, Space, Uniform
from hpoctl.engine.experiment import simulate
from hpoctl.engine.rows import RowLog, Rows
from hpoctl.engine.spec import ExperimentSpec, make_spec
from hpoctl.testing.contract import require
from hpoctl.testing.toys import METRIC, toy_benchmark, toy_table

ONE_POINT = Space({"x": Choice(("only",)), "epochs": Fixed(27)})
FEW_POINTS = Space({"x": Choice(("a", "b", "c")), "y": Choice((1, 2)), "epochs": Fixed(27)})
SHORT = 600.0
"""Simulated seconds that are enough to see whether a method stumbles."""


class Nobody:
    """A watcher that does not look."""

    def begins(self, trial_id: int, step: Start | Resume, now: float) -> None:
        """Nothing."""

    def reports(self, report: Report, decision: Decision, log: RowLog) -> None:
        """Nothing."""

    def ends(self, event: Ended) -> None:
        """Nothing."""


def run_quietly(method: Method, benchmark: Benchmark, *, seed: int = 0, master_seed: int = 7) -> Rows:
    """Run one experiment in memory; a warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return run_spec(make_spec("contract", method, benchmark, seed, master_seed, {}))


def run_spec(spec: ExperimentSpec) -> Rows:
    """Run one experiment in memory and return its rows."""
    return simulate(spec, spec.benchmark.blackbox(), Nobody(), SystemTime()).rows


def check_method(method: Method) -> None:
    """Check a method on toy tables; its fixed values are left out, because the tables do not have them.

    Raises:
        ContractError: What is broken.
    """
    free = Method(method.name, method.summary, method.kind, method.make, method.options, method.expensive)
    _check_reproducible(free)
    _check_maximises(free)
    _check_bad_metrics(free)
    _check_scales(free)
    _check_small_spaces(free)


def same_rows(one: Rows, other: Rows) -> bool:
    """Whether two runs are the same, to the last bit."""
    return list(one.configs) == list(other.configs) and all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name in {"metrics", "times", "elapsed"})
        for name in ("trial_ids", "resources", "metrics", "elapsed", "times", "decisions", "statuses")
    )


def _check_reproducible(method: Method) -> None:
    benchmark = toy_benchmark()
    state = np.random.get_state()  # noqa: NPY002 - to see that nobody touches it
    first = run_quietly(method, benchmark)
    touched = any(
        not np.array_equal(one, other)
        for one, other in zip(state, np.random.get_state(), strict=True)  # noqa: NPY002 - see above
    )
    require(not touched, "it draws from numpy's global generator: use the context's streams")
    require(len(first) > 0, "it started nothing on a toy benchmark")
    require(same_rows(first, run_quietly(method, benchmark)), "the same seed gives other results")
    require(not same_rows(first, run_quietly(method, benchmark, seed=1)), "another seed gives the same results")
    _check_configs(benchmark.space, first.configs)


def _check_configs(space: Space, configs: Sequence[Config]) -> None:
    for config in configs:
        space.validate(config)
    keys = {space.key(config) for config in configs}
    require(len(keys) == len(configs), "it tried a configuration twice")


def _check_maximises(method: Method) -> None:
    smaller = run_quietly(method, toy_benchmark())
    negated = partial(toy_table, change=np.negative)
    larger = run_quietly(method, toy_benchmark(negated, mode="max"))
    require(
        list(smaller.configs) == list(larger.configs) and np.array_equal(smaller.times, larger.times),
        "maximising the negated metric is not the same as minimising the metric",
    )


def _check_bad_metrics(method: Method) -> None:
    for bad in (np.nan, np.inf, -np.inf):
        some = run_quietly(method, toy_benchmark(partial(toy_table, change=partial(_spoil_some, bad)), budget=SHORT))
        require(len(some) > 0, f"it gave up when some metrics were {bad}")
        table = partial(toy_table, change=partial(np.full_like, fill_value=bad))
        every = run_quietly(method, toy_benchmark(table, budget=SHORT))
        require(len(every) > 0, f"it gave up when all metrics were {bad}")


def _spoil_some(bad: float, losses: FloatArray) -> FloatArray:
    spoilt = losses.copy()
    spoilt[::5] = bad
    spoilt[1::5, :, 10:] = bad
    return spoilt


def _check_scales(method: Method) -> None:
    changes: dict[str, Callable[[FloatArray], FloatArray]] = {
        "constant": np.ones_like,
        "of 1e-8": lambda losses: losses * 1e-8,
        "of 1e8": lambda losses: losses * 1e8,
        "spread over decades": lambda losses: np.exp(20.0 * (losses - losses.mean())),
        "negative": lambda losses: losses - 10.0,
    }
    for name, change in changes.items():
        rows = run_quietly(method, toy_benchmark(partial(toy_table, change=change), budget=SHORT))
        require(len(rows) > 0, f"it gave up when metrics were {name}")


def _check_small_spaces(method: Method) -> None:
    for space, count in ((ONE_POINT, 1), (FEW_POINTS, 6)):
        rows = run_quietly(method, toy_benchmark(partial(toy_table, space), budget=20_000.0))
        require(len(rows.configs) == count, f"it tried {len(rows.configs)} of {count} configurations")
        _check_configs(space, rows.configs)
    for space in (Space({"x": Uniform(0.0, 1.0), "epochs": Fixed(27)}), _wide_space()):
        benchmark = toy_benchmark(partial(ContinuousToy, space), budget=SHORT)
        rows = run_quietly(method, benchmark)
        require(len(rows.configs) > 4, f"it stopped after {len(rows.configs)} trials in a continuous space")
        _check_configs(space, rows.configs)


def _wide_space() -> Space:
    domains = {f"x{place}": (Uniform(-1.0, 1.0) if place % 2 else LogUniform(1e-6, 1.0)) for place in range(30)}
    return Space({**domains, "epochs": Fixed(27)})


class ContinuousToy:
    """A made-up blackbox over any space."""

    metrics = (METRIC,)
    num_seeds = 1
    content_hash = "continuous-toy"

    def __init__(self, space: Space) -> None:
        self.space = space

    def curve(self, config: Config, seed: int) -> Curve:  # noqa: ARG002 - there is no noise
        """A curve that falls towards the squared distance from a point."""
        encoded = self.space.encode(self.space.units(config)[np.newaxis, :])[0]
        epochs = np.arange(1, 28)
        losses = ((encoded - 0.3) ** 2).mean() + 1.0 / epochs
        return Curve(epochs, losses[:, np.newaxis], epochs * (5.0 + encoded.mean()))
