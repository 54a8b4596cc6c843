"""suggestions.parquet: what each suggestion cost on the simulated clock, where that is the time that it really took.

With `--decision-time measured` a simulated experiment depends on the speed of the machine. With these numbers it can be
run again as it was.
"""

import io
from collections.abc import Sequence

import numpy as np

from hpoctl.core.errors import IncompleteError
from hpoctl.engine.table import parquet_bytes, plain_columns

SECONDS = "seconds"


def suggestion_times_bytes(seconds: Sequence[float]) -> bytes:
    """The seconds of all suggestions in their order, as a file."""
    import pyarrow as pa  # noqa: PLC0415 - of those experiments only that measure it

    columns = plain_columns({SECONDS: seconds})
    return parquet_bytes(pa.Table.from_arrays(list(columns.values()), names=list(columns)))


def read_suggestion_times(data: bytes, where: str) -> Sequence[float]:
    """The seconds of all suggestions in their order.

    Args:
        data: The file.
        where: What it is called in messages.

    Raises:
        IncompleteError: It is damaged.
    """
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        column = pq.read_table(io.BytesIO(data)).column(SECONDS)
        seconds = np.asarray(column.to_numpy(), dtype=np.float64)
    except (pa.ArrowException, KeyError, OSError, TypeError, ValueError) as error:
        why = " ".join(str(error).split())[:200]
        raise IncompleteError(f"{where} cannot be read: {why}.", "Ask about another experiment.") from error
    if not np.all(np.isfinite(seconds) & (seconds >= 0.0)):
        raise IncompleteError(f"{where} has a value that is no duration.", "Ask about another experiment.")
    found: list[float] = seconds.tolist()
    return found
