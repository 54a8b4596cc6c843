"""The contract of a blackbox and of a benchmark on it."""

from collections.abc import Iterator

from hpoctl.blackboxes.contract import BrokenError, benchmark_checks, blackbox_checks
from hpoctl.core.blackbox import Blackbox
from hpoctl.core.entries import Benchmark
from hpoctl.testing.contract import ContractError


def check_blackbox(blackbox: Blackbox) -> None:
    """Check the curves of some random configurations.

    Raises:
        ContractError: What is broken.
    """
    _all_right(blackbox_checks(blackbox))


def check_benchmark(benchmark: Benchmark) -> None:
    """Check a benchmark against its blackbox, and the blackbox itself.

    Raises:
        ContractError: What is broken.
    """
    _all_right(benchmark_checks(benchmark))


def _all_right(checks: Iterator[str]) -> None:
    try:
        for _ in checks:
            pass
    except BrokenError as error:
        raise ContractError(error.what) from error
