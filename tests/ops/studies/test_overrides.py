"""What the options of a command change about a study, and what they leave."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

import any_settings
from hpoctl.core.errors import UsageError
from hpoctl.core.settings import Settings
from hpoctl.core.study import Study
from hpoctl.ops.studies.overrides import (
    Overrides,
    carried,
    override,
)

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
    experiment=Settings(n_workers=2, max_wallclock_time=60.0, decision_time="measured", checkpointing=False),
    fixed={"ASHA": {"activation": "relu"}, "BO": {"units": 8}},
    launcher="cluster",
    launcher_options={"queue": "short", "nodes": 2},
    default=True,
    panels={"both": ("RS", "ASHA"), "model": ("BO",)},
)
SEEDS: dict[str, Any] = {"start_seed": 0, "num_seeds": 9}


def test_no_change_leaves_the_study() -> None:
    assert override(STUDY, Overrides()) == STUDY


@pytest.mark.parametrize(("name", "value"), SEEDS.items())
def test_seeds_take_the_place_of_the_study_s(name: str, value: Any) -> None:
    change = {name: value}
    assert override(STUDY, Overrides(**change)) == replace(STUDY, **change)


@given(said=any_settings.some_settings())
def test_settings_take_the_place_of_the_study_s_even_where_they_are_the_default(said: dict[str, Any]) -> None:
    changed = override(STUDY, Overrides(experiment=said))
    assert changed == replace(STUDY, experiment=replace(STUDY.experiment, **said))


@given(earlier=any_settings.some_settings(), said=any_settings.some_settings())
def test_what_was_said_earlier_is_carried_over_unless_it_is_said_again(
    earlier: dict[str, Any], said: dict[str, Any]
) -> None:
    before = Overrides(methods=("RS",), settings=("ASHA.type=stopping",), start_seed=1, experiment=earlier)
    now = Overrides(methods=("ASHA",), settings=("ASHA.grace_period=9",), num_seeds=4, experiment=said)
    assert carried(before, now) == replace(
        now, settings=("ASHA.type=stopping", "ASHA.grace_period=9"), experiment={**earlier, **said}
    )


@given(said=any_settings.some_settings())
def test_a_plan_keeps_what_was_said_beside_the_rest(said: dict[str, Any]) -> None:
    changes = Overrides(methods=("RS",), start_seed=0, experiment=said, launcher_options={"jobs": 2})
    table = changes.to_json()
    assert table == {"methods": ["RS"], "start_seed": 0, "launcher_options": {"jobs": 2}, **said}
    assert Overrides.from_json(json.loads(json.dumps(table))) == changes


@pytest.mark.parametrize("table", [{"n_workers": 0}, {"checkpointing": 1}])
def test_a_plan_with_a_setting_out_of_range_is_refused(table: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"{next(iter(table))} cannot be"):
        Overrides.from_json(table)


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


def test_options_of_a_backend_are_those_of_the_backend() -> None:
    study = replace(STUDY, backend="ray", backend_options={"address": "a:1"})
    more = override(study, Overrides(backend_options={"resources": "x=1"}))
    assert (more.backend, more.backend_options) == ("ray", {"address": "a:1", "resources": "x=1"})
    other = override(study, Overrides(backend="local"))
    assert (other.backend, other.backend_options) == ("local", {})
    with pytest.raises(UsageError, match="goes with a backend"):
        override(STUDY, Overrides(backend_options={"address": "a:1"}))
    before = Overrides(backend="ray", backend_options={"address": "a:1"})
    assert carried(before, Overrides()) == before
    assert carried(before, Overrides(backend="local")) == Overrides(backend="local")


def test_what_says_where_experiments_are_run_can_be_left_out() -> None:
    changes = Overrides(
        methods=("RS",), launcher="local", launcher_options={"jobs": 2}, experiment={"n_workers": 8}, **SEEDS
    )
    assert changes.experiments_only() == Overrides(methods=("RS",), experiment={"n_workers": 8}, **SEEDS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start_seed": 5}, "There is no seed from 5"),
        ({"num_seeds": 1}, "There is no seed from 1"),
        ({"experiment": {"n_workers": 0}}, "n_workers cannot be 0"),
        ({"launcher": "a b"}, "'a b' is not a launcher"),
    ],
    ids=str,
)
def test_a_value_out_of_range_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        override(STUDY, Overrides(**change))
