"""Studies: which methods meet which benchmarks, how often, within which budget."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from msgspec import Meta

from hpoctl.core.cells import Cell
from hpoctl.core.errors import UsageError
from hpoctl.core.names import check_entry_name, check_tag
from hpoctl.core.options import parse_setting
from hpoctl.core.records import EMBEDDED
from hpoctl.core.rng import WORD
from hpoctl.core.settings import Settings
from hpoctl.core.space import Value

DEFAULT_LAUNCHER = "local"
MOST_EXPERIMENTS = 1_000_000
"""Experiments of a study: more is a slip of the pen, and all of them are held in memory."""

FIXED = "a table for each method, with the values of its hyperparameters"
FILES = "a table of names, each with the path of a file"
PANELS = "a table of titles, each with a list of methods"
"""What the values of some fields have to be, in words."""


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
        random_seed: The random seed; None: it is drawn once for each tag.
        experiment: What determines or limits its experiments: budgets, clock, workers.
        fixed: Hyperparameters fixed to a value, by method.
        launcher: Where jobs execute.
        launcher_options: Options of the launcher.
        backend: Where trials execute; None: `simulator` for a table, `local` for a script. In a study of both, it
            counts for the kind that it runs.
        backend_options: Options of the trial backend.
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
    experiment: Settings = field(default_factory=Settings, metadata=EMBEDDED)
    fixed: Annotated[Mapping[str, Mapping[str, Value]], Meta(description=FIXED)] = field(default_factory=dict)
    launcher: str = DEFAULT_LAUNCHER
    launcher_options: Annotated[Mapping[str, bool | int | float | str], Meta(description="a table of values")] = field(
        default_factory=dict
    )
    backend: str | None = None
    backend_options: Annotated[Mapping[str, bool | int | float | str], Meta(description="a table of values")] = field(
        default_factory=dict
    )
    default: bool = False
    benchmark_files: Annotated[Mapping[str, str], Meta(description=FILES)] = field(default_factory=dict)
    panels: Annotated[Mapping[str, tuple[str, ...]], Meta(description=PANELS)] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_entry_name("study", self.name)
        check_entry_name("launcher", self.launcher)
        if self.backend is not None:
            check_entry_name("trial backend", self.backend)
        elif self.backend_options:
            raise UsageError(
                f"Study {self.name} has options of a backend that it does not name.", "Add backend = NAME."
            )
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
        _check_random_seed(self.random_seed)
        count = len(self.seeds) * len(set(self.methods)) * len(set(self.benchmarks))
        if count > MOST_EXPERIMENTS:
            raise UsageError(
                f"Study {self.name} has {count:,} experiments.",
                f"Use fewer seeds: {MOST_EXPERIMENTS:,} experiments are the most.",
            )

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


def _check_random_seed(random_seed: int | None) -> None:
    if random_seed is not None and not 0 <= random_seed < WORD:
        raise UsageError(f"The random seed {random_seed} is out of range.", f"Use a whole number from 0 to {WORD - 1}.")
