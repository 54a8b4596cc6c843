"""The hyperparameters of a space as Optuna's distributions, and configurations as Optuna's parameters.

| domain | distribution |
|---|---|
| Choice | categorical, of the values themselves |
| Ordinal, FinRange, LogFinRange | whole numbers: the place of the value in the list, from 0 |
| RandInt, LogRandInt | whole numbers, the latter on a logarithmic scale |
| Uniform, LogUniform | floats, the latter on a logarithmic scale |
| Fixed, and any domain of one value | none: Optuna does not see it |
"""

from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from hpoctl.core.errors import UsageError
from hpoctl.core.space import Choice, Config, Domain, LogRandInt, LogUniform, RandInt, Space, Uniform, Value

Params = Mapping[str, Any]


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """A distribution for each hyperparameter of which there is something to choose.

    Raises:
        UsageError: A domain is not built into hpoctl, and is not finite.
    """
    return {name: _distribution(name, domain) for name, domain in space.domains.items() if domain.size != 1}


def params(space: Space, config: Config) -> dict[str, Any]:
    """A configuration as Optuna's parameters."""
    return {name: _param(domain, config[name]) for name, domain in space.domains.items() if domain.size != 1}


def config(space: Space, params: Params) -> dict[str, Value]:
    """The configuration of Optuna's parameters, fixed values included; floats are moved inside their bounds."""
    return {
        name: domain.middle() if domain.size == 1 else _value(domain, params[name])
        for name, domain in space.domains.items()
    }


def _distribution(name: str, domain: Domain) -> BaseDistribution:
    if isinstance(domain, Choice):
        return CategoricalDistribution(domain.values)
    if isinstance(domain, Uniform | LogUniform):
        return FloatDistribution(domain.lower, domain.upper, log=isinstance(domain, LogUniform))
    if isinstance(domain, RandInt | LogRandInt):
        return IntDistribution(domain.lower, domain.upper, log=isinstance(domain, LogRandInt))
    if domain.size is None:
        raise UsageError(f"Optuna does not know the domain of {name!r}.", "Use one of hpoctl's own domains.")
    return IntDistribution(0, domain.size - 1)


def _param(domain: Domain, value: Value) -> Any:
    if isinstance(domain, Choice | RandInt | LogRandInt):
        return value
    if isinstance(domain, Uniform | LogUniform):
        return float(value)
    return domain.index(value)


def _value(domain: Domain, param: Any) -> Value:
    if isinstance(domain, Choice):
        return domain.at(domain.index(param))
    if isinstance(domain, RandInt | LogRandInt):
        return int(param)
    if isinstance(domain, Uniform | LogUniform):
        # On a logarithmic scale rounding can leave the bounds by a bit.
        return min(max(float(param), domain.lower), domain.upper)
    return domain.at(int(param))
