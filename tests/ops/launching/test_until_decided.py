"""Interim analyses of pairs: killed and repeated, with other options, with failures and damage."""

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from hpoctl.analysis.decisions import Stage
from hpoctl.analysis.interim import Question
from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import METADATA, RESULTS, Cell, claim_key
from hpoctl.core.entries import Benchmark, LauncherEntry
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.options import NoOptions
from hpoctl.core.sealed import seal, unseal
from hpoctl.core.study import Study
from hpoctl.ops.launching.launch import LaunchWatcher
from hpoctl.ops.launching.launch_plan import LaunchPlan, LaunchRequest
from hpoctl.ops.launching.sequential_design import keep_design, parse_pairs, read_design
from hpoctl.ops.launching.until_decided import (
    DecisionOutcome,
    DecisionPlan,
    DecisionRequest,
    decide,
    plan_decisions,
    stage_plans,
)
from hpoctl.ops.studies.overrides import Overrides
from hpoctl.plugins import Registry
from hpoctl.stores.claims import LocalClaims
from hpoctl.stores.local import LocalStore
from hpoctl.testing import toy_benchmark
from hpoctl.testing.claims import claimed_elsewhere
from launch_here import Here, Nobody, launch_here, toy_registry

STUDY = Study("toys", "Toys", methods=("RS", "ASHA"), benchmarks=("toy", "toy-2"), random_seed=5)
ON_TOY, ON_TOY_2 = Question("RS", "ASHA", "toy"), Question("RS", "ASHA", "toy-2")
PAIRS = (("RS", "ASHA"),)
MOST = 14


@dataclass
class Watcher:
    """Keeps what it is told, and can interrupt the launch after a number of experiments."""

    interrupt_at: int | None = None
    begun: list[str] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    plans: list[LaunchPlan] = field(default_factory=list)

    @contextmanager
    def launches(self, plan: LaunchPlan) -> Iterator[LaunchWatcher]:
        self.plans.append(plan)
        yield Nobody()

    def decides(self, stage: Stage) -> None:
        self.stages.append(stage)

    def hear(self, message: Mapping[str, Any]) -> None:
        if message["event"] == "began":
            self.begun.append(str(message))
            if len(self.begun) == self.interrupt_at:
                raise KeyboardInterrupt


