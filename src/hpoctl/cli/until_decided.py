"""`hpoctl launch --until-decided`: the output at each interim analysis, and at the end."""

import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from hpoctl.analysis.shown import NOTHING, show
from hpoctl.builtins import open_registry
from hpoctl.cli.decided_report import repeated_interval
from hpoctl.cli.documents import Grid, Lines, render
from hpoctl.cli.launch_progress import LaunchBars, duration
from hpoctl.cli.launch_report import plan_json, print_plan, print_start, settle_trust
from hpoctl.cli.output import Status, emit_json, err, hint, out
from hpoctl.cli.words import many, p_text
from hpoctl.core.errors import FAILED, INTERRUPTED, IncompleteError
from hpoctl.ops.launching.launch import LaunchWatcher
from hpoctl.ops.launching.launch_plan import LaunchPlan
from hpoctl.ops.launching.sequential_design import SequentialDesign
from hpoctl.ops.launching.until_decided import (
    DecisionOutcome,
    DecisionPlan,
    DecisionRequest,
    decide,
    plan_decisions,
    stage_plans,
)

if TYPE_CHECKING:
    from hpoctl.analysis.decisions import Answer, Stage
    from hpoctl.plugins import Registry


class InterimAnalyses:
    """Shows a launch until pairs are decided: a live view of the jobs of each interim analysis, then its answers.

    Args:
        registry: What names stand for.
        margin: The margin of equivalence; None: there is none.
        quiet: Whether the answers are printed at the end only, in one JSON object.
    """

    def __init__(self, registry: "Registry", margin: str | None, *, quiet: bool) -> None:
        self._registry = registry
        self._margin = margin
        self._quiet = quiet

    def launches(self, plan: LaunchPlan) -> AbstractContextManager[LaunchWatcher]:
        """A live view of these jobs."""
        print_start(plan, self._registry)
        return LaunchBars(err(), plan.tag)

    def decides(self, stage: "Stage") -> None:
        """Print the answers of an interim analysis."""
        if not self._quiet:
            print_stage(stage, self._margin)


def launch_until_decided(
    request: DecisionRequest,
    *,
    dry_run: bool,
    detach: Callable[[LaunchPlan], int] | None,
    as_json: bool,
    log: str,
) -> int:
    """Add seeds to pairs until they are decided; returns the exit code.

    Args:
        request: The options of the command.
        dry_run: Whether only the jobs of the next interim analysis are shown.
        detach: Continues in the background, given the first launch; None: everything runs in this process.
        as_json: Whether one object is printed instead of text.
        log: Where the output of this process goes; empty: to a terminal.
    """
    registry = open_registry()
    with err().status("reading the results of the pairs"):
        plan = plan_decisions(request, registry)
    if dry_run:
        _dry_run(plan, registry, as_json=as_json)
        return 0
    _print_design(plan)
    launches = stage_plans(plan, registry)
    for launch in launches[:1]:
        settle_trust(launch.from_files, trusted=request.launch.trust_config, as_json=as_json)
    if detach is not None and launches:
        return detach(launches[0])
    if not as_json:
        for stage in plan.course.stages:
            print_stage(stage, plan.design.margin)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    outcome = decide(plan, registry, InterimAnalyses(registry, plan.design.margin, quiet=as_json), log)
    if as_json:
        emit_json("launch", *_outcome_json(plan, outcome))
    else:
        _print_outcome(plan, outcome)
    if outcome.interrupted:
        return INTERRUPTED
    if outcome.failures:
        return FAILED
    return 0 if outcome.course.next_seeds is None else IncompleteError.exit_code


def print_stage(stage: "Stage", margin: str | None) -> None:
    """Print the answers of an interim analysis; with a margin, each family of tests with its p and its level."""
    done = sum(answer.verdict != "undecided" for answer in stage.answers)
    still = len(stage.answers) - done
    head = f"interim analysis at {many(stage.seeds, 'seed')}: {done} decided, {still} not decided"
    equal = [] if margin is None else [f"p of a difference of {margin}", "decides at"]
    titles = ["benchmark", "A", "B", "A is", "p", "decides at", *equal, "shift", "repeated interval", "seeds"]
    console = out()
    grid = Grid(titles, [_row(answer, margin) for answer in stage.answers], keys=3)
    console.print(render([Lines([head]), grid], "text", console.width), markup=False, soft_wrap=True)


def _row(answer: "Answer", margin: str | None) -> list[str]:
    asked, look = answer.question, answer.look
    return [
        asked.benchmark,
        asked.first,
        asked.second,
        "undecided, futile" if answer.futile else answer.verdict,
        p_text(look.p),
        p_text(answer.level),
        *([] if margin is None else [_p_or_nothing(look.p_equivalent), _p_or_nothing(answer.level_equivalent)]),
        NOTHING if answer.estimate is None else show(answer.estimate, ".3g"),
        repeated_interval(look),
        str(look.seeds),
    ]


def _p_or_nothing(p: float | None) -> str:
    return NOTHING if p is None else p_text(p)


