"""`hpoctl plot`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from hpoctl.cli.options import AsJson, Results
from hpoctl.cli.status import BenchmarkFilter, MethodFilter, SeedFilter
from hpoctl.core.errors import UsageError

if TYPE_CHECKING:
    from hpoctl.ops.load_traces import LoadRequest

Tags = Annotated[list[str], typer.Option("--tag", help="Name of a study's results; repeatable, they are put together.")]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where", help="Only experiments whose metadata fit, as in n_workers=4 or max_wallclock_time>=600; repeatable."
    ),
]


def plot(
    tag: Tags,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; .png, .svg or .pdf says the format.")
    ] = None,
    method: MethodFilter = None,
    benchmark: BenchmarkFilter = None,
    seed: SeedFilter = None,
    where: Where = None,
    kind: Annotated[
        Literal["time", "strip"],
        typer.Option(help="Best value so far against time, or the final value of each seed."),
    ] = "time",
    group: Annotated[
        list[str] | None,
        typer.Option(
            "--group",
            help="A panel and its methods, as in 'tanh=ASHA-TANH,MOBSTER-TANH'; repeatable. "
            "Default: the panels of the study.",
        ),
    ] = None,
    no_groups: Annotated[bool, typer.Option("--no-groups", help="One panel for each benchmark.")] = False,
    aggregate: Annotated[
        Literal["iqm_bootstrap", "mean", "median"],
        typer.Option(
            help="Interquartile mean with bootstrap interval, mean with t-interval, or median with quartiles."
        ),
    ] = "iqm_bootstrap",
    simultaneous: Annotated[
        bool, typer.Option("--simultaneous", help="Bands that hold whole lines with 95 %, not each point.")
    ] = False,
    bootstrap_seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the bootstrap.")] = 0,
    terminal: Annotated[bool, typer.Option("--terminal", help="Draw in the terminal.")] = False,
    results: Results = None,
    as_json: AsJson = False,
) -> None:
    """Draw the best value so far of each setup against time, with a band over its seeds."""
    from hpoctl.cli import plot_report as report
    from hpoctl.ops.plot import PlotRequest, parse_groups, plot_study

    if output is None and not terminal and not as_json:
        raise UsageError("No --output says where the figure goes.", "Name a .png, .svg or .pdf, or use --terminal.")
    if terminal and (as_json or kind != "time"):
        raise UsageError("--terminal draws lines against time only.", "Leave --json and --kind out.")
    if group and no_groups:
        raise UsageError("--group and --no-groups do not go together.", "Leave one of them out.")
    request = PlotRequest(
        load=load_request(tag, method, benchmark, seed, where, results),
        output=output,
        kind=kind,
        groups={} if no_groups else parse_groups(group) if group else None,
        aggregate=aggregate,
        simultaneous=simultaneous,
        seed=bootstrap_seed,
    )
    plotted = plot_study(request)
    if as_json:
        report.emit(plotted)
    else:
        report.show(plotted, terminal=terminal)


def load_request(
    tag: list[str],
    method: list[str] | None,
    benchmark: list[str] | None,
    seed: list[str] | None,
    where: list[str] | None,
    results: Path | None,
) -> "LoadRequest":
    """What `--tag`, `--method`, `--benchmark`, `--seed`, `--where` and `--results` say.

    Raises:
        UsageError: A seed is none.
    """
    from hpoctl.ops.load_traces import LoadRequest
    from hpoctl.ops.seed_ranges import parse_seeds

    return LoadRequest(
        tags=tuple(tag),
        results=results,
        methods=tuple(method or ()),
        benchmarks=tuple(benchmark or ()),
        seeds=parse_seeds(seed) if seed else None,
        where=tuple(where or ()),
    )
