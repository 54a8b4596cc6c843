"""Whether numerical libraries fit below a limit of the address space (`ulimit -v`).

A BLAS library that cannot allocate its buffer, while it is loaded or at its first call, may try again for ever, and no
Python code runs meanwhile. So a child process does both first, within a limit of processor time that ends such a loop.
"""

import os
import resource
import signal

from hpoctl.core.errors import HpoctlError

ENOUGH_SECONDS = 3
"""Seconds of processor time in which the libraries are loaded, many times over."""


MARGIN = 64 * 2**20
"""Bytes that have to be left when the child has loaded them: memory is not laid out alike in any two processes."""


def check_memory_limit() -> None:
    """Load the numerical libraries now, if the address space is limited; where it is not, nothing is done.

    Raises:
        HpoctlError: They cannot be loaded.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return
    if not _fits(limit - MARGIN):
        raise HpoctlError(
            f"The memory limit (ulimit -v {limit // 1024}) is too small for numerical libraries.",
            "Raise it to 1 GB and the size of the tables at least, as with `ulimit -v 2000000`.",
        )
    _load()


def _fits(limit: int) -> bool:
    """Whether a child process can load the libraries below a limit of its address space, in bytes."""
    try:
        child = os.fork()
    except OSError:
        return False
    if child == 0:
        code = 1
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (ENOUGH_SECONDS, ENOUGH_SECONDS))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_AS, (max(0, limit), max(0, limit)))
            signal.signal(signal.SIGXCPU, signal.SIG_DFL)
            _load()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return status == 0


def _load() -> None:
    """Load the libraries, and let each make its buffer: some do so at the first call, and keep it."""
    import numpy as np  # noqa: PLC0415
    import scipy.linalg  # noqa: PLC0415 - it has a separate BLAS library, besides that of numpy
    import scipy.special  # noqa: PLC0415

    for cholesky in (np.linalg.cholesky, scipy.linalg.cholesky):
        cholesky(np.eye(2) @ np.eye(2))