def _dry_run(plan: DecisionPlan, registry: "Registry", *, as_json: bool) -> None:
    launches = stage_plans(plan, registry)
    if as_json:
        jobs = [job for launch in launches for job in plan_json(launch)["jobs"]]
        emit_json("launch", "success", {**_facts(plan), "next_look": plan.course.next_seeds, "jobs": jobs})
        return
    _print_design(plan)
    for stage in plan.course.stages:
        print_stage(stage, plan.design.margin)
    if plan.course.next_seeds is None:
        out().print("nothing to do: all pairs are decided, or no interim analysis is left", markup=False)
        return
    out().print(f"next interim analysis: at {plan.course.next_seeds} seeds", markup=False)
    for launch in launches:
        print_plan(launch)


def _print_design(plan: DecisionPlan) -> None:
    design, console = plan.design, err()
    questions = many(len(design.questions), "question")
    looks = ", ".join(map(str, design.looks))
    console.print(
        f"tag {plan.tag}: {questions} ({many(len(design.pairs), 'pair')} on {many(len(design.benchmarks), 'benchmark')}"
        f"), interim analyses at {looks} seeds from seed {design.start_seed} on; family-wise error rate at most "
        f"{100 * design.level:g} %{_closing(design)}",
        markup=False,
        soft_wrap=True,
    )
    if design.seen:
        console.print(
            f"warning: {many(design.seen, 'experiment')} of these pairs were complete before the interim analyses were "
            "fixed; if their results influenced the choice of the pairs, the answer is not valid: take new seeds with "
            "--start-seed",
            style="yellow",
            markup=False,
            soft_wrap=True,
        )


def _closing(design: SequentialDesign) -> str:
    """What else closes a question."""
    equal = "" if design.margin is None else f"; equivalent within {design.margin}, at the same error rate"
    return equal + ("; futile questions are closed" if design.futility else "")


def _print_outcome(plan: DecisionPlan, outcome: DecisionOutcome) -> None:
    course = outcome.course
    used, most = course.experiments, plan.design.most_experiments
    answers = course.answers
    futile = [str(question) for question in course.open if question in answers and answers[question].futile]
    still = [str(question) for question in course.open if str(question) not in futile]
    again = plan.root.command("launch", "--tag", plan.tag, "--until-decided")
    asked = len(plan.design.questions)
    if course.next_seeds is not None:
        if outcome.interrupted:
            err().print("interrupted: complete experiments are kept", style="bold yellow", markup=False)
        text = f"tag {plan.tag}: the interim analysis at {course.next_seeds} seeds is not complete"
        failed = f", {many(len(outcome.failures), 'experiment')} failed" if outcome.failures else ""
        elsewhere = f", {many(outcome.elsewhere, 'experiment')} running elsewhere" if outcome.elsewhere else ""
        out().print(f"{text}{failed}{elsewhere}", markup=False, soft_wrap=True)
        if outcome.failures:
            first = outcome.failures[0].cell
            where = ["--method", first.method, "--benchmark", first.benchmark, "--seed", str(first.seed)]
            hint(f"why: {plan.root.command('logs', '--tag', plan.tag, *where)}")
        hint(f"next: {again}")
        return
    if still or futile:
        ends = [f"not decided with at most {plan.design.looks[-1]} seeds: {', '.join(still)}"] if still else []
        ends += [f"closed as futile: {', '.join(futile)}"] if futile else []
        text = "; ".join(ends)
    else:
        text = "it is decided" if asked == 1 else f"all {asked} questions are decided"
    out().print(
        f"tag {plan.tag}: {text}; {used:,} of at most {most:,} experiments, {duration(outcome.seconds)}",
        markup=False,
        soft_wrap=True,
    )
    if still or futile:
        text = "not decided is not the same as equal: the repeated intervals show which differences are possible"
        out().print(text, markup=False, soft_wrap=True)
    hint(f"next: {plan.root.command('compare', '--tag', plan.tag)}")


def _facts(plan: DecisionPlan) -> dict[str, Any]:
    design = plan.design
    return {
        "tag": plan.tag,
        "pairs": [list(pair) for pair in design.pairs],
        "benchmarks": list(design.benchmarks),
        "start_seed": design.start_seed,
        "looks": list(design.looks),
        "level": design.level,
        "margin": design.margin,
        "futility": design.futility,
        "seen_before": design.seen,
        "stages": plan.course.stages,
    }


def _outcome_json(plan: DecisionPlan, outcome: DecisionOutcome) -> tuple[Status, dict[str, Any], list[dict[str, str]]]:
    course = outcome.course
    used, most = course.experiments, plan.design.most_experiments
    data = {
        **_facts(plan),
        "stages": course.stages,
        "answers": list(course.answers.values()),
        "not_decided": course.open,
        "next_look": course.next_seeds,
        "experiments_used": used,
        "experiments_at_most": most,
        "failures": [{"experiment": failure.cell, "error": failure.error} for failure in outcome.failures],
        "running": outcome.elsewhere,
        "interrupted": outcome.interrupted,
        "seconds": outcome.seconds,
    }
    again = plan.root.command("launch", "--tag", plan.tag, "--until-decided")
    errors = [{"what": f"{failure.cell} failed: {failure.error}", "fix": again} for failure in outcome.failures]
    if outcome.interrupted:
        errors.append({"what": "Interrupted.", "fix": again})
    if not errors and course.next_seeds is None:
        return "success", data, errors
    if not errors:
        errors.append({"what": f"The interim analysis at {course.next_seeds} seeds is not complete yet.", "fix": again})
    return ("partial" if course.stages else "error"), data, errors
