"""ASHA against a brute-force oracle on random streams with ties and NaN, and its stopping type by hand."""

import math
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.core.protocols import Action, Decision, Outcome, Resume, Start
from hpoctl.core.space import LogUniform, Space, Uniform
from hpoctl.schedulers.asha import Asha
from hpoctl.schedulers.options import AshaOptions
from hpoctl.schedulers.random_search import RandomConfigs, RandomSearcher
from support import context, report

SPACE = Space({"x": Uniform(0.0, 1.0), "y": LogUniform(1e-4, 1.0)})
LEVELS = {1: 3, 3: 9, 9: 27}


def asha(options: AshaOptions, *, sign: float = 1.0, seed: int = 0) -> Asha:
    made = context(SPACE, sign=sign, seed=seed)
    return Asha(RandomSearcher(RandomConfigs(SPACE, made.streams)), made, options)


class Oracle:
    """Promotion by its definition, with exact fractions and no clever data structure."""

    def __init__(self) -> None:
        self.entries: dict[int, list[tuple[int, float]]] = {level: [] for level in LEVELS}
        self.promoted: set[tuple[int, int]] = set()
        self.paused: set[int] = set()

    def promotion(self) -> tuple[int, int] | None:
        for level in sorted(LEVELS, reverse=True):
            entries = self.entries[level]
            cutoff = self.cutoff([value for _, value in entries], Fraction(level, LEVELS[level]))
            waiting = [
                (value, order, trial)
                for order, (trial, value) in enumerate(entries)
                if trial in self.paused and (level, trial) not in self.promoted and math.isfinite(value)
            ]
            if cutoff is not None and waiting:
                value, _, trial = min(waiting)
                if value <= cutoff:
                    return level, trial
        return None

    @staticmethod
    def cutoff(values: list[float], quantile: Fraction) -> Fraction | float | None:
        if len(values) < 2:
            return None
        ordered = sorted(value if math.isfinite(value) else math.inf for value in values)
        place = quantile * (len(values) - 1)
        low, share = ordered[int(place)], place - int(place)
        if share == 0 or math.isinf(low):
            return low
        high = ordered[int(place) + 1]
        return math.inf if math.isinf(high) else Fraction(low) + share * (Fraction(high) - Fraction(low))


VALUES = st.one_of(st.integers(0, 4).map(lambda n: n / 4), st.floats(0, 1), st.just(math.nan), st.just(math.inf))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 7), VALUES, st.booleans()), min_size=1, max_size=80),
    st.sampled_from([1.0, -1.0]),
)
def test_promotions_are_those_of_the_oracle(stream: list[tuple[int, float, bool]], sign: float) -> None:
    """Up to 8 workers; several may become free before the next one asks, so that several rungs have candidates."""
    scheduler, oracle = asha(AshaOptions(), sign=sign), Oracle()
    running: list[tuple[int, int]] = []
    new_trial = 0
    for choice, value, refill in stream:
        while len(running) < 8 and (refill or not running):
            expected = oracle.promotion()
            step = scheduler.suggest(new_trial)
            if expected is None:
                assert isinstance(step, Start)
                assert step.until == 1
                running.append((new_trial, 1))
                new_trial += 1
            else:
                level, trial = expected
                assert isinstance(step, Resume)
                assert (step.trial_id, step.until) == (trial, LEVELS[level])
                oracle.promoted.add((level, trial))
                oracle.paused.discard(trial)
                running.append((trial, LEVELS[level]))
        trial, level = running.pop(choice % len(running))
        decision = scheduler.on_report(report(trial, level, sign * value))
        if level == 27:
            assert decision.action is Action.STOP
            scheduler.on_end(trial, Outcome.COMPLETED)
        else:
            assert decision.action is Action.PAUSE
            oracle.entries[level].append((trial, value))
            scheduler.on_end(trial, Outcome.PAUSED)
            oracle.paused.add(trial)
    counts = [(state.level, state.entries) for state in scheduler.rungs()]
    assert counts == [(level, len(oracle.entries[level])) for level in sorted(LEVELS, reverse=True)]


def test_rungs_are_scanned_from_the_top() -> None:
    scheduler = asha(AshaOptions())

    def reach(level: int, values: dict[int, float]) -> None:
        for trial, value in values.items():
            scheduler.on_report(report(trial, level, value))
            scheduler.on_end(trial, Outcome.PAUSED)

    def suggested(count: int, first_id: int) -> list[tuple[int, int | None]]:
        steps = [scheduler.suggest(trial) for trial in range(first_id, first_id + count)]
        return [(step.trial_id, step.until) for step in steps if isinstance(step, Resume)]

    assert suggested(6, 0) == []
    reach(1, {0: 0.1, 1: 0.2, 2: 0.3, 3: 0.4, 4: 0.5, 5: 0.6})
    assert suggested(2, 6) == [(0, 3), (1, 3)]  # cut-off .2667
    assert suggested(3, 6) == []
    reach(1, {6: 0.05, 7: 0.06, 8: 0.07})  # cut-off .09: all three may continue
    reach(3, {0: 0.04, 1: 0.03})  # cut-off .0333: trial 1 may
    assert suggested(4, 9) == [(1, 9), (6, 3), (7, 3), (8, 3)]