@dataclass
class Looks:
    """Launches of pairs in this process, in a separate folder."""

    benchmarks: tuple[Benchmark, ...] = ()
    watcher: Watcher = field(default_factory=Watcher)

    @property
    def registry(self) -> Registry:
        made: list[Registry] = []
        here = LauncherEntry(
            "here", "In this process", lambda _: Here("t", made[0], None, self.watcher.hear), NoOptions()
        )
        made.append(toy_registry([STUDY], self.benchmarks, [here]))
        return made[0]

    def plan(self, pairs: tuple[tuple[str, str], ...] = PAIRS, most: int | None = MOST, **changes: Any) -> DecisionPlan:
        launch = LaunchRequest(Overrides(launcher="here", **changes), tag="t")
        return plan_decisions(DecisionRequest(launch, pairs, most), self.registry)

    def __call__(self, **changes: Any) -> DecisionOutcome:
        plan = self.plan(**changes)
        return decide(plan, self.registry, self.watcher)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HPOCTL_ROOT", str(tmp_path / "results"))
    monkeypatch.setenv("HPOCTL_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DecisionOutcome, Watcher]:
    """A study that was decided in one go."""
    made = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        patch.setenv("HPOCTL_ROOT", str(made / "results"))
        patch.setenv("HPOCTL_CACHE", str(made / "cache"))
        looks = Looks()
        return made / "results", looks(), looks.watcher


def store(folder: Path) -> LocalStore:
    return LocalStore(folder / "results")


def complete(root: Path) -> dict[tuple[str, str, int], bytes]:
    """The results of all complete experiments."""
    found = {}
    for file in root.glob(f"t/*/*/{METADATA}"):
        metadata = unseal(file.read_bytes())
        if metadata["status"] == "completed":
            key = (metadata["algorithm"], metadata["benchmark"], metadata["seed"])
            found[key] = (file.parent / RESULTS).read_bytes()
    return found


def test_seeds_are_added_to_what_is_not_decided_alone(whole: tuple[Path, DecisionOutcome, Watcher]) -> None:
    root, outcome, watcher = whole
    verdicts = {question: answer.verdict for question, answer in outcome.course.answers.items()}
    assert verdicts == {ON_TOY: "undecided", ON_TOY_2: "worse"}
    assert (outcome.course.open, outcome.course.next_seeds) == ((ON_TOY,), None)
    assert outcome.course.stages == tuple(watcher.stages)
    assert [stage.seeds for stage in watcher.stages] == [6, 7, 9, 10, 12, 14]
    closed = next(stage.seeds for stage in watcher.stages for answer in stage.answers if answer.verdict == "worse")
    runs = Counter(benchmark for _, benchmark, _ in complete(root))
    assert closed < MOST
    assert runs == {"toy": 2 * MOST, "toy-2": 2 * closed}


def test_what_was_run_is_counted(whole: tuple[Path, DecisionOutcome, Watcher]) -> None:
    root, outcome, _ = whole
    design = read_design(LocalStore(root), "t")
    assert design is not None
    assert (outcome.course.experiments, design.most_experiments) == (len(complete(root)), 4 * MOST)


@pytest.mark.parametrize("interrupted", [1, 23, 26, 43])
def test_interrupted_anywhere_it_continues_with_the_same_analyses(
    interrupted: int, folder: Path, whole: tuple[Path, DecisionOutcome, Watcher]
) -> None:
    first = Looks(watcher=Watcher(interrupt_at=interrupted))
    assert first().interrupted
    again = Looks()
    outcome = again(pairs=(), most=None)
    assert outcome == whole[1]
    assert complete(folder / "results") == complete(whole[0])
    assert len(first.watcher.begun) + len(again.watcher.begun) == len(complete(whole[0])) + 1
    told = [*first.watcher.stages, *again.watcher.stages]
    assert told == whole[2].stages


def test_repeated_it_runs_and_analyses_nothing(folder: Path, whole: tuple[Path, DecisionOutcome, Watcher]) -> None:
    shutil.copytree(whole[0], folder / "results")
    before = sorted((folder / "results").rglob("*"))
    looks = Looks()
    assert looks() == whole[1]
    assert (looks.watcher.begun, looks.watcher.stages) == ([], [])
    assert sorted((folder / "results").rglob("*")) == before


def test_a_result_that_is_gone_is_run_again_for_the_same_answer(
    folder: Path, whole: tuple[Path, DecisionOutcome, Watcher]
) -> None:
    shutil.copytree(whole[0], folder / "results")
    shutil.rmtree(next(iter((folder / "results").glob("t/*/t-toy-3-*"))))
    looks = Looks()
    plan = looks.plan()
    assert (plan.course.stages, plan.course.next_seeds) == ((), 6)
    assert decide(plan, looks.registry, looks.watcher) == whole[1]
    assert len(looks.watcher.begun) == 1


def test_planning_writes_nothing_and_plans_the_next_interim_analysis(folder: Path) -> None:
    looks = Looks()
    plan = looks.plan()
    (launch,) = stage_plans(plan, looks.registry)
    assert sorted({task.cell.seed for job in launch.jobs for task in job.tasks}) == list(range(6))
    assert launch.experiments == 24
    assert not (folder / "results").exists()


def test_options_of_the_first_launch_apply_to_all_interim_analyses(folder: Path) -> None:
    looks = Looks(watcher=Watcher(interrupt_at=30))
    settings = ("ASHA.grace_period=3",)
    assert looks(settings=settings, experiment={"n_workers": 2}, start_seed=4).interrupted
    again = Looks()
    again(pairs=(), most=None)
    for plan in again.watcher.plans:
        study = plan.plans[-1].study
        assert (study.settings, study.experiment.n_workers, study.start_seed) == (settings, 2, 4)
    assert min(seed for _, _, seed in complete(folder / "results")) == 4


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"most": 20}, "--max-seeds"),
        ({"pairs": (("ASHA", "RS"),)}, "--pairs"),
        ({"benchmarks": ("toy",)}, "--benchmark"),
        ({"start_seed": 3}, "--start-seed"),
        ({"experiment": {"n_workers": 3}}, "--n-workers"),
        ({"settings": ("ASHA.grace_period=3",)}, "--set"),
    ],
)
def test_a_design_does_not_change(
    options: dict[str, Any], what: str, folder: Path, whole: tuple[Path, DecisionOutcome, Watcher]
) -> None:
    shutil.copytree(whole[0], folder / "results")
    with pytest.raises(UsageError, match=f"The design of the tag has another {what},"):
        Looks().plan(**options)


def test_another_study_is_refused(folder: Path, whole: tuple[Path, DecisionOutcome, Watcher]) -> None:
    shutil.copytree(whole[0], folder / "results")
    (folder / "other.toml").write_text('summary = "x"\nmethods = ["RS", "ASHA"]\nbenchmarks = ["toy", "toy-2"]\n')
    looks = Looks()
    request = DecisionRequest(LaunchRequest(study="other.toml", tag="t"))
    with pytest.raises(UsageError, match="another --study"):
        plan_decisions(request, looks.registry)
    assert plan_decisions(replace(request, launch=LaunchRequest(study="toys", tag="t")), looks.registry).design.looks


