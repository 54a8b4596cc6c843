"""What methods stumble over: odd targets, odd spaces, trials that fail. The checks are in `hpoctl.testing.methods`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hpoctl.backends.simulator import Simulator
from hpoctl.core.blackbox import Curve
from hpoctl.core.clock import VirtualClock
from hpoctl.core.entries import Benchmark, Method, MethodContext
from hpoctl.core.protocols import Decision, Ended, FloatArray, Outcome, Report, Resume, Scheduler, Start
from hpoctl.core.rng import Streams
from hpoctl.core.settings import Settings
from hpoctl.core.space import Choice, Config, Fixed, LogUniform, RandInt, Space, TableSpace, Uniform
from hpoctl.engine.rows import ExtraColumns, RowLog, Rows
from hpoctl.engine.tuner import Limits, Parts, RunningExperiment, tune
from hpoctl.testing.toys import MAX_EPOCHS, METRIC, toy_space

Change = Callable[[FloatArray], FloatArray]
"""Changes the losses of a toy table, shape (n, seeds, epochs)."""


def _spoil_some(bad: float) -> Change:
    def change(losses: FloatArray) -> FloatArray:
        spoilt = losses.copy()
        spoilt[::5] = bad
        spoilt[1::5, :, 10:] = bad
        return spoilt

    return change


def _spoil_all_but_the_middle(losses: FloatArray) -> FloatArray:
    space = toy_space()
    middle = space.index(space.middle())
    spoilt = np.full_like(losses, np.nan)
    spoilt[middle] = losses[middle]
    return spoilt


def _from_1e_minus_8_to_1e8(losses: FloatArray) -> FloatArray:
    return np.asarray(10.0 ** (16.0 * (losses - losses.min()) / np.ptp(losses) - 8.0))


TARGETS: Mapping[str, Change] = {
    "NaN at times": _spoil_some(np.nan),
    "infinite at times": _spoil_some(np.inf),
    "minus infinity at times": _spoil_some(-np.inf),
    "NaN": lambda losses: np.full_like(losses, np.nan),
    "infinite": lambda losses: np.full_like(losses, np.inf),
    "minus infinity": lambda losses: np.full_like(losses, -np.inf),
    "NaN in all configurations but one": _spoil_all_but_the_middle,
    "constant": np.ones_like,
    "zero": np.zeros_like,
    "of two values": lambda losses: (losses > np.median(losses)).astype(float),
    "of 1e-8": lambda losses: losses * 1e-8,
    "of 1e8": lambda losses: losses * 1e8,
    "from 1e-8 to 1e8": _from_1e_minus_8_to_1e8,
    "spread over decades": lambda losses: np.exp(20.0 * (losses - losses.mean())),
    "negative": lambda losses: losses - 10.0,
    "equal but for the last bits": lambda losses: 1.0 + 1e-15 * losses,
}
"""Metrics that methods have to cope with, by name."""


def _space(domains: Mapping[str, Choice | LogUniform | RandInt | Uniform], epochs: int = MAX_EPOCHS) -> Space:
    return Space({**domains, "epochs": Fixed(epochs)})


def _table_space() -> Space:
    space = toy_space()
    return TableSpace.of(space, [space.at(number) for number in (0, 17, 18, 55, 90, 113, 119)])


SMALL_SPACES: Mapping[str, Space] = {
    "one point": _space({"x": Choice(("only",))}),
    "one hyperparameter of four values": _space({"x": RandInt(1, 4)}),
    "six points": _space({"x": Choice(("a", "b", "c")), "y": Choice((1, 2))}),
    "seven rows of a table": _table_space(),
}
"""Spaces that are soon exhausted."""

LARGE_SPACES: Mapping[str, Space] = {
    "one continuous hyperparameter": _space({"x": Uniform(0.0, 1.0)}),
    "thirty hyperparameters": _space(
        {f"x{place}": (Uniform(-1.0, 1.0) if place % 2 else LogUniform(1e-6, 1.0)) for place in range(30)}
    ),
    "categorical hyperparameters only": _space({f"x{place}": Choice(tuple("abcde")) for place in range(7)}),
}
"""Spaces that are not."""


def _table_of_hundreds() -> Space:
    """A table of 300 of the configurations of an endless space."""
    space = _space({"x": Uniform(0.0, 1.0), "y": LogUniform(1e-4, 1.0), "z": Choice(("a", "b"))})
    return TableSpace.of(space, space.configs(np.random.default_rng(5).random((300, len(space)))))


LARGE_TABLE = _table_of_hundreds()
"""A table that is large enough for models of methods, and that lists hardly any configuration that they make up."""

ODD_LEVELS = (5, 10, 15, 20, 27)
"""Levels of a table without the rung levels 1, 3 and 9."""

SHALLOW = _space({"x": Uniform(0.0, 1.0), "y": LogUniform(1e-4, 1.0), "z": Choice(("a", "b"))}, epochs=9)
"""An endless space of trials with nine epochs."""


class FormulaToy:
    """A made-up blackbox over any space with `epochs` fixed."""

    metrics = (METRIC,)
    num_seeds = 1
    content_hash = "formula-toy"

    def __init__(self, space: Space, levels: Sequence[int] = ()) -> None:
        self.space = space
        self._epochs = np.array(levels or range(1, int(space.fixed["epochs"]) + 1))

    def curve(self, config: Config, seed: int) -> Curve:  # noqa: ARG002 - there is no noise
        """A curve that falls towards the squared distance from a point."""
        encoded = np.append(self.space.encode(self.space.units(config)[np.newaxis, :])[0], 0.5)
        losses = ((encoded - 0.3) ** 2).mean() + 1.0 / self._epochs
        return Curve(self._epochs, losses[:, np.newaxis], self._epochs * (5.0 + encoded.mean()))


class Nobody:
    """A watcher that does not look."""

    def begins(self, trial_id: int, step: Start | Resume, now: float) -> None:
        """Nothing."""

    def reports(self, report: Report, decision: Decision, log: RowLog) -> None:
        """Nothing."""

    def ends(self, event: Ended) -> None:
        """Nothing."""

    def says(self, text: str) -> None:
        """Nothing."""


class FailingTrials:
    """A backend on a simulator: of four trials one fails before its first report, one its second, one its third."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self.start = simulator.start
        self.proceed = simulator.proceed
        self.stop = simulator.stop
        self.close = simulator.close
        self._reports: dict[int, int] = {}
        self._failed: set[int] = set()

    def wait(self) -> Sequence[Report | Ended]:
        """What happens next; a report of a trial that fails is swallowed."""
        while True:
            happened = self._simulator.wait()
            seen = [told for told in map(self._told, happened) if told is not None]
            if seen or not happened:
                return seen

    def _told(self, event: Report | Ended) -> Report | Ended | None:
        trial_id = event.trial_id
        if isinstance(event, Ended):
            return Ended(trial_id, Outcome.FAILED, event.time) if trial_id in self._failed else event
        self._reports[trial_id] = self._reports.get(trial_id, 0) + 1
        if self._reports[trial_id] != trial_id % 4:  # trial 1 fails at its first report, trial 2 at its second, ...
            return event
        self._failed.add(trial_id)
        self._simulator.stop(trial_id, pause=False)
        return None


