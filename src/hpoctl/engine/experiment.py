"""One experiment from its spec to its result directory.

`metadata.json` is written first with status `running` and last with status `completed`, the row count and the hash of
`results.parquet`: an experiment counts when the second one is there.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hpoctl.backends.simulator import Simulator
from hpoctl.blackboxes.nearest import OffTable
from hpoctl.core.blackbox import Blackbox
from hpoctl.core.cells import RESULTS, SUGGESTIONS
from hpoctl.core.clock import SystemTime, VirtualClock
from hpoctl.core.entries import MethodContext
from hpoctl.core.errors import HpoctlError, OffTableError, UsageError
from hpoctl.core.protocols import Resume, Start
from hpoctl.core.rng import Streams
from hpoctl.core.script_files import script_hash
from hpoctl.core.settings import DecisionTime
from hpoctl.core.storage import Store
from hpoctl.engine.attempts import (
    close_metadata,
    failed,
    interrupted,
    new_directory,
    one_line,
    trace_text,
    written_metadata,
)
from hpoctl.engine.finished import Finished, finished, result_facts
from hpoctl.engine.metadata import Provenance, identity_metadata, opening_metadata
from hpoctl.engine.rows import ExtraColumns, RowLog, Rows
from hpoctl.engine.search_space import is_restricted, searched
from hpoctl.engine.spec import ExperimentSpec, determinants
from hpoctl.engine.table import column_names, parquet_bytes, rows_table, suggestion_times_bytes
from hpoctl.engine.training import run_training
from hpoctl.engine.tuner import Limits, Parts, RunningExperiment, Watcher, tune


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a simulated experiment leaves in memory.

    Attributes:
        rows: Its rows.
        decision_seconds: Real time the scheduler's suggestions took.
        off_table: How far its trials were from the rows of its table, see `Finished`.
        measured: Where suggestions cost the time that they really take: these seconds, in their order.
    """

    rows: Rows
    decision_seconds: float
    off_table: OffTable | None = None
    measured: Sequence[float] = ()


def simulate(
    spec: ExperimentSpec,
    blackbox: Blackbox,
    watcher: Watcher,
    system: SystemTime,
    measured: Sequence[float] | None = None,
) -> Simulation:
    """Run an experiment on the simulator, without writing anything.

    Args:
        spec: The experiment.
        blackbox: The benchmark's table.
        watcher: Watches it run.
        system: Where real time comes from.
        measured: What suggestions cost when the experiment was run before, to run it again as it was; None: where they
            cost the time that they really take, that is measured.

    Raises:
        UsageError: The method does not fit the benchmark, or the experiment cannot be restricted to its table.
    """
    benchmark, settings, search = spec.benchmark, spec.effective, searched(spec, blackbox)
    streams = Streams(spec.random_seed, spec.seed)
    context = MethodContext(
        search.space, benchmark.goal, benchmark.max_resource, streams, settings.max_size_data_for_model
    )
    clock = VirtualClock()
    scheduler = spec.method.make(context, spec.method.options)
    charged = _ChargedSuggestions(scheduler.suggest, clock, settings.decision_time, system, measured)
    log = RowLog(benchmark.goal, len(benchmark.metrics), benchmark.max_resource)
    view = RunningExperiment(spec.method.name, benchmark.name, spec.seed, clock, scheduler, log)
    composers = [entry.make() for entry in spec.extra_results]
    extra = ExtraColumns(composers, view, column_names(benchmark, context.space))
    backend = Simulator(search.blackbox, clock, streams, spec.max_wallclock_time, settings)
    parts = Parts(scheduler, backend, clock, charged, log, extra, watcher)
    try:
        tune(parts, Limits(spec.n_workers, settings.max_num_evaluations, max_num_trials=settings.max_num_trials))
    except OffTableError as error:
        raise UsageError(
            f"{spec.method.name} suggested what {benchmark.name} does not have: {error.what}",
            "Correct the method: `context.space.configs(units)` makes configurations that are in it.",
        ) from error
    off_table = search.nearest.counted() if search.nearest else None
    return Simulation(log.rows(extra, settings.max_num_evaluations), charged.seconds, off_table, charged.measured)


