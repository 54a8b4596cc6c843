"""Bayesian optimization: a Gaussian process over configurations, and log expected improvement (Jones et al. 1998)."""

import math

import numpy as np

from hpoctl.core.entries import MethodContext
from hpoctl.core.grounds import Grounds, ModelChoice
from hpoctl.gp.acquisition import DECIMALS, pick
from hpoctl.gp.likelihood import Prior, Priors
from hpoctl.schedulers.candidates import Neighbourhood, candidates
from hpoctl.schedulers.observations import Observations
from hpoctl.schedulers.options import BoOptions
from hpoctl.schedulers.searcher import Suggestion
from hpoctl.schedulers.surrogate import Surrogate

MAX_DATA = 100
"""Without another wish, the model is conditioned on at most this many values."""

NUM_RANDOM, NUM_BEST, NUM_NEIGHBOURS = 300, 3, 20
"""Random candidates, how many of the best configurations to look around, and 2-exchanges of each of them."""


def priors(d: int) -> Priors:
    """Priors for d inputs: length scales around half the root of d, as distances in a cube grow with the root of d.

    With few values a model with longer ones takes the space for flatter than it is. (A prior that grows with the root
    of d: Hvarfner, Hellsten and Nardi 2024, "Vanilla Bayesian Optimization Performs Great in High Dimensions".)
    """
    return Priors(length_scale=Prior(math.log(0.5 * math.sqrt(max(d, 1))), 1.0, -4.0, 4.0))


class GpSearcher:
    """Suggests the configuration with the greatest expected improvement on the best one so far.

    What counts as best is the smallest predicted value among the configurations that were tried: a single lucky
    value does not. Pending trials are taken to turn out as predicted (kriging believer).

    Args:
        context: The space, the random streams, and how many data to use.
        options: See `BoOptions`.
    """

    def __init__(self, context: MethodContext, options: BoOptions) -> None:
        self._space = context.space
        self._streams = context.streams
        self._num_initial = options.num_initial
        self._neighbourhood = Neighbourhood.of(context.space)
        self._observations = Observations(context, MAX_DATA)
        names = context.space.encoded_names
        self._model = Surrogate(names, priors(len(names)), context.streams)
        self._choices: dict[int, ModelChoice] = {}

    def suggest(self, trial_id: int) -> Suggestion | None:
        """A configuration that was not tried; None: the space is exhausted."""
        if self._observations.num_trials < self._num_initial:
            return self._observations.start_random(trial_id, "initial")
        by_model = self._by_model(trial_id) if self._observations.suffice else None
        return by_model or self._observations.start_random(trial_id, "random")

    def pending(self, trial_id: int, resource: int) -> None:
        """A trial will report its final value."""
        self._observations.pending(trial_id, resource)

    def observe(self, trial_id: int, resource: int, value: float) -> None:
        """A trial has reported its final value."""
        self._observations.report(trial_id, resource, value)

    def ended(self, trial_id: int) -> None:
        """A trial has left its worker."""
        self._observations.end(trial_id)

    def explain(self, trial_id: int) -> Grounds:
        """How the model chose the configuration of a trial, if it did."""
        return Grounds(model=self._choices.get(trial_id))

    def _by_model(self, trial_id: int) -> Suggestion | None:
        """What the model suggests; None: all of its candidates were tried."""
        data = self._observations.data()
        posterior, note = self._model.condition(self._space.encode(data.points), data)
        means = np.round(posterior.fitted(), DECIMALS)
        best = data.points[np.argsort(means, kind="stable")[:NUM_BEST]]
        rng = self._streams.get("candidates", trial_id)
        points = self._observations.fresh(
            candidates(self._space, self._neighbourhood, best, NUM_RANDOM, NUM_NEIGHBOURS, rng)
        )
        waiting, _ = self._observations.waiting()
        predictions = posterior.predict(self._space.encode(np.concatenate([waiting, points])))
        picked = pick(predictions, float(means.min()), 1, len(waiting))
        if not picked:
            return None
        place, log_ei, sd, best_mean = picked[0]
        point = points[place - len(waiting)]
        (config,) = self._observations.use(point[np.newaxis])
        if config is None:
            return None
        self._observations.start(trial_id, point)
        self._choices[trial_id] = ModelChoice(
            data=len(data.values),
            total=data.total,
            pending=len(waiting),
            candidates=len(points),
            log_ei=log_ei,
            mean=float(predictions.mean[place]),
            sd=sd,
            best=best_mean,
        )
        return Suggestion(config, "model", note)
