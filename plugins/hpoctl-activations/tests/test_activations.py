"""The methods, the composer and the study of the plugin."""

from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint

import numpy as np
import pytest

import hpoctl_activations
from hpoctl import builtins
from hpoctl.core.protocols import RungState
from hpoctl.core.space import Choice, FinRange, Fixed, Space
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.ops.launching.launch_plan import LaunchRequest, plan_launch
from hpoctl.ops.studies.overrides import Overrides
from hpoctl.plugins import Origin, Registry, load_registry
from hpoctl.plugins.registry import Registered
from hpoctl.testing import run_spec, toy_benchmark, toy_table

ACTIVATION = Choice(("tanh", "relu"))
NETWORK = Space(
    {
        "hp_activation_fn_1": ACTIVATION,
        "hp_activation_fn_2": ACTIVATION,
        "rate": FinRange(0.0, 0.9, 10),
        "epochs": Fixed(27),
    }
)


@pytest.fixture(scope="module")
def registry() -> Registry:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("HPOCTL_PLUGINS", raising=False)
        return load_registry([builtins], [EntryPoint("activations", hpoctl_activations.__name__, "hpoctl")])


def test_the_plugin_loads_without_a_failure(registry):
    plugin = registry.plugins[-1]
    assert plugin.state == "loaded"
    assert plugin.failures == ()
    assert plugin.registers == {
        "methods": ("ASHA-TANH", "MOBSTER-TANH", "ASHA-RELU", "MOBSTER-RELU"),
        "extra_results": ("rung-levels",),
        "studies": ("activations",),
    }


@pytest.mark.parametrize("base", ["ASHA", "MOBSTER"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_variant_is_its_method_with_both_activations_fixed(registry, base, activation):
    method, variant = registry.method(base), registry.method(f"{base}-{activation.upper()}")
    assert variant.fixed == {"hp_activation_fn_1": activation, "hp_activation_fn_2": activation}
    assert method.fixed == {}
    assert (variant.kind, variant.make, variant.options) == (method.kind, method.make, method.options)
    assert variant.expensive == (base == "MOBSTER")


def test_the_study_is_the_reference_study(registry):
    study = registry.study("activations")
    assert len(study.cells()) == 640
    assert [registry.extra_result(name).name for name in study.extra_results] == ["rung-levels"]


@pytest.mark.parametrize(
    ("options", "jobs", "experiments"),
    [({}, 84, 640), ({"num_seeds": 1}, 8, 32), ({"num_seeds": 20, "start_seed": 1}, 80, 608)],
)
def test_the_study_is_launched_as_so_many_jobs(registry, tmp_path, monkeypatch, options, jobs, experiments):
    monkeypatch.chdir(tmp_path)
    table = toy_table(NETWORK)
    benchmarks = {name: toy_benchmark(lambda: table, name=name) for name in registry.study("activations").benchmarks}
    origin = Origin("toys", "1", "toys", "toys")
    known = replace(registry, benchmarks={name: Registered(entry, origin) for name, entry in benchmarks.items()})
    request = LaunchRequest(Overrides(**options), tag="docs-2", results=tmp_path / "results")
    plan = plan_launch(request, known)
    assert (len(plan.jobs), plan.experiments) == (jobs, experiments)
    names = [job.name for job in plan.jobs]
    assert len(set(names)) == jobs
    assert {"docs-2-ASHA-RELU", "docs-2-RS"} <= set(names)
    last = options.get("num_seeds", 20) - 1
    assert {f"docs-2-MOBSTER-TANH-{last}", f"docs-2-BO-{last}"} <= set(names)
    assert {job.prefix for job in plan.jobs} == {f"docs-2/{name.removeprefix('docs-2-')}/" for name in names}


@dataclass(frozen=True)
class View:
    """An experiment with the given rungs."""

    states: tuple[RungState, ...]
    method: str = "ASHA"
    benchmark: str = "toy"
    seed: int = 0
    now: float = 12.5
    num_trials: int = 40

    def rungs(self) -> tuple[RungState, ...]:
        return self.states


@pytest.fixture
def composer(registry):
    return registry.extra_result("rung-levels").make()


def test_the_columns_are_the_sizes_of_the_rungs(composer):
    rungs = tuple(RungState(level, entries, 1 / 3) for level, entries in ((9, 4), (3, 13), (1, 40)))
    assert composer(View(rungs)) == {"num_at_level9": 4, "num_at_level3": 13, "num_at_level1": 40}
    assert composer.keys() == [f"num_at_level{level}" for level in (1, 3, 9, 27, 81)]


def test_a_method_without_rungs_has_no_columns(composer):
    assert composer(View(())) is None


def test_levels_that_are_no_columns_are_left_out(composer):
    assert composer(View((RungState(4, 2, 0.25), RungState(1, 7, 0.25)))) == {"num_at_level1": 7}


def table():
    """Made-up curves of 27 epochs, so the rung levels are 1, 3 and 9."""
    return toy_table(NETWORK)


@pytest.fixture
def run(registry):
    def run(name):
        composers = (registry.extra_result("rung-levels"),)
        spec = ExperimentSpec("test", registry.method(name), toy_benchmark(table), 0, 7, extra_results=composers)
        return run_spec(spec)

    return run


@pytest.mark.parametrize("name", ["ASHA-TANH", "MOBSTER-TANH", "ASHA-RELU", "MOBSTER-RELU"])
def test_every_trial_of_a_variant_has_the_activation_in_both_layers(run, name):
    rows = run(name)
    activation = name.rpartition("-")[2].lower()
    assert len(rows.configs) > 1
    for config in rows.configs:
        assert config["hp_activation_fn_1"] == config["hp_activation_fn_2"] == activation


def test_results_carry_the_sizes_of_the_rungs(run):
    rows = run("ASHA")
    assert list(rows.extra) == ["num_at_level1", "num_at_level3", "num_at_level9"]
    for level in (1, 3, 9):
        column = rows.extra[f"num_at_level{level}"]
        reached = np.count_nonzero(rows.resources == level)
        assert column[-1] == reached
        assert (np.diff(column) >= 0).all()
    assert run("RS").extra == {}
