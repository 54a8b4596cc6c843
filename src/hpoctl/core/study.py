"""Studies: which methods meet which benchmarks, how often, within which budget."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hpoctl.core.cells import Cell
from hpoctl.core.errors import UsageError
from hpoctl.core.names import check_entry_name, check_tag
from hpoctl.core.options import parse_setting
from hpoctl.core.rng import WORD
from hpoctl.core.space import Value

DEFAULT_LAUNCHER = "local"
DecisionTime = Literal["zero", "measured"] | float
"""What a suggestion costs on the simulated clock: nothing, what it really took, or so many seconds."""


@dataclass(frozen=True)
class Study:
    """Which methods meet which benchmarks, how often.

    Attributes:
        name: What people type after `--study`.
        summary: One line of what it asks.
        methods: Names of methods.
        benchmarks: Names of benchmarks. In a study file also benchmark files, relative to it.
        num_seeds: One more than the last seed.
        extra_results: Names of extra-result composers.
        settings: `METHOD.option=value` settings, as after `--set`.
        start_seed: The first seed.
        tag: The tag of its results; None: one is made up.
        random_seed: The master seed; None: it is drawn once for each tag.
        n_workers: How many trials run at a time; None: as many as the benchmark says.
        max_wallclock_time: The budget in seconds of the experiment's clock; None: the benchmark's.
        max_num_evaluations: The budget in reports; None: the benchmark's.
        max_size_data_for_model: How many data a model may be fitted to; None: the method's default.
        decision_time: What a suggestion costs on the simulated clock: zero, measured, or a number of seconds.
        poll_interval: Simulated seconds between looks at the trials; 0: at every event.
        checkpointing: Whether a resumed trial goes on where it paused, or starts over.
        restrict_configurations: Whether methods may try the configurations of a table only, where it lists some of the
            space; otherwise a configuration off the table gets the curve of the nearest one.
        fixed: Hyperparameters fixed to a value, by method.
        launcher: Where jobs execute.
        launcher_options: Options of the launcher.
        default: Whether `hpoctl launch` uses it when no study is named and several are installed.
        benchmark_files: The files that benchmarks stand in, by name. Files among `benchmarks` are added to it.
        panels: How `hpoctl plot` groups methods into panels: a title, and the names of its methods, which may be those
            of other studies.
    """

    name: str
    summary: str
    methods: tuple[str, ...]
    benchmarks: tuple[str, ...]
    num_seeds: int = 1
    extra_results: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    start_seed: int = 0
    tag: str | None = None
    random_seed: int | None = None
    n_workers: int | None = None
    max_wallclock_time: float | None = None
    max_num_evaluations: int | None = None
    max_size_data_for_model: int | None = None
    decision_time: DecisionTime = "zero"
    poll_interval: float = 0.0
    checkpointing: bool = True
    restrict_configurations: bool = False
    fixed: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    launcher: str = DEFAULT_LAUNCHER
    launcher_options: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    default: bool = False
    benchmark_files: Mapping[str, str] = field(default_factory=dict)
    panels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_entry_name("study", self.name)
        check_entry_name("launcher", self.launcher)
        for field_name in ("methods", "benchmarks", "extra_results", "settings"):
            if not isinstance(getattr(self, field_name), tuple):
                raise UsageError(f"{field_name} of study {self.name} is no tuple.", "Give a tuple of names.")
        if self.tag is not None:
            check_tag(self.tag)
        if not self.methods or not self.benchmarks:
            raise UsageError(f"Study {self.name} is empty.", "Give it a method and a benchmark at least.")
        owners = {parse_setting(text).owner: "settings" for text in self.settings}
        for method, what in {**owners, **dict.fromkeys(self.fixed, "fixed values")}.items():
            if method not in self.methods:
                raise UsageError(
                    f"Study {self.name} has {what} of {method}, which it does not run.",
                    f"Add {method} to its methods, or leave its {what} out.",
                )
        _check_seeds(self.start_seed, self.num_seeds)
        _check_budget(self)

    @property
    def seeds(self) -> range:
        """The seeds: from `start_seed` up to, but not including, `num_seeds`."""
        return range(self.start_seed, self.num_seeds)

    def cells(self) -> list[Cell]:
        """All its experiments, method by method, seed by seed."""
        return [
            Cell(method, benchmark, seed)
            for method in dict.fromkeys(self.methods)
            for seed in self.seeds
            for benchmark in dict.fromkeys(self.benchmarks)
        ]


def _check_seeds(start: int, stop: int) -> None:
    if stop > WORD:
        raise UsageError(f"Seed {stop - 1} is out of range.", f"Use --num-seeds {WORD} or less.")
    if start < 0 or not range(start, stop):
        raise UsageError(
            f"There is no seed from {start} up to, but not including, {stop}.",
            f"--num-seeds is an exclusive upper end: use --num-seeds {max(start, 0) + 1} or more.",
        )


def _check_budget(study: Study) -> None:
    if study.random_seed is not None and not 0 <= study.random_seed < WORD:
        raise UsageError(
            f"The master seed {study.random_seed} is out of range.", f"Use a whole number from 0 to {WORD - 1}."
        )
    for option in ("n_workers", "max_num_evaluations", "max_size_data_for_model"):
        value = getattr(study, option)
        if value is not None and value < 1:
            raise UsageError(f"--{option.replace('_', '-')} is {value}.", "Use a whole number >= 1.")
    budget = study.max_wallclock_time
    if budget is not None and not 0.0 < budget < float("inf"):
        raise UsageError(f"The budget is {budget} seconds.", "Use a positive number of seconds.")
    if not 0.0 <= study.poll_interval < float("inf"):
        raise UsageError(f"--poll-interval is {study.poll_interval}.", "Use a number of seconds >= 0.")
    cost = study.decision_time
    if cost not in ("zero", "measured") and not (isinstance(cost, float) and 0.0 <= cost < float("inf")):
        raise UsageError(f"--decision-time cannot be {cost!r}.", "Use zero, measured, or a number of seconds >= 0.")
