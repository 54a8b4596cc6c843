"""An experiment on a training script: run or continued, from its journal to its result directory."""

import os
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from hpoctl.core.cells import JOURNAL, METADATA, RESULTS, TRIALS
from hpoctl.core.clock import RealClock, SystemTime
from hpoctl.core.errors import HpoctlError
from hpoctl.core.protocols import Bill, RecoverableBackend
from hpoctl.core.rng import Streams
from hpoctl.core.script import Script
from hpoctl.core.script_files import script_hash
from hpoctl.core.sealed import seal
from hpoctl.core.storage import Store
from hpoctl.core.trial_backends import BackendContext, TrialLimits
from hpoctl.engine.attempts import close_metadata, failed, interrupted, new_directory, trace_text, written_metadata
from hpoctl.engine.continuing import FAILURES, Earlier, base_of, find_earlier
from hpoctl.engine.failures import TooManyFailuresError
from hpoctl.engine.finished import Finished, finished, result_facts
from hpoctl.engine.journal import Journal
from hpoctl.engine.journaled_loop import count_limits, journaled_loop, trial_limits
from hpoctl.engine.metadata import Provenance, opening_metadata
from hpoctl.engine.progress import RunProgress
from hpoctl.engine.replay import Journaled
from hpoctl.engine.rows import Rows
from hpoctl.engine.spec import ExperimentSpec, determinants, identity_of
from hpoctl.engine.table import parquet_bytes, rows_table
from hpoctl.engine.trial_backends import LOCAL
from hpoctl.engine.trial_log import TrialLog
from hpoctl.engine.trials_table import total_cost, trials_table
from hpoctl.engine.tuner import Watcher, tune
from hpoctl.engine.work_copy import copied_work
from hpoctl.engine.work_folder import bring_work, work_folder


@dataclass(frozen=True, slots=True)
class Trained:
    """What an experiment with real trials leaves in memory.

    Attributes:
        rows: Its rows.
        trials: What became of its trials.
        decision_seconds: Real time that the scheduler's suggestions took, those that were replayed included.
        resumed_at: The second from which it was continued; None: it was not.
        bills: What starts and resumes are billed, where the backend knows.
    """

    rows: Rows
    trials: TrialLog
    decision_seconds: float
    resumed_at: float | None
    bills: Sequence[Bill] = ()


def run_training(
    spec: ExperimentSpec,
    script: Script,
    store: Store,
    provenance: Provenance,
    watcher: Watcher,
    system: SystemTime,
    opened: Callable[[str], None] | None = None,
    before_recording: Callable[[], None] | None = None,
) -> Finished:
    """Run an experiment on a script, or continue an attempt at it; see `run_experiment`.

    Raises:
        HpoctlError: The script, the method, the store or too many trials failed.
    """
    started = system.utc()
    clocks = system.monotonic(), system.cpu()
    determined_by = determinants(spec, script_hash(script))
    earlier = find_earlier(spec, store, determined_by)
    if earlier is not None:
        bring_work(store, earlier.directory)
    key = identity_of(determined_by)
    identity = {
        "identity": key,
        "determinants": determined_by,
        "data": {**spec.benchmark.provenance, "table": determined_by["benchmark"]["table"]},
    }
    opening = {
        **opening_metadata(spec, provenance, started.timestamp()),
        "backend": (spec.backend or LOCAL).name,
        **identity,
    }
    directory = _open(spec, store, opening, earlier, started)
    folder = work_folder(store, directory)
    facts: dict[str, Any] = {}
    try:
        if opened:
            opened(directory)
        before = earlier.directory if earlier is not None and earlier.complete else ""
        with (
            copied_work(store, directory, folder, watcher.says, before),
            closing(Journal(folder / JOURNAL, watcher.says)) as journal,
        ):
            progress = RunProgress(store, directory, watcher, system)
            trained = train(spec, script, journal, folder, progress, base_of(determined_by), system)
        results = parquet_bytes(rows_table(trained.rows, spec.benchmark, spec.space()))
        price = spec.effective.price_per_hour
        happened = trials_table(trained.trials.runs, trained.rows.configs, spec.space(), price, trained.bills)
        written_metadata(store, directory)
        if before_recording:
            before_recording()
        store.put(f"{directory}/{TRIALS}", parquet_bytes(happened))
        store.put(f"{directory}/{JOURNAL}", (folder / JOURNAL).read_bytes())
        store.put(f"{directory}/{RESULTS}", results)
        seconds = (system.monotonic() - clocks[0], system.cpu() - clocks[1])
        training = trained.trials.seconds
        cost = total_cost(trained.trials.runs, price, trained.bills)
        told = finished(
            spec,
            trained.rows,
            key,
            directory,
            seconds,
            outcomes=trained.trials.counts(),
            training_seconds=training,
            cost=cost,
            resumed_at=trained.resumed_at,
        )
        facts = {
            **result_facts(told, results),
            "decision_seconds": trained.decision_seconds,
            "progress": progress.facts(trained.trials),
            "training_seconds": training,
            "cost": cost,
        }
        close_metadata(store, directory, {**facts, "status": "completed"})
    except KeyboardInterrupt:
        interrupted(store, directory, facts)
        raise
    except BaseException as error:  # SystemExit included: what a plugin raises ends its experiment, not the others
        limit = FAILURES if isinstance(error, TooManyFailuresError) else None
        ended = {**facts, "status": "failed", "error": trace_text(), "ended_by": limit}
        raise failed(spec, store, directory, ended, error) from error
    return told


