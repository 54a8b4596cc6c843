"""The contract of a method finds what it says it finds."""

import math
import random
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hpoctl.core.entries import Method, MethodContext
from hpoctl.core.options import NoOptions
from hpoctl.core.protocols import Outcome, Scheduler
from hpoctl.core.space import Space, TableSpace
from hpoctl.schedulers.options import SyncHyperbandOptions
from hpoctl.schedulers.random_search import RandomConfigs, RandomSearcher
from hpoctl.schedulers.searcher import Suggestion
from hpoctl.schedulers.single_fidelity import SingleFidelity
from hpoctl.schedulers.sync_hyperband import SyncHyperband
from hpoctl.testing import ContractError, check_method


class Searcher(RandomSearcher):
    """Random search that can be broken."""

    def __init__(self, context: MethodContext) -> None:
        super().__init__(RandomConfigs(context.space, context.streams))
        self.context = context


class DrawsGlobally(Searcher):
    def suggest(self, trial_id: int) -> Suggestion | None:
        np.random.random()  # noqa: NPY002 - what is to be found
        return super().suggest(trial_id)


class Repeats(Searcher):
    def suggest(self, trial_id: int) -> Suggestion | None:
        return Suggestion(self.context.space.middle(), "random") if trial_id % 7 == 6 else super().suggest(trial_id)


class IsNotReproducible(Searcher):
    def suggest(self, trial_id: int) -> Suggestion | None:
        skipped = super().suggest(trial_id) if trial_id and random.random() < 0.5 else None
        return super().suggest(trial_id) or skipped


class PrefersLarge(Searcher):
    """Stops for good after a value below zero, which a maximised metric is."""

    def __init__(self, context: MethodContext) -> None:
        super().__init__(context)
        self.over = False

    def observe(self, trial_id: int, resource: int, value: float) -> None:
        self.over |= self.context.goal.sign < 0

    def suggest(self, trial_id: int) -> Suggestion | None:
        return None if self.over else super().suggest(trial_id)


class RefusesNan(Searcher):
    def observe(self, trial_id: int, resource: int, value: float) -> None:
        if math.isnan(value):
            raise ValueError("a NaN")


class WarnsOfConstants(Searcher):
    def __init__(self, context: MethodContext) -> None:
        super().__init__(context)
        self.values: list[float] = []

    def observe(self, trial_id: int, resource: int, value: float) -> None:
        self.values.append(value)
        if len(self.values) > 3 and len(set(self.values)) == 1 and math.isfinite(value):
            warnings.warn("no spread", RuntimeWarning, stacklevel=1)


class GivesUpEarly(Searcher):
    def suggest(self, trial_id: int) -> Suggestion | None:
        return super().suggest(trial_id) if trial_id < 1000 else None


class LeavesSomeOut(Searcher):
    def suggest(self, trial_id: int) -> Suggestion | None:
        size = self.context.space.size
        return None if trial_id + 1 == size else super().suggest(trial_id)


class MakesUpConfigurations(Searcher):
    """After ten trials, as if it had a model then, it takes points of the box around a table."""

    def suggest(self, trial_id: int) -> Suggestion | None:
        found = super().suggest(trial_id)
        space = self.context.space
        if found is None or trial_id < 10 or not isinstance(space, TableSpace):
            return found
        (config,) = Space.configs(space, space.units(found.config)[None, :] * 0.5)
        return replace(found, config=config)


class WaitsForFailedTrials(SyncHyperband):
    def on_end(self, trial_id: int, outcome: Outcome) -> None:
        if outcome is not Outcome.FAILED:
            super().on_end(trial_id, outcome)


def method(searcher: Any) -> Method:
    def make(context: MethodContext, options: NoOptions) -> Scheduler:
        return SingleFidelity(searcher(context), context)

    return Method("BROKEN", "A broken method", "broken", make, NoOptions())


@pytest.mark.parametrize(
    ("searcher", "what"),
    [
        (DrawsGlobally, "global generator"),
        (Repeats, "tried a configuration twice"),
        (IsNotReproducible, "the same seed gives other results"),
        (PrefersLarge, "maximising"),
        (
            MakesUpConfigurations,
            "on a table of 300 configurations: it raised UsageError: BROKEN suggested what toy does not have: The",
        ),
        (RefusesNan, "when metrics are NaN at times: it raised ValueError: a NaN"),
        (WarnsOfConstants, "when metrics are constant: it raised RuntimeWarning: no spread"),
        (LeavesSomeOut, r"in a space of one point: it tried 0 of 1"),
        (GivesUpEarly, "with many trials: it gave up after 1000 trials"),
    ],
)
def test_a_broken_method_is_found(searcher: Any, what: str) -> None:
    with pytest.raises(ContractError, match=what):
        check_method(method(searcher))


def test_a_scheduler_that_waits_for_failed_trials_is_found() -> None:
    def make(context: MethodContext, options: SyncHyperbandOptions) -> Scheduler:
        return WaitsForFailedTrials(Searcher(context), context, options)

    broken = Method("BROKEN", "A broken method", "broken", make, SyncHyperbandOptions(brackets=1))
    with pytest.raises(ContractError, match="when trials fail: no trial reached the largest resource"):
        check_method(broken)


def test_fewer_trials_may_be_asked_for() -> None:
    check_method(method(GivesUpEarly), trials=500)
    check_method(method(Searcher))
