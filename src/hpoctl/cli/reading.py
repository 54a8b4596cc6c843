"""What the commands that read results of tags have in common: which tags, which results of them."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hpoctl.ops.reading.load_traces import LoadRequest

Tags = Annotated[list[str], typer.Option("--tag", help="Name of a study's results; repeatable, they are put together.")]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where", help="Only experiments whose metadata fit, as in n_workers=4 or max_wallclock_time>=600; repeatable."
    ),
]


def load_request(
    tag: list[str],
    method: list[str] | None,
    benchmark: list[str] | None,
    seed: list[str] | None,
    where: list[str] | None,
    results: str | None,
) -> "LoadRequest":
    """What `--tag`, `--method`, `--benchmark`, `--seed`, `--where` and `--results` say.

    Raises:
        UsageError: A seed is none.
    """
    from hpoctl.ops.reading.load_traces import LoadRequest
    from hpoctl.ops.studies.seed_ranges import parse_seeds

    return LoadRequest(
        tags=tuple(tag),
        results=results,
        methods=tuple(method or ()),
        benchmarks=tuple(benchmark or ()),
        seeds=parse_seeds(seed) if seed else None,
        where=tuple(where or ()),
    )
