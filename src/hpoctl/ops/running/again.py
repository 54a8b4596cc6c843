"""The spec of an experiment that was run, put together again from its metadata."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hpoctl.core.entries import Method
from hpoctl.core.errors import HpoctlError, IncompleteError
from hpoctl.core.options import with_values
from hpoctl.core.settings import DEFINITIONS, Settings
from hpoctl.engine.experiment import determined
from hpoctl.engine.so_far import described_benchmark
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.plugins import Registry

UNKNOWN = "Use the versions of hpoctl and its plugins that ran it: they are in its metadata.json."


def spec_again(
    metadata: Mapping[str, Any], registry: Registry, metrics: tuple[str, ...] | None = None
) -> ExperimentSpec:
    """The experiment that metadata describe.

    Args:
        metadata: The metadata.
        registry: What names stand for.
        metrics: The metrics that its script reports: nothing else of the script is needed. None: it is run on a table.

    Raises:
        UsageError: Its method or benchmark is not installed.
        IncompleteError: Metadata lack something, or it would not be the same experiment any more.
    """
    try:
        determined_by: Mapping[str, Any] = metadata["determinants"]
        method = _method(metadata, determined_by, registry)
        if metrics is not None:
            method = replace(method, fixed={})  # its space has them
        name = metadata["benchmark"]
        benchmark = registry.benchmark(name) if metrics is None else described_benchmark(metadata, metrics)
        said = {key: metadata[key] for key in DEFINITIONS if metadata.get(key) is not None}
        spec = ExperimentSpec(
            tag=metadata["tag"],
            method=method,
            benchmark=benchmark,
            seed=metadata["seed"],
            random_seed=metadata["random_seed"],
            settings=Settings.from_json(said),
            extra_results=tuple(map(registry.extra_result, metadata["extra_results"])) if metrics is None else (),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise IncompleteError(f"Its metadata do not say what was run: {error}.", UNKNOWN) from error
    if metrics is None:
        _check_same(determined_by, determined(spec))
    return spec


def _method(metadata: Mapping[str, Any], determined_by: Mapping[str, Any], registry: Registry) -> Method:
    method = registry.method(metadata["algorithm"])
    known, options = determined_by["method"]["kind"], determined_by["method"]["options"]
    if method.kind != known:
        raise IncompleteError(f"{method.name} was {known} and is {method.kind} now.", UNKNOWN)
    try:
        method = method.with_options(with_values(method.options, options))
    except (TypeError, HpoctlError) as error:
        raise IncompleteError(f"{method.name} does not take the options that it had: {error}.", UNKNOWN) from error
    return replace(method, fixed=metadata["fixed"])


def _check_same(then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    differing = [key for key in {**then, **now} if then.get(key) != now.get(key)]
    if differing:
        raise IncompleteError(
            f"It would not be the same experiment any more: its {', '.join(differing)} "
            f"{'have' if len(differing) > 1 else 'has'} changed since.",
            UNKNOWN,
        )
