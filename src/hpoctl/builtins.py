"""The composition root: what hpoctl brings itself, registered through the same hooks as everybody else's plugins.

Each method is a scheduler put together from existing pieces. The pieces are imported when a scheduler is made, so that
listing methods stays fast.
"""

from collections.abc import Iterable

from hpoctl.core.entries import LauncherEntry, Method, MethodContext
from hpoctl.core.jobs import Launcher
from hpoctl.core.options import NoOptions
from hpoctl.core.protocols import Scheduler
from hpoctl.launchers.options import LocalOptions
from hpoctl.plugins import hookimpl
from hpoctl.schedulers.options import AshaOptions, BoOptions, MobsterOptions


def _random_search(context: MethodContext, options: NoOptions) -> Scheduler:  # noqa: ARG001 - nothing to set
    from hpoctl.schedulers.random_search import RandomConfigs, RandomSearcher
    from hpoctl.schedulers.single_fidelity import SingleFidelity

    return SingleFidelity(RandomSearcher(RandomConfigs(context.space, context.streams)), context)


def _bayesian_optimization(context: MethodContext, options: BoOptions) -> Scheduler:
    from hpoctl.schedulers.gp_searcher import GpSearcher
    from hpoctl.schedulers.single_fidelity import SingleFidelity

    return SingleFidelity(GpSearcher(context, options), context)


def _asha(context: MethodContext, options: AshaOptions) -> Scheduler:
    from hpoctl.schedulers.asha import Asha
    from hpoctl.schedulers.random_search import RandomConfigs, RandomSearcher

    return Asha(RandomSearcher(RandomConfigs(context.space, context.streams)), context, options)


def _mobster(context: MethodContext, options: MobsterOptions) -> Scheduler:
    from hpoctl.schedulers.asha import Asha
    from hpoctl.schedulers.mf_searcher import MultiFidelitySearcher

    return Asha(MultiFidelitySearcher(context, options), context, options)


def _local(options: LocalOptions) -> Launcher:
    from hpoctl.launchers.local import LocalLauncher

    return LocalLauncher(options)


RS = Method(
    name="RS",
    summary="Random search without replacement; every trial runs to the end",
    kind="random-search",
    make=_random_search,
    options=NoOptions(),
)
BO = Method(
    name="BO",
    summary="Bayesian optimization with a Gaussian process; every trial runs to the end",
    kind="bayesian-optimization",
    make=_bayesian_optimization,
    options=BoOptions(),
    expensive=True,
)
ASHA = Method(
    name="ASHA",
    summary="Asynchronous successive halving of random configurations",
    kind="asha",
    make=_asha,
    options=AshaOptions(),
)
MOBSTER = Method(
    name="MOBSTER",
    summary="Asynchronous successive halving of configurations that a Gaussian process over epochs suggests",
    kind="mobster",
    make=_mobster,
    options=MobsterOptions(),
    expensive=True,
)


@hookimpl
def hpoctl_methods() -> Iterable[Method]:
    """The built-in methods."""
    return (RS, BO, ASHA, MOBSTER)


@hookimpl
def hpoctl_launchers() -> Iterable[LauncherEntry]:
    """The built-in launchers."""
    return (LauncherEntry("local", "Worker processes on this machine", _local, LocalOptions()),)
