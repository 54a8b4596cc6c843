"""The work of a launch: wanted less complete less running experiments; and refusals of mixed identities."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hpoctl.core.blackbox import Blackbox
from hpoctl.core.cells import Cell, claim_key
from hpoctl.core.entries import Benchmark, ExtraResults
from hpoctl.core.errors import UsageError
from hpoctl.core.sealed import seal, unseal
from hpoctl.core.settings import Settings
from hpoctl.core.space import Choice, Space
from hpoctl.core.study import Study
from hpoctl.ops.launching.launch_plan import LaunchPlan, LaunchRequest, plan_launch
from hpoctl.ops.studies.overrides import Overrides
from hpoctl.plugins import Registry, hookimpl, load_registry
from hpoctl.stores.claims import LocalClaims
from hpoctl.stores.ledger import read_attempts, read_results
from hpoctl.stores.local import LocalStore
from hpoctl.testing import toy_benchmark, toy_space, toy_table
from hpoctl.testing.claims import claimed_elsewhere
from launch_here import launch_here, no_stderr, toy_registry

TAG = "t"
BENCHMARK = toy_benchmark(name="own", budget=150.0)
STUDY = Study("toys", "", ("ASHA",), ("own",), num_seeds=2)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HPOCTL_ROOT", str(tmp_path / "results"))
    monkeypatch.setenv("HPOCTL_CACHE", str(tmp_path / "cache"))
    with no_stderr():
        yield


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "results")


def registry(study: Study = STUDY, benchmark: Benchmark = BENCHMARK) -> Registry:
    return toy_registry([study], [benchmark])


def request(**changes: Any) -> LaunchRequest:
    return LaunchRequest(study="toys", tag=TAG, random_seed=5, **changes)


def todo(plan: LaunchPlan) -> set[Cell]:
    return {task.cell for job in plan.jobs for task in job.tasks}


def metadata_files(root: Path) -> list[Path]:
    return sorted(root.glob("results/*/*/*/metadata.json"))


CELLS = set(STUDY.cells())
ZERO, ONE = sorted(CELLS)


def test_what_is_complete_is_not_done_again(tmp_path: Path) -> None:
    known = registry()
    narrowed = Overrides(num_seeds=1)
    plan, outcome, _ = launch_here(request(changes=narrowed), known)
    assert todo(plan) == {ZERO}
    assert (outcome.done, outcome.wanted) == (1, 1)
    plan, outcome, counts = launch_here(request(), known)
    assert (todo(plan), plan.done, plan.wanted) == ({ONE}, 1, 2)
    assert (outcome.done, counts) == (2, {"done": 1})
    plan, outcome, counts = launch_here(request(), known)
    assert (plan.jobs, plan.done, counts) == ((), 2, {})
    assert len(metadata_files(tmp_path)) == 2


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_what_somebody_runs_is_left_to_them(tmp_path: Path, store: LocalStore) -> None:
    known = registry()
    launch_here(request(), known)
    first, second = metadata_files(tmp_path)
    for file in (first, second):
        values = unseal(file.read_bytes())
        file.write_bytes(seal({**values, "status": "running"}))
        (file.parent / "results.parquet").unlink()
    with claimed_elsewhere(lambda: LocalClaims(store.root), claim_key(TAG, ZERO)):
        plan = plan_launch(request(), known)
        assert (plan.running, plan.failed, plan.done, plan.wanted) == (1, 1, 0, 2)
        assert todo(plan) == {ONE}
    plan = plan_launch(request(), known)
    assert (plan.running, plan.failed, todo(plan)) == (0, 2, CELLS)


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_what_failed_is_done_again(tmp_path: Path, status: str) -> None:
    known = registry()
    launch_here(request(), known)
    file = next(file for file in metadata_files(tmp_path) if json.loads(file.read_text())["seed"] == 1)
    file.write_bytes(seal({**unseal(file.read_bytes()), "status": status}))
    plan, outcome, _ = launch_here(request(), known)
    assert todo(plan) == {ONE}
    assert plan.failed == (status == "failed")
    assert (outcome.done, outcome.wanted) == (2, 2)
    assert len(metadata_files(tmp_path)) == 3


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGE: dict[str, Callable[[Path], None]] = {
    "no results": lambda folder: (folder / "results.parquet").unlink(),
    "no metadata": lambda folder: (folder / "metadata.json").unlink(),
    "a bit of the results": lambda folder: _flip(folder / "results.parquet"),
    "a bit of the metadata": lambda folder: _flip(folder / "metadata.json"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_what_is_damaged_is_named_and_done_again(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    known = registry()
    launch_here(request(), known)
    folder = next(file.parent for file in metadata_files(tmp_path) if json.loads(file.read_text())["seed"] == 0)
    damage(folder)
    plan, outcome, counts = launch_here(request(), known)
    assert todo(plan) == {ZERO}
    assert [text for text in plan.warnings if str(folder.relative_to(tmp_path / "results")) in text]
    assert (outcome.done, counts) == (2, {"done": 1})


class Nothing:
    def keys(self) -> tuple[str, ...]:
        return ()

    def __call__(self, view: object) -> None:
        return None


@dataclass(frozen=True)
class Change:
    """A launch that would not make the results of the first one: what it changes, what the error says of it."""

    named: str
    study: Mapping[str, Any] = field(default_factory=dict)
    benchmark: Benchmark = BENCHMARK
    request: Mapping[str, Any] = field(default_factory=dict)


def _benchmark(space: Space | None = None, **changes: Any) -> Benchmark:
    table: Callable[[], Blackbox] = partial(toy_table, space) if space else toy_table
    return replace(toy_benchmark(table, name="own", budget=150.0), **changes)


def _space(**domains: Any) -> Space:
    return Space({**{name: toy_space()[name] for name in toy_space()}, **domains})


CHANGES = {
    "option": Change("method.options.grace_period: 1 -> 3", {"settings": ("ASHA.grace_period=3",)}),
    "option of the command line": Change(
        "method.options.type: promotion -> stopping",
        request={"changes": Overrides(settings=("ASHA.type=stopping",))},
    ),
    "fixed value": Change("space.activation:", {"fixed": {"ASHA": {"activation": "relu"}}}),
    "budget": Change("budget.max_wallclock_time: 150.0 -> 140.0", {"experiment": Settings(max_wallclock_time=140.0)}),
    "workers": Change("budget.n_workers: 4 -> 2", {"experiment": Settings(n_workers=2)}),
    "reports": Change("budget.max_num_evaluations: None -> 7", {"experiment": Settings(max_num_evaluations=7)}),
    "data of a model": Change(
        "budget.max_size_data_for_model: None -> 9", {"experiment": Settings(max_size_data_for_model=9)}
    ),
    "decision time": Change("clock.decision_time: zero -> 0.5", {"experiment": Settings(decision_time=0.5)}),
    "polls": Change("clock.poll_interval: 0.0 -> 5.0", {"experiment": Settings(poll_interval=5.0)}),
    "checkpoints": Change("clock.checkpointing: True -> False", {"experiment": Settings(checkpointing=False)}),
    "table": Change(
        "benchmark.table: ", benchmark=_benchmark(blackbox=partial(toy_table, change=lambda losses: 2.0 * losses))
    ),
    "metric": Change("benchmark.mode: min -> max", benchmark=_benchmark(mode="max")),
    "composer": Change("extra_results: [] -> ['nothing']", {"extra_results": ("nothing",)}),
    "random seed": Change("seeds.master_seed: 5 -> 6", request={"random_seed": 6, "new_seed": True}),
}


@hookimpl
def hpoctl_extra_results() -> list[ExtraResults]:
    return [ExtraResults("nothing", "", Nothing)]


COMPOSERS = load_registry([SimpleNamespace(__name__="composers", hpoctl_extra_results=hpoctl_extra_results)], ())


def changed(change: Change) -> tuple[LaunchRequest, Registry]:
    made = registry(replace(STUDY, **change.study), change.benchmark)
    return replace(request(), **change.request), replace(made, extra_results=COMPOSERS.extra_results)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_another_identity_is_named_and_refused(tmp_path: Path, change: Change) -> None:
    launch_here(request(changes=Overrides(num_seeds=1)), registry())
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    asked, known = changed(change)
    with pytest.raises(UsageError) as caught:
        plan_launch(asked, known)
    assert caught.value.what.startswith("Tag t has 1 complete result")
    assert change.named in caught.value.what
    assert "--allow-mixed" in caught.value.fix
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before

    plan, outcome, counts = launch_here(replace(asked, allow_mixed=True), known)
    assert todo(plan) == {ONE}
    assert (outcome.done, outcome.wanted, counts) == (2, 2, {"done": 1})
    assert [(group.cells, any(change.named in text for text in group.differences)) for group in plan.mixed] == [
        ((ZERO,), True)
    ]


def test_a_larger_budget_is_run_and_gives_the_bytes_of_one_go(tmp_path: Path, store: LocalStore) -> None:
    launch_here(request(), registry())
    larger = registry(replace(STUDY, experiment=Settings(max_wallclock_time=160.0)))
    plan, outcome, counts = launch_here(request(), larger)
    assert (todo(plan), plan.mixed) == (CELLS, ())
    assert (outcome.done, outcome.wanted, counts) == (2, 2, {"done": 2})
    assert todo(plan_launch(request(), larger)) == set()
    launch_here(replace(request(), tag="other", random_seed=plan.random_seed.value), larger)

    def newest(tag: str) -> dict[Cell, bytes]:
        attempts = sorted(read_attempts(store, tag), key=lambda attempt: attempt.started)
        return {attempt.cell: read_results(store, attempt) for attempt in attempts if attempt.cell is not None}

    assert newest(TAG) == newest("other")


def test_a_larger_budget_is_another_experiment_where_suggestions_cost_what_they_took(tmp_path: Path) -> None:
    measured = Settings(decision_time="measured")
    launch_here(request(), registry(replace(STUDY, experiment=measured)))
    larger = registry(replace(STUDY, experiment=replace(measured, max_wallclock_time=160.0)))
    with pytest.raises(UsageError, match="budget"):
        plan_launch(request(), larger)


def test_another_space_is_named_by_its_domains() -> None:
    launch_here(request(), registry())
    wider = _benchmark(_space(activation=Choice(("tanh", "relu", "gelu"))))
    with pytest.raises(UsageError) as caught:
        plan_launch(request(), registry(benchmark=wider))
    assert "space.activation:" in caught.value.what
    assert "such as ASHA own seed 0" in caught.value.what


def test_another_order_of_hyperparameters_is_another_space() -> None:
    launch_here(request(), registry())
    names = list(toy_space())
    turned = Space({name: toy_space()[name] for name in [names[1], names[0], *names[2:]]})
    with pytest.raises(UsageError) as caught:
        plan_launch(request(), registry(benchmark=_benchmark(turned)))
    assert "order of hyperparameters: activation, units" in caught.value.what


def test_long_lists_of_differences_are_cut() -> None:
    launch_here(request(), registry())
    study = replace(
        STUDY,
        experiment=Settings(n_workers=2, max_wallclock_time=99.0, max_num_evaluations=3, poll_interval=1.0),
    )
    with pytest.raises(UsageError, match=r"and 1 more\)"):
        plan_launch(request(), registry(study))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"experiment": Settings(max_wallclock_time=150)}, {"experiment": Settings(max_wallclock_time=150.0)}),
        ({}, {"experiment": Settings(max_wallclock_time=150.0)}),
        ({"experiment": Settings(poll_interval=5)}, {"experiment": Settings(poll_interval=5.0)}),
        ({}, {"settings": ("ASHA.grace_period=1",)}),
        ({}, {"tag": "t", "random_seed": 9, "summary": "Other words", "launcher_options": {"jobs": 3}}),
    ],
)
def test_what_means_the_same_is_one_identity(one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    for first, second in ((one, other), (other, one)):
        tag = f"t-{first == one}"
        asked = replace(request(), tag=tag)
        launch_here(asked, registry(replace(STUDY, **first)))
        assert plan_launch(asked, registry(replace(STUDY, **second))).mixed == ()


def _gone() -> Blackbox:
    raise RuntimeError("the table\nis gone")


def _exits() -> Blackbox:
    raise SystemExit(3)


@pytest.mark.parametrize(("table", "why"), [(_gone, "RuntimeError: the table"), (_exits, "SystemExit: 3")])
def test_a_table_that_does_not_open_is_a_warning(table: Callable[[], Blackbox], why: str) -> None:
    launch_here(request(changes=Overrides(num_seeds=1)), registry())
    closed = replace(BENCHMARK, blackbox=table)
    plan, outcome, counts = launch_here(request(), registry(benchmark=closed))
    assert plan.mixed == ()
    (warning,) = plan.warnings
    assert "own" in warning
    assert why in warning
    assert todo(plan) == {ONE}
    assert (outcome.done, outcome.wanted, counts) == (1, 2, {"failed": 1})
    assert [failure.cell for failure in outcome.failures] == [ONE]
