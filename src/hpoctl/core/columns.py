"""Columns of results: the composers that add some, and what a benchmark and its composers may call theirs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from hpoctl.core.errors import UsageError
from hpoctl.core.protocols import RungState

IDENTITY = ("tag", "method", "benchmark", "seed", "origin")
"""Columns that `hpoctl.load` and `hpoctl export` put in front of the rows."""

OWN = frozenset({"trial_id", "elapsed_time"})
PREFIXES = ("st_", "config_")
REPORTED = "extra_"
"""How columns begin that hold what a script reports besides metrics."""


class ExperimentView(Protocol):
    """What an extra-result composer may look at: the running experiment, read-only."""

    @property
    def method(self) -> str:
        """The name of the method."""
        ...

    @property
    def benchmark(self) -> str:
        """The name of the benchmark."""
        ...

    @property
    def seed(self) -> int:
        """The seed of the experiment."""
        ...

    @property
    def now(self) -> float:
        """Seconds of the experiment's clock."""
        ...

    @property
    def num_trials(self) -> int:
        """How many trials have been started."""
        ...

    def rungs(self) -> Sequence[RungState]:
        """The rungs of the scheduler from the largest level down; empty for a single-fidelity scheduler."""
        ...


class Composer(Protocol):
    """Adds columns to the result rows from the state of the running experiment."""

    def keys(self) -> Sequence[str]:
        """The names of the columns it may add."""
        ...

    def __call__(self, view: ExperimentView) -> Mapping[str, int | float] | None:
        """The present values, or None where it has nothing to say about this experiment."""
        ...


def check_columns(
    owner: str, columns: Iterable[tuple[str, str]], taken: Iterable[str] = (), *, reports: bool = False
) -> None:
    """Refuse names of columns that results use for something else, and names that two columns share.

    Args:
        owner: What has the columns, such as `Benchmark mine`.
        columns: What each column is, such as `metric`, and its name.
        taken: Names of columns that are there already.
        reports: Whether a script reports: names that begin with `extra_` are for what it reports besides metrics.

    Raises:
        UsageError: A name is taken, empty, or cannot be printed.
    """
    seen = dict.fromkeys(taken, "column")
    for what, name in columns:
        _check_name(owner, what, name)
        if name in IDENTITY:
            raise UsageError(
                f"{owner} has a {what} {name!r}; that is the name of a column that tables of results begin with.",
                f"Rename it: {', '.join(IDENTITY)} are taken.",
            )
        if reports and name.startswith(REPORTED):
            raise UsageError(
                f"{owner} has a {what} {name!r}; results have such columns for other reported values.",
                f"Rename it: what begins with {REPORTED} is taken.",
            )
        if name in seen:
            raise UsageError(
                f"{owner} has two columns {name!r}: {seen[name]} and {what}.", "Give each column another name."
            )
        seen[name] = what


def check_hyperparameters(owner: str, names: Iterable[str]) -> None:
    """Refuse names of hyperparameters that results use for something else.

    Raises:
        UsageError: There is one.
    """
    for name in names:
        _check_name(owner, "hyperparameter", name)


def _check_name(owner: str, what: str, name: str) -> None:
    if not name or not name.isprintable():
        raise UsageError(f"{owner} has a {what} {name!r}.", "Use a name of characters that can be printed.")
    if name in OWN or name.startswith(PREFIXES):
        raise UsageError(
            f"{owner} has a {what} {name!r}; results use that name for a column of hpoctl.",
            f"Rename it: {', '.join(sorted(OWN))} and what begins with {' or '.join(PREFIXES)} are taken.",
        )
