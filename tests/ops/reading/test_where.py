"""Conditions on metadata: what they accept, what they refuse, and what they hold for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpoctl.core.errors import UsageError
from hpoctl.ops.reading.where import Condition, check_keys, parse_condition

METADATA = {
    "n_workers": 4,
    "max_wallclock_time": 1800.0,
    "max_num_evaluations": None,
    "host": "here",
    "flag": True,
    "data": {"curves": "modelled", "table": "ab"},
    "versions": {"hpoctl-fcnet": "0.1.0", "a.b": 1},
}


@pytest.mark.parametrize(
    "text",
    [
        "n_workers=4",
        "n_workers == 4",
        "n_workers=4.0",
        "n_workers!=3",
        "max_wallclock_time>=1800",
        "max_wallclock_time > 1799.5",
        "n_workers<5",
        "n_workers<=4",
        "max_num_evaluations=null",
        "host=here",
        'host="here"',
        "host!=there",
        "flag=true",
        "data.curves=modelled",
        "versions.hpoctl-fcnet=0.1.0",
        "versions.a.b=1",
    ],
)
def test_holds(text: str) -> None:
    assert parse_condition(text).holds(METADATA)


@pytest.mark.parametrize(
    "text",
    [
        "n_workers=5",
        "n_workers!=4",
        "flag=1",
        "n_workers=true",
        "host>3",
        "nothing=1",
        "nothing!=1",
        "data.x=1",
        "flag>0",
    ],
)
def test_does_not_hold(text: str) -> None:
    assert not parse_condition(text).holds(METADATA)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("n_workers", "--where cannot be 'n_workers'"),
        ("", "--where cannot be ''"),
        ("=4", "--where cannot be '=4'"),
        ("__import__('os')=1", "--where cannot be"),
        ("host>here", "compares with no number"),
        ("host>=", "compares with no number"),
        ("n_workers<true", "compares with no number"),
    ],
)
def test_what_is_no_condition(text: str, what: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_condition(text)
    assert what in caught.value.what


def test_a_key_that_no_experiment_has_is_mistyped() -> None:
    with pytest.raises(UsageError) as caught:
        check_keys([parse_condition("n_worker=4")], [METADATA])
    assert "'n_worker'" in caught.value.what
    assert "n_workers" in caught.value.fix
    check_keys([parse_condition("only_one=1")], [METADATA, {"only_one": 2}])


@given(st.text(max_size=30))
def test_any_text_is_a_condition_or_wrong_usage(text: str) -> None:
    try:
        condition = parse_condition(text)
    except UsageError:
        return
    assert condition.holds(METADATA) in (True, False)


@given(st.integers(), st.sampled_from(["=", "==", "!=", "<", "<=", ">", ">="]), st.integers())
def test_numbers_are_compared_as_python_does(there: int, operator: str, value: int) -> None:
    expected = eval(f"{there} {'==' if operator == '=' else operator} {value}")
    assert parse_condition(f"x{operator}{value}") == Condition("x", operator, value)
    assert parse_condition(f"x{operator}{value}").holds({"x": there}) == expected
