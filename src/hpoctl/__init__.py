"""hpoctl: run, repeat and compare studies of hyperparameter optimization."""

from __future__ import annotations

from hpoctl.reporting import report

TYPE_CHECKING = False  # training scripts import this module: it imports nothing that it does not need
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from os import PathLike

    import pandas as pd

__all__ = ["__version__", "load", "report"]
__version__ = "0.1.0"


def load(
    *tags: str,
    methods: Sequence[str] = (),
    benchmarks: Sequence[str] = (),
    seeds: Iterable[int] | None = None,
    where: Sequence[str] = (),
    results: str | PathLike[str] | None = None,
) -> pd.DataFrame:
    """All rows of all completed experiments of one or several tags, for notebooks.

    The columns are those of results.parquet, with `tag`, `method`, `benchmark` and `seed` in front. `method` is
    `METHOD (TAG)` where two tags hold the same experiment. Results are compared with their hashes when they are read.
    What is left out, and why, is in `frame.attrs["skipped"]`, and a warning says how much it is. What is imported, and
    which seeds cannot be paired, is in `frame.attrs["notes"]`.

    Args:
        tags: The tags, at least one.
        methods: Names of methods; none: all.
        benchmarks: Names of benchmarks; none: all.
        seeds: Seeds; None: all.
        where: Conditions on the metadata, such as `n_workers=4` or `max_wallclock_time>=600`.
        results: The root of results; None: `$HPOCTL_ROOT`, that of the folder's `hpoctl.toml`, or `~/hpoctl`.

    Raises:
        UsageError: A tag or condition is invalid, or a filter matches no experiment of the tags.
        IncompleteError: There is nothing of a tag, or no completed experiment fits.
        HpoctlError: The store cannot be read.
    """
    from hpoctl.core.cells import Filters  # noqa: PLC0415 - `import hpoctl` stays cheap
    from hpoctl.ops.reading.load_rows import load_for_notebook  # noqa: PLC0415
    from hpoctl.ops.reading.results_of_tags import LoadRequest  # noqa: PLC0415

    return load_for_notebook(
        LoadRequest(
            tags=tags,
            results=None if results is None else str(results),
            filters=Filters(tuple(methods), tuple(benchmarks), None if seeds is None else frozenset(seeds)),
            where=tuple(where),
        )
    )
