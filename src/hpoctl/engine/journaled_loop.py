"""The tuning loop of an experiment with a journal: its parts, and a replay of what the journal has."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hpoctl.core.clock import RealClock, SystemTime
from hpoctl.core.entries import MethodContext
from hpoctl.core.protocols import RecoverableBackend, Resume, Start
from hpoctl.core.rng import Streams
from hpoctl.core.trial_backends import TrialLimits
from hpoctl.engine.failures import TooManyFailuresError
from hpoctl.engine.journal import read_records
from hpoctl.engine.journal_records import Record
from hpoctl.engine.replay import Journaled
from hpoctl.engine.rows import ExtraColumns, RowLog, Rows
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.engine.table import column_names
from hpoctl.engine.tuner import Limits, Parts, RunningExperiment, Watcher, tune


@dataclass(slots=True)
class JournaledLoop:
    """A loop that is ready to run.

    Attributes:
        parts: What it connects.
        decision_seconds: Real time that the scheduler's suggestions have taken.
    """

    parts: Parts
    decision_seconds: float = 0.0


def journaled_loop(
    spec: ExperimentSpec, journaled: Journaled, streams: Streams, watcher: Watcher, system: SystemTime
) -> JournaledLoop:
    """The loop of an experiment whose events a journal has.

    Raises:
        UsageError: The method does not fit the benchmark.
    """
    benchmark, settings, space = spec.benchmark, spec.effective, spec.space()
    context = MethodContext(space, benchmark.goal, benchmark.max_resource, streams, settings.max_size_data_for_model)
    scheduler = spec.method.make(context, spec.method.options)
    log = RowLog(benchmark.goal, len(benchmark.metrics), benchmark.max_resource)
    view = RunningExperiment(spec.method.name, benchmark.name, spec.seed, journaled.clock, scheduler, log)
    extra = ExtraColumns([entry.make() for entry in spec.extra_results], view, column_names(benchmark, space))

    def suggest(trial_id: int) -> Start | Resume | None:
        before = system.monotonic()
        step = scheduler.suggest(trial_id)
        loop.decision_seconds += system.monotonic() - before
        journaled.suggested()
        return step

    loop = JournaledLoop(
        Parts(scheduler, journaled, journaled.clock, suggest, log, extra, watcher, in_force=journaled.in_force)
    )
    return loop


def replay(spec: ExperimentSpec, path: Path, watcher: Watcher) -> Rows:
    """Run the loop on what a journal has: nothing is started and nothing is written, and it may be growing meanwhile.

    Args:
        spec: The experiment.
        path: Its journal.
        watcher: Watches it.

    Returns:
        The rows up to where the journal ends.

    Raises:
        IncompleteError: The journal is damaged.
        HpoctlError: The method asks for something else than the journal says.
        OSError: The journal cannot be read.
    """
    records = read_records(path)
    next(records, None)
    journaled = Journaled(_ReadOnly(path), records, _nothing_more, trial_limits(spec), count_limits(spec), {})
    parts = journaled_loop(spec, journaled, Streams(spec.random_seed, spec.seed), watcher, SystemTime()).parts
    with suppress(_JournalEndsError, TooManyFailuresError):  # it was cut off there, runs still, or ended so
        tune(parts, count_limits(spec))
    return parts.log.rows(parts.extra, spec.effective.max_num_evaluations)


def trial_limits(spec: ExperimentSpec) -> TrialLimits:
    """When trials of an experiment on a script have run long enough."""
    settings = spec.effective
    price = settings.price_per_hour
    seconds = settings.max_cost / price * 3600.0 if settings.max_cost is not None and price else None
    return TrialLimits(
        spec.max_wallclock_time,
        settings.trial_timeout,
        settings.report_timeout,
        seconds,
        settings.stop_timeout,
        settings.max_cost,
    )


def count_limits(spec: ExperimentSpec) -> Limits:
    """The limits in rows, trials and failures of an experiment on a script."""
    settings = spec.effective
    failures = None if settings.max_failures == "none" else float(settings.max_failures)
    return Limits(
        spec.n_workers, settings.max_num_evaluations, settings.max_num_trials, failures, settings.trial_retries
    )


class _JournalEndsError(Exception):
    """The loop asks for more than the journal has."""


class _ReadOnly:
    """A journal that is read without running the experiment."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, record: Record, *, durable: bool) -> None:  # noqa: ARG002 - a journal's signature
        raise _JournalEndsError


def _nothing_more(clock: RealClock) -> RecoverableBackend:  # noqa: ARG001 - see `Journaled`
    raise _JournalEndsError