def run_experiment(
    spec: ExperimentSpec,
    store: Store,
    provenance: Provenance,
    watcher: Watcher,
    system: SystemTime,
    opened: Callable[[str], None] | None = None,
    before_recording: Callable[[], None] | None = None,
) -> Finished:
    """Run an experiment and write its result directory.

    An experiment that fails or is interrupted leaves its metadata with status `failed` or `interrupted`. One on a
    training script that was interrupted is continued, see `engine.training`.

    Args:
        spec: The experiment.
        store: Where results go.
        provenance: Where and by what it is run.
        watcher: Watches it run.
        system: Where real time comes from.
        opened: Is told the name of the result directory as soon as it is there.
        before_recording: Called before results are written; it raises HpoctlError if they are not to be.

    Raises:
        HpoctlError: The table, the method or the store failed.
    """
    if spec.benchmark.script is not None:
        return run_training(spec, spec.benchmark.script, store, provenance, watcher, system, opened, before_recording)
    started = system.utc()
    wall, cpu = system.monotonic(), system.cpu()
    opening = opening_metadata(spec, provenance, started.timestamp())
    directory = new_directory(spec, store, opening, started)
    facts: dict[str, Any] = {}
    try:
        if opened:
            opened(directory)
        blackbox = _open(spec)
        facts |= identity_metadata(spec, blackbox)
        simulation = simulate(spec, blackbox, watcher, system)
        results = parquet_bytes(rows_table(simulation.rows, spec.benchmark, spec.space()))
        written_metadata(store, directory)
        if before_recording:
            before_recording()
        if simulation.measured:
            store.put(f"{directory}/{SUGGESTIONS}", suggestion_times_bytes(simulation.measured))
        store.put(f"{directory}/{RESULTS}", results)
        seconds = (system.monotonic() - wall, system.cpu() - cpu)
        told = finished(spec, simulation.rows, facts["identity"], directory, seconds, off_table=simulation.off_table)
        facts |= {
            **result_facts(told, results),
            "off_table": asdict(told.off_table) if told.off_table else None,
            "decision_seconds": simulation.decision_seconds,
        }
        close_metadata(store, directory, {**facts, "status": "completed"})
    except KeyboardInterrupt:
        interrupted(store, directory, facts)
        raise
    except BaseException as error:  # SystemExit included: what a plugin raises ends its experiment, not the others
        closing = {**facts, "status": "failed", "error": trace_text()}
        raise failed(spec, store, directory, closing, error) from error
    return told


def determined(spec: ExperimentSpec) -> dict[str, Any]:
    """What determines an experiment; its table is opened, or the files of its script are read.

    Raises:
        HpoctlError: They cannot be.
    """
    if spec.benchmark.script is not None:
        return determinants(spec, script_hash(spec.benchmark.script))
    blackbox = _open(spec)
    return determinants(spec, blackbox.content_hash, restricted=is_restricted(spec, blackbox))


def _open(spec: ExperimentSpec) -> Blackbox:
    """Open the benchmark's table; any error of a plugin becomes one of hpoctl."""
    try:
        return spec.benchmark.blackbox()
    except HpoctlError:
        raise
    except Exception as error:
        raise HpoctlError(
            f"The table of {spec.benchmark.name} cannot be opened: {one_line(error)}.",
            "`hpoctl benchmarks` names the plugin it comes from; tell its author.",
        ) from error


class _ChargedSuggestions:
    """Asks for suggestions and charges the simulated clock for the time they take."""

    def __init__(
        self,
        suggest: Callable[[int], Start | Resume | None],
        clock: VirtualClock,
        decision_time: DecisionTime,
        system: SystemTime,
        before: Sequence[float] | None,
    ) -> None:
        self.seconds = 0.0
        self.measured: list[float] = []
        self._before = before
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
            place = len(self.measured)
            if self._before is not None:  # a method that decides otherwise now may want more suggestions
                took = self._before[place] if place < len(self._before) else 0.0
            self.measured.append(took)
            self._clock.advance(took)
        elif self._decision_time != "zero":
            self._clock.advance(float(self._decision_time))
        return step
