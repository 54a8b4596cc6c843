"""What stands beside a table in a small TOML file: what its columns mean, and the defaults of its benchmark."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any

from msgspec import Meta

from hpoctl.core.columns import check_columns, check_hyperparameters
from hpoctl.core.errors import UsageError
from hpoctl.core.names import check_entry_name
from hpoctl.core.protocols import Mode
from hpoctl.core.records import to_plain
from hpoctl.core.space import Space

SHOWN = 8
"""Levels that a note names."""

Column = Annotated[str, Meta(min_length=1, description="the name of a column")]
Count = Annotated[int, Meta(ge=1, lt=2**31, description="a whole number from 1 on", examples=[4])]
Seconds = Annotated[float, Meta(gt=0.0, le=1e15, description="a positive number of seconds", examples=[3600])]


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
        summary: A summary in one line.
        source: Where the numbers come from.
        licence: Under which licence.
        citation: What to cite.
        modelled: What of it is modelled and by what; left out: nothing is said to be.
    """

    name: Annotated[str, Meta(examples=["my-table"])]
    metric: Annotated[Column, Meta(examples=["loss"])]
    mode: Mode
    resource_attr: Annotated[Column, Meta(examples=["epoch"])]
    max_resource_attr: Annotated[Column, Meta(examples=["epochs"])]
    n_workers: Count
    max_wallclock_time: Seconds
    elapsed: Annotated[Column, Meta(examples=["seconds"])]
    space: Space
    metrics: tuple[Column, ...] = ()
    max_num_evaluations: Count | None = None
    seed: Column | None = None
    summary: str = ""
    source: str = ""
    licence: str = ""
    citation: str = ""
    modelled: str = ""

    def __post_init__(self) -> None:
        for entry in fields(self):
            text = getattr(self, entry.name)
            if isinstance(text, str) and not text.isprintable():
                raise UsageError(f"{entry.name} cannot be {text!r}.", "Give a text in one line.")
        check_entry_name("benchmark", self.name)
        object.__setattr__(self, "metrics", self.metrics or (self.metric,))
        if self.metric not in self.metrics:
            raise UsageError(f"{self.metric!r} is not among the metrics.", "Add it to metrics, or leave metrics out.")
        object.__setattr__(self, "space", self.space.with_whole(self.max_resource_attr))
        largest = self.space.fixed.get(self.max_resource_attr)
        if not isinstance(largest, int) or isinstance(largest, bool) or not 1 <= largest < 2**31:
            raise UsageError(
                f"The space does not say how far {self.resource_attr} goes.",
                f"Add {self.max_resource_attr} = 50 to [space].",
            )
        if self.space.size == 1:
            raise UsageError("All hyperparameters of the space are fixed.", "Give one of them a domain at least.")
        self._check_columns()

    def _check_columns(self) -> None:
        check_columns(
            f"Table {self.name}", [*(("metric", name) for name in self.metrics), ("resource", self.resource_attr)]
        )
        check_hyperparameters(f"Table {self.name}", self.space.names)
        names = [*self.searched, self.resource_attr, *self.metrics, *filter(None, [self.seed])]
        if self.elapsed not in self.metrics:  # the cumulative seconds may be recorded as a metric, too
            names.append(self.elapsed)
        for place, name in enumerate(names):
            if name in names[:place]:
                raise UsageError(f"{name!r} stands for two columns.", "Give each column another name.")

    @property
    def max_resource(self) -> int:
        """The largest resource level."""
        return int(self.space.fixed[self.max_resource_attr])

    @property
    def searched(self) -> tuple[str, ...]:
        """The hyperparameters that are not fixed: the table has a column of each."""
        return tuple(name for name in self.space if name not in self.space.fixed)

    def levels_note(self, levels: Sequence[int]) -> str | None:
        """Which levels the table has, and what follows for rungs; None: they are 1, 2, 3, ..."""
        if list(levels) == list(range(1, len(levels) + 1)):
            return None
        shown = ", ".join(map(str, levels if len(levels) <= SHOWN else [*levels[: SHOWN - 1], "...", levels[-1]]))
        return f"{self.resource_attr} has the levels {shown}: a rung at another level is decided at the next one"

    def to_json(self) -> dict[str, Any]:
        """The table that an equal description is read from."""
        return {key: value for key, value in to_plain(self).items() if value is not None}
