"""From the names of a study to what is run: settings, fixed values and budgets arrive; what does not fit is refused."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from hpoctl import builtins
from hpoctl.core.cells import Cell
from hpoctl.core.entries import Benchmark
from hpoctl.core.errors import UsageError
from hpoctl.core.settings import Settings, check_all
from hpoctl.core.study import Study
from hpoctl.engine.spec import ExperimentSpec, determinants
from hpoctl.ops.studies.resolve import resolve, spec_of
from hpoctl.plugins import ExtraResults, Registry, hookimpl, load_registry
from hpoctl.testing import toy_benchmark


class Garden:
    """A plugin with two benchmarks and a composer."""

    @hookimpl
    def hpoctl_benchmarks(self) -> Iterable[Benchmark]:
        return [toy_benchmark(), toy_benchmark(name="meadow", mode="max")]

    @hookimpl
    def hpoctl_extra_results(self) -> Iterable[ExtraResults]:
        return [ExtraResults("tunnels", "How many", lambda: None)]  # type: ignore[arg-type,return-value]


STUDY = Study("s", "?", ("RS", "ASHA"), ("toy", "meadow"))


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry([builtins, Garden()], [])


def test_names_become_what_they_stand_for(registry: Registry) -> None:
    specs = resolve(replace(STUDY, extra_results=("tunnels",)), registry, "t", 7)
    assert [(spec.method, spec.benchmark.mode) for spec in specs.values()] == [
        (builtins.RS, "min"),
        (builtins.RS, "max"),
        (builtins.ASHA, "min"),
        (builtins.ASHA, "max"),
    ]
    assert [entry.name for entry in spec_of(specs, Cell("RS", "toy", 0)).extra_results] == ["tunnels"]


def test_settings_reach_their_method_and_the_last_one_wins(registry: Registry) -> None:
    settings = ("ASHA.grace_period=9", "ASHA.type=stopping", "ASHA.grace_period=3")
    specs = resolve(replace(STUDY, settings=settings), registry, "t", 7)
    options = specs["ASHA", "toy"].method.options
    assert (options.grace_period, options.type) == (3, "stopping")
    assert specs["RS", "toy"].method == builtins.RS
    assert registry.method("ASHA") == builtins.ASHA


def test_fixed_values_reach_their_method_in_every_benchmark(registry: Registry) -> None:
    specs = resolve(replace(STUDY, fixed={"ASHA": {"activation": "relu", "rate": 0}}), registry, "t", 7)
    for benchmark in STUDY.benchmarks:
        space = spec_of(specs, Cell("ASHA", benchmark, 0)).space()
        assert space.fixed == {"activation": "relu", "rate": 0.0, "epochs": 27}
        assert spec_of(specs, Cell("RS", benchmark, 0)).space().fixed == {"epochs": 27}
    method = specs["ASHA", "toy"].method
    assert (method.name, method.summary) == ("ASHA", builtins.ASHA.summary)


def test_the_budget_is_the_benchmark_s_unless_the_study_says_otherwise(registry: Registry) -> None:
    cell = Cell("ASHA", "toy", 3)
    plain = spec_of(resolve(STUDY, registry, "t", 7), cell)
    benchmark = registry.benchmark("toy")
    assert (plain.n_workers, plain.max_wallclock_time) == (benchmark.n_workers, benchmark.max_wallclock_time)
    assert (plain.tag, plain.random_seed, plain.cell) == ("t", 7, cell)
    said = Settings(
        n_workers=2, max_wallclock_time=60.0, max_num_evaluations=100, poll_interval=5.0, checkpointing=False
    )
    changed = spec_of(resolve(replace(STUDY, experiment=said), registry, "t", 7), cell)
    assert (changed.n_workers, changed.max_wallclock_time, changed.effective) == (2, 60.0, said)
    assert spec_of(resolve(STUDY, registry, "t", 7), cell).effective == Settings(
        n_workers=benchmark.n_workers, max_wallclock_time=benchmark.max_wallclock_time
    )


@pytest.mark.parametrize("said", [{}, {"max_wallclock_time": 60.0}])
def test_the_budget_in_seconds_can_be_scaled(registry: Registry, said: dict[str, float]) -> None:
    """Of each benchmark, or the one that is said; what counts is the product, so it has one identity."""

    def spec(settings: Settings) -> ExperimentSpec:
        return spec_of(resolve(replace(STUDY, experiment=settings), registry, "t", 7), Cell("ASHA", "toy", 3))

    budget = said.get("max_wallclock_time", registry.benchmark("toy").max_wallclock_time)
    scaled = spec(replace(Settings(**check_all(said)), scale_max_wallclock_time=0.25))
    spelled = Settings(max_wallclock_time=budget / 4)
    assert scaled.max_wallclock_time == budget / 4
    assert scaled.effective == spec(spelled).effective
    assert determinants(scaled, "table") == determinants(spec(spelled), "table")
    assert replace(scaled, random_seed=8).max_wallclock_time == budget / 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": ("RS", "ASAH")}, "Unknown method 'ASAH'. Did you mean ASHA? `hpoctl methods` lists all of them."),
        ({"benchmarks": ("tyo",)}, "Unknown benchmark 'tyo'. Did you mean toy? "),
        ({"extra_results": ("tunels",)}, "Unknown extra-result composer 'tunels'. Did you mean tunnels? "),
        ({"settings": ("ASHA.grace=3",)}, "Unknown option of ASHA 'grace'. Did you mean "),
        ({"settings": ("ASHA.grace_period=x",)}, "ASHA.grace_period cannot be 'x'. Use a whole number"),
        ({"settings": ("RS.x=1",)}, "RS has no options."),
        (
            {"fixed": {"ASHA": {"activation": "gelu"}}},
            "ASHA does not fit toy: Hyperparameter 'activation' cannot be 'gelu'. Use one of 'tanh', 'relu'",
        ),
        ({"fixed": {"RS": {"activtion": "relu"}}}, "RS does not fit toy: Unknown hyperparameter 'activtion'. Did you"),
        ({"fixed": {"RS": {"units": True}}}, "RS does not fit toy: Hyperparameter 'units' cannot be True."),
        ({"fixed": {"RS": {"epochs": 9}}}, "RS does not fit toy: Hyperparameter 'epochs' cannot be 9."),
    ],
    ids=str,
)
def test_what_does_not_fit_is_one_clear_line(registry: Registry, change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(replace(STUDY, **change), registry, "t", 7)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
