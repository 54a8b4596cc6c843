"""Searchers with Optuna's samplers, seeded from the random streams of the experiment."""

from optuna.samplers import CmaEsSampler, GPSampler, TPESampler

from hpoctl.plugins import MethodContext
from hpoctl_optuna.memory import quiet
from hpoctl_optuna.options import CmaEsOptions, GpOptions, TpeOptions
from hpoctl_optuna.searcher import OptunaSearcher


def tpe(context: MethodContext, options: TpeOptions) -> OptunaSearcher:
    """The tree-structured Parzen estimator."""
    sampler = TPESampler(
        n_startup_trials=options.n_startup_trials,
        n_ei_candidates=options.n_ei_candidates,
        multivariate=options.multivariate,
        constant_liar=options.constant_liar,
        seed=_seed(context),
    )
    return OptunaSearcher(context, sampler, options.n_startup_trials)


def gp(context: MethodContext, options: GpOptions) -> OptunaSearcher:
    """The Gaussian process."""
    sampler = GPSampler(n_startup_trials=options.n_startup_trials, seed=_seed(context), warn_independent_sampling=False)
    return OptunaSearcher(context, sampler, options.n_startup_trials)


def cma_es(context: MethodContext, options: CmaEsOptions) -> OptunaSearcher:
    """CMA-ES; hyperparameters without an order are drawn at random."""
    with quiet():
        sampler = CmaEsSampler(
            n_startup_trials=options.n_startup_trials,
            popsize=options.popsize,
            with_margin=options.with_margin,
            seed=_seed(context),
            warn_independent_sampling=False,
        )
    return OptunaSearcher(context, sampler, options.n_startup_trials)


def _seed(context: MethodContext) -> int:
    return int(context.streams.get("optuna-sampler").integers(2**31))
