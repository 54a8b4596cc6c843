"""Gaussian-process regression on a few hundred data points, for Bayesian optimization. numpy and scipy only.

Notation, the same in all modules:

    n, m, d         number of data, of points to predict at, of inputs
    x     (n, d)    inputs, in the unit cube
    y     (n,)      targets, to be minimised, with mean 0 and variance 1 (`transforms`)
    l     (d,)      length scales, one an input (automatic relevance determination)
    s2, v2          signal variance, noise variance
    theta (d + 2,)  ln l_1 ... ln l_d, ln s2, ln v2: what is fitted
    mu              constant mean: its generalised least-squares estimate given theta
    K     (n, n)    s2 k(x, x) + v2 I, with k the Matern-5/2 correlation
    W     (n, n)    whitening matrix: the inverse of the lower Cholesky factor of K, so K^-1 = W^T W
    a     (n,)      weights K^-1 (y - mu)

The model is y = f(x) + e, f ~ GP(mu, s2 k), e ~ N(0, v2) (Rasmussen and Williams 2006, "Gaussian Processes for Machine
Learning", chapters 2 and 5). Data change and hyperparameters change: everything is computed afresh from the data, there
are no updates in place. All results are functions of the arguments alone, whatever the number of BLAS threads
(`linalg`). On another kind of processor the last bits may differ; fitted hyperparameters and acquisition values are
rounded, so that a difference in the last bits hardly ever becomes a different choice.

    transforms      metric values -> targets
    subsets         which data a model of bounded size keeps
    kernels         covariances and their derivatives
    likelihood      negative log posterior density of theta, with gradient
    fitting         theta that maximises it
    posterior       predictions
    acquisition     where to look next
    multifidelity   the joint model over inputs and resource
"""
