"""Spaces as JSON and as the table [space] of a benchmark.toml."""

import json
import tomllib

import pytest
from hypothesis import given, settings

from core.space.strategies import spaces, spaces_and_units
from hpoctl.core.errors import UsageError
from hpoctl.core.space import (
    Choice,
    FinRange,
    Fixed,
    LogFinRange,
    LogRandInt,
    LogUniform,
    Ordinal,
    RandInt,
    Space,
    Uniform,
)

TOML = """
lr = { type = "loguniform", lower = 0.001, upper = 1.0 }
momentum = { type = "uniform", lower = 0, upper = 1 }
depth = { type = "randint", lower = 1, upper = 9 }
width = { type = "lograndint", lower = 8, upper = 512 }
act = { type = "choice", values = ["tanh", "relu"] }
dropout = { type = "ordinal", values = [0, 0.3, 0.6], kind = "nn" }
size = { type = "ordinal", values = ["S", "M", "L"] }
decay = { type = "finrange", lower = 0, upper = 1, size = 5 }
batch = { type = "logfinrange", lower = 8, upper = 64, size = 4, cast_int = true }
epochs = 9
warm = true
"""
SPACE = Space(
    {
        "lr": LogUniform(0.001, 1.0),
        "momentum": Uniform(0.0, 1.0),
        "depth": RandInt(1, 9),
        "width": LogRandInt(8, 512),
        "act": Choice(("tanh", "relu")),
        "dropout": Ordinal((0.0, 0.3, 0.6), "nn"),
        "size": Ordinal(("S", "M", "L")),
        "decay": FinRange(0.0, 1.0, 5),
        "batch": LogFinRange(8.0, 64.0, 4, cast_int=True),
        "epochs": Fixed(9),
        "warm": Fixed(True),
    }
)


def test_a_space_from_toml():
    assert Space.from_json(tomllib.loads(TOML)) == SPACE


def test_a_space_as_json():
    assert SPACE.to_json() == {
        "lr": {"type": "loguniform", "lower": 0.001, "upper": 1.0},
        "momentum": {"type": "uniform", "lower": 0.0, "upper": 1.0},
        "depth": {"type": "randint", "lower": 1, "upper": 9},
        "width": {"type": "lograndint", "lower": 8, "upper": 512},
        "act": {"type": "choice", "values": ["tanh", "relu"]},
        "dropout": {"type": "ordinal", "values": [0.0, 0.3, 0.6], "kind": "nn"},
        "size": {"type": "ordinal", "values": ["S", "M", "L"], "kind": "equal"},
        "decay": {"type": "finrange", "lower": 0.0, "upper": 1.0, "size": 5, "cast_int": False},
        "batch": {"type": "logfinrange", "lower": 8.0, "upper": 64.0, "size": 4, "cast_int": True},
        "epochs": 9,
        "warm": True,
    }


@settings(deadline=None)
@given(spaces())
def test_the_round_trip_through_json_is_exact(space):
    text = json.dumps(space.to_json(), allow_nan=False)
    again = Space.from_json(json.loads(text))
    assert again == space
    assert again.names == space.names
    # Text tells 1 from 1.0 and from true, which Python holds to be equal.
    assert json.dumps(again.to_json()) == text


@settings(max_examples=40, deadline=None)
@given(spaces_and_units())
def test_a_space_read_again_gives_the_same_configurations(case):
    space, units = case
    again = Space.from_json(json.loads(json.dumps(space.to_json())))
    assert repr(again.configs(units)) == repr(space.configs(units))


@pytest.mark.parametrize(
    ("entry", "what", "fix"),
    [
        ({"type": "logunifrom", "lower": 1, "upper": 2}, "unknown type 'logunifrom'", "Did you mean loguniform"),
        ({"type": "???", "lower": 1}, "unknown type", "Use one of: uniform, loguniform"),
        ({"type": 3}, "unknown type 3", "Use one of"),
        ({"lower": 1, "upper": 2}, "key 'type' is missing", "uniform, loguniform"),
        ({"type": "uniform", "lower": 1, "uper": 2}, "uniform has an unknown key 'uper'", "Did you mean upper"),
        ({"type": "uniform", "lower": 1}, "uniform has no upper", "upper = 1.0"),
        ({"type": "choice"}, "choice has no values", "values"),
        ({"type": "choice", "values": "tanh"}, "choice: values cannot be 'tanh'", "list"),
        ({"type": "uniform", "lower": "a", "upper": 2}, "uniform: lower cannot be 'a'", "number"),
        ({"type": "ordinal", "values": [1, 2], "kind": "nnlog"}, "ordinal: kind cannot be 'nnlog'", '"nn-log"'),
        ({"type": "finrange", "lower": 0, "upper": 1, "size": 0}, "finrange: size is 0", "2 to"),
        (["tanh", "relu"], "is a list", 'type = "choice"'),
        (None, "None cannot be a value", "finite number"),
        (float("nan"), "nan cannot be a value", "finite number"),
    ],
)
def test_an_entry_that_is_no_domain_is_named(entry, what, fix):
    with pytest.raises(UsageError, match="Hyperparameter 'lr'") as caught:
        Space.from_json({"epochs": 9, "lr": entry})
    assert what in caught.value.what
    assert fix in caught.value.fix
    assert "\n" not in caught.value.what + caught.value.fix


@pytest.mark.parametrize("obj", [3, None, ["lr"], "lr"])
def test_what_is_no_space(obj):
    with pytest.raises(UsageError, match="no configuration space"):
        Space.from_json(obj)


def test_a_foreign_domain_cannot_be_written_down():
    class Foreign:
        pass

    with pytest.raises(UsageError, match="cannot be written down"):
        Space({"a": Foreign()}).to_json()  # type: ignore[dict-item]
