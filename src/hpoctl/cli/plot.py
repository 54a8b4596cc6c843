"""`hpoctl plot`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from hpoctl.cli.options import AsJson, Results
from hpoctl.cli.reading import Running, Tags, Where, load_request
from hpoctl.cli.status import BenchmarkFilter, MethodFilter, SeedFilter
from hpoctl.core.errors import UsageError

if TYPE_CHECKING:
    from hpoctl.analysis.aggregate import Aggregate
    from hpoctl.ops.reading.load_traces import LoadRequest


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
        Literal["best", "strip", "rungs", "profile", "curves"],
        typer.Option(
            help="Best value so far, the final value of each seed, sizes of rungs over time, run-time profiles (the "
            "share of targets and seeds reached), or the learning curves of one experiment."
        ),
    ] = "best",
    axis: Annotated[
        Literal["time", "resource", "trials"],
        typer.Option(
            "--x",
            help="What the best value so far is against: time, resource spent by all trials, or trials started.",
        ),
    ] = "time",
    extra: Annotated[
        list[str] | None,
        typer.Option(
            "--extra", help="An extra result over time, instead: its name or a pattern, as in 'num_at*'; repeatable."
        ),
    ] = None,
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
        Literal["iqm_bootstrap", "mean", "median"] | None,
        typer.Option(
            help="Interquartile mean with bootstrap interval, mean with t-interval, or median with quartiles. "
            "Default: iqm_bootstrap; of extra results, median; of run-time profiles, mean."
        ),
    ] = None,
    simultaneous: Annotated[
        bool, typer.Option("--simultaneous", help="Bands that hold whole lines with 95 %, not each point.")
    ] = False,
    bootstrap_seed: Annotated[
        int | None, typer.Option(min=0, max=2**32 - 1, help="Seed of the bootstrap. Default: 0.")
    ] = None,
    terminal: Annotated[bool, typer.Option("--terminal", help="Draw in the terminal.")] = False,
    running: Running = False,
    results: Results = None,
    as_json: AsJson = False,
) -> None:
    """Plot the best value so far of each setup with a band over seeds; or rungs, profiles, one experiment."""
    shape = Shape(kind, axis, tuple(extra or ()), terminal=terminal)
    _check(shape, output, as_json=as_json)
    grouping = [*(["--group"] if group else []), *(["--no-groups"] if no_groups else [])]
    if len(grouping) == 2:
        raise UsageError("--group and --no-groups do not go together.", "Leave one of them out.")
    load = load_request(tag, method, benchmark, seed, where, results, unfinished=running)
    if kind == "curves":
        given = {"--aggregate": aggregate, "--simultaneous": simultaneous or None, "--bootstrap-seed": bootstrap_seed}
        _refuse(
            [*grouping, *(name for name, value in given.items() if value is not None)], "the curves of one experiment"
        )
        _curves(load, output, as_json=as_json)
        return
    if shape.of_columns:
        _refuse(grouping, "extra results, which have a panel each")
    if kind == "profile" and aggregate not in (None, "mean"):
        raise UsageError("A run-time profile is a share of seeds, a mean.", "Leave --aggregate out.")

    from hpoctl.cli import plot_report as report
    from hpoctl.ops.answers.plot import plot_study
    from hpoctl.ops.answers.plot_panels import parse_groups
    from hpoctl.ops.answers.plot_request import PlotRequest
    from hpoctl.ops.answers.plotted_setups import Summary

    usual: Aggregate = "median" if shape.of_columns else "mean" if kind == "profile" else "iqm_bootstrap"
    request = PlotRequest(
        load=load,
        output=output,
        kind="extra" if extra else kind,
        axis=axis,
        groups={} if no_groups else parse_groups(group) if group else None,
        summary=Summary(aggregate or usual, simultaneous, bootstrap_seed or 0),
        extra=shape.extra,
    )
    plotted = plot_study(request)
    if as_json:
        report.emit(plotted)
    else:
        report.show(plotted, terminal=terminal)


@dataclass(frozen=True, slots=True)
class Shape:
    """What kind of figure is asked for.

    Attributes:
        kind: `--kind`.
        axis: `--x`.
        extra: `--extra`.
        terminal: `--terminal`.
    """

    kind: str
    axis: str
    extra: tuple[str, ...]
    terminal: bool

    @property
    def of_columns(self) -> bool:
        """Whether extra results are drawn, one panel a setup."""
        return bool(self.extra) or self.kind == "rungs"


def _check(shape: Shape, output: Path | None, *, as_json: bool) -> None:
    """Refuse options that do not go together.

    Raises:
        UsageError: There are such.
    """
    if output is None and not shape.terminal and not as_json:
        raise UsageError("No --output says where the figure goes.", "Name a .png, .svg or .pdf, or use --terminal.")
    if shape.terminal and as_json:
        raise UsageError("--terminal and --json both write to standard output.", "Leave one of them out.")
    if shape.terminal and shape.kind in ("strip", "curves"):
        raise UsageError(
            "--terminal draws lines: its letters are too coarse for single seeds and trials.",
            "Name a .png, .svg or .pdf with --output.",
        )
    if shape.extra and shape.kind != "best":
        raise UsageError("--extra is a separate figure.", "Leave --kind out.")
    if shape.axis != "time" and (shape.kind != "best" or shape.extra):
        raise UsageError("--x is for the best value so far.", "Leave it out, or leave --kind and --extra out.")


def _refuse(options: list[str], what: str) -> None:
    if options:
        raise UsageError(f"{', '.join(options)} would say nothing about {what}.", "Leave it out.")


def _curves(load: "LoadRequest", output: Path | None, *, as_json: bool) -> None:
    from hpoctl.cli import plot_report as report
    from hpoctl.ops.answers.plot_curves import plot_curves

    plotted = plot_curves(load, output)
    if as_json:
        report.emit_curves(plotted)
    else:
        report.show_curves(plotted)
