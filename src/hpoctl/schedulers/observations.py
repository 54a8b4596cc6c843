"""The data of a model-based searcher: configurations tried, values reported, evaluations pending."""

from array import array
from dataclasses import dataclass

import numpy as np

from hpoctl.core.entries import MethodContext
from hpoctl.core.errors import UsageError
from hpoctl.core.protocols import FloatArray, IntArray
from hpoctl.core.space import Config
from hpoctl.gp.subsets import subset
from hpoctl.schedulers.candidates import Suggested
from hpoctl.schedulers.random_search import RandomConfigs
from hpoctl.schedulers.searcher import Origin, Suggestion

ENOUGH = 2
"""How many values a model needs before it can say anything."""


@dataclass(frozen=True, slots=True)
class Data:
    """Reports that a model is conditioned on.

    Attributes:
        points: Their configurations as points of the unit cube, shape (n, d).
        levels: Their resource levels, shape (n,).
        values: Their values, to be minimised, shape (n,).
        distinct: One row of each trial among them, increasing, shape (t,).
        total: How many reports there are, with those that are left out.
    """

    points: FloatArray
    levels: IntArray
    values: FloatArray
    distinct: IntArray
    total: int


class Observations:
    """The trials of one experiment. Configurations are points of its space's unit cube, each used once.

    Args:
        context: The space, the random streams, and how many data a model is conditioned on.
        default_limit: How many these are where the context does not say.

    Raises:
        UsageError: The context asks for fewer data than a model needs.
    """

    def __init__(self, context: MethodContext, default_limit: int) -> None:
        limit = context.max_size_data_for_model
        self._limit = default_limit if limit is None else limit
        if self._limit < ENOUGH:
            raise UsageError(f"max_size_data_for_model is {self._limit}.", f"Use at least {ENOUGH}.")
        self._space = context.space
        self._streams = context.streams
        self._configs = RandomConfigs(context.space, context.streams)
        self._suggested = Suggested()
        self._points: dict[int, FloatArray] = {}
        self._trials = array("q")
        self._levels = array("q")
        self._values = array("d")
        self._pending: dict[int, int] = {}

    @property
    def num_trials(self) -> int:
        """How many trials were started."""
        return len(self._points)

    @property
    def suffice(self) -> bool:
        """Whether there are enough reports for a model."""
        return len(self._values) >= ENOUGH

    def start_random(self, trial_id: int, origin: Origin) -> Suggestion | None:
        """A trial tries the next random configuration; None: the space is exhausted."""
        config = self._configs.draw()
        if config is None:
            return None
        point = self._space.units(config)
        self._suggested.add(point)
        self.start(trial_id, point)
        return Suggestion(config, origin)

    def start(self, trial_id: int, point: FloatArray) -> None:
        """A trial tries the configuration at a point, shape (d,)."""
        self._points[trial_id] = point

    def fresh(self, points: FloatArray) -> FloatArray:
        """The points, shape (m, d), that no trial has used, without repeats, in their order."""
        return self._suggested.fresh(points)

    def use(self, points: FloatArray) -> list[Config | None]:
        """The configurations of points, shape (k, d), from now on in use; None for one that was used before."""
        for point in points:
            self._suggested.add(point)
        configs = self._space.configs(points)
        return [config if self._configs.use(config) else None for config in configs]

    def pending(self, trial_id: int, level: int) -> None:
        """A trial will report at a resource level next."""
        self._pending[trial_id] = level

    def report(self, trial_id: int, level: int, value: float) -> None:
        """A trial has reported."""
        self._pending.pop(trial_id, None)
        self._trials.append(trial_id)
        self._levels.append(level)
        self._values.append(value)

    def end(self, trial_id: int) -> None:
        """A trial has left its worker."""
        self._pending.pop(trial_id, None)

    def levels(self) -> IntArray:
        """The resource levels of all reports, shape (n,)."""
        return np.array(self._levels)

    def data(self) -> Data:
        """The reports to condition a model on: the best and a uniform choice of the others, if there are too many."""
        levels, values, total = self.levels(), np.array(self._values), len(self._values)
        if total > self._limit:
            kept = subset(levels, values, self._limit, self._streams.get("model-data", total))
        else:
            kept = np.arange(total)  # most of the time; creating an unused random stream would cost as much as the rest
        trials = [self._trials[row] for row in kept.tolist()]
        _, distinct = np.unique(trials, return_index=True)
        points = np.array([self._points[trial] for trial in trials])
        return Data(points, levels[kept], values[kept], np.sort(distinct), total)

    def waiting(self) -> tuple[FloatArray, IntArray]:
        """Points, shape (p, d), and levels, shape (p,), of the reports that are pending."""
        points = [self._points[trial] for trial in self._pending]
        return np.array(points).reshape(-1, len(self._space)), np.array(list(self._pending.values()), dtype=np.int64)
