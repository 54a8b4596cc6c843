"""The contract of a method: deterministic, inside its space, unmoved by hard cases, done when the space is."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np

from hpoctl.core.clock import SystemTime
from hpoctl.core.entries import Benchmark, Method
from hpoctl.core.errors import UsageError
from hpoctl.core.space import Config, Space
from hpoctl.engine.experiment import simulate
from hpoctl.engine.rows import Rows
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.testing.contract import ContractError, require
from hpoctl.testing.hard_cases import (
    LARGE_SPACES,
    LARGE_TABLE,
    ODD_LEVELS,
    SHALLOW,
    SMALL_SPACES,
    TARGETS,
    FormulaToy,
    Nobody,
    run_with_failures,
    with_trials,
)
from hpoctl.testing.toys import toy_benchmark, toy_space, toy_table

SHORT = 600.0
"""Simulated seconds that are enough to see whether a method stumbles."""

LONG = 1e9
"""Simulated seconds that are never used up."""

MANY, MANY_EXPENSIVE = 5000, 100
"""How many trials a method has to manage, and how many if it is expensive."""


def run_quietly(method: Method, benchmark: Benchmark, *, seed: int = 0, random_seed: int = 7) -> Rows:
    """Run one experiment in memory; a warning is an error."""
    with _quiet():
        return run_spec(ExperimentSpec("contract", method, benchmark, seed, random_seed))


def run_spec(spec: ExperimentSpec) -> Rows:
    """Run one experiment in memory and return its rows."""
    return simulate(spec, spec.benchmark.blackbox(), Nobody(), SystemTime()).rows


def check_method(method: Method, *, trials: int | None = None) -> None:
    """Check a method on toy tables; its fixed values are left out, because the tables do not have them.

    Args:
        method: The method.
        trials: How many trials it has to manage; None: 5,000, or 100 if it is expensive.

    Raises:
        ContractError: What is broken.
    """
    free = Method(method.name, method.summary, method.kind, method.make, method.options, method.expensive)
    _check_reproducible(free)
    _check_maximises(free)
    for what, check in (
        *((f"when metrics are {name}", partial(_check_targets, free, name)) for name in TARGETS),
        *((f"in a space of {name}", partial(_check_small_space, free, name)) for name in SMALL_SPACES),
        *((f"in a space of {name}", partial(_check_large_space, free, name)) for name in LARGE_SPACES),
        ("on a table of 300 configurations", partial(_check_large_table, free)),
        ("when levels are 5, 10, 15, 20, 27", partial(_check_odd_levels, free)),
        *((f"with {number} workers", partial(_check_workers, free, number)) for number in (1, 50)),
        *((f"when trials have {epochs} epochs", partial(_check_epochs, free, epochs)) for epochs in (1, 2)),
        ("when trials fail", partial(_check_failures, free)),
        ("with many trials", partial(_check_many_trials, free, trials or (MANY_EXPENSIVE if free.expensive else MANY))),
    ):
        _stands(what, check)


def same_rows(one: Rows, other: Rows) -> bool:
    """Whether two runs are the same, to the last bit."""
    return list(one.configs) == list(other.configs) and all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name in {"metrics", "times", "elapsed"})
        for name in ("trial_ids", "resources", "metrics", "elapsed", "times", "decisions", "statuses")
    )


def _check_reproducible(method: Method) -> None:
    benchmark = toy_benchmark()
    state = np.random.get_state()  # noqa: NPY002 - to check that it stays untouched
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


def _stands(what: str, check: Callable[[], None]) -> None:
    """Let a check say in which case a method raised or warned."""
    try:
        check()
    except ContractError as error:
        raise ContractError(f"{what}: {error}") from error
    except Exception as error:
        raise ContractError(f"{what}: it raised {type(error).__name__}: {error}") from error


def _check_targets(method: Method, name: str) -> None:
    rows = run_quietly(method, toy_benchmark(partial(toy_table, change=TARGETS[name]), budget=SHORT))
    require(len(rows.configs) > 4, f"it gave up after {len(rows.configs)} trials")
    _check_configs(toy_space(), rows.configs)


def _check_small_space(method: Method, name: str) -> None:
    space = SMALL_SPACES[name]
    rows = run_quietly(method, toy_benchmark(partial(FormulaToy, space), budget=LONG))
    require(len(rows.configs) == space.size, f"it tried {len(rows.configs)} of {space.size} configurations")
    _check_configs(space, rows.configs)


def _check_large_space(method: Method, name: str) -> None:
    space = LARGE_SPACES[name]
    rows = run_quietly(method, toy_benchmark(partial(FormulaToy, space), budget=SHORT))
    require(len(rows.configs) > 4, f"it gave up after {len(rows.configs)} trials")
    _check_configs(space, rows.configs)


def _check_large_table(method: Method) -> None:
    benchmark = replace(toy_benchmark(partial(FormulaToy, LARGE_TABLE), budget=2.0 * SHORT), restricted=True)
    rows = run_quietly(method, benchmark)
    require(len(rows.configs) > 20, f"it gave up after {len(rows.configs)} trials")
    _check_configs(LARGE_TABLE, rows.configs)


def _check_odd_levels(method: Method) -> None:
    rows = run_quietly(method, toy_benchmark(partial(FormulaToy, LARGE_TABLE, ODD_LEVELS), budget=SHORT))
    require(len(rows.configs) > 4, f"it gave up after {len(rows.configs)} trials")
    require(rows.resources.max() == ODD_LEVELS[-1], "no trial reached the largest resource")


def _check_workers(method: Method, number: int) -> None:
    rows = run_quietly(method, replace(toy_benchmark(budget=SHORT), n_workers=number))
    least = min(4, number)
    require(len(rows.configs) > least, f"it gave up after {len(rows.configs)} trials")
    _check_configs(toy_space(), rows.configs)


def _check_epochs(method: Method, epochs: int) -> None:
    try:
        rows = run_quietly(method, toy_benchmark(partial(toy_table, max_epochs=epochs), budget=SHORT))
    except UsageError:  # it says that it is of no use there
        return
    require(len(rows.configs) > 4, f"it gave up after {len(rows.configs)} trials")
    require(rows.resources.max() == epochs, "no trial reached the largest resource")


def _check_failures(method: Method) -> None:
    small = SMALL_SPACES["six points"]
    with _quiet():
        every = run_with_failures(method, toy_benchmark(partial(FormulaToy, small), budget=LONG))
        endless = run_with_failures(method, toy_benchmark(partial(FormulaToy, SHALLOW), budget=SHORT))
    require(len(every.configs) == 6, f"it tried {len(every.configs)} of 6 configurations")
    require(len(endless.configs) > 20, f"it gave up after {len(endless.configs)} trials")
    require(endless.resources.max() == 9, "no trial reached the largest resource")
    _check_configs(SHALLOW, endless.configs)


def _check_many_trials(method: Method, number: int) -> None:
    benchmark = toy_benchmark(partial(FormulaToy, SHALLOW), budget=LONG)
    rows = run_quietly(with_trials(method, number), benchmark)
    require(len(rows.configs) == number, f"it gave up after {len(rows.configs)} trials")
    _check_configs(SHALLOW, rows.configs)


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
