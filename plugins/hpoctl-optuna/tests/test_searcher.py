"""What Optuna is asked and told, seen through a sampler that notes it."""

import math
from dataclasses import dataclass, field

import optuna
import pytest
from optuna.samplers import BaseSampler
from optuna.trial import TrialState

from hpoctl.core.entries import Goal, MethodContext
from hpoctl.core.rng import Streams
from hpoctl.core.space import Choice, Config, FinRange, Fixed, Ordinal, Space, TableSpace, Uniform
from hpoctl.schedulers.random_search import RandomConfigs
from hpoctl_optuna.searcher import MAX_ASKS, OptunaSearcher

SPACE = Space({"x": FinRange(0.0, 0.9, 10), "y": Ordinal((1, 10, 100)), "epochs": Fixed(27)})
TOP = 27


@dataclass
class Scripted(BaseSampler):
    """Suggests the parameters of a list in turn, again and again, and notes the trials that it could learn from."""

    script: list[dict]
    asked: int = 0
    seen: list = field(default_factory=list)

    def infer_relative_search_space(self, study, trial):
        return {}

    def sample_relative(self, study, trial, search_space):
        self.seen = [other for other in study.get_trials(deepcopy=False) if other.number != trial.number]
        self.asked += 1
        study._storage.set_trial_system_attr(trial._trial_id, "scripted:note", self.asked)
        return {}

    def sample_independent(self, study, trial, name, distribution):
        return self.script[(self.asked - 1) % len(self.script)][name]


def make(script, space=SPACE, startup=1, seed=0):
    sampler = Scripted(script)
    context = MethodContext(space, Goal(0, 1.0), TOP, Streams(7, seed))
    return OptunaSearcher(context, sampler, startup), sampler


def start(searcher, trial_id):
    suggestion = searcher.suggest(trial_id)
    searcher.pending(trial_id, TOP)
    return suggestion


def states(sampler):
    return [trial.state for trial in sampler.seen if trial.state is not TrialState.FAIL]


@pytest.mark.parametrize("seed", [0, 1])
def test_the_first_configurations_are_those_of_all_methods_of_the_seed(seed):
    searcher, sampler = make([{"x": 0, "y": 0}], startup=3, seed=seed)
    expected = RandomConfigs(SPACE, Streams(7, seed))
    for trial_id in range(5):  # no report yet: it continues
        suggestion = start(searcher, trial_id)
        assert suggestion.config == expected.draw()
        assert suggestion.origin == "initial"
    for trial_id in range(3):
        searcher.observe(trial_id, TOP, 1.0)
        searcher.ended(trial_id)
    assert sampler.asked == 0
    assert start(searcher, 5).origin == "model"
    told = [(trial.params, trial.state) for trial in sampler.seen]
    assert told[0] == ({"x": 5, "y": 1}, TrialState.COMPLETE)  # the middle of the space
    assert [state for _, state in told] == [TrialState.COMPLETE] * 3 + [TrialState.RUNNING] * 2


def test_what_the_sampler_suggests_is_tried_and_its_value_is_told():
    searcher, sampler = make([{"x": 3, "y": 2}, {"x": 4, "y": 2}])
    start(searcher, 0)
    searcher.observe(0, TOP, 1.0)
    assert start(searcher, 1).config == {"x": 0.3, "y": 100, "epochs": 27}
    searcher.observe(1, TOP, 0.25)
    searcher.ended(1)
    start(searcher, 2)
    assert (sampler.seen[-1].params, sampler.seen[-1].value) == ({"x": 3, "y": 2}, 0.25)


def test_repeated_suggestions_give_way_to_random_configurations():
    searcher, sampler = make([{"x": 3, "y": 2}])
    start(searcher, 0)
    searcher.observe(0, TOP, 1.0)
    assert start(searcher, 1).origin == "model"
    before = sampler.asked
    suggestion = start(searcher, 2)
    assert (suggestion.origin, sampler.asked - before) == ("random", MAX_ASKS)
    start(searcher, 3)
    assert states(sampler) == [TrialState.COMPLETE] + [TrialState.RUNNING] * 2
    assert sampler.seen[-1].state is TrialState.FAIL  # the repetition


def test_every_configuration_comes_once_and_then_none():
    searcher, _ = make([{"x": 3, "y": 2}])
    seen = set()
    for trial_id in range(30):
        seen.add(SPACE.key(start(searcher, trial_id).config))
        searcher.observe(trial_id, TOP, 1.0)
        searcher.ended(trial_id)
    assert len(seen) == 30
    assert searcher.suggest(30) is None


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_diverged_trial_is_worse_than_all_others(bad):
    searcher, sampler = make([{"x": 3, "y": 2}])
    start(searcher, 0)
    searcher.observe(0, TOP, bad)
    searcher.ended(0)
    start(searcher, 1)
    assert (sampler.seen[0].state, sampler.seen[0].value) == (TrialState.COMPLETE, math.inf)


