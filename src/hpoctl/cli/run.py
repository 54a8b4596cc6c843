"""`hpoctl run`."""

from typing import TYPE_CHECKING, Annotated

import typer

from hpoctl.cli.options import (
    AsJson,
    BackendName,
    BackendOptions,
    Benchmarks,
    MethodOptions,
    RandomSeed,
    Results,
    experiment_words,
    named_values,
    option,
    with_settings,
)
from hpoctl.core.errors import FAILED, INTERRUPTED
from hpoctl.core.setting_definition import Given

if TYPE_CHECKING:
    from hpoctl.ops.running.run import RunRequest


@with_settings
def run(
    *,
    method: Annotated[
        list[str],
        option("What", "Method to run; repeatable.", "--method", "-m", metavar="METHOD"),
    ],
    benchmark: Benchmarks = None,
    study: Annotated[
        str | None,
        option(
            "What",
            "Study whose benchmarks and extra results are used: its name or its file. Default: the method's.",
            metavar="STUDY",
        ),
    ] = None,
    tag: Annotated[
        str | None, option("What", "Name of the study's results. Default: one is made up.", metavar="TAG")
    ] = None,
    settings: MethodOptions = None,
    num_seeds: Annotated[
        int | None, option("How many", "Exclusive upper end of the seeds. Default: one seed.", metavar="N")
    ] = None,
    start_seed: Annotated[int, option("How many", "First seed.", metavar="N")] = 0,
    random_seed: RandomSeed = None,
    experiment: Given,
    backend: BackendName = None,
    backend_option: BackendOptions = None,
    results: Results = None,
    verbose: Annotated[
        bool, option("Output", "Print a line for each start, promotion, pause, stop and model fit.", "--verbose", "-v")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run experiments in this process, one after another."""
    from hpoctl.ops.running.run import RunRequest
    from hpoctl.ops.studies.overrides import Overrides

    changes = Overrides(
        methods=tuple(method),
        benchmarks=tuple(benchmark or ()),
        settings=tuple(settings or ()),
        start_seed=start_seed,
        num_seeds=num_seeds,
        experiment=experiment,
        backend=backend,
        backend_options=named_values(backend_option or (), "trial backend", "address=10.0.0.5:6379"),
    )
    options = (*experiment_words(changes), *(("--study", study) if study is not None else ()))
    request = RunRequest(changes, study=study, tag=tag, random_seed=random_seed, results=results, options=options)
    code = _run(request, verbose=verbose, as_json=as_json)
    if code:
        raise typer.Exit(code)


def _run(request: "RunRequest", *, verbose: bool, as_json: bool) -> int:
    from hpoctl.builtins import open_registry
    from hpoctl.cli.output import emit_json, err
    from hpoctl.cli.progress import Bars, VerboseLines
    from hpoctl.cli.run_report import outcome_json, print_outcome, print_plan
    from hpoctl.ops.running.run import plan_run
    from hpoctl.ops.running.run import run as run_experiments

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
        print_outcome(plan, outcome, request.options)
    if outcome.interrupted is not None:
        return INTERRUPTED
    return FAILED if outcome.failed else 0
