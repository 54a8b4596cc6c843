"""What plugins register: methods, benchmarks, extra-result composers, launchers and importers, as frozen data."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from hpoctl.core.blackbox import Blackbox
from hpoctl.core.columns import Composer, check_columns, check_hyperparameters
from hpoctl.core.errors import UsageError
from hpoctl.core.findings import Finding
from hpoctl.core.jobs import Estimate, Launcher
from hpoctl.core.names import check_entry_name
from hpoctl.core.options import check_options
from hpoctl.core.protocols import FloatArray, Mode, Scheduler
from hpoctl.core.rng import Streams
from hpoctl.core.script import Script
from hpoctl.core.space import Space, Value


@dataclass(frozen=True, slots=True)
class Goal:
    """What a scheduler makes small.

    Attributes:
        column: The column of the metric among the benchmark's metrics.
        sign: 1.0 to minimise the metric, -1.0 to maximise it.
    """

    column: int
    sign: float

    def values(self, metrics: FloatArray) -> FloatArray:
        """Values to be minimised, shape (k,), from the metrics of k rows, shape (k, m)."""
        return self.sign * metrics[:, self.column]

    def last(self, metrics: FloatArray) -> float:
        """The value to be minimised in the last of some rows."""
        return self.sign * float(metrics[-1, self.column])


@dataclass(frozen=True, slots=True)
class MethodContext:
    """What a method needs to make a scheduler for one experiment.

    Attributes:
        space: The configuration space, with the method's fixed values applied.
        goal: What to make small.
        max_resource: The largest resource level; None: trials end by themselves, at a level of their own.
        streams: The experiment's random streams.
        max_size_data_for_model: How many data a model may be fitted to; None: the method's own default.
    """

    space: Space
    goal: Goal
    max_resource: int | None
    streams: Streams
    max_size_data_for_model: int | None = None

    @property
    def largest(self) -> int:
        """The largest resource level, for methods that decide at levels below it.

        Raises:
            UsageError: The benchmark has none.
        """
        if self.max_resource is None:
            raise UsageError(
                "The method decides at resource levels, and the benchmark has no largest one.",
                "Use a method that lets trials run to their end (RS, BO), or give the benchmark max_resource_attr.",
            )
        return self.max_resource


@dataclass(frozen=True)
class Method:
    """A named way to make a scheduler for a benchmark.

    Attributes:
        name: The name on the command line, such as `ASHA-RELU`.
        summary: A summary in one line.
        kind: The scheduler behind it; variants of one method share it.
        make: Makes the scheduler from the context and the options.
        options: The options with their defaults, a frozen dataclass instance; `--set NAME.field=value` changes them.
        expensive: Whether each seed is a separate job.
        fixed: Hyperparameters fixed to a value; they still reach the trial and the results.
    """

    name: str
    summary: str
    kind: str
    make: Callable[[MethodContext, Any], Scheduler]
    options: Any
    expensive: bool = False
    fixed: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_entry_name("method", self.name)
        check_options(self.name, self.options)
        if not callable(self.make):
            raise UsageError(f"Method {self.name} has no function `make`.", "Give it one that makes a scheduler.")

    def with_fixed(self, fixed: Mapping[str, Value], *, name: str, summary: str = "") -> Self:
        """A variant of this method that leaves some hyperparameters at fixed values."""
        listed = ", ".join(f"{key}={value}" for key, value in fixed.items())
        return replace(self, name=name, summary=summary or f"{self.name} with {listed}", fixed={**self.fixed, **fixed})

    def with_options(self, options: Any) -> Self:
        """This method with other options, an instance of the same dataclass."""
        return replace(self, options=options)


def _no_table() -> Blackbox:
    raise UsageError("The benchmark is a training script and has no table.", "Name a benchmark on a table.")


@dataclass(frozen=True)
class Benchmark:
    """A tuning problem and its defaults: either a table of learning curves, or a training script.

    Attributes:
        name: The name on the command line, such as `fcnet-protein`.
        summary: A summary in one line.
        space: The configuration space; `max_resource_attr` is a fixed value in it.
        metrics: The names of all metrics; of a table, in the order of its columns.
        metric: The metric to tune.
        mode: Whether it is to be minimised or maximised.
        resource_attr: The name of the resource in results, such as `hp_epoch`.
        max_resource_attr: The fixed value of the space that holds the largest resource level. None: no such value, the
            script's trials end by themselves, and methods that decide at resource levels cannot be used.
        n_workers: How many trials run at a time.
        max_wallclock_time: The budget in seconds of the experiment's clock.
        blackbox: Opens the table; left out for a script.
        provenance: What a reader of the results has to know about the data, such as `curves: modelled`.
        max_num_evaluations: The budget in reports; None: no such budget.
        restricted: Whether methods may try the configurations of the table only: its blackbox has a `TableSpace`, and
            `space` is the space around it.
        card: What `hpoctl blackbox info` shows besides: source, licence, citation, gates, each a line.
        check: Looks at the whole table, longer than opening it takes; yields a line for each thing that is right and
            raises an `HpoctlError` for the first that is not. None: the contract of blackboxes is all there is.
        script: The training script; None: there is a table.
        file: The benchmark file that it stands in; None: a plugin has registered it.
    """

    name: str
    summary: str
    space: Space
    metrics: tuple[str, ...]
    metric: str
    mode: Mode
    resource_attr: str
    max_resource_attr: str | None
    n_workers: int
    max_wallclock_time: float
    blackbox: Callable[[], Blackbox] = _no_table
    provenance: Mapping[str, str] = field(default_factory=dict)
    max_num_evaluations: int | None = None
    restricted: bool = False
    card: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[], Iterator[str]] | None = None
    script: Script | None = None
    file: str | None = None

    def __post_init__(self) -> None:
        check_entry_name("benchmark", self.name)
        if self.metric not in self.metrics:
            raise UsageError(
                f"Benchmark {self.name} tunes {self.metric!r}, which is not among its metrics.",
                f"Use one of: {', '.join(self.metrics)}.",
            )
        owner = f"Benchmark {self.name}"
        check_columns(owner, [*(("metric", name) for name in self.metrics), ("resource", self.resource_attr)])
        check_hyperparameters(owner, self.space.names)
        self.space.to_json()  # a domain that cannot be recorded is refused here, not when an experiment ends
        if (self.script is None) == (self.blackbox is _no_table):
            raise UsageError(
                f"Benchmark {self.name} has {'no problem' if self.script is None else 'two problems'}.",
                "Give it either a blackbox or a script.",
            )
        if self.max_resource_attr is None:
            if self.script is None:
                raise UsageError(
                    f"Benchmark {self.name} has no max_resource_attr.", "Name it: a table has a last level."
                )
            return
        object.__setattr__(self, "space", self.space.with_whole(self.max_resource_attr))
        level = self.space.fixed.get(self.max_resource_attr)
        if not isinstance(level, int) or isinstance(level, bool) or level < 1:
            raise UsageError(
                f"Benchmark {self.name} has no largest resource level.",
                f"Fix {self.max_resource_attr!r} to a whole number >= 1 in its space.",
            )

    @property
    def max_resource(self) -> int | None:
        """The largest resource level; None: trials of the script end by themselves."""
        return None if self.max_resource_attr is None else int(self.space.fixed[self.max_resource_attr])

    @property
    def goal(self) -> Goal:
        """What a scheduler makes small."""
        return Goal(self.metrics.index(self.metric), 1.0 if self.mode == "min" else -1.0)


@dataclass(frozen=True)
class ExtraResults:
    """An extra-result composer under its name.

    Attributes:
        name: What a study calls it, such as `rung-levels`.
        summary: The added columns in one line.
        make: Makes the composer for one experiment.
    """

    name: str
    summary: str
    make: Callable[[], Composer]

    def __post_init__(self) -> None:
        check_entry_name("extra-result composer", self.name)


@dataclass(frozen=True)
class LauncherEntry:
    """A launcher under its name.

    Attributes:
        name: The name after `--on`.
        summary: A summary in one line.
        make: Makes the launcher from its options.
        options: The options with their defaults, a frozen dataclass instance.
        outlives: Whether jobs continue when the launch that submitted them ends; nothing is cancelled, and the next
            launch finds them.
        estimate: From the options and the expected seconds of each job, their expected cost; None: no cost.
        check: Finds what would prevent a launch with these options, for `hpoctl doctor`; None: no checks.
        workers: How many experiments run at a time with these options, for the expected time of a launch; None: the
            launcher cannot tell beforehand, and is taken to run all jobs at once.
        root: How the root of results has to begin so that jobs can reach it, such as `s3://`; empty: it may be any.
        root_hint: Which roots a person can choose from, for the error about another one; empty: `root` says it all.
    """

    name: str
    summary: str
    make: Callable[[Any], Launcher]
    options: Any
    outlives: bool = False
    estimate: Callable[[Any, Sequence[float]], Estimate] | None = None
    check: Callable[[Any], Iterable[Finding]] | None = None
    workers: Callable[[Any], int] | None = None
    root: str = ""
    root_hint: str = ""

    def __post_init__(self) -> None:
        check_entry_name("launcher", self.name)
        check_options(self.name, self.options)


Progress = Callable[[str, int, int | None], None]
"""Is called with the present step, its progress, and its total (None: unknown)."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import has brought.

    Attributes:
        benchmarks: The benchmarks that use it.
        notes: What a person should know about it, a line each.
    """

    benchmarks: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Importer:
    """A kind of files that `hpoctl blackbox import` brings in.

    Attributes:
        name: The name on the command line, such as `table`.
        summary: One line of what files it reads.
        load: Reads a file or folder, checks all of it, and keeps what benchmarks need below `data_directory()`. When it
            raises, nothing has changed.
        fetch: Downloads the original files from an address (None: its own) and returns where they are, ready for
            `load`; called again, it continues where it was. None: there is nothing to download.
    """

    name: str
    summary: str
    load: Callable[[Path, Progress], Imported]
    fetch: Callable[[str | None, Progress], Path] | None = None

    def __post_init__(self) -> None:
        check_entry_name("importer", self.name)
