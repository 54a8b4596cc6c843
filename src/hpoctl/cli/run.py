"""`hpoctl run`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from hpoctl.core.errors import UsageError, unknown_name

if TYPE_CHECKING:
    from hpoctl.ops.plan import RunRequest

BACKEND = "simulator"
EXPERIMENTS_FAILED = 1
INTERRUPTED = 130


def run(
    method: Annotated[list[str], typer.Option("--method", "-m", help="Method to run; repeatable.")],
    benchmark: Annotated[
        list[str] | None,
        typer.Option("--benchmark", "-b", help="Benchmark; repeatable. Default: all of the study."),
    ] = None,
    study: Annotated[
        str | None,
        typer.Option(help="Study whose benchmarks and extra results are used. Default: the method's."),
    ] = None,
    tag: Annotated[str | None, typer.Option(help="Name of the study's results. Default: one is made up.")] = None,
    random_seed: Annotated[
        int | None, typer.Option(min=0, max=2**32 - 1, help="Master seed. Default: drawn and printed.")
    ] = None,
    num_seeds: Annotated[int | None, typer.Option(help="Exclusive upper end of the seeds. Default: one seed.")] = None,
    start_seed: Annotated[int, typer.Option(help="First seed.")] = 0,
    n_workers: Annotated[int | None, typer.Option(help="Trials at a time. Default: the benchmark's.")] = None,
    max_wallclock_time: Annotated[
        float | None,
        typer.Option(help="Budget in seconds of the experiment's clock. Default: the benchmark's."),
    ] = None,
    max_num_evaluations: Annotated[int | None, typer.Option(help="Budget in reports.")] = None,
    max_size_data_for_model: Annotated[
        int | None, typer.Option(help="Most data a model is fitted to. Default: the method's.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="METHOD.option=value, as in ASHA.grace_period=3; repeatable."),
    ] = None,
    backend: Annotated[str, typer.Option(help="Where trials execute: on the simulator, from a table.")] = BACKEND,
    decision_time: Annotated[
        str, typer.Option(help="Simulated cost of a suggestion: zero, measured, or a number of seconds.")
    ] = "zero",
    poll_interval: Annotated[
        float,
        typer.Option(min=0.0, help="Simulated seconds between looks at the trials; 5 is Syne Tune's clock."),
    ] = 0.0,
    checkpointing: Annotated[
        bool, typer.Option(help="Whether a resumed trial goes on where it paused, or starts over.")
    ] = True,
    results: Annotated[Path | None, typer.Option(help="Root of results. Default: $HPOCTL_ROOT or ~/hpoctl.")] = None,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="A line for each start, promotion, pause, stop and model fit."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
) -> None:
    """Run experiments here, in this process, one after another."""
    from hpoctl.backends.simulator import SimulatorOptions
    from hpoctl.ops.plan import RunRequest

    if backend != BACKEND:
        raise unknown_name("backend", backend, [BACKEND], "hpoctl run --help")
    request = RunRequest(
        methods=tuple(method),
        benchmarks=tuple(benchmark or ()),
        study=study,
        tag=tag,
        random_seed=random_seed,
        start_seed=start_seed,
        num_seeds=num_seeds,
        n_workers=n_workers,
        max_wallclock_time=max_wallclock_time,
        max_num_evaluations=max_num_evaluations,
        max_size_data_for_model=max_size_data_for_model,
        decision_time=_decision_time(decision_time),
        simulator=SimulatorOptions(poll_interval=poll_interval, checkpointing=checkpointing),
        settings=tuple(settings or ()),
        results=results,
    )
    code = _run(request, verbose=verbose, as_json=as_json)
    if code:
        raise typer.Exit(code)


def _run(request: "RunRequest", *, verbose: bool, as_json: bool) -> int:
    from hpoctl.cli.output import emit_json, err
    from hpoctl.cli.progress import Bars, VerboseLines
    from hpoctl.cli.run_report import outcome_json, print_outcome, print_plan
    from hpoctl.ops.plan import plan_run
    from hpoctl.ops.registry import open_registry
    from hpoctl.ops.run import run as run_experiments

    registry = open_registry()
    plan = plan_run(request, registry)
    print_plan(plan, [plugin for plugin in registry.plugins if plugin.failures])
    if verbose:
        lines = VerboseLines(to_stderr=as_json)
        outcome = run_experiments(plan, lines.watch, lines.finished)
    else:
        with Bars(err(), len(plan.specs)) as bars:
            outcome = run_experiments(plan, bars.watch, bars.finished)
    if as_json:
        emit_json("run", *outcome_json(plan, outcome))
    else:
        print_outcome(request, plan, outcome)
    if outcome.interrupted is not None:
        return INTERRUPTED
    return EXPERIMENTS_FAILED if outcome.failed else 0


def _decision_time(text: str) -> "Literal['zero', 'measured'] | float":
    if text == "zero":
        return "zero"
    if text == "measured":
        return "measured"
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0.0 <= seconds < float("inf"):
        raise UsageError(f"--decision-time cannot be {text!r}.", "Use zero, measured, or a number of seconds >= 0.")
    return seconds
