"""A searcher of hpoctl with a sampler of Optuna behind it."""

import math

from optuna.samplers import BaseSampler

from hpoctl.core.grounds import Grounds
from hpoctl.core.space import Config, TableSpace
from hpoctl.plugins import MethodContext
from hpoctl.schedulers.random_search import RandomConfigs
from hpoctl.schedulers.searcher import Origin, Suggestion
from hpoctl_optuna.memory import Memory
from hpoctl_optuna.parameters import config, distributions, params

MAX_ASKS = 3
"""How often Optuna is asked for an untried configuration before a random one is tried."""


class OptunaSearcher:
    """Suggests what an Optuna sampler suggests, each configuration once.

    The first configurations are those with which every hpoctl method of the seed begins; the sampler decides once
    enough trials have reported.

    Args:
        context: The space, the random streams, and the largest resource.
        sampler: The sampler.
        n_startup_trials: After so many trials with a report the sampler decides.
    """

    def __init__(self, context: MethodContext, sampler: BaseSampler, n_startup_trials: int) -> None:
        self._space = context.space
        self._max_resource = context.max_resource
        self._n_startup_trials = n_startup_trials
        self._sampler = type(sampler).__name__
        self._configs = RandomConfigs(context.space, context.streams)
        self._memory = Memory(sampler, distributions(context.space))
        self._numbers: dict[int, int] = {}
        self._reported: set[int] = set()
        self._complete: set[int] = set()  # those of them that have reported their final value
        self._failed = 0
        self._notes: dict[int, str] = {}

    def suggest(self, trial_id: int) -> Suggestion | None:
        """A configuration that was not tried; None: the space is exhausted."""
        if len(self._reported) < self._n_startup_trials:
            self._notes[trial_id] = (
                f"trials that had reported: {len(self._reported)} of the {self._n_startup_trials} after which Optuna's "
                f"{self._sampler} takes over"
            )
            return self._random(trial_id, "initial")
        if len(self._numbers) == self._space.size:
            return None
        told = self._told()
        asked = self._asked(trial_id)
        if asked is not None:
            self._notes[trial_id] = f"suggested by Optuna's {self._sampler}, which {told}"
            return asked
        self._notes[trial_id] = (
            f"Optuna's {self._sampler} suggested only configurations that were tried, {MAX_ASKS} times; it {told}"
        )
        return self._random(trial_id, "random")

    def pending(self, trial_id: int, resource: int) -> None:
        """Optuna's trial runs from the start of the trial to its first report; there is nothing to do."""

    def observe(self, trial_id: int, resource: int, value: float) -> None:
        """A trial has reported. One that diverged is told as +inf, which Optuna ranks behind all others."""
        number = self._numbers[trial_id]
        self._reported.add(trial_id)
        value = value if math.isfinite(value) else math.inf
        if self._max_resource is None or resource >= self._max_resource:
            self._complete.add(trial_id)
            self._memory.finish(number, value)
        else:
            self._memory.stand(number, resource, value)

    def ended(self, trial_id: int) -> None:
        """A trial has left its worker; without a report it has failed."""
        if trial_id not in self._reported:
            self._failed += 1
            self._memory.fail(self._numbers[trial_id])

    def explain(self, trial_id: int) -> Grounds:
        """Which sampler chose the configuration of a trial, and what it had been told by then."""
        note = self._notes.get(trial_id)
        return Grounds(notes=() if note is None else (note,))

    def _told(self) -> str:
        """What the sampler knows now."""
        complete, below = len(self._complete), len(self._reported) - len(self._complete)
        waiting = len(self._numbers) - len(self._reported) - self._failed
        rungs = f", {below} with a value at a lower level" if below else ""
        failed = f", {self._failed} failed" if self._failed else ""
        return f"knew {len(self._numbers)} trials: {complete} complete{rungs}, {waiting} yet to report{failed}"

    def _random(self, trial_id: int, origin: Origin) -> Suggestion | None:
        drawn = self._configs.draw()
        if drawn is None:
            return None
        self._numbers[trial_id] = self._memory.run(params(self._space, drawn))
        return Suggestion(drawn, origin)

    def _asked(self, trial_id: int) -> Suggestion | None:
        """What the sampler suggests; None: it keeps suggesting what was tried."""
        for _ in range(MAX_ASKS):
            trial = self._memory.ask()
            wanted = self._snapped(config(self._space, trial.params))
            if not self._configs.use(wanted):
                self._memory.fail(trial.number)
                continue
            tried = params(self._space, wanted)
            # Optuna learns from the tried configuration, even if it differs from its suggestion.
            self._numbers[trial_id] = (
                trial.number if tried == trial.params else self._memory.run(tried, instead_of=trial)
            )
            return Suggestion(wanted, "model")
        return None

    def _snapped(self, wanted: Config) -> Config:
        """The configuration; in a table the nearest one that was not tried."""
        if not isinstance(self._space, TableSpace):
            return wanted
        rows = self._space.near(self._space.around().units(wanted), len(self._numbers) + 1)
        near = [self._space.at(row) for row in rows]
        return next((found for found in near if not self._configs.is_used(found)), near[0])