def train(
    spec: ExperimentSpec,
    script: Script,
    journal: Journal,
    folder: Path,
    progress: RunProgress,
    base: str,
    system: SystemTime,
) -> Trained:
    """Run an experiment on a script from its journal on, without writing results.

    Args:
        spec: The experiment.
        script: The script.
        journal: The journal, empty or not.
        folder: Where its trials write.
        progress: Watches it run.
        base: What its first record has to say; see `base_of`.
        system: Where real time comes from.

    Raises:
        HpoctlError: The method asks for something else than the journal says, or too many trials failed.
    """
    if journal.count == 0:
        journal.append(
            {
                "kind": "open",
                "t": 0.0,
                "format": 1,
                "base": base,
                "name": spec.name,
                "metrics": list(spec.benchmark.metrics),
            },
            durable=True,
        )
    records = journal.records()
    first = next(records)
    if first.get("base") != base:
        raise HpoctlError(f"{journal.path} is that of another experiment.", "Remove it with `hpoctl clean`.")
    began = journal.count
    streams = Streams(spec.random_seed, spec.seed)
    limits, counts = trial_limits(spec), count_limits(spec)

    def make(clock: RealClock) -> RecoverableBackend:
        return _make(spec, script, folder, limits, streams, clock, journaled, progress)

    facts = {"host": platform.node(), "pid": os.getpid(), "utc": datetime.now(UTC).isoformat(timespec="seconds")}
    journaled = Journaled(journal, records, make, limits, counts, facts)
    loop = journaled_loop(spec, journaled, streams, progress, system)
    parts = loop.parts
    progress.follow(parts.trials, parts.log, journaled)
    tune(parts, counts)
    resumed_at = journaled.resumed_at if began > 1 else None
    rows = parts.log.rows(parts.extra, spec.effective.max_num_evaluations)
    return Trained(rows, parts.trials, loop.decision_seconds, resumed_at, journaled.bills)


def _make(
    spec: ExperimentSpec,
    script: Script,
    folder: Path,
    limits: TrialLimits,
    streams: Streams,
    clock: RealClock,
    journaled: Journaled,
    progress: RunProgress,
) -> RecoverableBackend:
    benchmark = spec.benchmark

    def idle() -> None:
        journaled.idle()
        progress.idle()

    context = BackendContext(
        name=spec.name,
        metrics=benchmark.metrics,
        metric=benchmark.metric,
        resource_attr=benchmark.resource_attr,
        max_resource=benchmark.max_resource,
        n_workers=spec.n_workers,
        limits=limits,
        clock=clock,
        streams=streams,
        script=script,
        folder=folder,
        settings=spec.effective,
        idle=idle,
        say=progress.says,
    )
    entry = spec.backend or LOCAL
    return cast("RecoverableBackend", entry.make(context, entry.options))


def _open(
    spec: ExperimentSpec, store: Store, opening: Mapping[str, Any], earlier: Earlier | None, started: datetime
) -> str:
    """The result directory of the attempt: that of an earlier one that is continued, or a new one.

    One that is complete stays as it is: a larger budget gets a new directory, and takes over the working folder.
    """
    if earlier is None:
        return new_directory(spec, store, opening, started)
    if not earlier.complete:
        began = earlier.metadata.st_tuner_start_timestamp
        again = {"st_tuner_creation_timestamp": began, "st_tuner_start_timestamp": began}
        store.put(f"{earlier.directory}/{METADATA}", seal({**opening, **again}))
        return earlier.directory
    directory = new_directory(spec, store, {**opening, "continues": earlier.directory}, started)
    source, target = work_folder(store, earlier.directory), work_folder(store, directory)
    target.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        shutil.rmtree(target)
    source.rename(target)
    return directory