class LimitedTrials:
    """A scheduler that starts and resumes nothing after a number of trials."""

    def __init__(self, scheduler: Scheduler, trials: int) -> None:
        self._scheduler = scheduler
        self._trials = trials
        self.on_report = scheduler.on_report
        self.on_end = scheduler.on_end
        self.rungs = scheduler.rungs

    def suggest(self, trial_id: int) -> Start | Resume | None:
        """What the scheduler suggests, as long as there are not enough trials."""
        return self._scheduler.suggest(trial_id) if trial_id < self._trials else None


def with_trials(method: Method, trials: int) -> Method:
    """The method, with experiments that end after a number of trials."""

    def make(context: MethodContext, options: Any) -> Scheduler:
        return LimitedTrials(method.make(context, options), trials)

    return replace(method, make=make)


def run_with_failures(method: Method, benchmark: Benchmark) -> Rows:
    """Run one experiment in memory in which trials fail."""
    clock, streams = VirtualClock(), Streams(7, 0)
    context = MethodContext(benchmark.space, benchmark.goal, benchmark.max_resource, streams)
    scheduler = method.make(context, method.options)
    log = RowLog(benchmark.goal, len(benchmark.metrics), benchmark.max_resource)
    extra = ExtraColumns((), RunningExperiment(method.name, benchmark.name, 0, clock, scheduler, log))
    simulator = Simulator(benchmark.blackbox(), clock, streams, benchmark.max_wallclock_time, Settings())
    parts = Parts(scheduler, FailingTrials(simulator), clock, scheduler.suggest, log, extra, Nobody())
    tune(parts, Limits(benchmark.n_workers))
    return log.rows(extra)
