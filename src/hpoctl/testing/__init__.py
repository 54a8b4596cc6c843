"""Contract suites for plugin authors: a plugin's own test file needs about ten lines.

    from hpoctl.testing import check_method
    from my_plugin import MY_METHOD

    def test_my_method() -> None:
        check_method(MY_METHOD)

Each check raises `ContractError`, an `AssertionError`, with one line that says what is broken.
"""

from hpoctl.testing.backends import check_backend, check_failures, check_recovery
from hpoctl.testing.blackboxes import check_benchmark, check_blackbox
from hpoctl.testing.claims import check_claims
from hpoctl.testing.contract import ContractError
from hpoctl.testing.launchers import check_launcher
from hpoctl.testing.methods import check_method, run_quietly, run_spec
from hpoctl.testing.outliving import OtherSide
from hpoctl.testing.stores import check_store
from hpoctl.testing.toy_jobs import ToyJobs
from hpoctl.testing.toys import toy_benchmark, toy_script_benchmark, toy_space, toy_table

__all__ = [
    "ContractError",
    "OtherSide",
    "ToyJobs",
    "check_backend",
    "check_benchmark",
    "check_blackbox",
    "check_claims",
    "check_failures",
    "check_launcher",
    "check_method",
    "check_recovery",
    "check_store",
    "run_quietly",
    "run_spec",
    "toy_benchmark",
    "toy_script_benchmark",
    "toy_space",
    "toy_table",
]
