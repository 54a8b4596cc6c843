"""`hpoctl trials`: the trials of experiments, one by one, and the best configuration among them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np

from hpoctl.core.cells import Cell, claim_key
from hpoctl.core.errors import IncompleteError, UsageError, unknown_name
from hpoctl.core.protocols import Mode
from hpoctl.core.space import Value
from hpoctl.ops.reading.load_rows import load_runs, read_table
from hpoctl.ops.reading.read_columns import STATUS, TIME, TRIAL, Measured, measured
from hpoctl.ops.reading.results_of_tags import LoadRequest, find_results, read_each
from hpoctl.ops.reading.tag_contents import FoundResult, Skipped

Sort = Literal["best", "last", "resource", "seconds", "cost", "trial"]
SORTS: tuple[Sort, ...] = get_args(Sort)
CONFIG = "config_"
IN_PROGRESS, RUNS = "InProgress", "Running"
UNFINISHED = "Unfinished"
"""What a trial is that ran when the experiment ended."""


@dataclass(frozen=True, slots=True)
class TrialSummary:
    """A trial.

    Attributes:
        tag: The tag.
        cell: The experiment.
        trial_id: The trial.
        config: Its configuration, fixed values included.
        outcome: How it stands: Completed, Stopped, Paused, Failed, Running, or Unfinished: it ran when the
            experiment ended.
        why: Why, in one line, where that is recorded.
        best: Its best finite value; NaN: no value is finite.
        best_resource: The resource level of that value; None: no value is finite.
        last: Its last value.
        resource: The highest resource level that it reported.
        seconds: Seconds of training, over all of its starts.
        begins: Seconds of the experiment's clock at its first report.
        starts: How often it was started or resumed; None: not recorded.
        cost: What its starts have cost so far, in the money of the price; None: no start has a known cost.
    """

    tag: str
    cell: Cell
    trial_id: int
    config: Mapping[str, Value]
    outcome: str
    why: str
    best: float
    best_resource: int | None
    last: float
    resource: int
    seconds: float
    begins: float
    starts: int | None
    cost: float | None


@dataclass(frozen=True)
class TrialList:
    """The trials that fit.

    Attributes:
        metrics: The tuned metric and its mode, by benchmark.
        resources: The name of the resource, by benchmark.
        trials: The trials, sorted.
        counts: How many of all trials stand how.
        experiments: How many experiments they are from.
        skipped: What was not read.
    """

    metrics: Mapping[str, tuple[str, Mode]]
    resources: Mapping[str, str]
    trials: tuple[TrialSummary, ...]
    counts: Mapping[str, int]
    experiments: int
    skipped: tuple[Skipped, ...] = field(default=())


def list_trials(load: LoadRequest, sort: Sort, outcomes: Sequence[str] = (), least_resource: int = 0) -> TrialList:
    """The trials of all experiments that fit: completed ones, and those with real trials as far as they are.

    Args:
        load: The experiments.
        sort: What they are sorted by: best and last values from the best on, resource, seconds and cost from the
            largest on.
        outcomes: Only trials of these outcomes; none: all.
        least_resource: Only trials that have reached this level.

    Raises:
        UsageError: A tag, filter or condition is wrong.
        IncompleteError: No such experiment fits.
        HpoctlError: The store cannot be read.
    """
    results = find_results(replace(load, unfinished=True))
    read, skipped = read_each(results, _read)
    every = [trial for _, _, trials in read for trial in trials]
    modes = {cell.benchmark: (about.metric, about.mode) for cell, about, _ in read}
    counts: dict[str, int] = {}
    for trial in every:
        counts[trial.outcome] = counts.get(trial.outcome, 0) + 1
    wanted = {outcome.casefold() for outcome in outcomes}
    for outcome in outcomes:
        if outcome.casefold() not in {known.casefold() for known in counts}:
            raise unknown_name("outcome", outcome, counts, "hpoctl trials")
    chosen = [
        trial
        for trial in every
        if (not wanted or trial.outcome.casefold() in wanted) and trial.resource >= least_resource
    ]
    chosen.sort(key=_order(sort, modes))
    resources = {cell.benchmark: about.resource for cell, about, _ in read}
    return TrialList(modes, resources, tuple(chosen), counts, len(read), tuple(skipped))


def best_trial(found: TrialList) -> TrialSummary:
    """The trial with the best value.

    Raises:
        UsageError: The trials are of several benchmarks.
        IncompleteError: No trial has a finite value.
    """
    benchmarks = list(dict.fromkeys(trial.cell.benchmark for trial in found.trials))
    if len(benchmarks) > 1:
        raise UsageError(
            f"The trials are of several benchmarks: {', '.join(benchmarks)}.", "Name one with --benchmark."
        )
    finite = [trial for trial in found.trials if math.isfinite(trial.best)]
    if not finite:
        raise IncompleteError("No trial has a finite value.", "Leave out filters, or run longer.")
    _, mode = found.metrics[benchmarks[0]]
    return min(finite, key=lambda trial: trial.best if mode == "min" else -trial.best)


def _order(sort: Sort, modes: Mapping[str, tuple[str, Mode]]) -> Callable[[TrialSummary], tuple[float, str, int, int]]:
    def key(trial: TrialSummary) -> tuple[float, str, int, int]:
        sign = 1.0 if modes[trial.cell.benchmark][1] == "min" else -1.0
        value = {
            "best": sign * trial.best,
            "last": sign * trial.last,
            "resource": -float(trial.resource),
            "seconds": -trial.seconds,
            "cost": math.nan if trial.cost is None else -trial.cost,
            "trial": 0.0,
        }[sort]
        return (value if not math.isnan(value) else math.inf, str(trial.cell), trial.cell.seed, trial.trial_id)

    return key


def _read(found: FoundResult) -> tuple[Cell, Measured, list[TrialSummary]]:
    about = measured(found)
    resource = about.resource_column
    rows = read_table(found)
    try:
        columns = {name: rows.column(name).to_numpy() for name in (TRIAL, resource, about.metric, TIME, STATUS)}
        elapsed = rows.column("elapsed_time").to_numpy()
    except KeyError as error:
        raise IncompleteError(f"{about.where} has no column {error}.", "Leave it out.") from error
    configs = {name: rows.column(name).to_pylist() for name in rows.column_names if name.startswith(CONFIG)}
    runs = load_runs(found)
    open_is = _open_is(found)
    sign = 1.0 if about.mode == "min" else -1.0
    trials = []
    order = np.argsort(columns[TRIAL], kind="stable")
    ids, begins = np.unique(columns[TRIAL][order], return_index=True)
    groups = np.split(order, begins[1:]) if len(ids) else []
    for trial_id, places in zip(ids.tolist(), groups, strict=True):
        values = sign * columns[about.metric][places].astype(float)
        levels = columns[resource][places]
        finite = np.isfinite(values)
        top = int(np.where(finite, values, np.inf).argmin()) if finite.any() else None
        of_trial = runs.pop(trial_id, [])
        ended = bool(of_trial) and of_trial[-1]["outcome"] is not None
        status = str(columns[STATUS][places[-1]])
        trials.append(
            TrialSummary(
                tag=found.tag,
                cell=found.cell,
                trial_id=trial_id,
                config={name.removeprefix(CONFIG): column[places[0]] for name, column in configs.items()},
                outcome=_outcome(status, of_trial, open_is),
                why=str(of_trial[-1]["reason"] or "") if of_trial else "",
                best=math.nan if top is None else sign * float(values[top]),
                best_resource=None if top is None else int(levels[top]),
                last=sign * float(values[-1]),
                resource=int(levels.max()),
                seconds=max(sum(run["seconds"] for run in of_trial), 0.0 if ended else float(elapsed[places].max())),
                begins=float(of_trial[0]["begin"] if of_trial else columns[TIME][places[0]]),
                starts=len(of_trial) or None,
                cost=_cost(of_trial),
            )
        )
    trials += [_silent(found.tag, found.cell, trial_id, of_trial, open_is) for trial_id, of_trial in runs.items()]
    return found.cell, about, trials


def _open_is(found: FoundResult) -> str:
    """What a trial is that has not left its worker: it runs, or did when its experiment ended."""
    runs = found.so_far is not None and found.root.claims.held(claim_key(found.tag, found.cell))
    return RUNS if runs else UNFINISHED


def _outcome(status: str, runs: Sequence[Mapping[str, Any]], open_is: str) -> str:
    """The state of a trial, from its runs, or from the status of its last row without runs."""
    if runs:
        return str(runs[-1]["outcome"] or open_is)
    return UNFINISHED if status == IN_PROGRESS else status


def _silent(tag: str, cell: Cell, trial_id: int, runs: Sequence[Mapping[str, Any]], open_is: str) -> TrialSummary:
    """A trial that has no rows: it failed before it reported, or the experiment ended."""
    last = runs[-1]
    config = {name.removeprefix(CONFIG): value for name, value in last.items() if name.startswith(CONFIG)}
    return TrialSummary(
        tag=tag,
        cell=cell,
        trial_id=trial_id,
        config=config,
        outcome=str(last["outcome"] or open_is),
        why=str(last["reason"] or ""),
        best=math.nan,
        best_resource=None,
        last=math.nan,
        resource=0,
        seconds=sum(run["seconds"] for run in runs),
        begins=float(runs[0]["begin"]),
        starts=len(runs),
        cost=_cost(runs),
    )


def _cost(runs: Sequence[Mapping[str, Any]]) -> float | None:
    known = [run["cost"] for run in runs if run.get("cost") is not None]
    return math.fsum(known) if known else None
