"""Hyperparameters at the maximum of their posterior density, by L-BFGS-B from the best of a few starts."""

import numpy as np
from scipy.optimize import minimize

from hpoctl.gp.kernels import Hyperparameters, Pairs
from hpoctl.gp.likelihood import Priors, negative_log_posterior
from hpoctl.gp.linalg import FloatArray

MAX_ITERATIONS = 30
TOLERANCE = 1e-4
"""The search ends when an iteration gains less than this share of the objective."""

SHORTER = (0.0, -1.25, -2.5)
"""The search starts at the prior means, with all log length scales shifted by one of these."""

DECIMALS = 3
"""Log hyperparameters are rounded: the digits below mean nothing, and differ from one processor to another."""


def fit(x: FloatArray, y: FloatArray, priors: Priors) -> Hyperparameters:
    """The hyperparameters with the greatest posterior density, as far as one search finds them.

    The search starts at the densest of a few points: from long length scales alone it can end where all is noise. The
    result is a function of the data alone; earlier fits play no part.

    Args:
        x: Inputs, shape (n, d), n >= 1.
        y: Targets, shape (n,); see `hpoctl.gp.transforms.targets`.
        priors: The priors of the hyperparameters.

    Raises:
        ValueError: Shapes do not fit, or there are NaN or infinite numbers.
    """
    check_data(x, y)
    pairs = Pairs.of(x)
    found = minimize(
        negative_log_posterior,
        min(_starts(x.shape[1], priors), key=lambda theta: negative_log_posterior(theta, pairs, y, priors)[0]),
        args=(pairs, y, priors),
        method="L-BFGS-B",
        jac=True,
        bounds=[(prior.lower, prior.upper) for prior in priors.all(x.shape[1])],
        options={"maxiter": MAX_ITERATIONS, "ftol": TOLERANCE},
    )
    return Hyperparameters.from_vector(np.round(found.x, DECIMALS))


def _starts(d: int, priors: Priors) -> list[FloatArray]:
    """Where the search may start, the prior means first, each of shape (d + 2,)."""
    each = priors.all(d)
    means = np.array([prior.mean for prior in each])
    lower, upper = np.array([prior.lower for prior in each]), np.array([prior.upper for prior in each])
    shifts = [np.append(np.full(d, shorter), (0.0, 0.0)) for shorter in SHORTER]
    return [np.clip(means + shift, lower, upper) for shift in shifts]


def check_data(x: FloatArray, y: FloatArray) -> None:
    """Check the data of a model.

    Raises:
        ValueError: Shapes do not fit, or there are NaN or infinite numbers.
    """
    if x.ndim != 2 or y.shape != (len(x),) or not len(x):
        raise ValueError(f"inputs of shape {x.shape} and targets of shape {y.shape} are not (n, d) and (n,), n >= 1")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("inputs and targets must be finite")
