"""One experiment from its spec to its result directory.

`metadata.json` is written first with status `running` and last with status `completed`, the row count and the hash of
`results.parquet`: an experiment counts when the second one is there.
"""

import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from hpoctl.backends.simulator import Simulator
from hpoctl.blackboxes.nearest import OffTable
from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import METADATA, RESULTS, experiment_prefix
from hpoctl.core.clock import SystemTime, VirtualClock
from hpoctl.core.entries import MethodContext
from hpoctl.core.errors import HpoctlError
from hpoctl.core.protocols import Blackbox, Resume, Start, Store
from hpoctl.core.rng import Streams
from hpoctl.core.sealed import DamagedError, seal, unseal
from hpoctl.core.settings import DecisionTime
from hpoctl.core.space import Config
from hpoctl.engine.metadata import Provenance, identity_metadata, opening_metadata
from hpoctl.engine.rows import Best, ExtraColumns, RowLog, Rows, best_of
from hpoctl.engine.search_space import searched
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.engine.table import column_names, parquet_bytes, rows_table
from hpoctl.engine.tuner import Limits, Parts, RunningExperiment, Watcher, tune


@dataclass(frozen=True, slots=True)
class Finished:
    """A completed experiment.

    Attributes:
        name: Method, benchmark and seed, for people.
        identity: The experiment's identity.
        directory: The name of its result directory in the store.
        trials: How many trials were started.
        rows: How many rows were recorded.
        non_finite_rows: How many of them had a metric that is NaN or infinite.
        best: The best row, None if there is no finite value.
        best_config: The configuration of the best row's trial.
        wall_seconds: Real time it took.
        cpu_seconds: CPU time it took.
        off_table: How far its trials were from the rows of a table that does not list all configurations of the space;
            None: its table does, or the method could try no others.
    """

    name: str
    identity: str
    directory: str
    trials: int
    rows: int
    non_finite_rows: int
    best: Best | None
    best_config: Config | None
    wall_seconds: float
    cpu_seconds: float
    off_table: OffTable | None = None


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a simulated experiment leaves in memory.

    Attributes:
        rows: Its rows.
        decision_seconds: Real time the scheduler's suggestions took.
        off_table: How far its trials were from the rows of its table, see `Finished`.
    """

    rows: Rows
    decision_seconds: float
    off_table: OffTable | None = None


def simulate(spec: ExperimentSpec, blackbox: Blackbox, watcher: Watcher, system: SystemTime) -> Simulation:
    """Run an experiment on the simulator, without writing anything.

    Args:
        spec: The experiment.
        blackbox: The benchmark's table.
        watcher: Watches it run.
        system: Where real time comes from.

    Raises:
        UsageError: The method does not fit the benchmark, or the experiment cannot be restricted to its table.
    """
    benchmark, settings, search = spec.benchmark, spec.effective, searched(spec, blackbox)
    streams = Streams(spec.master_seed, spec.seed)
    context = MethodContext(
        search.space, benchmark.goal, benchmark.max_resource, streams, settings.max_size_data_for_model
    )
    clock = VirtualClock()
    scheduler = spec.method.make(context, spec.method.options)
    charged = _ChargedSuggestions(scheduler.suggest, clock, settings.decision_time, system)
    log = RowLog(benchmark.goal, len(benchmark.metrics), benchmark.max_resource)
    view = RunningExperiment(spec.method.name, benchmark.name, spec.seed, clock, scheduler, log)
    composers = [entry.make() for entry in spec.extra_results]
    extra = ExtraColumns(composers, view, column_names(benchmark, context.space))
    backend = Simulator(search.blackbox, clock, streams, spec.max_wallclock_time, settings)
    parts = Parts(scheduler, backend, clock, charged, log, extra, watcher)
    tune(parts, Limits(spec.n_workers, settings.max_num_evaluations, max_num_trials=settings.max_num_trials))
    off_table = search.nearest.counted() if search.nearest else None
    return Simulation(log.rows(extra, settings.max_num_evaluations), charged.seconds, off_table)


def run_experiment(
    spec: ExperimentSpec,
    store: Store,
    provenance: Provenance,
    watcher: Watcher,
    system: SystemTime,
    opened: Callable[[str], None] | None = None,
) -> Finished:
    """Run an experiment and write its result directory.

    An experiment that fails or is interrupted leaves its metadata with status `failed` or `interrupted`.

    Args:
        spec: The experiment.
        store: Where results go.
        provenance: Where and by what it is run.
        watcher: Watches it run.
        system: Where real time comes from.
        opened: Is told the name of the result directory as soon as it is there.

    Raises:
        HpoctlError: The table, the method or the store failed.
    """
    started = system.utc()
    wall, cpu = system.monotonic(), system.cpu()
    opening = opening_metadata(spec, provenance, started.timestamp())
    directory = _new_directory(spec, store, opening, started)
    facts: dict[str, Any] = {}
    try:
        if opened:
            opened(directory)
        blackbox = _open(spec)
        facts |= identity_metadata(spec, blackbox)
        simulation = simulate(spec, blackbox, watcher, system)
        results = parquet_bytes(rows_table(simulation.rows, spec.benchmark, spec.space()))
        _read_metadata(store, directory)
        store.put(f"{directory}/{RESULTS}", results)
        seconds = (system.monotonic() - wall, system.cpu() - cpu)
        finished = _finished(spec, simulation, facts["identity"], directory, seconds)
        facts |= {
            "trials": finished.trials,
            "rows": finished.rows,
            "non_finite_rows": finished.non_finite_rows,
            "off_table": asdict(finished.off_table) if finished.off_table else None,
            "results_bytes": len(results),
            "results_sha256": content_hash(results),
            "decision_seconds": simulation.decision_seconds,
            "wall_seconds": finished.wall_seconds,
            "cpu_seconds": finished.cpu_seconds,
        }
        close_metadata(store, directory, {**facts, "status": "completed"})
    except KeyboardInterrupt:
        _interrupted(store, directory, facts)
        raise
    except BaseException as error:  # SystemExit included: what a plugin raises ends its experiment, not the others
        closing = {**facts, "status": "failed", "error": traceback.format_exc()}
        raise _failed(spec, store, directory, closing, error) from error
    return finished


def close_metadata(store: Store, directory: str, closing: Mapping[str, Any]) -> None:
    """Write how an attempt ended into its metadata.

    Raises:
        HpoctlError: The metadata is gone, damaged, or cannot be written.
    """
    store.put(f"{directory}/{METADATA}", seal({**_read_metadata(store, directory), **closing}))


def _interrupted(store: Store, directory: str, facts: Mapping[str, Any]) -> None:
    """Record an interruption, unless the attempt is complete already."""
    with suppress(HpoctlError):  # whoever interrupts wants to get out, whatever the disk says
        if _read_metadata(store, directory).get("status") == "running":
            close_metadata(store, directory, {**facts, "status": "interrupted"})


def _read_metadata(store: Store, directory: str) -> dict[str, Any]:
    """The metadata of a running attempt; somebody may have removed it by force."""
    try:
        return unseal(store.get(f"{directory}/{METADATA}"))
    except (FileNotFoundError, DamagedError) as error:
        where = store.location(directory)
        raise HpoctlError(f"{where} was removed or damaged while it ran.", "Run the experiment again.") from error


def _open(spec: ExperimentSpec) -> Blackbox:
    """The benchmark's table, whatever a plugin's code does when it is opened."""
    try:
        return spec.benchmark.blackbox()
    except HpoctlError:
        raise
    except Exception as error:
        raise HpoctlError(
            f"The table of {spec.benchmark.name} cannot be opened: {_one_line(error)}.",
            "`hpoctl benchmarks` names the plugin it comes from; tell its author.",
        ) from error


def _failed(
    spec: ExperimentSpec, store: Store, directory: str, closing: Mapping[str, Any], error: BaseException
) -> HpoctlError:
    """Record a failure beside the experiment, and say it in one line."""
    try:
        close_metadata(store, directory, closing)
    except HpoctlError as unrecorded:
        what = f"{spec.name} failed: {_one_line(error)}; and that cannot be recorded: {unrecorded.what}"
        return HpoctlError(what, unrecorded.fix)
    if isinstance(error, HpoctlError):
        return error
    where = store.location(f"{directory}/{METADATA}")
    return HpoctlError(f"{spec.name} failed: {_one_line(error)}.", f"The traceback is in {where}.")


def _finished(
    spec: ExperimentSpec, simulation: Simulation, key: str, directory: str, seconds: tuple[float, float]
) -> Finished:
    rows = simulation.rows
    best = best_of(rows, spec.benchmark.goal)
    return Finished(
        name=spec.name,
        identity=key,
        directory=directory,
        trials=len(rows.configs),
        rows=len(rows),
        non_finite_rows=rows.non_finite(spec.benchmark.goal),
        best=best,
        best_config=rows.configs[best.trial_id] if best else None,
        wall_seconds=seconds[0],
        cpu_seconds=seconds[1],
        off_table=simulation.off_table,
    )


def _one_line(error: BaseException) -> str:
    message = traceback.TracebackException.from_exception(error)  # a plugin's own `__str__` may fail, too
    return " ".join(f"{type(error).__name__}: {message}".split()).rstrip(".: ")


class _ChargedSuggestions:
    """Asks for suggestions and charges the simulated clock for the time they take."""

    def __init__(
        self,
        suggest: Callable[[int], Start | Resume | None],
        clock: VirtualClock,
        decision_time: DecisionTime,
        system: SystemTime,
    ) -> None:
        self.seconds = 0.0
        self._suggest = suggest
        self._clock = clock
        self._decision_time = decision_time
        self._system = system

    def __call__(self, trial_id: int) -> Start | Resume | None:
        began = self._system.monotonic()
        step = self._suggest(trial_id)
        took = self._system.monotonic() - began
        self.seconds += took
        if self._decision_time == "measured":
            self._clock.advance(took)
        elif self._decision_time != "zero":
            self._clock.advance(float(self._decision_time))
        return step


def _new_directory(spec: ExperimentSpec, store: Store, opening: Mapping[str, Any], started: datetime) -> str:
    """Claim a result directory of its own by creating its metadata."""
    stamp = started.strftime("%Y%m%d-%H%M%S-%f")
    base = experiment_prefix(spec.tag, spec.cell, expensive=spec.method.expensive) + stamp
    attempt = 0
    while True:
        directory = base if attempt == 0 else f"{base}-{attempt}"
        try:
            store.put(f"{directory}/{METADATA}", seal(opening), create=True)
        except FileExistsError:
            attempt += 1
        except KeyboardInterrupt:
            _interrupted(store, directory, {})
            raise
        else:
            return directory