@pytest.mark.parametrize(
    ("request_of", "what"),
    [
        (DecisionRequest(LaunchRequest(), (), 20), "needs pairs"),
        (DecisionRequest(LaunchRequest(), PAIRS), "needs pairs"),
        (DecisionRequest(LaunchRequest(), PAIRS, 0), "--max-seeds is 0"),
        (DecisionRequest(LaunchRequest(), PAIRS, 6), "6 seeds can never decide 2 questions"),
        (DecisionRequest(LaunchRequest(Overrides(methods=("RS",))), PAIRS, 20), "--method does not go"),
        (DecisionRequest(LaunchRequest(Overrides(num_seeds=3)), PAIRS, 20), "--num-seeds does not go"),
        (DecisionRequest(LaunchRequest(new_seed=True), PAIRS, 20), "--new-seed and --allow-mixed"),
        (DecisionRequest(LaunchRequest(allow_mixed=True), PAIRS, 20), "--new-seed and --allow-mixed"),
        (DecisionRequest(LaunchRequest(), (("RS", "ASHE"),), 20), "Unknown method 'ASHE'"),
    ],
)
def test_what_makes_no_sense(request_of: DecisionRequest, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        plan_decisions(request_of, Looks().registry)


@pytest.mark.parametrize("text", ["RS", "RS:", ":RS", "RS:RS", "RS:ASHA:BO", ""])
def test_what_is_no_pair(text: str) -> None:
    with pytest.raises(UsageError, match="--pairs cannot be"):
        parse_pairs([text])


def test_a_pair_twice() -> None:
    assert parse_pairs(["RS:ASHA", " ASHA : BO "]) == (("RS", "ASHA"), ("ASHA", "BO"))
    with pytest.raises(UsageError, match="names ASHA and RS twice"):
        parse_pairs(["RS:ASHA", "ASHA:RS"])


def test_experiments_that_were_there_before_are_said(folder: Path) -> None:
    changes = Overrides(methods=("RS",), benchmarks=("toy",), num_seeds=9)
    launch_here(LaunchRequest(changes, study="toys", tag="t"), Looks().registry)
    assert Looks().plan().design.seen == 9
    assert Looks().plan(start_seed=9).design.seen == 0


def test_what_others_settle_meanwhile_counts(folder: Path) -> None:
    looks = Looks()
    plan = looks.plan()
    keep_design(store(folder), "t", looks.plan(most=20).design)
    with pytest.raises(UsageError, match="Another launch has just fixed other interim analyses for tag t"):
        decide(plan, looks.registry, looks.watcher)
    assert looks.watcher.begun == []


def test_a_design_that_is_damaged(folder: Path) -> None:
    looks = Looks()
    keep_design(store(folder), "t", looks.plan().design)
    file = folder / "results/t/.hpoctl/until-decided.json"
    file.write_text(file.read_text().replace('"start_seed": 0', '"start_seed": 1'))
    with pytest.raises(IncompleteError, match=r"until-decided\.json is damaged"):
        looks.plan()


def test_a_failure_ends_the_launch_and_is_retried_by_the_next() -> None:
    broken = Path("broken")

    def table() -> Any:
        if broken.exists():
            raise RuntimeError("the table is gone")
        return toy_benchmark(budget=100.0).blackbox()

    broken.touch()
    looks = Looks((replace(toy_benchmark(name="fragile", budget=100.0), blackbox=table),))
    failed = looks(benchmarks=("fragile",))
    assert len(failed.failures) == 12
    assert (failed.course.stages, failed.course.next_seeds) == ((), 6)
    broken.unlink()
    assert looks().failures == ()
    assert looks.watcher.stages


def test_unreadable_results_allow_no_interim_analysis(folder: Path) -> None:
    looks = Looks(watcher=Watcher(interrupt_at=25))
    assert looks(benchmarks=("toy",)).interrupted
    looks = Looks()
    directory = next((folder / "results").glob("t/RS/t-toy-2-*"))
    (directory / RESULTS).write_bytes(b"no table")
    metadata = unseal((directory / METADATA).read_bytes())
    metadata |= {"results_sha256": content_hash(b"no table"), "results_bytes": 8}
    (directory / METADATA).write_bytes(seal(metadata))
    with pytest.raises(IncompleteError, match="some cannot be compared: RS:ASHA on toy"):
        looks(pairs=(), most=None)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_experiments_of_another_process_end_the_launch(
    folder: Path, whole: tuple[Path, DecisionOutcome, Watcher]
) -> None:
    root = folder / "results"
    shutil.copytree(whole[0], root)
    cell = Cell("RS", "toy", 3)
    (file,) = [file for file in root.glob(f"t/RS/*/{METADATA}") if file.parent.name.startswith("t-toy-3-")]
    file.write_bytes(seal({**unseal(file.read_bytes()), "status": "running"}))
    (file.parent / RESULTS).unlink()
    with claimed_elsewhere(lambda: LocalClaims(root), claim_key("t", cell)):
        outcome = Looks()()
        assert (outcome.elsewhere, outcome.failures, outcome.interrupted) == (1, (), False)
        assert (outcome.course.stages, outcome.course.next_seeds) == ((), 6)
    assert Looks()() == whole[1]
