"""What an experiment with real trials has so far, read from its journal: rows and trials, as when it is complete.

The journal is read as far as it goes; it may be growing. No scheduler is asked: what was decided on a report follows
from what the trial was told next.
"""

from dataclasses import dataclass, field
from pathlib import Path

from hpoctl.core.canonical import content_hash
from hpoctl.core.entries import Benchmark
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.protocols import Action, Bill, Ended, Report
from hpoctl.core.script import Script
from hpoctl.core.space import Space
from hpoctl.engine.journal import RESTORE, read_records
from hpoctl.engine.journal_records import Record, bills_of, from_json
from hpoctl.engine.ran import Ran
from hpoctl.engine.replay import ENDED
from hpoctl.engine.rows import RowLog, Rows
from hpoctl.engine.table import parquet_bytes, rows_table
from hpoctl.engine.trial_log import TrialLog
from hpoctl.engine.trials_table import trials_table


@dataclass(frozen=True, slots=True)
class SoFar:
    """An experiment that is not complete.

    Attributes:
        results: Its rows, as `results.parquet`.
        trials: What became of its trials, as `trials.parquet`.
        digest: The hash of its rows.
        now: Seconds of the experiment's clock that the journal covers.
    """

    results: bytes
    trials: bytes
    digest: str
    now: float


def read_so_far(experiment: Ran, path: Path) -> SoFar:
    """What an experiment has so far.

    Args:
        experiment: What its metadata say.
        path: Its journal.

    Raises:
        IncompleteError: The journal is damaged.
        OSError: It cannot be read.
        UsageError: Its space is none that this version knows.
    """
    fold = _Fold(described_benchmark(experiment, metrics_of(experiment, path)))
    for record in read_records(path):
        fold.take(record)
    results = parquet_bytes(rows_table(fold.rows(), fold.benchmark, fold.benchmark.space))
    price = experiment.price_per_hour
    runs = trials_table(fold.trials.runs, fold.log.configs, fold.benchmark.space, price, fold.bills)
    return SoFar(results, parquet_bytes(runs), content_hash(results), fold.now)


def metrics_of(experiment: Ran, path: Path) -> tuple[str, ...]:
    """The metrics of the rows in a journal, the tuned one first. Older journals do not name the others."""
    metric = experiment.determinants.benchmark.metric
    for record in read_records(path):
        if "metrics" in record:
            return tuple(record["metrics"])
        for event in record.get("events", ()):
            if event.get("metrics"):
                others = range(1, len(event["metrics"][0]))
                return (metric, *(f"metric-{place}" for place in others))
    return (metric,)


def described_benchmark(experiment: Ran, metrics: tuple[str, ...]) -> Benchmark:
    """A benchmark that stands for that of a script: what methods and rows need of it, and nothing to run.

    Args:
        experiment: An experiment on it.
        metrics: Its metrics, the tuned one first.

    Raises:
        UsageError: Its space is none that this version knows.
    """
    about, space = experiment.determinants.benchmark, Space.from_json(dict(experiment.determinants.space))
    largest = about.max_resource
    attribute = next((name for name, value in space.fixed.items() if value == largest), None)
    return Benchmark(
        name=experiment.benchmark,
        summary="A benchmark that was run",
        space=space,
        metrics=metrics,
        metric=about.metric,
        mode=about.mode,
        resource_attr=about.resource_attr,
        max_resource_attr=None if largest is None else attribute,
        n_workers=experiment.n_workers,
        max_wallclock_time=experiment.max_wallclock_time,
        script=Script(Path("/"), ("none",)),
    )


@dataclass(slots=True)
class _Trial:
    """A started trial: its reports, whether it runs, and whether it was told to end."""

    known: int = 0
    runs: bool = False
    leaves: bool = False


@dataclass
class _Fold:
    """Takes in the records of a journal."""

    benchmark: Benchmark
    log: RowLog = field(init=False)
    trials: TrialLog = field(default_factory=TrialLog)
    now: float = 0.0
    bills: list[Bill] = field(default_factory=list)
    _states: dict[int, _Trial] = field(default_factory=dict)
    _open: list[tuple[Report, Action]] = field(default_factory=list)
    """The last reports, in the order of their arrival: what was decided on them comes before the next events."""
    _undecided: bool = False
    """Whether decisions on the last reports may be missing, because the journal ends here."""

    def __post_init__(self) -> None:
        self.log = RowLog(self.benchmark.goal, len(self.benchmark.metrics), self.benchmark.max_resource)

    def take(self, record: Record) -> None:
        """Take in a record."""
        self.now = max(self.now, float(record.get("t", 0.0)))
        self.bills += bills_of(record)
        kind = record["kind"]
        self._undecided = kind in ("events", "stop")
        if kind == "start":
            self._start(record)
        elif kind == "stop":
            self._stop(record["trial"], Action.PAUSE if record["pause"] else Action.STOP)
        elif kind in ("events", "close"):
            self._settle()
            for event in from_json(record["events"]):
                if isinstance(event, Ended):
                    self._end(event)
                else:
                    self._report(event)

    def rows(self) -> Rows:
        """All rows up to now that are sure to stay, in their order.

        A trial may be told to leave after its report in the last batch. Then a later report of it there does not count:
        what comes from there on is left out until the decisions are in the journal.
        """
        if self._undecided:
            told: set[int] = set()
            for place, (report, _) in enumerate(self._open):
                if report.trial_id in told:
                    del self._open[place:]
                    break
                told.add(report.trial_id)
        self._settle()
        return self.log.rows()

    def _start(self, record: Record) -> None:
        trial_id = record["trial"]
        if trial_id not in self._states:
            config = record.get("config") or {}
            try:
                self.benchmark.space.validate(config)
            except UsageError as error:
                what = f"The journal starts trial {trial_id} with a configuration of another space: {error.what}"
                raise IncompleteError(what, RESTORE) from error
            if trial_id != len(self._states):
                raise IncompleteError(f"The journal starts trial {trial_id} before an earlier one.", RESTORE)
            self.log.configs.append(config)
        state = self._states.setdefault(trial_id, _Trial())
        state.runs, state.leaves = True, False
        self.trials.begins(trial_id, record["t"], record["from"])

    def _end(self, event: Ended) -> None:
        state = self._states.get(event.trial_id)
        if state is None or not state.runs or (event.reason == ENDED and not state.leaves):
            return  # the last one: it was cut off with the experiment, and continues with it
        state.runs = False
        self.trials.ends(event)

    def _report(self, told: Report) -> None:
        state = self._states.get(told.trial_id)
        if state is None or not state.runs or state.leaves:
            return
        fresh = told.rows(slice(int(told.resources.searchsorted(state.known, side="right")), None))
        if not len(fresh.resources):
            return
        self._open.append((fresh, Action.CONTINUE))
        state.known = int(fresh.resources[-1])
        self.trials.reached(told.trial_id, state.known)

    def _stop(self, trial_id: int, action: Action) -> None:
        """The trial was told to leave after its last report."""
        if trial_id not in self._states:
            raise IncompleteError(f"The journal ends trial {trial_id}, which it did not start.", RESTORE)
        self._states[trial_id].leaves = True
        for place in reversed(range(len(self._open))):
            report = self._open[place][0]
            if report.trial_id == trial_id:
                self._open[place] = (report, action)
                return

    def _settle(self) -> None:
        """Nothing more is decided on the last reports."""
        for report, action in self._open:
            self.log.add(report, action)
        self._open.clear()
