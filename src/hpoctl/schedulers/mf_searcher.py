"""The searcher of MOBSTER: a Gaussian process over configurations and resource levels (Klein et al. 2020)."""

from collections import deque
from dataclasses import replace

import numpy as np

from hpoctl.core.entries import MethodContext
from hpoctl.core.grounds import Grounds, ModelChoice
from hpoctl.core.protocols import FloatArray, IntArray
from hpoctl.core.space import Config
from hpoctl.gp.acquisition import DECIMALS, pick
from hpoctl.gp.likelihood import Prior, Priors
from hpoctl.gp.multifidelity import joint_inputs, target_level
from hpoctl.schedulers.candidates import Neighbourhood, candidates
from hpoctl.schedulers.observations import Observations
from hpoctl.schedulers.options import MobsterOptions
from hpoctl.schedulers.searcher import Suggestion
from hpoctl.schedulers.surrogate import Surrogate

MAX_DATA = 150
"""Without another wish, the model is conditioned on at most this many values."""

NUM_RANDOM, NUM_BEST, NUM_NEIGHBOURS = 200, 3, 15
"""Random candidates, how many of the best configurations to look around, and 2-exchanges of each of them."""

BATCH_SHARE, MAX_BATCH = 0.04, 100
"""How many suggestions one update of the model serves: a share of the number of trials, and a limit."""

PRIORS = Priors(noise=Prior(-3.0, 1.5, -12.0, 1.0))
"""Early values say less of final ones than values of one level do of one another: more noise is expected."""


class MultiFidelitySearcher:
    """Suggests configurations with a great expected improvement at the highest level that has enough values.

    The model learns from the values at all levels. What counts as best is the smallest predicted value at that level
    among the configurations that were tried. Pending reports are taken to turn out as predicted (kriging believer).
    Every few suggestions one is random: insurance where early values mislead.

    Args:
        context: The space, the random streams, the largest resource, and how many data to use.
        options: See `MobsterOptions`.
    """

    def __init__(self, context: MethodContext, options: MobsterOptions) -> None:
        self._space = context.space
        self._streams = context.streams
        self._max_resource = context.largest
        self._num_initial = options.num_initial
        self._random_every = options.random_every
        self._neighbourhood = Neighbourhood.of(context.space)
        self._observations = Observations(context, MAX_DATA)
        self._model = Surrogate((*context.space.encoded_names, "resource"), PRIORS, context.streams)
        self._batch: deque[tuple[Config, FloatArray, ModelChoice]] = deque()
        self._choices: dict[int, ModelChoice] = {}

    def suggest(self, trial_id: int) -> Suggestion | None:
        """A configuration that was not tried; None: the space is exhausted."""
        count = self._observations.num_trials
        if count < self._num_initial:
            return self._observations.start_random(trial_id, "initial")
        chance = self._random_every > 0 and count % self._random_every == 0
        by_model = self._by_model(trial_id) if self._observations.suffice and not chance else None
        return by_model or self._observations.start_random(trial_id, "random") or self._from_batch(trial_id)

    def pending(self, trial_id: int, resource: int) -> None:
        """A trial will report at a resource level."""
        self._observations.pending(trial_id, resource)

    def observe(self, trial_id: int, resource: int, value: float) -> None:
        """A trial has reported at a rung level or the largest level."""
        self._observations.report(trial_id, resource, value)

    def ended(self, trial_id: int) -> None:
        """A trial has left its worker."""
        self._observations.end(trial_id)

    def explain(self, trial_id: int) -> Grounds:
        """How the model chose the configuration of a trial, if it did."""
        return Grounds(model=self._choices.get(trial_id))

    def _by_model(self, trial_id: int) -> Suggestion | None:
        """The next suggestion of the model; None: all of its candidates were tried."""
        note = "" if self._batch else self._next_batch(trial_id)
        suggestion = self._from_batch(trial_id)
        return suggestion and replace(suggestion, note=note)

    def _from_batch(self, trial_id: int) -> Suggestion | None:
        """Configurations that the model suggested earlier and that no trial has tried."""
        if not self._batch:
            return None
        config, point, self._choices[trial_id] = self._batch.popleft()
        self._observations.start(trial_id, point)
        return Suggestion(config, "model")

    def _next_batch(self, trial_id: int) -> str:
        """Let the model make its next suggestions; returns a note if it was fitted anew."""
        data = self._observations.data()
        level = target_level(self._observations.levels())
        posterior, note = self._model.condition(self._inputs(data.points, data.levels), data)
        tried = data.points[data.distinct]
        means = np.round(posterior.predict_mean(self._inputs_at(tried, level)), DECIMALS)
        best = tried[np.argsort(means, kind="stable")[:NUM_BEST]]
        rng = self._streams.get("candidates", trial_id)
        points = self._observations.fresh(
            candidates(self._space, self._neighbourhood, best, NUM_RANDOM, NUM_NEIGHBOURS, rng)
        )
        waiting, levels = self._observations.waiting()
        inputs = np.concatenate([self._inputs(waiting, levels), self._inputs_at(points, level)])
        count = max(1, min(MAX_BATCH, int(BATCH_SHARE * self._observations.num_trials)))
        predictions = posterior.predict(inputs)
        picked = pick(predictions, float(means.min()), count, len(waiting))
        chosen = points[np.array([found.point for found in picked], dtype=np.int64) - len(waiting)]
        for number, (found, config) in enumerate(zip(picked, self._observations.use(chosen), strict=True)):
            if config is None:
                continue
            choice = ModelChoice(
                data=len(data.values),
                total=data.total,
                pending=len(waiting),
                candidates=len(points),
                log_ei=found.log_ei,
                mean=float(predictions.mean[found.point]),
                sd=found.sd,
                best=found.best,
                level=level,
                chosen=number + 1,
            )
            self._batch.append((config, chosen[number], choice))
        return f"{note}, target level {level}" if note else ""

    def _inputs(self, points: FloatArray, levels: IntArray) -> FloatArray:
        return joint_inputs(self._space.encode(points), levels, self._max_resource)

    def _inputs_at(self, points: FloatArray, level: int) -> FloatArray:
        return self._inputs(points, np.full(len(points), level))
