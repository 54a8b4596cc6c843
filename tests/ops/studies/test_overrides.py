"""What the options of a command change about a study, and what they leave."""

from dataclasses import fields, replace
from typing import Any

import pytest

from hpoctl.core.errors import UsageError
from hpoctl.core.study import Study
from hpoctl.ops.studies.overrides import Overrides, override

STUDY = Study(
    "s",
    "?",
    ("RS", "ASHA", "BO"),
    ("toy", "meadow"),
    num_seeds=5,
    extra_results=("rungs",),
    settings=("ASHA.grace_period=3", "BO.num_init=2", "ASHA.type=stopping"),
    start_seed=1,
    tag="docs-2",
    random_seed=7,
    n_workers=2,
    max_wallclock_time=60.0,
    max_num_evaluations=100,
    max_size_data_for_model=50,
    decision_time="measured",
    poll_interval=5.0,
    checkpointing=False,
    restrict_configurations=True,
    fixed={"ASHA": {"activation": "relu"}, "BO": {"units": 8}},
    launcher="cluster",
    launcher_options={"queue": "short", "nodes": 2},
    default=True,
    panels={"both": ("RS", "ASHA"), "model": ("BO",)},
)
SIMPLE: dict[str, Any] = {
    "start_seed": 0,
    "num_seeds": 9,
    "n_workers": 8,
    "max_wallclock_time": 30.0,
    "max_num_evaluations": 1,
    "max_size_data_for_model": 1,
    "decision_time": 0.0,
    "poll_interval": 0.0,
    "checkpointing": True,
    "restrict_configurations": False,
}


def test_no_change_leaves_the_study() -> None:
    assert override(STUDY, Overrides()) == STUDY


@pytest.mark.parametrize(("name", "value"), SIMPLE.items())
def test_a_value_takes_the_place_of_the_study_s(name: str, value: Any) -> None:
    change = {name: value}
    assert override(STUDY, Overrides(**change)) == replace(STUDY, **change)


def test_every_option_is_tested_here() -> None:
    others = {"methods", "benchmarks", "benchmark_files", "settings", "launcher", "launcher_options"}
    assert {entry.name for entry in fields(Overrides)} == set(SIMPLE) | others


def test_settings_and_fixed_values_of_methods_that_are_left_out_are_left_out() -> None:
    narrowed = override(STUDY, Overrides(methods=("ASHA", "RS", "ASHA")))
    assert narrowed.methods == ("ASHA", "RS")
    assert narrowed.settings == ("ASHA.grace_period=3", "ASHA.type=stopping")
    assert narrowed.fixed == {"ASHA": {"activation": "relu"}}
    assert narrowed.panels == STUDY.panels  # of a figure, which may hold methods of other tags
    given = {name: getattr(STUDY, name) for name in ("methods", "settings", "fixed")}
    assert replace(narrowed, **given) == STUDY


def test_methods_and_benchmarks_need_not_be_the_study_s() -> None:
    changed = override(STUDY, Overrides(methods=("MOBSTER",), benchmarks=("moor", "toy", "moor")))
    assert (changed.methods, changed.benchmarks) == (("MOBSTER",), ("moor", "toy"))
    assert (changed.settings, changed.fixed) == ((), {})


def test_settings_come_after_the_study_s() -> None:
    changed = override(STUDY, Overrides(settings=("ASHA.grace_period=9",)))
    assert changed.settings == (*STUDY.settings, "ASHA.grace_period=9")


def test_a_setting_of_a_method_that_is_not_run_is_refused() -> None:
    for changes in (
        Overrides(settings=("MOBSTER.x=1",)),
        Overrides(methods=("RS",), settings=("MOBSTER.x=1",)),
    ):
        with pytest.raises(UsageError) as caught:
            override(STUDY, changes)
        assert str(caught.value) == "--set changes MOBSTER, which is not run. Add --method MOBSTER."
    with pytest.raises(UsageError, match="'ASHA' is not a setting"):
        override(STUDY, Overrides(settings=("ASHA",)))


def test_launcher_options_are_those_of_the_launcher() -> None:
    more = override(STUDY, Overrides(launcher_options={"nodes": 4, "hours": 1.5}))
    assert (more.launcher, more.launcher_options) == ("cluster", {"queue": "short", "nodes": 4, "hours": 1.5})
    same = override(STUDY, Overrides(launcher="cluster"))
    assert same.launcher_options == STUDY.launcher_options
    other = override(STUDY, Overrides(launcher="local", launcher_options={"jobs": 2}))
    assert (other.launcher, other.launcher_options) == ("local", {"jobs": 2})


def test_what_says_where_experiments_are_run_can_be_left_out() -> None:
    changes = Overrides(methods=("RS",), launcher="local", launcher_options={"jobs": 2}, **SIMPLE)
    assert changes.experiments_only() == Overrides(methods=("RS",), **SIMPLE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start_seed": 5}, "There is no seed from 5"),
        ({"num_seeds": 1}, "There is no seed from 1"),
        ({"n_workers": 0}, "--n-workers is 0"),
        ({"max_wallclock_time": -1.0}, "The budget is -1.0 seconds"),
        ({"max_num_evaluations": 0}, "--max-num-evaluations is 0"),
        ({"max_size_data_for_model": 0}, "--max-size-data-for-model is 0"),
        ({"poll_interval": -1.0}, "--poll-interval is -1.0"),
        ({"decision_time": -1.0}, "--decision-time cannot be -1.0"),
        ({"launcher": "a b"}, "'a b' is not a launcher"),
    ],
    ids=str,
)
def test_a_value_out_of_range_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        override(STUDY, Overrides(**change))
