"""What a launch is about to do: which study, which of its experiments, where, with which random seed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from hpoctl.core.cells import Cell
from hpoctl.core.entries import LauncherEntry
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.settings import Settings
from hpoctl.core.study import Study
from hpoctl.launchers.options import LocalOptions
from hpoctl.ops.launching.launch_plan import LaunchPlan, LaunchRequest, plan_launch
from hpoctl.ops.running.run import RunRequest, plan_run
from hpoctl.ops.studies.overrides import Overrides
from hpoctl.plugins import Origin, Registry
from hpoctl.plugins.registry import Registered
from launch_here import launch_here, no_stderr, toy_registry

TOYS = Study("toys", "", ("RS", "ASHA"), ("toy", "toy-2"), num_seeds=2, default=True)
OTHER = Study("other", "", ("ASHA",), ("toy",), num_seeds=3)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with results and cache below it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HPOCTL_ROOT", str(tmp_path / "results"))
    monkeypatch.setenv("HPOCTL_CACHE", str(tmp_path / "cache"))
    with no_stderr():
        yield tmp_path


@dataclass(frozen=True)
class FarOptions:
    site: str = "here"
    nodes: int = 1
    quick: bool = False


@pytest.fixture
def registry() -> Registry:
    made = toy_registry([TOYS, OTHER])
    far = LauncherEntry("far", "Far away", lambda options: None, FarOptions())  # type: ignore[arg-type, return-value]
    entry = Registered(far, Origin("far", "1", "far", "far"))
    return replace(made, launchers={**made.launchers, "far": entry})


@pytest.mark.parametrize(
    ("hint", "fix"), [("", "Add --results moon://...."), ("moon://CRATER", "Add --results moon://CRATER.")]
)
def test_results_that_jobs_cannot_reach_are_refused_before_anything_is_written(
    registry: Registry, folder: Path, hint: str, fix: str
) -> None:
    far = registry.launchers["far"]
    moon = Registered(replace(far.entry, root="moon://", root_hint=hint), far.origin)
    registry = replace(registry, launchers={**registry.launchers, "far": moon})
    with pytest.raises(UsageError) as refused:
        plan_launch(LaunchRequest(changes=Overrides(launcher="far")), registry)
    assert refused.value.what == f"Jobs on far cannot write results to {folder / 'results'}."
    assert refused.value.fix == fix
    assert not (folder / "results").exists()


def todo(plan: LaunchPlan) -> list[Cell]:
    return sorted(task.cell for job in plan.jobs for task in job.tasks)


def sources(plan: LaunchPlan) -> list[str]:
    return [kept.source for kept in plan.plans]


def test_without_a_study_it_is_the_default_one(registry: Registry) -> None:
    plan = plan_launch(LaunchRequest(), registry)
    assert sources(plan) == ["toys"]
    assert todo(plan) == sorted(TOYS.cells())


def test_the_folder_says_which_study_and_an_option_says_otherwise(registry: Registry, folder: Path) -> None:
    (folder / "hpoctl.toml").write_text('study = "other"\nresults = "here"\n')
    assert sources(plan_launch(LaunchRequest(), registry)) == ["other"]
    assert sources(plan_launch(LaunchRequest(study="toys"), registry)) == ["toys"]


def test_an_option_counts_before_the_study_and_the_study_before_the_folder(registry: Registry, folder: Path) -> None:
    (folder / "hpoctl.toml").write_text("n_workers = 8\nmax_num_trials = 9\npoll_interval = 5\n")
    (folder / "own.toml").write_text('methods = ["RS"]\nbenchmarks = ["toy"]\nn_workers = 3\n')
    said = Overrides(methods=("RS",), experiment={"poll_interval": 0.0, "max_num_evaluations": 7})
    wanted = Settings(n_workers=3, max_num_trials=9, max_num_evaluations=7)
    launched = LaunchRequest(said, study="own.toml", tag="t")
    plan, _, _ = launch_here(launched, registry)
    assert plan.plans[-1].study.experiment == wanted
    assert {spec.settings for spec in plan_run(RunRequest(said, "own.toml"), registry).specs} == {wanted}
    again = plan_launch(LaunchRequest(tag="t"), registry)
    assert (again.plans[-1].study.experiment, again.warnings) == (wanted, ())
    (folder / "hpoctl.toml").write_text("n_workers = 8\n")
    changed = plan_launch(LaunchRequest(tag="t"), registry)
    assert changed.plans[-1].study.experiment == wanted  # launched plans are kept
    assert "has changed since it was launched" in changed.warnings[0]


def test_the_folder_says_where_results_go_unless_an_option_or_the_environment_does(
    registry: Registry, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "hpoctl.toml").write_text('results = "here"\n')
    assert plan_launch(LaunchRequest(), registry).root.store.location("") == str(folder / "results")
    monkeypatch.delenv("HPOCTL_ROOT")
    assert plan_launch(LaunchRequest(), registry).root.store.location("") == str(folder / "here")
    assert plan_launch(LaunchRequest(results=str(folder / "x")), registry).root.store.location("") == str(folder / "x")


def test_a_study_file_has_a_tag_a_seed_and_a_launcher(registry: Registry, folder: Path) -> None:
    file = folder / "study.toml"
    file.write_text(
        'methods = ["ASHA"]\nbenchmarks = ["toy"]\ntag = "filed"\nrandom_seed = 7\nlauncher = "far"\n'
        "[launcher_options]\nnodes = 3\nquick = true\n"
    )
    plan = plan_launch(LaunchRequest(study="study.toml"), registry)
    assert (plan.tag, plan.random_seed.value, sources(plan)) == ("filed", 7, [str(file)])
    assert (plan.launcher.name, plan.launcher_options) == ("far", FarOptions(nodes=3, quick=True))
    plan = plan_launch(LaunchRequest(study="study.toml", tag="mine", random_seed=9), registry)
    assert (plan.tag, plan.random_seed.value) == ("mine", 9)


def test_the_tag_alone_goes_on_with_all_that_was_launched(registry: Registry, folder: Path) -> None:
    budget = Overrides(
        methods=("ASHA",),
        benchmarks=("toy",),
        num_seeds=1,
        experiment={"max_wallclock_time": 80.0},
        settings=("ASHA.grace_period=3",),
    )
    launch_here(LaunchRequest(budget, study="toys", tag="t", random_seed=5), registry)
    launch_here(LaunchRequest(Overrides(methods=("RS",), benchmarks=("toy-2",)), study="toys", tag="t"), registry)
    first, second = sorted((folder / "results").glob("t/*/*-toy-*"))[:2]
    for left in (first, second):
        (left / "results.parquet").unlink()
    plan = plan_launch(LaunchRequest(tag="t"), registry)
    assert plan.random_seed.value == 5
    assert len(plan.plans) == 2
    assert plan.wanted == 3
    wanted = {task.cell: task.plan for job in plan.jobs for task in job.tasks}
    assert set(wanted) == {Cell("ASHA", "toy", 0), Cell("RS", "toy-2", 0)}
    of = {cell: next(kept.study for kept in plan.plans if kept.name == name) for cell, name in wanted.items()}
    assert of[Cell("ASHA", "toy", 0)].experiment.max_wallclock_time == 80.0
    assert of[Cell("ASHA", "toy", 0)].settings == ("ASHA.grace_period=3",)
    assert of[Cell("RS", "toy-2", 0)].experiment.max_wallclock_time is None
    _, outcome, counts = launch_here(LaunchRequest(tag="t"), registry)
    assert (outcome.done, outcome.wanted, counts) == (3, 3, {"done": 2})
    assert len(list((folder / "results/t/.hpoctl/plans").iterdir())) == 2


def test_of_two_plans_for_an_experiment_the_newest_counts(registry: Registry) -> None:
    for budget in (80.0, 70.0):
        request = LaunchRequest(
            Overrides(methods=("RS",), benchmarks=("toy",), num_seeds=1, experiment={"max_wallclock_time": budget}),
            study="toys",
            tag="t",
            allow_mixed=True,
        )
        launch_here(request, registry)
    assert len(plan_launch(LaunchRequest(tag="t", allow_mixed=True), registry).plans) == 2
    with pytest.raises(UsageError, match=r"max_wallclock_time: 80\.0 -> 70\.0"):
        plan_launch(LaunchRequest(tag="t"), registry)


def test_a_tag_is_narrowed_and_keeps_its_options(registry: Registry) -> None:
    launch_here(
        LaunchRequest(Overrides(experiment={"max_wallclock_time": 80.0}, num_seeds=1), study="toys", tag="t"), registry
    )
    plan = plan_launch(LaunchRequest(Overrides(methods=("ASHA",), start_seed=1, num_seeds=4), tag="t"), registry)
    assert todo(plan) == [Cell("ASHA", bench, seed) for bench in ("toy", "toy-2") for seed in (1, 2, 3)]
    assert plan.plans[-1].study.experiment.max_wallclock_time == 80.0
    plan = plan_launch(LaunchRequest(Overrides(benchmarks=("toy-2",), num_seeds=2), tag="t"), registry)
    assert todo(plan) == [Cell("ASHA", "toy-2", 1), Cell("RS", "toy-2", 1)]


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        (Overrides(methods=("ASHA",)), 4),
        (Overrides(benchmarks=("toy",)), 4),
        (Overrides(start_seed=1), 4),
        (Overrides(num_seeds=5), 20),
        (Overrides(methods=("ASHA",), benchmarks=("toy-2",), start_seed=1, num_seeds=2), 1),
        (Overrides(methods=("MOBSTER",)), 4),
    ],
)
def test_options_say_which_experiments(registry: Registry, changes: Overrides, count: int) -> None:
    plan = plan_launch(LaunchRequest(changes), registry)
    assert len(todo(plan)) == plan.experiments == plan.wanted == count


def test_launcher_and_options_come_from_folder_study_and_command_line(registry: Registry, folder: Path) -> None:
    (folder / "hpoctl.toml").write_text('launcher = "far"\n[launcher_options]\nnodes = 2\nsite = "there"\n')

    def found(**changes: Any) -> tuple[str, Any]:
        plan = plan_launch(LaunchRequest(Overrides(**changes)), registry)
        return plan.launcher.name, plan.launcher_options

    assert found() == ("far", FarOptions("there", 2))
    assert found(launcher_options={"nodes": "5", "quick": "yes"}) == ("far", FarOptions("there", 5, quick=True))
    assert found(launcher="local") == ("local", LocalOptions())
    assert found(launcher="local", launcher_options={"jobs": 2, "timeout": "3.5"}) == (
        "local",
        LocalOptions(jobs=2, timeout=3.5),
    )


def test_how_many_at_a_time_is_known_of_the_local_launcher_only(registry: Registry) -> None:
    assert plan_launch(LaunchRequest(Overrides(launcher_options={"jobs": 3})), registry).workers == 3
    assert plan_launch(LaunchRequest(Overrides(launcher="far")), registry).workers == 0


WRONG = [
    (Overrides(launcher="locl"), "Unknown launcher 'locl'.", "Did you mean local?"),
    (Overrides(launcher_options={"jbos": 2}), "Unknown option 'jbos' of launcher local.", "Did you mean jobs? It has:"),
    (Overrides(launcher_options={"jobs": "many"}), "local.jobs cannot be 'many'.", "a whole number"),
    (Overrides(launcher_options={"jobs": "0"}), "0 experiments at a time cannot be run.", ">= 1"),
    (Overrides(launcher_options={"retries": -1}), "--retries is -1.", ">= 0"),
    (Overrides(launcher_options={"timeout": "0"}), "--timeout is 0.0.", "positive"),
    (Overrides(launcher_options={"timeout": "inf"}), "local.timeout cannot be 'inf'.", "a number"),
    (Overrides(methods=("ASHTA",)), "Unknown method 'ASHTA'.", "ASHA"),
    (Overrides(benchmarks=("toy-3",)), "Unknown benchmark 'toy-3'.", "toy"),
    (Overrides(start_seed=2), "There is no seed from 2", "--num-seeds 3"),
    (Overrides(settings=("BO.num_initial=3",)), "--set changes BO, which is not run.", "--method BO"),
]


@pytest.mark.parametrize(("changes", "what", "fix"), WRONG)
def test_wrong_names_and_values_are_refused(
    registry: Registry, folder: Path, changes: Overrides, what: str, fix: str
) -> None:
    with pytest.raises(UsageError) as caught:
        plan_launch(LaunchRequest(changes), registry)
    assert what in caught.value.what
    assert fix in caught.value.fix
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("tag", ["a--b", "../x", "", "x" * 64])
def test_a_tag_that_is_none_is_refused(registry: Registry, tag: str) -> None:
    with pytest.raises(UsageError):
        plan_launch(LaunchRequest(tag=tag), registry)


ONE = Overrides(methods=("RS",), benchmarks=("toy",), num_seeds=1)


def test_a_tag_keeps_its_random_seed(registry: Registry) -> None:
    assert plan_launch(LaunchRequest(ONE, tag="t"), registry).random_seed.drawn
    _, outcome, _ = launch_here(LaunchRequest(ONE, tag="t", random_seed=5), registry)
    assert outcome.random_seed == 5
    for request in (LaunchRequest(tag="t"), LaunchRequest(ONE, tag="t"), LaunchRequest(ONE, tag="t", random_seed=5)):
        plan = plan_launch(request, registry)
        assert (plan.random_seed.value, plan.random_seed.drawn, plan.new_seed) == (5, False, False)


def test_another_random_seed_is_refused_unless_it_is_to_be_new(registry: Registry) -> None:
    launch_here(LaunchRequest(ONE, tag="t", random_seed=5), registry)
    with pytest.raises(UsageError) as caught:
        plan_launch(LaunchRequest(tag="t", random_seed=6), registry)
    assert caught.value.what.startswith("Tag t has the random seed 5")
    assert "--new-seed" in caught.value.fix
    request = LaunchRequest(tag="t", random_seed=6, new_seed=True)
    with pytest.raises(UsageError, match=r"seeds\.master_seed: 5 -> 6"):
        plan_launch(request, registry)
    wider = replace(request, changes=replace(ONE, num_seeds=2), allow_mixed=True)
    plan, outcome, counts = launch_here(wider, registry)
    assert (plan.new_seed, outcome.random_seed, counts) == (True, 6, {"done": 1})
    assert plan_launch(LaunchRequest(tag="t", allow_mixed=True), registry).random_seed.value == 6


def test_a_new_seed_is_drawn_if_none_is_named(registry: Registry) -> None:
    launch_here(LaunchRequest(ONE, tag="t", random_seed=5), registry)
    plan = plan_launch(LaunchRequest(tag="t", new_seed=True, allow_mixed=True), registry)
    assert plan.new_seed
    assert plan.random_seed.value != 5


def test_the_seed_of_a_tag_goes_before_that_of_its_study(registry: Registry, folder: Path) -> None:
    (folder / "study.toml").write_text('methods = ["RS"]\nbenchmarks = ["toy"]\nrandom_seed = 7\n')
    request = LaunchRequest(study="study.toml", tag="t")
    assert plan_launch(request, registry).random_seed.value == 7
    launch_here(replace(request, random_seed=5), registry)
    for again in (LaunchRequest(tag="t"), request):
        plan = plan_launch(again, registry)
        assert plan.random_seed.value == 5
        assert plan.warnings == ("tag t has the random seed 5, which stays in force; study study says 7",)


def test_a_damaged_seed_or_plan_is_named(registry: Registry, folder: Path) -> None:
    launch_here(LaunchRequest(ONE, tag="t"), registry)
    (plan,) = (folder / "results/t/.hpoctl/plans").iterdir()
    seed = folder / "results/t/study.json"
    for file in (plan, seed):
        kept = file.read_bytes()
        file.write_bytes(kept[:-5])
        with pytest.raises(IncompleteError, match=file.name):
            plan_launch(LaunchRequest(tag="t"), registry)
        file.write_bytes(kept)
    assert plan_launch(LaunchRequest(tag="t"), registry).done == 1


@pytest.mark.studies
def test_a_plan_of_10_000_experiments_writes_nothing(registry: Registry, folder: Path) -> None:
    plan = plan_launch(LaunchRequest(Overrides(methods=("RS", "BO"), num_seeds=2500), tag="t"), registry)
    assert (plan.experiments, len(plan.jobs)) == (10_000, 2501)
    assert plan.seconds > 0.0
    assert list(folder.iterdir()) == []


def test_expected_times_are_measured_once_there_is_something_to_measure(registry: Registry) -> None:
    request = LaunchRequest(ONE, study="toys", tag="t")
    assert plan_launch(request, registry).basis == "modelled"
    launch_here(request, registry)
    assert plan_launch(replace(request, tag="t-2"), registry).basis == "measured"
    both = replace(ONE, benchmarks=("toy", "toy-2"))
    assert plan_launch(replace(request, tag="t-2", changes=both), registry).basis == "modelled"
