"""What a benchmark and its composers may call their columns."""

from dataclasses import replace

import pytest

from hpoctl.core.errors import UsageError
from hpoctl.core.space import Choice, Fixed, Space
from hpoctl.testing import toy_benchmark

TAKEN = ["trial_id", "elapsed_time", "st_status", "st_tuner_time", "st_decision", "st_new", "config_rate", "config_x"]
IN_FRONT = ["tag", "method", "benchmark", "seed", "origin"]
UNPRINTABLE = ["", "a\x00", "a\x1b[2J", "a\n", "\u202ea"]


@pytest.mark.parametrize("name", [*TAKEN, *IN_FRONT, *UNPRINTABLE])
def test_a_metric_or_resource_of_a_taken_name_is_refused_by_name(name: str) -> None:
    toy = toy_benchmark()
    with pytest.raises(UsageError) as tuned:
        replace(toy, metrics=(name,), metric=name)
    with pytest.raises(UsageError) as recorded:
        replace(toy, metrics=(*toy.metrics, name))
    with pytest.raises(UsageError) as resource:
        replace(toy, resource_attr=name)
    for caught in (tuned, recorded, resource):
        assert ascii(name) in ascii(caught.value.what) or repr(name) in caught.value.what


@pytest.mark.parametrize("name", [*TAKEN, *UNPRINTABLE])
def test_a_hyperparameter_of_a_taken_name_is_refused_by_name(name: str) -> None:
    toy = toy_benchmark()
    with pytest.raises(UsageError):
        replace(toy, space=Space({**{key: toy.space[key] for key in toy.space.names}, name: Fixed(3)}))


def test_two_columns_of_one_name_are_refused() -> None:
    toy = toy_benchmark()
    with pytest.raises(UsageError, match="two columns 'loss'"):
        replace(toy, metrics=("loss", "loss"), metric="loss")
    with pytest.raises(UsageError, match="two columns 'loss': metric and resource"):
        replace(toy, metrics=("loss",), metric="loss", resource_attr="loss")


@pytest.mark.parametrize("value", ["a\x00", "\x1b[2J", "a\nb", "\udc80", "\x9b"])
def test_a_text_with_a_control_character_is_no_value(value: str) -> None:
    with pytest.raises(UsageError, match="control character"):
        Choice(("a", value))
    with pytest.raises(UsageError, match="control character"):
        Space({"a": Fixed(value)})


@pytest.mark.parametrize("value", ["", " ", "a b", "-x", "\"'", "ä→", "\u202e", "01"])
def test_other_texts_are_values(value: str) -> None:
    assert Space({"a": Fixed(value)}).fixed["a"] == value
