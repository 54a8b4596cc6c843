"""The composer `rung-levels`."""

from collections.abc import Mapping, Sequence

from hpoctl.plugins import ExperimentView

LEVELS = (1, 3, 9, 27, 81)
"""The rung levels of ASHA and MOBSTER with their default options, for up to 100 epochs."""


class RungLevels:
    """Adds the number of trials that have reached each rung level: `num_at_level1` to `num_at_level81`.

    A method without rungs gets no columns. With other options (`grace_period`, `reduction_factor`) a method has other
    levels, too; those outside `LEVELS` are left out.
    """

    def keys(self) -> Sequence[str]:
        """The columns."""
        return [_column(level) for level in LEVELS]

    def __call__(self, view: ExperimentView) -> Mapping[str, int] | None:
        """The present sizes; None where the method has no rungs."""
        rungs = view.rungs()
        if not rungs:
            return None
        return {_column(rung.level): rung.entries for rung in rungs if rung.level in LEVELS}


def _column(level: int) -> str:
    return f"num_at_level{level}"
