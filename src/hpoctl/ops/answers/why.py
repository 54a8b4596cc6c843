"""`hpoctl why`: why a trial was suggested, promoted, paused, stopped or passed over.

Nothing of that is recorded while an experiment runs. It is run again, on the simulator or on its journal, and a witness
asks the scheduler after each decision what it rests on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hpoctl.core.cells import METADATA, SUGGESTIONS, Cell, Filters
from hpoctl.core.clock import SystemTime
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.grounds import Rank
from hpoctl.core.metadata import Metadata, read_metadata
from hpoctl.core.sealed import DamagedError
from hpoctl.core.space import Config
from hpoctl.core.storage import Store
from hpoctl.engine.experiment import simulate
from hpoctl.engine.journaled_loop import replay
from hpoctl.engine.ran import Ran, ran
from hpoctl.engine.rows import Rows
from hpoctl.engine.so_far import metrics_of
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.engine.table import read_suggestion_times
from hpoctl.engine.work_folder import journal_file
from hpoctl.ops.answers.witness import Moment, MomentKind, Wait, Witness
from hpoctl.ops.reading.read_columns import DECISION, TIME, TRIAL, Columns
from hpoctl.ops.running.again import spec_again
from hpoctl.ops.studies.config import Root
from hpoctl.ops.studies.tags import nothing_of, read_standings
from hpoctl.plugins import Registry
from hpoctl.stores.ledger import Attempt, Standing, read_results

SIMULATED, JOURNALED = "running it again", "its journal"


@dataclass(frozen=True)
class Why:
    """What became of a trial, and why.

    Attributes:
        tag: The tag.
        cell: The experiment.
        directory: The result directory of the attempt.
        trial_id: The trial.
        trials: How many trials the experiment has started.
        config: The configuration of the trial.
        metric: The tuned metric.
        mode: Whether it is minimised or maximised.
        resource: What the resource is called.
        kind: What happened to the trial last.
        verdict: What became of it and why, in a sentence or two.
        moments: What happened to it, in the order of time.
        waits: The times for which it was paused.
        source: What this is known from.
        check: How the rows found compare with those that are stored, in a sentence.
        agrees: Whether they are equal; None: no rows are stored.
    """

    tag: str
    cell: Cell
    directory: str
    trial_id: int
    trials: int
    config: Config
    metric: str
    mode: str
    resource: str
    kind: MomentKind
    verdict: str
    moments: tuple[Moment, ...]
    waits: tuple[Wait, ...]
    source: str
    check: str
    agrees: bool | None


@dataclass(frozen=True, slots=True)
class Asked:
    """The experiment that is asked about.

    Attributes:
        attempt: The attempt that counts.
        metadata: Its metadata.
    """

    attempt: Attempt
    metadata: Metadata


def find_experiment(root: Root, tag: str, filters: Filters, directory: str | None = None) -> Asked:
    """The one experiment that is asked about.

    Args:
        root: Where results live.
        tag: The tag.
        filters: Which experiment of the tag.
        directory: The result directory of one attempt, in place of the filters; None: the attempt that counts.

    Raises:
        UsageError: Several experiments match.
        IncompleteError: None does, or it has not begun.
    """
    attempts, stands = read_standings(root, tag, ())
    if not attempts:
        raise nothing_of(root, tag)
    if directory is not None:
        chosen = [attempt for attempt in attempts if attempt.directory == directory and attempt.cell is not None]
    else:
        matching = [stand for cell, stand in stands.items() if filters.match(cell)]
        if len(matching) > 1:
            raise _several(root, tag, matching)
        chosen = [stand.current for stand in matching if stand.current is not None]
    if not chosen:
        raise IncompleteError(
            f"No experiment of tag {tag} matches.", f"`{root.command('status', '--tag', tag)}` shows all of them."
        )
    try:
        metadata = read_metadata(root.store.get(f"{chosen[0].directory}/{METADATA}"))
    except (FileNotFoundError, DamagedError) as error:
        where = root.store.location(f"{chosen[0].directory}/{METADATA}")
        raise IncompleteError(f"{where} cannot be read: {error}.", "Ask about another experiment.") from error
    return Asked(chosen[0], metadata)


def why(root: Root, found: Asked, trial_id: int, registry: Registry) -> Why:
    """Why a trial was suggested, promoted, paused, stopped or passed over.

    Raises:
        UsageError: The experiment has no such trial, or what it was run with is not installed.
        IncompleteError: The experiment cannot be run again, or its journal is gone or damaged.
        HpoctlError: The method asks for something else than it did then.
    """
    if found.metadata.determinants is None:
        raise IncompleteError("It did not get as far as its first trial.", "`hpoctl logs` shows what went wrong.")
    experiment = ran(found.metadata.entries)
    scripted = experiment.backend != "simulator"
    again = (
        _replayed(root, found.attempt, experiment, trial_id, registry)
        if scripted
        else _simulated(root, found.attempt, experiment, trial_id, registry)
    )
    spec, rows, witness = again
    if trial_id >= len(rows.configs) or not witness.moments:
        raise UsageError(
            f"There is no trial {trial_id} in {spec.name}: it has {len(rows.configs)} trials.",
            f"Use a number from 0 to {len(rows.configs) - 1}." if rows.configs else "Ask when it has begun.",
        )
    witness.close()
    agrees, check = _compared(root.store, found, spec, rows)
    return Why(
        tag=spec.tag,
        cell=spec.cell,
        directory=found.attempt.directory,
        trial_id=trial_id,
        trials=len(rows.configs),
        config=rows.configs[trial_id],
        metric=spec.benchmark.metric,
        mode=spec.benchmark.mode,
        resource=spec.benchmark.resource_attr,
        kind=witness.moments[-1].kind,
        verdict=_verdict(witness, trial_id, spec, over=found.attempt.recorded == "completed"),
        moments=tuple(witness.moments),
        waits=tuple(witness.waits),
        source=JOURNALED if scripted else SIMULATED,
        check=check,
        agrees=agrees,
    )


def _simulated(
    root: Root, attempt: Attempt, experiment: Ran, trial_id: int, registry: Registry
) -> tuple[ExperimentSpec, Rows, Witness]:
    spec = spec_again(experiment, registry)
    measured = _suggestion_times(root.store, attempt) if spec.effective.decision_time == "measured" else None
    witness = Witness(trial_id, spec.benchmark.goal)
    watched = replace(spec, method=witness.follows(spec.method))
    rows = simulate(watched, spec.benchmark.blackbox(), witness, SystemTime(), measured).rows
    return spec, rows, witness


def _suggestion_times(store: Store, attempt: Attempt) -> Sequence[float]:
    """What the suggestions of an experiment really took."""
    name = f"{attempt.directory}/{SUGGESTIONS}"
    try:
        return read_suggestion_times(store.get(name), store.location(name))
    except FileNotFoundError as error:
        raise IncompleteError(
            "Its suggestions cost the time that they really took, and these times are not known: "
            f"there is no {store.location(name)}.",
            "Run it again: the times are recorded with the results."
            if attempt.recorded == "completed"
            else "Ask when it is complete.",
        ) from error


def _replayed(
    root: Root, attempt: Attempt, experiment: Ran, trial_id: int, registry: Registry
) -> tuple[ExperimentSpec, Rows, Witness]:
    with journal_file(root.store, attempt.directory) as path:
        spec = spec_again(experiment, registry, metrics_of(experiment, path))
        witness = Witness(trial_id, spec.benchmark.goal)
        rows = replay(replace(spec, method=witness.follows(spec.method)), path, witness)
    return spec, rows, witness


def _compared(store: Store, found: Asked, spec: ExperimentSpec, rows: Rows) -> tuple[bool | None, str]:
    """Whether the rows are those that are stored."""
    if found.attempt.recorded != "completed":
        return None, "the experiment is not complete, so there are no stored results to compare with"
    columns = Columns(read_results(store, found.attempt), store.location(found.attempt.directory))
    names = (TRIAL, spec.benchmark.resource_attr)
    trial_ids, resources = columns.whole(*names)
    times, values = columns.floats(TIME, spec.benchmark.metric)
    ours = rows.metrics[:, spec.benchmark.goal.column]
    equal = (
        np.array_equal(trial_ids, rows.trial_ids)
        and np.array_equal(resources, rows.resources)
        and np.array_equal(times, rows.times)
        and np.array_equal(values, ours, equal_nan=True)
        and np.array_equal(columns.words(DECISION).astype(str), rows.decisions)
    )
    if equal:
        return True, f"all {len(rows):,} rows are equal to the stored ones"
    return False, f"the stored results DIFFER: {len(trial_ids):,} rows are stored, {len(rows):,} were found again"


def _verdict(witness: Witness, trial_id: int, spec: ExperimentSpec, *, over: bool) -> str:
    """What became of the trial and why."""
    last, metric = witness.moments[-1], spec.benchmark.metric
    who = f"trial {trial_id}"
    if last.kind == "failed":
        return f"{who} failed: {last.reason or 'no reason is known'}"
    if witness.running and last.kind not in ("paused", "stopped", "completed"):
        aim = "" if last.level is None or last.kind == "continued" else f", on its way to {last.level}"
        runs = "was running when the experiment ended" if over else "is running"
        return f"{who} {runs}{aim}; {_where(witness)}"
    if last.kind == "paused" and last.rank is not None:
        rank = witness.waits[-1].rank if witness.waits and witness.waits[-1].rank else last.rank
        return f"{who} is paused at level {rank.level}: {_compared_text(rank.value, rank, metric, spec)}"
    if last.kind == "stopped" and last.rank is not None:
        return f"{who} was stopped at level {last.level}: {_compared_text(last.rank.value, last.rank, metric, spec)}"
    value = "" if last.value is None else f" with {metric} {last.value:.6g}"
    level = "" if last.level is None else f" at {last.level}"
    words = {"completed": "ran to its end", "paused": "is paused", "stopped": "was stopped", "ended": "ended"}
    promotions = sum(moment.kind == "promoted" for moment in witness.moments)
    after = f"after {promotions} promotion{'s' if promotions > 1 else ''}" if promotions else ""
    reason = last.reason if last.kind in ("stopped", "paused", "ended") else ""
    return ", ".join(part for part in (f"{who} {words.get(last.kind, last.kind)}{level}{value}", after, reason) if part)


def _where(witness: Witness) -> str:
    if witness.last is None:
        return "it has not reported"
    return f"its last report is at {witness.last[0]}"


def _compared_text(value: float, rank: Rank, metric: str, spec: ExperimentSpec) -> str:
    """The value against the cut-off, and the place."""
    sign = spec.benchmark.goal.sign
    place = "" if rank.place is None else f"number {rank.place} of {rank.entries} there"
    if not np.isfinite(value):
        return f"its {metric} is not finite, which counts as worst; {place}"
    if rank.cutoff is None:
        return f"{place}; {rank.rule}" if place else rank.rule
    worse = sign * value > sign * rank.cutoff
    side = ("above" if sign > 0 else "below") if worse else ("not above" if sign > 0 else "not below")
    text = f"its {metric} {value:.6g} is {side} the cut-off {rank.cutoff:.6g}"
    if not worse:
        text += ", so that it may be promoted when a worker is free"
    return f"{text}; {place}" if place else text


def _several(root: Root, tag: str, matching: list[Standing]) -> UsageError:
    cell = matching[0].cell
    name = ("--method", cell.method, "--benchmark", cell.benchmark, "--seed", str(cell.seed))
    return UsageError(
        f"{len(matching):,} experiments of tag {tag} match.",
        f"Name one, as in `{root.command('why', '--tag', tag, *name, '--trial', '0')}`.",
    )
