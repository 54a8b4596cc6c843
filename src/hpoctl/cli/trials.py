"""`hpoctl trials`."""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import tomli_w
import typer

from hpoctl.cli.options import AsJson, Results
from hpoctl.cli.reading import Tags, Where, load_request
from hpoctl.cli.status import BenchmarkFilter, MethodFilter, SeedFilter
from hpoctl.core.errors import UsageError
from hpoctl.core.trial_call import option_words

if TYPE_CHECKING:
    from hpoctl.core.space import Value
    from hpoctl.ops.answers.trials import TrialList, TrialSummary

SHOWN = 20
FORMS = ("arguments", "json", "toml")


def trials(
    tag: Tags,
    method: MethodFilter = None,
    benchmark: BenchmarkFilter = None,
    seed: SeedFilter = None,
    where: Where = None,
    sort: Annotated[str, typer.Option(help="best, last, resource, seconds, cost or trial.")] = "best",
    outcome: Annotated[
        list[str] | None,
        typer.Option(help="Only trials that are completed, stopped, paused, failed or running; repeatable."),
    ] = None,
    least_resource: Annotated[int, typer.Option(min=0, help="Only trials that have reached this level.")] = 0,
    limit: Annotated[int, typer.Option(min=0, help="Trials to show; 0: all of them.")] = SHOWN,
    best: Annotated[bool, typer.Option("--best", help="Print the best configuration, and nothing else.")] = False,
    form: Annotated[str, typer.Option("--format", help="With --best: arguments, json or toml.")] = "arguments",
    results: Results = None,
    as_json: AsJson = False,
) -> None:
    """List the trials of experiments, also while they train: configuration, outcome, values, resource, time, why."""
    from hpoctl.cli.output import emit_json, hint
    from hpoctl.ops.answers.trials import SORTS, best_trial, list_trials

    order = next((known for known in SORTS if known == sort), None)
    if order is None:
        raise UsageError(f"--sort cannot be {sort!r}.", f"Use one of {', '.join(SORTS)}.")
    if form not in FORMS:
        raise UsageError(f"--format cannot be {form!r}.", f"Use one of {', '.join(FORMS)}.")
    load = load_request(tag, method, benchmark, seed, where, results)
    found = list_trials(load, order, outcome or (), least_resource)
    shown = found.trials[: limit or None]
    if best:
        chosen = best_trial(found)
        if as_json:
            emit_json("trials", "success", {"best": chosen}, [])
            return
        typer.echo(_config_as(chosen.config, form))
        hint(_about(found, chosen))
    elif as_json:
        data = {"metrics": found.metrics, "counts": found.counts, "experiments": found.experiments, "trials": shown}
        emit_json("trials", "success", data, [])
    else:
        _print(found, shown)


def _about(found: "TrialList", trial: "TrialSummary") -> str:
    metric, _ = found.metrics[trial.cell.benchmark]
    resource = found.resources[trial.cell.benchmark]
    return f"{metric} {trial.best:.6g} at {resource} {trial.best_resource}: trial {trial.trial_id} of {trial.cell}"


def _print(found: "TrialList", shown: "Sequence[TrialSummary]") -> None:
    """The trials, each in two lines: its numbers, and its configuration, which may be long."""
    from textwrap import wrap

    from hpoctl.cli.layout import print_lines
    from hpoctl.cli.output import hint, out
    from hpoctl.cli.words import many

    standing = ", ".join(f"{count:,} {outcome.lower()}" for outcome, count in sorted(found.counts.items()))
    total = sum(found.counts.values())
    print_lines([f"{many(total, 'trial')} of {many(found.experiments, 'experiment')}: {standing}"])
    several = found.experiments > 1
    costs = [trial.cost for trial in found.trials if trial.cost is not None]
    if costs:
        print_lines([f"cost of {many(len(costs), 'trial')}: {sum(costs):,.2f}"])
    heads = [("trial", 5), ("best", 12), ("at", 6), ("last", 12), ("to", 6), ("seconds", 9)]
    heads += [("cost", 8)] if costs else []
    print_lines([" ".join(f"{name:>{width}}" for name, width in heads) + "  outcome"])
    for trial in shown:
        at = "-" if trial.best_resource is None else str(trial.best_resource)
        values = (f"{trial.best:.6g}", at, f"{trial.last:.6g}", str(trial.resource), f"{trial.seconds:,.1f}")
        cells = [str(trial.trial_id), *values]
        if costs:
            cells.append("-" if trial.cost is None else f"{trial.cost:,.2f}")
        line = " ".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, heads, strict=True))
        why = f": {trial.why}" if trial.why else ""
        lines = [f"{line}  {trial.outcome}{why}"]
        if several:
            lines.append(f"      {trial.cell}")
        lines += wrap(
            _config(trial.config),
            max(out().width, 40),
            initial_indent=" " * 6,
            subsequent_indent=" " * 6,
            break_long_words=False,
            break_on_hyphens=False,
        )
        print_lines(lines)
    if len(shown) < len(found.trials):
        hint(f"{len(found.trials) - len(shown):,} more; --limit 0 shows all of them")
    hint("--best prints the best configuration as arguments to train the final model with")


def _config(config: Mapping[str, object]) -> str:
    return ", ".join(
        f"{name}={value:.6g}" if isinstance(value, float) else f"{name}={value}" for name, value in config.items()
    )


def _config_as(config: "Mapping[str, Value]", form: str) -> str:
    """A configuration as the arguments of a command, as JSON, or as TOML."""
    if form == "json":
        return json.dumps(dict(config), indent=1)
    if form == "toml":
        return tomli_w.dumps(dict(config)).rstrip("\n")
    return shlex.join(option_words(config))