def test_a_trial_that_failed_teaches_nothing():
    searcher, sampler = make([{"x": 3, "y": 2}])
    start(searcher, 0)
    start(searcher, 1)
    searcher.ended(1)
    searcher.observe(0, TOP, 1.0)
    start(searcher, 2)
    assert (sampler.seen[1].state, sampler.seen[1].value) == (TrialState.FAIL, None)


def test_a_trial_at_a_rung_is_pruned_until_it_goes_on():
    searcher, sampler = make([{"x": place, "y": 2} for place in range(10)])
    start(searcher, 0)
    searcher.observe(0, 1, 0.9)
    searcher.ended(0)
    start(searcher, 1)
    assert (sampler.seen[0].state, sampler.seen[0].intermediate_values) == (TrialState.PRUNED, {1: 0.9})
    searcher.pending(0, 3)  # promoted
    start(searcher, 2)
    assert sampler.seen[0].intermediate_values == {1: 0.9}
    searcher.observe(0, 3, math.nan)
    searcher.ended(0)
    start(searcher, 3)
    assert sampler.seen[0].intermediate_values == {1: 0.9, 3: math.inf}
    searcher.observe(0, TOP, 0.5)
    searcher.ended(0)
    start(searcher, 4)
    assert (sampler.seen[0].state, sampler.seen[0].value) == (TrialState.COMPLETE, 0.5)
    assert states(sampler) == [TrialState.COMPLETE] + [TrialState.RUNNING] * 3


def test_a_promoted_trial_that_fails_keeps_its_value():
    searcher, sampler = make([{"x": 3, "y": 2}])
    start(searcher, 0)
    searcher.observe(0, 1, 0.9)
    searcher.ended(0)
    searcher.pending(0, 3)
    searcher.ended(0)
    start(searcher, 1)
    assert (sampler.seen[0].state, sampler.seen[0].intermediate_values) == (TrialState.PRUNED, {1: 0.9})


def test_what_the_sampler_knew_is_told():
    searcher, _ = make([{"x": 3, "y": 2}, {"x": 4, "y": 2}, {"x": 3, "y": 2}, {"x": 3, "y": 2}, {"x": 3, "y": 2}])
    for trial_id in range(4):
        start(searcher, trial_id)
    assert searcher.explain(0).notes == (
        "trials that had reported: 0 of the 1 after which Optuna's Scripted takes over",
    )
    searcher.observe(0, TOP, 1.0)
    searcher.observe(1, 3, 2.0)
    searcher.ended(2)  # without a report
    assert start(searcher, 4).origin == "model"
    knew = "knew 4 trials: 1 complete, 1 with a value at a lower level, 1 yet to report, 1 failed"
    assert searcher.explain(4).notes == (f"suggested by Optuna's Scripted, which {knew}",)
    start(searcher, 5)
    searcher.observe(4, TOP, 1.0)
    assert start(searcher, 6).origin == "random"
    (note,) = searcher.explain(6).notes
    assert note.startswith("Optuna's Scripted suggested only configurations that were tried, 3 times; it knew 6 trials")
    assert searcher.explain(9).notes == ()


def test_in_a_table_the_nearest_fresh_row_is_tried_and_told():
    around = Space({"x": Uniform(0.0, 1.0), "y": Choice(("a", "b")), "epochs": Fixed(27)})
    pairs = [(0.5, "a"), (0.1, "a"), (0.2, "a"), (0.1, "b"), (0.9, "b")]
    rows: list[Config] = [{"x": x, "y": y, "epochs": 27} for x, y in pairs]
    searcher, sampler = make([{"x": 0.11, "y": "a"}], TableSpace.of(around, rows))
    assert start(searcher, 0).config == rows[0]
    searcher.observe(0, TOP, 1.0)
    order = [start(searcher, trial_id) for trial_id in range(1, 5)]
    assert [suggestion.config for suggestion in order] == rows[1:]
    assert {suggestion.origin for suggestion in order} == {"model"}
    assert sampler.asked == 4
    running = [trial for trial in sampler.seen if trial.state is TrialState.RUNNING]
    assert [trial.params for trial in running] == [{"x": 0.1, "y": "a"}, {"x": 0.2, "y": "a"}, {"x": 0.1, "y": "b"}]
    # What the sampler has noted about its suggestion goes along.
    assert [trial.system_attrs["scripted:note"] for trial in running] == [1, 2, 3]
    assert searcher.suggest(5) is None


def test_optuna_is_quiet_and_its_settings_stay(capfd):
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.INFO)
    try:
        searcher, _ = make([{"x": 3, "y": 2}])
        for trial_id in range(4):
            start(searcher, trial_id)
            searcher.observe(trial_id, TOP, math.inf)
        assert optuna.logging.get_verbosity() == optuna.logging.INFO
    finally:
        optuna.logging.set_verbosity(before)
    assert capfd.readouterr() == ("", "")
