"""hpoctl's contract of methods, for every method of the plugin."""

from importlib.util import find_spec

import pytest

from hpoctl.testing import check_method
from hpoctl_optuna.options import CmaEsOptions, TpeAshaOptions
from hpoctl_optuna.plugin import OPTUNA_CMAES, OPTUNA_GP, OPTUNA_TPE, OPTUNA_TPE_ASHA

VARIANTS = {
    "TPE": OPTUNA_TPE,
    "CMA-ES": OPTUNA_CMAES,
    "CMA-ES with margin": OPTUNA_CMAES.with_options(CmaEsOptions(with_margin=True)),
    # With a higher first rung the toys hold half as many trials; Optuna's time grows with them.
    "TPE with ASHA": OPTUNA_TPE_ASHA.with_options(TpeAshaOptions(grace_period=3)),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_method_keeps_the_contract(variant):
    check_method(VARIANTS[variant], trials=40)


@pytest.mark.skipif(find_spec("torch") is None, reason="OPTUNA-GP needs PyTorch: pip install 'hpoctl-optuna[gp]'")
@pytest.mark.timeout(900)
def test_the_gaussian_process_keeps_the_contract():
    check_method(OPTUNA_GP, trials=20)
