"""A setting is defined once: what is typed, written, recorded and checked follows from its field."""

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import any_settings
from hpoctl.core.errors import UsageError
from hpoctl.core.settings import DEFINITIONS, Settings, check_all, option_words

SAID = any_settings.some_settings()
WRONG: dict[str, tuple[Any, ...]] = {
    "a whole number from 1 to 10,000": (0, -1, 10_001, 10**400, 1.0, True, "4", None),
    "a whole number >= 1": (0, -1, 1.0, 2.5, True, "4", "many", None, [1]),
    "a number > 0": (0, -0.5, float("inf"), float("nan"), True, "2", None),
    "a number of seconds > 0": (0, 0.0, -1.0, float("inf"), float("nan"), 10**400, True, "60", None),
    "a number of seconds >= 0": (-1, -1e-9, float("inf"), float("nan"), False, "5", None, {}),
    "zero, measured, or a number of seconds >= 0": ("slow", "", -0.5, float("inf"), float("nan"), True, None, ()),
    "none, or a number >= 0": (-1, -0.5, float("inf"), float("nan"), True, "3", "all", None, []),
    "a whole number >= 0": (-1, 0.0, 2.5, True, "4", None),
    "a number >= 0": (-1, float("inf"), float("nan"), True, "1", None),
    "a text": (0, 1.0, True, "", " ", None, [1]),
    "true or false": (0, 1, 1.0, "no", "true", None),
}
"""What is refused, by what the message asks for."""


def test_each_field_is_a_setting_with_a_help_text() -> None:
    assert list(DEFINITIONS) == [entry.name for entry in fields(Settings)]
    for name, setting in DEFINITIONS.items():
        assert setting.name == name
        assert setting.about.help[0].isupper()
        assert not setting.about.help.endswith(".")
        assert setting.wanted in WRONG
        assert len(setting.metavar) <= len("zero|measured|SECONDS")
        assert setting.default_text


@given(said=SAID)
def test_what_is_said_is_all_that_differs_from_the_default(said: dict[str, Any]) -> None:
    settings = Settings(**said)
    assert settings.given() == {name: value for name, value in said.items() if value != DEFINITIONS[name].default}
    assert Settings(**check_all(settings.given())) == settings
    assert Settings().changed(said) == settings


@given(earlier=SAID, said=SAID)
def test_a_later_word_counts(earlier: dict[str, Any], said: dict[str, Any]) -> None:
    assert Settings(**earlier).changed(said) == Settings(**{**earlier, **said})


@given(said=SAID)
def test_the_words_of_a_command_line_say_the_same(said: dict[str, Any]) -> None:
    words = option_words(said)
    typed: dict[str, Any] = {}
    while words:
        word = words.pop(0)
        name = word.removeprefix("--").replace("-", "_")
        if name in DEFINITIONS and not DEFINITIONS[name].is_flag:
            typed[name] = DEFINITIONS[name].parse(words.pop(0))
        else:
            typed[name.removeprefix("no_")] = not name.startswith("no_")
    assert typed == said
    assert {name: type(value) for name, value in typed.items()} == {name: type(value) for name, value in said.items()}


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        (name, value, setting.wanted)
        for name, setting in DEFINITIONS.items()
        for value in WRONG[setting.wanted]
        if value is not None or setting.default is not None
    ],
    ids=str,
)
def test_what_a_setting_cannot_be_is_refused_with_what_it_may_be(name: str, value: object, wanted: str) -> None:
    with pytest.raises(UsageError) as caught:
        Settings(**{name: value})  # type: ignore[arg-type]
    assert str(caught.value) == f"{name} cannot be {value!r}. Use {wanted}."


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("n_workers", "3", 3),
        ("max_wallclock_time", "60", 60.0),
        ("max_wallclock_time", "6e1", 60.0),
        ("decision_time", "measured", "measured"),
        ("decision_time", "0", 0.0),
        ("poll_interval", " 5 ", 5.0),
    ],
)
def test_what_is_typed_gets_the_type_of_the_field(name: str, text: str, value: object) -> None:
    parsed = DEFINITIONS[name].parse(text)
    assert (parsed, type(parsed)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("n_workers", "0", "--n-workers cannot be 0. Use a whole number from 1 to 10,000."),
        ("n_workers", "2.0", "--n-workers cannot be 2.0. Use a whole number from 1 to 10,000."),
        ("n_workers", "", "--n-workers cannot be ''. Use a whole number from 1 to 10,000."),
        ("max_wallclock_time", "nan", "--max-wallclock-time cannot be nan. Use a number of seconds > 0."),
        ("max_wallclock_time", "1h", "--max-wallclock-time cannot be '1h'. Use a number of seconds > 0."),
        ("decision_time", "slow", "--decision-time cannot be 'slow'. Use zero, measured, or a number of seconds >= 0."),
    ],
)
def test_what_is_mistyped_is_named_by_its_option(name: str, text: str, what: str) -> None:
    with pytest.raises(UsageError) as caught:
        DEFINITIONS[name].parse(text)
    assert str(caught.value) == what


def test_whole_numbers_of_seconds_are_seconds() -> None:
    whole, parts = (
        Settings(max_wallclock_time=60, poll_interval=5),
        Settings(max_wallclock_time=60.0, poll_interval=5.0),
    )
    assert whole == parts
    assert isinstance(whole.max_wallclock_time, float)
    assert isinstance(whole.poll_interval, float)


@given(said=SAID)
def test_identities_of_before_hold_where_a_later_setting_is_not_used(said: dict[str, Any]) -> None:
    """The parts of an identity: what was in it from the first release always is, what came later if it is set."""
    settings = Settings(**said)
    first = {
        "budget": {"n_workers", "max_wallclock_time", "max_num_evaluations", "max_size_data_for_model"},
        "clock": {"decision_time", "poll_interval", "checkpointing"},
    }
    for group in ("budget", "clock"):
        found = settings.determinants(group)
        later = {name for name in settings.given() if DEFINITIONS[name].about.group == group} - first[group]
        assert set(found) == first[group] | later
        assert found == {name: getattr(settings, name) for name in found}
        assert found.items() <= settings.recorded().items()


@given(said=SAID, name=st.text(max_size=5))
def test_a_name_that_is_no_setting_is_no_setting(said: dict[str, Any], name: str) -> None:
    assert check_all(said) == said
    with pytest.raises(KeyError):
        check_all({**said, f"no-{name}": 1})
