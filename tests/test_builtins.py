"""Every built-in method keeps the contract of a method, with its default and with other options."""

import pytest

from hpoctl.builtins import ASHA, BO, MOBSTER, RS, hpoctl_methods
from hpoctl.core.entries import Method
from hpoctl.schedulers.options import AshaOptions, MobsterOptions
from hpoctl.testing import check_method, run_quietly, toy_benchmark

METHODS = {
    "RS": RS,
    "BO": BO,
    "ASHA": ASHA,
    "ASHA stopping": ASHA.with_options(AshaOptions(type="stopping")),
    "ASHA brackets": ASHA.with_options(AshaOptions(brackets=3, reduction_factor=2)),
    "MOBSTER": MOBSTER,
    "MOBSTER stopping": MOBSTER.with_options(MobsterOptions(type="stopping", grace_period=3)),
}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_contract(method: Method) -> None:
    check_method(method)


def test_the_names_and_which_are_expensive() -> None:
    assert {method.name: method.expensive for method in hpoctl_methods()} == {
        "RS": False,
        "BO": True,
        "ASHA": False,
        "MOBSTER": True,
    }


@pytest.mark.parametrize("method", [RS, BO, ASHA, MOBSTER], ids=lambda method: method.name)
def test_a_variant_uses_its_fixed_values_everywhere(method: Method) -> None:
    benchmark = toy_benchmark()
    rows = run_quietly(method.with_fixed({"activation": "relu"}, name="VARIANT"), benchmark)
    assert len(rows.configs) > 3
    assert {config["activation"] for config in rows.configs} == {"relu"}


def test_trial_0_is_the_middle_and_initial_configurations_are_shared() -> None:
    benchmark = toy_benchmark()
    firsts = [run_quietly(method, benchmark).configs[:4] for method in (RS, BO, MOBSTER, ASHA)]
    assert firsts[0][0] == benchmark.space.middle()
    assert firsts[0] == firsts[1] == firsts[2] == firsts[3]
