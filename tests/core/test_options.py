"""`--set NAME.field=value`: parsed, type-checked, refused with a remedy."""

from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpoctl.core.errors import UsageError
from hpoctl.core.options import NoOptions, apply_settings, check_options, option_values, parse_setting


@dataclass(frozen=True)
class Options:
    count: int = 1
    rate: float = 0.5
    flag: bool = False
    word: str = "a"
    kind: Literal["promotion", "stopping"] = "promotion"
    cap: int | None = None

    def __post_init__(self) -> None:
        if self.count < 1:
            raise UsageError(f"count is {self.count}.", "Use a whole number >= 1.")


def apply(*texts: str) -> Options:
    return apply_settings("M", Options(), [parse_setting(text) for text in texts])


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("M.count=3", "count", 3),
        ("M.rate=1e-3", "rate", 0.001),
        ("M.rate=2", "rate", 2.0),
        ("M.flag=true", "flag", True),
        ("M.flag=No", "flag", False),
        ("M.word=x=y", "word", "x=y"),
        ("M.kind=stopping", "kind", "stopping"),
        ("M.cap=7", "cap", 7),
        ("M.cap=none", "cap", None),
        (" M.count = 4 ", "count", 4),
    ],
)
def test_values(text: str, field: str, value: object) -> None:
    changed = getattr(apply(text), field)
    assert changed == value
    assert type(changed) is type(value)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("M.count=1.5", "cannot be '1.5'"),
        ("M.count=x", "cannot be 'x'"),
        ("M.count=0", "count is 0"),
        ("M.rate=nan", "cannot be 'nan'"),
        ("M.rate=inf", "cannot be 'inf'"),
        ("M.flag=maybe", "cannot be 'maybe'"),
        ("M.kind=promotionn", "cannot be 'promotionn'"),
        ("M.cap=many", "cannot be 'many'"),
        ("M.cuont=3", "Unknown option of M 'cuont'"),
        ("count=3", "is not a setting"),
        ("M.count", "is not a setting"),
        ("=3", "is not a setting"),
    ],
)
def test_wrong_settings(text: str, what: str) -> None:
    with pytest.raises(UsageError) as caught:
        apply(text)
    assert what in caught.value.what
    assert caught.value.fix


def test_the_last_setting_wins() -> None:
    assert apply("M.count=2", "M.count=5").count == 5


def test_nothing_to_set() -> None:
    with pytest.raises(UsageError, match="RS has no options"):
        apply_settings("RS", NoOptions(), [parse_setting("RS.x=1")])


@given(st.integers(1), st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_survive_the_command_line(count: int, rate: float) -> None:
    changed = apply(f"M.count={count}", f"M.rate={rate!r}")
    assert (changed.count, changed.rate) == (count, rate)


def test_option_values_are_in_order() -> None:
    assert list(option_values(Options())) == ["count", "rate", "flag", "word", "kind", "cap"]


@dataclass
class Mutable:
    count: int = 1


@dataclass(frozen=True)
class Nested:
    inner: tuple[int, ...] = ()


@pytest.mark.parametrize("options", [Mutable(), Nested(), {"count": 1}, Options, None])
def test_options_that_could_not_be_recorded_are_refused(options: object) -> None:
    with pytest.raises(UsageError):
        check_options("M", options)
