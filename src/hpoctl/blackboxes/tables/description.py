"""What stands beside a table in a small TOML file: what its columns mean, and the defaults of its benchmark."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from hpoctl.core.errors import UsageError
from hpoctl.core.names import check_entry_name
from hpoctl.core.protocols import Mode
from hpoctl.core.space import Space
from hpoctl.core.space.checks import did_you_mean


@dataclass(frozen=True, slots=True)
class Description:
    """What a table is a benchmark of.

    Attributes:
        name: The name of the benchmark.
        metric: The metric to tune.
        mode: Whether it is to be minimised or maximised, `min` or `max`.
        resource_attr: The name of the resource in results, such as `epoch`; in Parquet the column of its levels.
        max_resource_attr: The fixed value of the space that holds the largest resource level.
        n_workers: How many trials run at a time.
        max_wallclock_time: The budget in seconds of the experiment's clock.
        elapsed: The array or column of cumulative seconds of training.
        space: The configuration space.
        metrics: The metrics to keep, the first columns of the results; left out: the tuned one.
        max_num_evaluations: The budget in reports; left out: none.
        seed: In Parquet the column that tells repetitions apart; left out: there is one of each.
        summary: One line of what it is.
        source: Where the numbers come from.
        licence: Under which licence.
        citation: What to cite.
        modelled: What of it is modelled and by what; left out: nothing is said to be.
    """

    name: str
    metric: str
    mode: Mode
    resource_attr: str
    max_resource_attr: str
    n_workers: int
    max_wallclock_time: float
    elapsed: str
    space: Space
    metrics: tuple[str, ...] = ()
    max_num_evaluations: int | None = None
    seed: str | None = None
    summary: str = ""
    source: str = ""
    licence: str = ""
    citation: str = ""
    modelled: str = ""

    @property
    def max_resource(self) -> int:
        """The largest resource level."""
        return int(self.space.fixed[self.max_resource_attr])

    @property
    def searched(self) -> tuple[str, ...]:
        """The hyperparameters that are not fixed: the table has a column of each."""
        return tuple(name for name in self.space if name not in self.space.fixed)

    def to_json(self) -> dict[str, Any]:
        """The table that `read_description` reads the same from."""
        plain = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        plain |= {"space": self.space.to_json(), "metrics": list(self.metrics)}
        return {key: value for key, value in plain.items() if value is not None}


def read_description(table: Mapping[str, Any], where: str) -> Description:
    """The description in a table of plain values.

    Args:
        table: The table.
        where: What it is, for messages, such as the path of a file.

    Raises:
        UsageError: A key is unknown, missing, or has a value that does not fit.
    """
    for key in table:
        if key not in _KINDS:
            raise UsageError(f"{where} has an unknown key {key!r}.", did_you_mean(str(key), _KINDS))
    for key in _REQUIRED:
        if key not in table:
            raise UsageError(f"{where} has no {key}.", f"Add {_EXAMPLES[key]}.")
    for key, value in table.items():
        fits, wanted = _KINDS[key]
        if not fits(value):
            raise UsageError(f"{where}: {key} cannot be {value!r}.", f"Give {wanted}.")
    try:
        return _checked({**table, "space": Space.from_json(table["space"])})
    except UsageError as error:
        raise UsageError(f"{where}: {error.what}", error.fix) from error


def _checked(values: Mapping[str, Any]) -> Description:
    check_entry_name("benchmark", values["name"])
    space, level = values["space"], values["max_resource_attr"]
    largest = space.fixed.get(level)
    if not _is_count(largest):
        raise UsageError(
            f"The space does not say how far {values['resource_attr']} goes.", f"Add {level} = 50 to [space]."
        )
    if space.size == 1:
        raise UsageError("All hyperparameters of the space are fixed.", "Give one of them a domain at least.")
    metrics = tuple(values.get("metrics") or [values["metric"]])
    if values["metric"] not in metrics:
        raise UsageError(f"{values['metric']!r} is not among the metrics.", "Add it to metrics, or leave metrics out.")
    described = Description(**{**values, "metrics": metrics, "max_wallclock_time": float(values["max_wallclock_time"])})
    seen: set[str] = set()
    names = [*described.searched, described.resource_attr, *metrics]
    # The cumulative seconds may be recorded as a metric, too.
    names += [described.seed] if described.seed else []
    names += [described.elapsed] if described.elapsed not in metrics else []
    for name in names:
        if name in seen:
            raise UsageError(f"{name!r} stands for two columns.", "Give each column another name.")
        seen.add(name)
    return described


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def _is_name(value: object) -> bool:
    return _is_text(value) and value != ""


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_name, value)) and len(set(value)) == len(value) > 0


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 2**31


def _is_seconds(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return 0.0 < value <= 1e15


_TEXT = (_is_text, "a text in one line")
_NAME = (_is_name, "the name of a column")
_COUNT = (_is_count, "a whole number from 1 on")
_KINDS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "name": (_is_name, "a name"),
    "summary": _TEXT,
    "metric": _NAME,
    "mode": (lambda value: value in ("min", "max"), '"min" or "max"'),
    "metrics": (_is_names, "a list of different names of columns"),
    "resource_attr": _NAME,
    "max_resource_attr": _NAME,
    "n_workers": _COUNT,
    "max_wallclock_time": (_is_seconds, "a positive number of seconds"),
    "max_num_evaluations": _COUNT,
    "elapsed": _NAME,
    "seed": _NAME,
    "source": _TEXT,
    "licence": _TEXT,
    "citation": _TEXT,
    "modelled": _TEXT,
    "space": (lambda value: isinstance(value, Mapping), "a table of hyperparameters"),
}
_EXAMPLES = {
    "name": 'a line such as name = "my-table"',
    "metric": 'a line such as metric = "loss"',
    "mode": 'a line mode = "min" or mode = "max"',
    "resource_attr": 'a line such as resource_attr = "epoch"',
    "max_resource_attr": 'max_resource_attr = "epochs" and, in [space], epochs = 50: the largest level',
    "n_workers": "a line such as n_workers = 4",
    "max_wallclock_time": "a line such as max_wallclock_time = 3600",
    "elapsed": 'a line such as elapsed = "seconds", the name of the column of cumulative seconds',
    "space": "a table [space] with a domain for each hyperparameter",
}
_REQUIRED = tuple(_EXAMPLES)
