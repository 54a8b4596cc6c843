"""Which configurations a method may try, and where their curves come from.

A blackbox that lists its configurations has a `TableSpace`, the benchmark the space around it. Restricted to the table,
a method sees its rows only; otherwise it may try any configuration of the space and gets the curve of the nearest row.
"""

from dataclasses import dataclass

from hpoctl.blackboxes.nearest import NearestRow
from hpoctl.core.blackbox import Blackbox
from hpoctl.core.errors import UsageError
from hpoctl.core.space import Space, TableSpace
from hpoctl.engine.spec import ExperimentSpec, does_not_fit


@dataclass(frozen=True, slots=True)
class Searched:
    """What an experiment searches.

    Attributes:
        space: The configurations that the method may try, with its fixed values.
        blackbox: Where their curves come from.
        nearest: The same blackbox, if configurations off the table get the curve of the nearest row; else None.
    """

    space: Space
    blackbox: Blackbox
    nearest: NearestRow | None = None


def searched(spec: ExperimentSpec, blackbox: Blackbox) -> Searched:
    """What an experiment searches.

    Args:
        spec: The experiment.
        blackbox: The benchmark's table.

    Raises:
        UsageError: The experiment is restricted to a table that lists nothing, or not what the method fixes.
    """
    table = blackbox.space
    if is_restricted(spec, blackbox):
        try:
            return Searched(table.with_fixed(spec.method.fixed), blackbox)
        except UsageError as error:
            raise does_not_fit(spec, error) from error
    if isinstance(table, TableSpace):
        nearest = NearestRow(blackbox, table)
        return Searched(spec.space(), nearest, nearest)
    return Searched(spec.space(), blackbox)


def is_restricted(spec: ExperimentSpec, blackbox: Blackbox) -> bool:
    """Whether the method sees the rows of a table only; where the table has all of the space, that says nothing.

    Raises:
        UsageError: It is to be restricted to a table, and there is no list of configurations.
    """
    if not spec.restricted:
        return False
    if blackbox.space.size is None:
        raise UsageError(
            f"{spec.benchmark.name} cannot be restricted to its table, which lists no configurations.",
            "Leave --restrict-configurations out: its curves are computed for any configuration.",
        )
    return isinstance(blackbox.space, TableSpace)
