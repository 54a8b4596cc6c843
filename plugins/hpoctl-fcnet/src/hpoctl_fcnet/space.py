"""The configuration space of fcnet, in the order of the tables, and the metrics."""

from typing import Final

from hpoctl.core.space import Choice, Domain, Fixed, Ordinal, Space
from hpoctl_fcnet.grid import GRID, NUM_EPOCHS

MAX_RESOURCE_ATTR: Final = "epochs"
METRICS: Final = ("metric_valid_loss", "metric_elapsed_time")


def _domain(name: str) -> Domain:
    """Numbers on their natural scale: the logarithm where they are near a geometric sequence."""
    values = GRID[name]
    if isinstance(values[0], str):
        return Choice(values)
    return Ordinal(values, "nn" if name.startswith("hp_dropout") else "nn-log")


SPACE: Final = Space({**{name: _domain(name) for name in GRID}, MAX_RESOURCE_ATTR: Fixed(NUM_EPOCHS)})
