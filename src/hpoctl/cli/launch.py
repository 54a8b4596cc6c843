"""`hpoctl launch`."""

import shlex
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from hpoctl.cli.options import (
    AsJson,
    BackendName,
    BackendOptions,
    Benchmarks,
    LauncherOptions,
    MethodOptions,
    RandomSeed,
    Results,
    named_values,
    option,
    with_settings,
)
from hpoctl.core.errors import FAILED, INTERRUPTED, IncompleteError, UsageError
from hpoctl.core.setting_definition import Given

if TYPE_CHECKING:
    from hpoctl.ops.launching.launch_plan import LaunchPlan, LaunchRequest


@with_settings
def launch(
    *,
    study: Annotated[
        str | None,
        option(
            "What",
            "Study: a registered one, or a TOML file. Default: the tag's, or the configured one.",
            metavar="STUDY",
        ),
    ] = None,
    tag: Annotated[
        str | None,
        option("What", "Name of the study's results. Default: the study's, or one is made up.", metavar="TAG"),
    ] = None,
    method: Annotated[
        list[str] | None,
        option("What", "Method; repeatable. Default: all of the study.", "--method", "-m", metavar="METHOD"),
    ] = None,
    benchmark: Benchmarks = None,
    settings: MethodOptions = None,
    num_seeds: Annotated[
        int | None, option("How many", "Exclusive upper end of the seeds. Default: the study's.", metavar="N")
    ] = None,
    start_seed: Annotated[int | None, option("How many", "First seed. Default: the study's.", metavar="N")] = None,
    random_seed: RandomSeed = None,
    new_seed: Annotated[
        bool, option("How many", "Give the tag another random seed: --random-seed, or one that is drawn.", "--new-seed")
    ] = False,
    allow_mixed: Annotated[
        bool,
        option("How many", "Keep complete results that this launch would not make again as they are.", "--allow-mixed"),
    ] = False,
    until_decided: Annotated[
        bool, option("How many", "Add seeds to --pairs until interim analyses decide each.", "--until-decided")
    ] = False,
    pairs: Annotated[
        list[str] | None,
        option(
            "How many",
            "Two methods that --until-decided decides, as in MOBSTER:ASHA; repeatable.",
            "--pairs",
            metavar="METHOD:METHOD",
        ),
    ] = None,
    max_seeds: Annotated[
        int | None, option("How many", "Most seeds of a pair that --until-decided runs.", "--max-seeds", metavar="N")
    ] = None,
    equivalent_within: Annotated[
        str | None,
        option(
            "How many",
            "Margin within which --until-decided calls a pair equivalent: 1% of the metric, or regret:0.01.",
            "--equivalent-within",
            metavar="MARGIN",
        ),
    ] = None,
    futility: Annotated[
        bool | None,
        option(
            "How many",
            "Whether --until-decided stops pairs that are unlikely to be decided. Default: no.",
            "--futility/--no-futility",
        ),
    ] = None,
    experiment: Given,
    on: Annotated[
        str | None,
        option(
            "Where", "Launcher: where jobs execute. Default: the study's, the folder's, or local.", metavar="LAUNCHER"
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        option(
            "Where",
            "Experiments that run at a time. Default: one for each core.",
            "--experiments-at-a-time",
            "-j",
            metavar="N",
        ),
    ] = None,
    retries: Annotated[
        int | None, option("Where", "Times that a failed experiment is tried again at once.", metavar="N")
    ] = None,
    timeout: Annotated[
        float | None,
        option(
            "Where", "Real time that an experiment may take. Default: any, while it makes progress.", metavar="SECONDS"
        ),
    ] = None,
    launcher_option: LauncherOptions = None,
    backend: BackendName = None,
    backend_option: BackendOptions = None,
    results: Results = None,
    detach: Annotated[
        bool, option("Where", "Continue in the background; `hpoctl status` shows it.", "--detach")
    ] = False,
    trust_config: Annotated[
        bool,
        typer.Option(
            "--trust-config",
            help="Let hpoctl.toml and study files of this folder say what code the launcher runs.",
            rich_help_panel="Where",
        ),
    ] = False,
    yes: Annotated[
        bool, option("What", "Launch the default study, even under a tag that looks like a mistake.", "--yes", "-y")
    ] = False,
    dry_run: Annotated[
        bool, option("Output", "Only print the jobs, their experiments, results and expected time.", "--dry-run")
    ] = False,
    as_json: AsJson = False,
    log: Annotated[str, typer.Option(hidden=True, help="Where the output of this process goes.")] = "",
    jobs_alias: Annotated[int | None, typer.Option("--jobs", hidden=True, help="Former name of `-j`.")] = None,
) -> None:
    """Run the experiments of a study that are neither complete nor running."""
    from hpoctl.ops.launching.launch_plan import LaunchRequest
    from hpoctl.ops.studies.overrides import Overrides

    named = {"jobs": jobs_alias if jobs is None else jobs, "retries": retries, "timeout": timeout}
    changes = Overrides(
        methods=tuple(method or ()),
        benchmarks=tuple(benchmark or ()),
        settings=tuple(settings or ()),
        start_seed=start_seed,
        num_seeds=num_seeds,
        experiment=experiment,
        launcher=on,
        launcher_options={
            **named_values(launcher_option or (), "launcher", "jobs=2"),
            **{name: value for name, value in named.items() if value is not None},
        },
        backend=backend,
        backend_options=named_values(backend_option or (), "trial backend", "address=10.0.0.5:6379"),
    )
    request = LaunchRequest(changes, study, tag, random_seed, new_seed, allow_mixed, results, trust_config, yes)
    if until_decided:
        from hpoctl.cli.reading import margin_of
        from hpoctl.cli.until_decided import launch_until_decided
        from hpoctl.ops.launching.sequential_design import parse_pairs
        from hpoctl.ops.launching.until_decided import DecisionRequest

        margin = margin_of(equivalent_within)
        asked = DecisionRequest(
            request, parse_pairs(pairs or ()), max_seeds, None if margin is None else str(margin), futility
        )
        background = partial(_detach, as_json=as_json) if detach else None
        code = launch_until_decided(asked, dry_run=dry_run, detach=background, as_json=as_json, log=log)
    elif pairs or max_seeds is not None:
        raise UsageError("--pairs and --max-seeds go with --until-decided only.", "Add --until-decided.")
    elif equivalent_within is not None or futility is not None:
        raise UsageError("--equivalent-within and --futility go with --until-decided only.", "Add --until-decided.")
    else:
        code = _launch(request, dry_run=dry_run, detach=detach, as_json=as_json, log=log)
    if code:
        raise typer.Exit(code)


def _launch(request: "LaunchRequest", *, dry_run: bool, detach: bool, as_json: bool, log: str) -> int:
    from hpoctl.builtins import open_registry
    from hpoctl.cli.launch_progress import LaunchBars
    from hpoctl.cli.launch_report import outcome_json, plan_json, print_outcome, print_plan, print_start, settle_trust
    from hpoctl.cli.output import emit_json, err
    from hpoctl.ops.launching.launch import launch as launch_plan
    from hpoctl.ops.launching.launch_plan import plan_launch

    registry = open_registry()
    with err().status("reading the results of the tag"):
        plan = plan_launch(request, registry)
    if dry_run:
        if as_json:
            emit_json("launch", "success", plan_json(plan))
        else:
            print_plan(plan)
        return 0
    print_start(plan, registry)
    settle_trust(plan.from_files, trusted=request.trust_config, as_json=as_json)
    if detach and plan.jobs:
        return _detach(plan, as_json=as_json)
    # `hpoctl stop` and `kill` end a launch in the background as Ctrl-C does one in a terminal.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with LaunchBars(err(), plan.tag) as bars:
        outcome = launch_plan(plan, bars, log)
    if as_json:
        emit_json("launch", *outcome_json(plan, outcome))
    else:
        print_outcome(plan, outcome)
    if outcome.interrupted:
        return INTERRUPTED
    if outcome.failures:
        return FAILED
    return 0 if outcome.complete else IncompleteError.exit_code


def _detach(plan: "LaunchPlan", *, as_json: bool) -> int:
    from hpoctl.cli.output import emit_json, hint, out
    from hpoctl.ops.launching.launch import settle
    from hpoctl.ops.launching.launches import detach

    words = [word for word in sys.argv[1:] if word not in {"--detach", "--json"}]
    words += [] if "--tag" in words else ["--tag", plan.tag]
    # The random seed is the tag's from now on; the process in the background finds it there.
    settle(plan)
    started = detach(plan.root, plan.tag, [word for word in words if word != "--new-seed"])
    if as_json:
        emit_json("launch", "success", {"tag": plan.tag, "pid": started.pid, "log": str(started.log)})
        return 0
    out().print(
        f"launched {plan.experiments} experiments of {plan.tag} in the background: pid {started.pid}", markup=False
    )
    out().print(f"output: {started.log}", markup=False, soft_wrap=True)
    named = any(word.partition("=")[0] == "--results" for word in words)
    root = ["--results", plan.root.store.location("")] if named else []
    hint(f"watch: {shlex.join(['hpoctl', 'status', '--tag', plan.tag, '--watch', *root])}")
    hint(f"stop: {shlex.join(['hpoctl', 'stop', '--tag', plan.tag, *root])}")
    return 0
