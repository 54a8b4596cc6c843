"""What the plugin registers. Optuna is imported when a scheduler is made, so that listing methods stays fast."""

from collections.abc import Iterable
from importlib.util import find_spec

from hpoctl.core.errors import UsageError
from hpoctl.plugins import Method, MethodContext, Scheduler, hookimpl
from hpoctl_optuna.options import CmaEsOptions, GpOptions, TpeAshaOptions, TpeOptions


def _tpe(context: MethodContext, options: TpeOptions) -> Scheduler:
    from hpoctl.schedulers.single_fidelity import SingleFidelity
    from hpoctl_optuna.samplers import tpe

    return SingleFidelity(tpe(context, options), context)


def _tpe_asha(context: MethodContext, options: TpeAshaOptions) -> Scheduler:
    from hpoctl.schedulers.asha import Asha
    from hpoctl_optuna.samplers import tpe

    return Asha(tpe(context, options), context, options)


def _gp(context: MethodContext, options: GpOptions) -> Scheduler:
    if find_spec("torch") is None:
        raise UsageError("OPTUNA-GP needs PyTorch, which is not installed.", "pip install 'hpoctl-optuna[gp]'")
    from hpoctl.schedulers.single_fidelity import SingleFidelity
    from hpoctl_optuna.samplers import gp

    return SingleFidelity(gp(context, options), context)


def _cma_es(context: MethodContext, options: CmaEsOptions) -> Scheduler:
    from hpoctl.schedulers.single_fidelity import SingleFidelity
    from hpoctl_optuna.samplers import cma_es

    return SingleFidelity(cma_es(context, options), context)


OPTUNA_TPE = Method(
    name="OPTUNA-TPE",
    summary="Optuna's tree-structured Parzen estimator; every trial runs to the end",
    kind="optuna-tpe",
    make=_tpe,
    options=TpeOptions(),
    expensive=True,
)
OPTUNA_GP = Method(
    name="OPTUNA-GP",
    summary="Optuna's Gaussian process (needs PyTorch); every trial runs to the end",
    kind="optuna-gp",
    make=_gp,
    options=GpOptions(),
    expensive=True,
)
OPTUNA_CMAES = Method(
    name="OPTUNA-CMAES",
    summary="Optuna's CMA-ES; every trial runs to the end",
    kind="optuna-cmaes",
    make=_cma_es,
    options=CmaEsOptions(),
    expensive=True,
)
OPTUNA_TPE_ASHA = Method(
    name="OPTUNA-TPE-ASHA",
    summary="Asynchronous successive halving of configurations that Optuna's TPE suggests",
    kind="optuna-tpe-asha",
    make=_tpe_asha,
    options=TpeAshaOptions(),
    expensive=True,
)


@hookimpl
def hpoctl_methods() -> Iterable[Method]:
    """The methods."""
    return (OPTUNA_TPE, OPTUNA_GP, OPTUNA_CMAES, OPTUNA_TPE_ASHA)
