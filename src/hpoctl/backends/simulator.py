"""The simulator: trials run on a virtual clock and take their learning curves from a blackbox.

Between two questions of the scheduler a trial's rows are known in advance, so a question costs one event, however
many rows lie before it. Events are ordered by time, equal times by insertion.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np

from hpoctl.core.blackbox import Blackbox, Curve
from hpoctl.core.clock import VirtualClock
from hpoctl.core.protocols import Ended, Outcome, Report
from hpoctl.core.rng import Streams
from hpoctl.core.settings import Settings
from hpoctl.core.space import Config

SEED_BLOCK = 256
"""Table seeds drawn at a time."""


@dataclass(frozen=True, slots=True)
class Delays:
    """What takes time on the simulated clock besides training.

    Attributes:
        start_delay: Seconds from the start of a trial to the start of its training.
        result_delay: Seconds from a result to its report.
        completion_delay: Seconds from the last report of a trial to the end of its worker's work.
        stop_delay: Seconds that stopping or pausing takes, before the completion delay.
    """

    start_delay: float = 0.05
    result_delay: float = 0.05
    completion_delay: float = 0.05
    stop_delay: float = 0.05


@dataclass(slots=True)
class _Trial:
    curve: Curve
    dense: bool  # resource levels are 1, 2, 3, ...
    origin: float = 0.0  # when the trial would have begun, had it trained without a break
    offset: float = 0.0  # seconds of training beyond the curve's own: repeated work without checkpoints
    reported: int = 0  # rows reported so far
    asked: int = 0  # rows that the next report ends at
    run: int = 0  # counts starts and resumes: events of an earlier run are void
    running: bool = False


class Simulator:
    """A trial backend on a virtual clock.

    Args:
        blackbox: Where learning curves come from.
        clock: The clock, shared with the engine.
        streams: The experiment's random streams; the table seed of each trial is drawn from them and kept.
        deadline: The simulated second after which nothing is reported.
        settings: Of these, `poll_interval` (0: every event is seen at its own time; otherwise events are seen every so
            many seconds, and each stop or pause delays everything else, as in Syne Tune 0.13) and `checkpointing`
            (otherwise a resumed trial starts over, and its rows up to there are not reported a second time).
        delays: See `Delays`.
    """

    def __init__(
        self,
        blackbox: Blackbox,
        clock: VirtualClock,
        streams: Streams,
        deadline: float,
        settings: Settings,
        delays: Delays = Delays(),
    ) -> None:
        self._blackbox = blackbox
        self._clock = clock
        self._streams = streams
        self._deadline = deadline
        self._settings = settings
        self._delays = delays
        self._trials: dict[int, _Trial] = {}
        self._events: list[tuple[float, int, int, int, Outcome | None]] = []
        self._sequence = 0
        self._table_seeds: dict[int, list[int]] = {}

    def start(self, trial_id: int, config: Config, *, resume_from: int | None, until: int | None) -> None:
        """Start a trial, or resume it after the level `resume_from`."""
        trial = self._trials.get(trial_id)
        if trial is None:
            curve = self._curve(trial_id, config)
            # Increasing levels that end at their number are 1, 2, 3, ...: nothing has to be searched for.
            trial = self._trials[trial_id] = _Trial(curve, dense=int(curve.resources[-1]) == len(curve.resources))
        done = float(trial.curve.elapsed[trial.reported - 1]) if resume_from is not None else 0.0
        if self._settings.checkpointing:
            trial.origin = self._clock.now() + self._delays.start_delay - done
        else:
            trial.origin = self._clock.now() + self._delays.start_delay
            trial.offset += done
        trial.run += 1
        trial.running = True
        self._ask(trial_id, trial, until)

    def proceed(self, trial_id: int, *, until: int | None) -> None:
        """Let a running trial continue after a report; the report itself takes no time."""
        trial = self._trials[trial_id]
        if trial.reported < len(trial.curve.resources):
            self._ask(trial_id, trial, until)

    def stop(self, trial_id: int, *, pause: bool) -> None:
        """Stop or pause a trial; one whose curve has ended completes by itself."""
        trial = self._trials[trial_id]
        if trial.reported >= len(trial.curve.resources):
            return
        trial.run += 1
        trial.running = False
        delay = self._delays.stop_delay + self._delays.completion_delay
        if self._settings.poll_interval > 0.0:
            self._clock.advance(delay)
            delay = 0.0
        self._push(self._clock.now() + delay, trial_id, trial, Outcome.PAUSED if pause else Outcome.STOPPED)

    def wait(self) -> Sequence[Report | Ended]:
        """Advance the clock to what happens next; empty: nothing runs, or the deadline has passed."""
        following = self._following()
        if following is None:
            return []
        if following > self._deadline:
            self._clock.advance_to(self._deadline)
            return []
        if self._settings.poll_interval == 0.0:
            self._clock.advance_to(following)
            return [self._happen()]
        while self._clock.now() < following:
            self._clock.advance(self._settings.poll_interval)
        horizon = min(self._clock.now(), self._deadline)
        happened = []
        while following is not None and following <= horizon:
            happened.append(self._happen())
            following = self._following()
        return happened

    def close(self) -> Sequence[Report]:
        """The rows of running trials up to now (or the deadline) that were not reported yet; ends all trials."""
        now = min(self._clock.now(), self._deadline)
        reports = []
        for trial_id, trial in self._trials.items():
            if trial.running:
                arrived = trial.curve.elapsed + (trial.origin + self._delays.result_delay) <= now
                trial.asked = int(np.count_nonzero(arrived))
                if trial.asked > trial.reported:
                    reports.append(self._rows(trial_id, trial))
                trial.running = False
        self._events.clear()
        return reports

    def _following(self) -> float | None:
        """When the next event happens; None: no event is left."""
        while self._events:
            when, _, trial_id, run, _ = self._events[0]
            if run == self._trials[trial_id].run:
                return when
            heappop(self._events)
        return None

    def _happen(self) -> Report | Ended:
        """The next event happens."""
        when, _, trial_id, _, outcome = heappop(self._events)
        trial = self._trials[trial_id]
        if outcome is None:
            return self._report(trial_id, trial)
        trial.running = False
        return Ended(trial_id, outcome, when)

    def _ask(self, trial_id: int, trial: _Trial, until: int | None) -> None:
        resources = trial.curve.resources
        if until is None:
            reached = 0
        elif trial.dense:
            reached = until
        else:
            reached = int(resources.searchsorted(until, side="right"))
        trial.asked = min(max(reached, trial.reported + 1), len(resources))
        when = float(trial.curve.elapsed[trial.asked - 1]) + trial.origin + self._delays.result_delay
        self._push(when, trial_id, trial, None)

    def _report(self, trial_id: int, trial: _Trial) -> Report:
        report = self._rows(trial_id, trial)
        if trial.reported == len(trial.curve.resources):
            completed = float(report.times[-1]) + self._delays.completion_delay
            self._push(completed, trial_id, trial, Outcome.COMPLETED)
        return report

    def _rows(self, trial_id: int, trial: _Trial) -> Report:
        rows = slice(trial.reported, trial.asked)
        trial.reported = trial.asked
        curve = trial.curve
        elapsed = curve.elapsed[rows]
        times = elapsed + (trial.origin + self._delays.result_delay)
        trained = elapsed + trial.offset if trial.offset else elapsed
        return Report(trial_id, curve.resources[rows], curve.metrics[rows], trained, times)

    def _push(self, when: float, trial_id: int, trial: _Trial, outcome: Outcome | None) -> None:
        heappush(self._events, (when, self._sequence, trial_id, trial.run, outcome))
        self._sequence += 1

    def _curve(self, trial_id: int, config: Config) -> Curve:
        """The trial's curve, with its seconds in double precision: they are added to the clock."""
        curve = self._blackbox.curve(config, self._table_seed(trial_id))
        if curve.elapsed.dtype == np.float64:
            return curve
        return Curve(curve.resources, curve.metrics, curve.elapsed.astype(np.float64))

    def _table_seed(self, trial_id: int) -> int:
        block, place = divmod(trial_id, SEED_BLOCK)
        if block not in self._table_seeds:
            rng = self._streams.get("table-seeds", block)
            self._table_seeds[block] = rng.integers(0, self._blackbox.num_seeds, SEED_BLOCK).tolist()
        return self._table_seeds[block][place]
