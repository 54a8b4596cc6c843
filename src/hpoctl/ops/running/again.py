"""The spec of an experiment that was run, put together again from its metadata."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hpoctl.core.entries import Method
from hpoctl.core.errors import HpoctlError, IncompleteError
from hpoctl.core.options import with_values
from hpoctl.core.settings import DEFINITIONS, Settings
from hpoctl.engine.experiment import determined
from hpoctl.engine.ran import UNKNOWN, Ran
from hpoctl.engine.so_far import described_benchmark
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.plugins import Registry


def spec_again(experiment: Ran, registry: Registry, metrics: tuple[str, ...] | None = None) -> ExperimentSpec:
    """The spec of an experiment that was run.

    Args:
        experiment: What its metadata say.
        registry: What names stand for.
        metrics: The metrics that its script reports: nothing else of the script is needed. None: it is run on a table.

    Raises:
        UsageError: Its method or benchmark is not installed.
        IncompleteError: It would not be the same experiment any more.
    """
    method = _method(experiment, registry)
    if metrics is None:
        benchmark = registry.benchmark(experiment.benchmark)
    else:
        method = replace(method, fixed={})  # its space has them
        benchmark = described_benchmark(experiment, metrics)
    settings = {key: experiment.entries[key] for key in DEFINITIONS if experiment.entries.get(key) is not None}
    spec = ExperimentSpec(
        tag=experiment.tag,
        method=method,
        benchmark=benchmark,
        seed=experiment.seed,
        random_seed=experiment.random_seed,
        settings=Settings.from_json(settings),
        extra_results=tuple(map(registry.extra_result, experiment.extra_results)) if metrics is None else (),
    )
    if metrics is None:
        _check_same(experiment.entries["determinants"], determined(spec))
    return spec


def _method(experiment: Ran, registry: Registry) -> Method:
    method, then = registry.method(experiment.algorithm), experiment.determinants.method
    if method.kind != then.kind:
        raise IncompleteError(f"{method.name} was {then.kind} and is {method.kind} now.", UNKNOWN)
    try:
        method = method.with_options(with_values(method.options, then.options))
    except (TypeError, HpoctlError) as error:
        raise IncompleteError(f"{method.name} does not take the options that it had: {error}.", UNKNOWN) from error
    return replace(method, fixed=experiment.fixed)


def _check_same(then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    differing = [key for key in {**then, **now} if then.get(key) != now.get(key)]
    if differing:
        raise IncompleteError(
            f"It would not be the same experiment any more: its {', '.join(differing)} "
            f"{'have' if len(differing) > 1 else 'has'} changed since.",
            UNKNOWN,
        )
