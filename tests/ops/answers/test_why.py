"""Why a trial was promoted, paused, stopped or passed over: ASHA by hand, and every built-in method run again."""

import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hpoctl import builtins
from hpoctl.builtins import ASHA, RS
from hpoctl.core.cells import METADATA, SUGGESTIONS, Filters
from hpoctl.core.clock import SystemTime
from hpoctl.core.entries import Benchmark, Goal, MethodContext
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.options import NoOptions
from hpoctl.core.protocols import Action, Ended, Outcome, Resume, Scheduler, Start
from hpoctl.core.sealed import seal, unseal
from hpoctl.core.settings import Settings
from hpoctl.engine.experiment import run_experiment
from hpoctl.engine.metadata import Provenance
from hpoctl.engine.rows import RowLog
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.ops.answers.why import Why, find_experiment, why
from hpoctl.ops.answers.witness import Witness
from hpoctl.ops.studies.config import Root, open_root
from hpoctl.plugins import Registry, hookimpl, load_registry
from hpoctl.schedulers.asha import Asha
from hpoctl.schedulers.options import AshaOptions
from hpoctl.schedulers.random_search import RandomConfigs, RandomSearcher
from hpoctl.testing.hard_cases import Nobody
from hpoctl.testing.toys import toy_benchmark, toy_script_benchmark, toy_space
from support import context, report
from training_scripts import script

METHODS = list(builtins.hpoctl_methods())
PROVENANCE = Provenance({"hpoctl": "0"}, None, "hpoctl run")


def asha(made: MethodContext, options: object) -> Scheduler:
    return Asha(RandomSearcher(RandomConfigs(made.space, made.streams)), made, AshaOptions())


class OneWorker:
    """A worker that the test is: it trains what the scheduler wants and reports what the test says."""

    def __init__(self, watched: int, sign: float) -> None:
        goal = Goal(0, sign)
        self.witness, self.sign, self.now, self.new = Witness(watched, goal), sign, 0.0, 0
        method = self.witness.follows(replace(ASHA, make=asha, options=NoOptions()))
        self.scheduler = method.make(context(sign=sign), NoOptions())
        self.log = RowLog(goal, 1, 27)

    def train(self, value: float) -> tuple[str, int]:
        """One stay of a trial on the worker; returns what the scheduler wanted, and of which trial."""
        step = self.scheduler.suggest(self.new)
        assert step is not None
        assert step.until is not None
        trial = step.trial_id if isinstance(step, Resume) else self.new
        self.new += isinstance(step, Start)
        self.witness.begins(trial, step, self.now)
        self.now += 1.0
        told = report(trial, step.until, self.sign * value, time=self.now)
        decision = self.scheduler.on_report(told)
        self.witness.reports(told, decision, self.log)
        outcome = Outcome.PAUSED if decision.action is Action.PAUSE else Outcome.STOPPED
        self.scheduler.on_end(trial, outcome)
        self.witness.ends(Ended(trial, outcome, self.now))
        return ("resume" if isinstance(step, Resume) else "start"), trial


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_asha_by_hand(sign: float) -> None:
    """Levels 1, 3, 9: a third of each rung continues. Two entries: quantile 1/3 of (.3, .5) is .3667."""
    for watched in (0, 1):
        worker = OneWorker(watched, sign)
        assert worker.train(0.5) == ("start", 0)  # alone at level 1: no cut-off
        assert worker.train(0.3) == ("start", 1)  # (.3, .5): cut-off .3 + .2/3
        assert worker.train(0.2) == ("resume", 1)  # to level 3
        assert worker.train(0.4) == ("start", 2)  # (.3, .4, .5): cut-off .3 + 2/3 of .1
        witness = worker.witness
        witness.close()
        if watched == 0:
            suggested, paused = witness.moments
            assert (suggested.kind, suggested.level, suggested.reason) == ("suggested", 1, "initial")
            assert paused.rank is not None
            assert (paused.kind, paused.level, paused.value) == ("paused", 1, sign * 0.5)
            assert (paused.rank.place, paused.rank.entries, paused.rank.cutoff) == (1, 1, None)
            (wait,) = witness.waits
            assert (wait.level, wait.begin, wait.end) == (1, 1.0, None)
            assert (wait.ahead, wait.new_trials, wait.other_promotions) == ([(2.0, 1, sign * 0.3)], 2, 0)
            assert wait.rank is not None
            assert (wait.rank.place, wait.rank.entries) == (3, 3)
            assert wait.rank.ahead == ((1, sign * 0.3), (2, sign * 0.4))
            assert wait.rank.cutoff == pytest.approx(sign * (0.3 + 0.2 / 3))
        else:
            assert [moment.kind for moment in witness.moments] == ["suggested", "paused", "promoted", "paused"]
            promoted, at_3 = witness.moments[2:]
            assert promoted.rank is not None
            assert (promoted.level, promoted.rank.level, promoted.rank.place) == (3, 1, 1)
            assert promoted.rank.cutoff == pytest.approx(sign * (0.3 + 0.2 / 3))
            assert at_3.rank is not None
            assert (at_3.rank.level, at_3.rank.place, at_3.rank.entries) == (3, 1, 1)


class Toys:
    """A plugin with a toy benchmark."""

    @hookimpl
    def hpoctl_benchmarks(self) -> Iterable[Benchmark]:
        return (toy_benchmark(budget=500.0),)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry([builtins, Toys()], ())


def ran(folder: Path, spec: ExperimentSpec) -> Root:
    root = open_root(str(folder / "root"))
    run_experiment(spec, root.store, PROVENANCE, Nobody(), SystemTime())
    return root


