"""A study as plain values: what is a default is left out, and what is wrong is named with its key."""

from typing import Any

import pytest

import any_settings
from hpoctl.core.errors import UsageError
from hpoctl.core.records import keys_of
from hpoctl.core.settings import DEFINITIONS, Settings
from hpoctl.core.study import Study
from hpoctl.ops.studies.choose_study import study_from_table, study_table

SMALL = {"name": "s", "summary": "?", "methods": ["RS"], "benchmarks": ["toy"]}


def test_a_study_with_nothing_but_defaults_is_four_entries() -> None:
    study = Study("s", "?", ("RS",), ("toy",))
    assert study_table(study) == SMALL
    assert study_from_table(SMALL, where="x") == study


def test_every_field_finds_its_way_there_and_back() -> None:
    values: dict[str, Any] = {
        "name": "s",
        "summary": "?",
        "methods": ("RS", "ASHA"),
        "benchmarks": ("toy", "meadow"),
        "num_seeds": 4,
        "extra_results": ("rungs",),
        "settings": ("ASHA.grace_period=3",),
        "start_seed": 1,
        "tag": "docs-2",
        "random_seed": 7,
        **any_settings.unusual(),
        "fixed": {"ASHA": {"activation": "relu", "rate": 0.5, "units": 8, "bias": True}},
        "launcher": "cluster",
        "launcher_options": {"queue": "short", "nodes": 2, "hours": 0.5, "spot": False},
        "backend": "cluster",
        "backend_options": {"folder": "/shared/trials", "nodes": 2, "grace": 0.5},
        "default": True,
        "benchmark_files": {"toy": "/tmp/toy/benchmark.toml"},
        "panels": {"all of them": ("RS", "ASHA"), "one": ("RS",)},
    }
    study = Study(
        **{name: value for name, value in values.items() if name not in DEFINITIONS},
        experiment=Settings(**{name: value for name, value in values.items() if name in DEFINITIONS}),
    )
    assert list(values) == list(keys_of(Study))
    assert list(study_table(study)) == list(values)
    again = study_from_table(study_table(study), where="x")
    assert again == study
    for name, value in values.items():
        # Each value differs from the field's default, or it would not be in the table at all.
        assert study_table(study)[name] == _as_lists(value)


def _as_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_lists(inner) for key, inner in value.items()}
    return list(value) if isinstance(value, tuple) else value


def test_whole_numbers_of_seconds_are_seconds() -> None:
    table = SMALL | {"max_wallclock_time": 60, "poll_interval": 5, "decision_time": 1}
    study = study_from_table(table, where="x")
    settings = study.experiment
    for value in (settings.max_wallclock_time, settings.poll_interval, settings.decision_time):
        assert isinstance(value, float)
    assert study == study_from_table(table | {"max_wallclock_time": 60.0}, where="x")


def test_a_name_of_its_own_comes_before_that_of_the_file() -> None:
    assert study_from_table(SMALL, where="x", name="file").name == "s"
    assert study_from_table({"methods": ["RS"], "benchmarks": ["toy"]}, where="x", name="file").name == "file"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 3}, "name cannot be 3. Give a text."),
        ({"tag": ["a"]}, "tag cannot be ['a']. Give a text."),
        ({"methods": "RS"}, "methods cannot be 'RS'. Give a list of texts."),
        ({"benchmarks": ["toy", 1]}, "benchmarks[1] cannot be 1. Give a text."),
        ({"settings": {}}, "settings cannot be {}. Give a list of texts."),
        ({"num_seeds": 2.5}, "num_seeds cannot be 2.5. Give a whole number."),
        ({"num_seeds": True}, "num_seeds cannot be True. Give a whole number."),
        ({"random_seed": "7"}, "random_seed cannot be '7'. Give a whole number."),
        ({"max_wallclock_time": True}, "max_wallclock_time cannot be True. Use a number of seconds > 0."),
        ({"max_wallclock_time": float("inf")}, "max_wallclock_time cannot be inf. Use a number of seconds > 0."),
        ({"poll_interval": float("nan")}, "poll_interval cannot be nan. Use a number of seconds >= 0."),
        ({"decision_time": "slow"}, "decision_time cannot be 'slow'. Use zero, measured, or a number of seconds >= 0."),
        ({"checkpointing": 1}, "checkpointing cannot be 1. Use true or false."),
        ({"restrict_configurations": "no"}, "restrict_configurations cannot be 'no'. Use true or false."),
        ({"launcher_options": []}, "launcher_options cannot be []. Give a table of values."),
        (
            {"launcher_options": {"a": [1]}},
            "launcher_options.a cannot be [1]. Give a text, a finite number, or true or false.",
        ),
        (
            {"launcher_options": {"a": float("nan")}},
            "launcher_options.a cannot be nan. Give a text, a finite number, or true or false.",
        ),
        ({"panels": {"a": "RS"}}, "panels.a cannot be 'RS'. Give a list of texts."),
        ({"panels": ["RS"]}, "panels cannot be ['RS']."),
        ({"fixed": {"RS": 1}}, "fixed.RS cannot be 1. Give a table."),
        ({"fixed": {"RS": {"x": float("inf")}}}, "fixed.RS.x cannot be inf."),
        ({"fixed": {"BO": {"x": 1}}}, "fixed values of BO"),
        ({"num_seeds": 0}, "There is no seed"),
        ({"methdos": ["RS"]}, "unknown key 'methdos'. Did you mean methods?"),
        ({"zzzzzz": 1}, "unknown key 'zzzzzz'. Use one of: name, summary, "),
    ],
    ids=str,
)
def test_a_wrong_entry_is_named_with_its_key_and_what_it_may_be(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        study_from_table(SMALL | change, where="my.toml")
    assert caught.value.what.startswith("my.toml")
    assert message in str(caught.value)


def test_a_number_that_no_float_can_hold_is_refused() -> None:
    with pytest.raises(UsageError, match="max_wallclock_time"):
        study_from_table(SMALL | {"max_wallclock_time": 10**400}, where="x")


@pytest.mark.parametrize("key", ["methods", "benchmarks"])
def test_a_study_needs_methods_and_benchmarks(key: str) -> None:
    with pytest.raises(UsageError) as caught:
        study_from_table({name: value for name, value in SMALL.items() if name != key}, where="my.toml")
    assert caught.value.what == f"my.toml has no {key}."
