"""Entries that could not be used, recorded or compared are refused when they are made."""

from dataclasses import replace
from typing import Any

import pytest

from hpoctl.builtins import ASHA
from hpoctl.core.entries import Goal
from hpoctl.core.errors import UsageError
from hpoctl.core.space import Fixed, RandInt, Space
from hpoctl.testing import toy_benchmark


def test_a_variant_keeps_everything_but_its_name_and_fixed_values() -> None:
    relu = ASHA.with_fixed({"a": 1}, name="ASHA-A")
    both = relu.with_fixed({"b": "x"}, name="ASHA-AB")
    assert both.fixed == {"a": 1, "b": "x"}
    assert (both.kind, both.options, both.expensive) == (ASHA.kind, ASHA.options, ASHA.expensive)
    assert both.summary == "ASHA-A with b=x"
    assert ASHA.fixed == {}


def test_a_goal_turns_maximising_into_minimising() -> None:
    benchmark = toy_benchmark(mode="max")
    assert benchmark.goal == Goal(0, -1.0)
    assert benchmark.max_resource == 27


@pytest.mark.parametrize(
    "change",
    [
        {"metric": "accuracy"},
        {"max_resource_attr": "steps"},
        {"space": Space({"x": RandInt(0, 3), "epochs": Fixed(True)})},
        {"space": Space({"x": RandInt(0, 3), "epochs": Fixed(0)})},
        {"name": "a b"},
    ],
    ids=str,
)
def test_benchmarks_that_cannot_be_run(change: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        replace(toy_benchmark(), **change)


@pytest.mark.parametrize("change", [{"make": None}, {"name": "../x"}, {"options": {"a": 1}}], ids=str)
def test_methods_that_cannot_be_made(change: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        replace(ASHA, **change)