def test_stopping_type_by_hand() -> None:
    scheduler = asha(AshaOptions(type="stopping"))
    for trial in range(5):
        step = scheduler.suggest(trial)
        assert isinstance(step, Start)
        assert step.until == 1
    first = scheduler.on_report(report(0, 1, 0.5))
    assert (first.action, first.until) == (Action.CONTINUE, 3)  # a single entry continues
    assert scheduler.on_report(report(1, 1, 0.6)).action is Action.STOP  # cut-off .5333
    assert scheduler.on_report(report(2, 1, 0.5)).action is Action.CONTINUE  # ties continue
    assert scheduler.on_report(report(3, 1, math.nan)).action is Action.STOP
    assert scheduler.on_report(report(4, 1, 0.1)).action is Action.CONTINUE
    last = scheduler.on_report(report(0, 3, 0.4))
    assert (last.action, last.until) == (Action.CONTINUE, 9)
    assert [state.entries for state in scheduler.rungs()] == [0, 1, 5]


def test_a_report_between_levels_goes_on_and_counts_nowhere() -> None:
    scheduler = asha(AshaOptions(grace_period=3))
    scheduler.suggest(0)
    decision = scheduler.on_report(report(0, 1, 0.5))
    assert (decision.action, decision.until) == (Action.CONTINUE, 3)
    assert all(state.entries == 0 for state in scheduler.rungs())


def test_a_trial_that_has_passed_its_level_enters_that_rung_where_it_is() -> None:
    scheduler = asha(AshaOptions())
    for trial in range(3):
        scheduler.suggest(trial)
    for trial, resource in enumerate((2, 1, 4)):  # the third one has passed the rungs at 1 and at 3
        decision = scheduler.on_report(report(trial, resource, 0.1 * (trial + 1)))
        assert (decision.action, decision.reason) == (Action.PAUSE, "waits at level 1")
        scheduler.on_end(trial, Outcome.PAUSED)
    assert [(rung.level, rung.entries) for rung in scheduler.rungs()] == [(9, 0), (3, 0), (1, 3)]
    step = scheduler.suggest(3)
    assert isinstance(step, Resume)
    assert (step.trial_id, step.until) == (0, 3)  # the first level above 2
    assert scheduler.on_report(report(0, 10, 0.05)).reason == "waits at level 3"


def test_a_trial_is_sent_to_a_level_above_where_it_is() -> None:
    scheduler = asha(AshaOptions(type="stopping"))
    scheduler.suggest(0)
    decision = scheduler.on_report(report(0, 4, 0.5))
    assert (decision.action, decision.until) == (Action.CONTINUE, 9)
    assert scheduler.on_report(report(0, 99, 0.4)) == Decision(Action.STOP, "reached 27")


def test_a_failed_trial_is_never_promoted() -> None:
    scheduler = asha(AshaOptions())
    for trial, value in enumerate([0.1, 0.2, 0.3, 0.4]):
        scheduler.suggest(trial)
        scheduler.on_report(report(trial, 1, value))
        scheduler.on_end(trial, Outcome.FAILED if trial == 0 else Outcome.PAUSED)
    step = scheduler.suggest(4)
    assert isinstance(step, Resume)
    assert step.trial_id == 1


def test_brackets_are_drawn_by_their_weights_and_by_trial() -> None:
    one, two = (asha(AshaOptions(brackets=3), seed=5) for _ in range(2))
    firsts = [one.suggest(trial) for trial in range(3000)]
    assert [step.until for step in firsts if step] == [step.until for step in map(two.suggest, range(3000)) if step]
    counts = Counter(step.until for step in firsts if isinstance(step, Start))
    weights = {1: 1.0, 3: 4 / 9, 9: 4 / 18}
    for level, weight in weights.items():
        assert counts[level] / 3000 == pytest.approx(weight / sum(weights.values()), abs=0.03)


@pytest.mark.parametrize(("sign", "comparison"), [(1.0, "0.25 <= 0.416667"), (-1.0, "0.75 >= 0.583333")])
def test_the_reason_of_a_promotion_shows_the_metric_itself(sign: float, comparison: str) -> None:
    scheduler = asha(AshaOptions(), sign=sign)
    for trial_id in range(3):
        scheduler.suggest(trial_id)
    for trial_id, value in enumerate((0.25, 0.5, 0.75)):
        scheduler.on_report(report(trial_id, 1, value))
        scheduler.on_end(trial_id, Outcome.PAUSED)
    step = scheduler.suggest(3)
    assert isinstance(step, Resume)
    assert step.reason == f"level 1: {comparison}, 3 entries"


@pytest.mark.parametrize(("sign", "side"), [(1.0, "above"), (-1.0, "below")])
def test_the_reason_of_a_stop_says_on_which_side_of_the_cut_off_the_metric_is(sign: float, side: str) -> None:
    scheduler = asha(AshaOptions(type="stopping"), sign=sign)
    for trial_id in range(2):
        scheduler.suggest(trial_id)
    scheduler.on_report(report(0, 1, 0.5))
    stop = scheduler.on_report(report(1, 1, 0.5 + 0.1 * sign))
    assert (stop.action, stop.reason) == (Action.STOP, f"{side} the cut-off at level 1")
    scheduler.suggest(2)
    other = {"above": "below", "below": "above"}[side]
    assert scheduler.on_report(report(2, 1, 0.5)).reason == f"at or {other} the cut-off at level 1"
