"""What the commands that read results of tags have in common: which tags, which results of them."""

from typing import TYPE_CHECKING, Annotated

import typer

from hpoctl.core.errors import UsageError

if TYPE_CHECKING:
    from hpoctl.analysis.comparison_model import Family
    from hpoctl.analysis.equivalence import Margin
    from hpoctl.core.cells import Filters
    from hpoctl.ops.reading.load_traces import LoadRequest

Tags = Annotated[list[str], typer.Option("--tag", help="Name of a study's results; repeatable, they are put together.")]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where", help="Only experiments whose metadata fit, as in n_workers=4 or max_wallclock_time>=600; repeatable."
    ),
]
Running = Annotated[
    bool,
    typer.Option("--running", help="Also what experiments that train and are not complete have reported so far."),
]
FamilyOption = Annotated[
    str,
    typer.Option(
        "--family", help="What p values are adjusted over: the pairs of each benchmark, or those of all benchmarks."
    ),
]
EquivalentWithin = Annotated[
    str | None,
    typer.Option(help="Margin of equivalence: 1% of the metric, or regret:0.01 of the range of values on a benchmark."),
]


def family_of(text: str) -> "Family":
    """What `--family` says.

    Raises:
        UsageError: It is neither of the words.
    """
    if text == "benchmark":
        return "benchmark"
    if text == "all":
        return "all"
    raise UsageError(
        f"--family cannot be {text[:40]!r}.", "Use benchmark (each benchmark alone) or all (all of them together)."
    )


def margin_of(text: str | None) -> "Margin | None":
    """What `--equivalent-within` says.

    Raises:
        UsageError: It is not a margin.
    """
    from hpoctl.analysis.equivalence import parse_margin

    return None if text is None else parse_margin(text)


def make_filters(method: list[str] | None, benchmark: list[str] | None, seed: list[str] | None) -> "Filters":
    """What `--method`, `--benchmark` and `--seed` say.

    Raises:
        UsageError: A seed is none.
    """
    from hpoctl.core.cells import Filters
    from hpoctl.ops.studies.seed_ranges import parse_seeds

    return Filters(tuple(method or ()), tuple(benchmark or ()), parse_seeds(seed) if seed else None)


def load_request(
    tag: list[str],
    method: list[str] | None,
    benchmark: list[str] | None,
    seed: list[str] | None,
    where: list[str] | None,
    results: str | None,
    *,
    unfinished: bool = False,
) -> "LoadRequest":
    """What `--tag`, `--method`, `--benchmark`, `--seed`, `--where`, `--results` and `--running` say.

    Raises:
        UsageError: A seed is none.
    """
    from hpoctl.ops.reading.load_traces import LoadRequest

    return LoadRequest(
        tags=tuple(tag),
        results=results,
        filters=make_filters(method, benchmark, seed),
        where=tuple(where or ()),
        unfinished=unfinished,
    )