def asked(root: Root, trial: int, registry: Registry) -> Why:
    return why(root, find_experiment(root, "docs-2", Filters()), trial, registry)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_method_is_run_again_to_the_same_rows(method, tmp_path: Path, registry: Registry) -> None:
    root = ran(tmp_path, ExperimentSpec("docs-2", method, toy_benchmark(budget=500.0), 0, 7))
    trials = [asked(root, trial, registry) for trial in (0, 1, 8)]
    for answer in trials:
        assert (answer.agrees, answer.source) == (True, "running it again")
        assert answer.moments[0].kind == "suggested"
        assert f"trial {answer.trial_id} " in answer.verdict
        times = [moment.time for moment in answer.moments]
        assert times == sorted(times)
        for moment in answer.moments:
            if moment.rank is not None and moment.rank.place is not None:
                assert len(moment.rank.ahead) == moment.rank.place - 1 < moment.rank.entries
                assert all(value <= moment.rank.value for _, value in moment.rank.ahead)
    by_model = trials[-1].moments[0].model
    if method.name == "BO":
        assert by_model is not None
        assert by_model.data == by_model.total >= 2
        assert by_model.candidates > 0
        assert math.isfinite(by_model.log_ei)
        # The expected improvement of a normal prediction, from the numbers that are shown (Jones et al. 1998, (15)).
        z = (by_model.best - by_model.mean) / by_model.sd
        density, below = math.exp(-z * z / 2) / math.sqrt(2 * math.pi), 0.5 * math.erfc(-z / math.sqrt(2))
        assert by_model.log_ei == pytest.approx(math.log(by_model.sd * (density + z * below)), abs=1e-6)
    elif not method.name.startswith("MOBSTER"):
        assert by_model is None


def test_a_stored_result_that_differs_is_named(tmp_path: Path, registry: Registry) -> None:
    """The metadata say another seed than the one that made the rows: identities fit, rows do not."""
    benchmark = toy_benchmark(budget=500.0)
    root = ran(tmp_path, ExperimentSpec("docs-2", RS, benchmark, 0, 7))
    found = find_experiment(root, "docs-2", Filters())
    forged = {**found.metadata.determined_by, "seeds": {"master_seed": 7, "seed": 1}}
    name = f"{found.attempt.directory}/{METADATA}"
    root.store.put(name, seal({**unseal(root.store.get(name)), "seed": 1, "determinants": forged}))
    answer = asked(root, 3, registry)
    assert answer.agrees is False
    assert "DIFFER" in answer.check


class Late:
    """A clock on which every suggestion takes some seconds, never the same."""

    def __init__(self) -> None:
        self.now, self.step = 0.0, 0

    def __call__(self) -> float:
        self.step += 1
        self.now += 0.1 + 7.0 * math.modf(self.step * 0.61803398875)[0]
        return self.now


def test_suggestions_that_cost_what_they_really_took(tmp_path: Path, registry: Registry) -> None:
    """The times are recorded beside the results, so that the experiment can be run again as it was."""
    settings = Settings(decision_time="measured")
    spec = ExperimentSpec("docs-2", ASHA, toy_benchmark(budget=500.0), 0, 7, settings)
    root = open_root(str(tmp_path / "root"))
    told = run_experiment(spec, root.store, PROVENANCE, Nobody(), SystemTime(monotonic=Late()))
    assert told.rows > 20
    answer = asked(root, 3, registry)
    assert (answer.agrees, answer.source) == (True, "running it again")
    name = f"{told.directory}/{SUGGESTIONS}"
    root.store.put(name, b"nonsense")
    with pytest.raises(IncompleteError, match=r"suggestions\.parquet cannot be read"):
        asked(root, 3, registry)
    root.store.delete(name)
    with pytest.raises(IncompleteError, match=r"cost the time that they really took, and these times are not known"):
        asked(root, 3, registry)


def test_other_experiments_record_no_times(tmp_path: Path) -> None:
    root = ran(tmp_path, ExperimentSpec("docs-2", RS, toy_benchmark(budget=100.0), 0, 7))
    assert not [name for name in root.store.list("docs-2") if name.endswith(SUGGESTIONS)]


def test_what_has_changed_since_is_named(tmp_path: Path, registry: Registry) -> None:
    benchmark = replace(toy_benchmark(budget=500.0), mode="max")
    root = ran(tmp_path, ExperimentSpec("docs-2", RS, benchmark, 0, 7))
    with pytest.raises(IncompleteError, match="its benchmark has changed since"):
        asked(root, 3, registry)


def test_a_trial_that_is_none(tmp_path: Path, registry: Registry) -> None:
    root = ran(tmp_path, ExperimentSpec("docs-2", RS, toy_benchmark(budget=100.0), 0, 7))
    with pytest.raises(UsageError, match="There is no trial 999"):
        asked(root, 999, registry)
    run_experiment(
        ExperimentSpec("docs-2", RS, toy_benchmark(budget=100.0), 1, 7), root.store, PROVENANCE, Nobody(), SystemTime()
    )
    with pytest.raises(UsageError, match="2 experiments of tag docs-2 match"):
        find_experiment(root, "docs-2", Filters())


def test_a_script_is_told_from_its_journal(tmp_path: Path, registry: Registry) -> None:
    (tmp_path / "script").mkdir()
    made = script(tmp_path / "script")
    benchmark = toy_script_benchmark(toy_space(max_epochs=3), made, name="own")
    spec = ExperimentSpec("docs-2", ASHA, benchmark, 0, 7, Settings(max_num_trials=4))
    root = ran(tmp_path, spec)
    answer = asked(root, 1, registry)
    assert (answer.agrees, answer.source, answer.trials) == (True, "its journal", 4)
    assert answer.moments[0].kind == "suggested"
    assert answer.moments[1].rank is not None
    assert answer.moments[1].rank.level == 1
    assert np.isfinite(answer.moments[1].rank.value)
