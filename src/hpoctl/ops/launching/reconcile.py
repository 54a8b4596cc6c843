"""The work of a launch: which experiments are wanted and not complete, and the jobs that run them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpoctl.core.blackbox import Blackbox
from hpoctl.core.cells import METADATA, Cell, job_folder
from hpoctl.core.entries import Benchmark
from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.jobs import MOST_TRAINING, Task
from hpoctl.core.metadata import read_metadata
from hpoctl.core.script_files import script_hash
from hpoctl.core.sealed import DamagedError
from hpoctl.core.storage import Store
from hpoctl.engine.continuing import gets_more
from hpoctl.engine.search_space import is_restricted
from hpoctl.engine.spec import ExperimentSpec, determinants, identity_of
from hpoctl.ops.launching.costs import Costs, Expected, makespan
from hpoctl.stores.ledger import Attempt, Standing

LEAST_PATIENCE = 600.0
"""Seconds that every experiment may make no progress: a machine may be busy, and a table large."""

TIMES = 20.0
"""How often its expected time an experiment may make no progress."""


@dataclass(frozen=True, slots=True)
class Mixed:
    """Complete results that the launch would not make again as they are.

    Attributes:
        differences: What differs, as `name: there -> here`.
        cells: The experiments.
        example: The directory of one of them.
    """

    differences: tuple[str, ...]
    cells: tuple[Cell, ...]
    example: str


@dataclass(frozen=True)
class Wanted:
    """An experiment that a launch wants, and what determines it.

    Attributes:
        cell: The experiment.
        plan: The name of the plan that wants it.
        spec: What determines it, but for its seed: all seeds of a plan, method and benchmark share it.
    """

    cell: Cell
    plan: str
    spec: ExperimentSpec

    @property
    def cores(self) -> int:
        """The cores that its trials need where it runs; 0: it is simulated."""
        script = self.spec.benchmark.script
        return 0 if script is None else script.cpus * self.spec.n_workers


def expected_cost(want: Wanted, costs: Costs) -> Expected:
    """How long a wanted experiment is expected to take on this machine."""
    cell, spec = want.cell, want.spec
    trains = spec.benchmark.script is not None
    return costs.expected(cell.method, spec.method.kind, cell.benchmark, spec.max_wallclock_time, trains=trains)


def patience(want: Wanted, cost: Expected) -> float:
    """Seconds without progress after which an experiment is taken for hanging.

    Where trials train that is a report. The experiment's own budget ends it long before; one epoch may take all of it.
    """
    if not want.cores:
        return max(LEAST_PATIENCE, TIMES * cost.seconds)
    return LEAST_PATIENCE + 2.0 * (want.spec.max_wallclock_time + want.spec.settings.stop_timeout)


def find_mixed(
    wanted: Iterable[Wanted], standings: Mapping[Cell, Standing], store: Store
) -> tuple[list[Mixed], set[Cell], list[str]]:
    """Complete results of another identity than a launch would give them.

    Those that only had a smaller budget are to be continued.

    Args:
        wanted: What the launch wants.
        standings: The existing experiments.
        store: Where results live.

    Returns:
        The results by what differs; the experiments that are to get more of their budget; and what could not be
        compared and why, a line each.
    """
    identities = _Identities()
    larger: set[Cell] = set()
    groups: dict[tuple[str, ...], list[tuple[Cell, Attempt]]] = {}
    for want in wanted:
        attempt = standings[want.cell].current
        if attempt is None or attempt.recorded != "completed":
            continue
        here = identities.determinants(want)
        if here is None or attempt.identity == identity_of(here):
            continue
        if gets_more(_recorded(store, attempt), here):
            larger.add(want.cell)
        else:
            groups.setdefault(_differences(store, attempt, here), []).append((want.cell, attempt))
    mixed = [Mixed(what, tuple(cell for cell, _ in found), found[0][1].directory) for what, found in groups.items()]
    return mixed, larger, list(dict.fromkeys(identities.problems.values()))


class _Identities:
    """What determines experiments; all seeds of a method and benchmark share all but their seed."""

    def __init__(self) -> None:
        self.problems: dict[str, str] = {}
        self._tables: dict[str, tuple[Blackbox | None, str]] = {}
        self._templates: dict[tuple[str, str, str], dict[str, Any]] = {}

    def determinants(self, want: Wanted) -> dict[str, Any] | None:
        """What determines an experiment; None if its table cannot be opened."""
        key = (want.plan, want.cell.method, want.cell.benchmark)
        if key not in self._templates:
            opened = self._table(want.spec.benchmark)
            if opened is None:
                return None
            blackbox, table = opened
            restricted = blackbox is not None and is_restricted(want.spec, blackbox)
            self._templates[key] = determinants(want.spec, table, restricted=restricted)
        seeds = {**self._templates[key]["seeds"], "seed": want.cell.seed}
        return {**self._templates[key], "seeds": seeds}

    def _table(self, benchmark: Benchmark) -> tuple[Blackbox | None, str] | None:
        """The table, if there is one, and the hash of the table or of the script; None: they cannot be read."""
        name = benchmark.name
        if name not in self._tables and name not in self.problems:
            try:
                if benchmark.script is not None:
                    self._tables[name] = None, script_hash(benchmark.script)
                else:
                    blackbox = benchmark.blackbox()
                    self._tables[name] = blackbox, blackbox.content_hash
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - any error of a plugin
                what = error.what if isinstance(error, HpoctlError) else f"{type(error).__name__}: {error}"
                self.problems[name] = f"complete results of {name} cannot be compared, its table does not open: {what}"
        return self._tables.get(name)


def _differences(store: Store, attempt: Attempt, here: Mapping[str, Any]) -> tuple[str, ...]:
    there, ours = _flat(_recorded(store, attempt)), _flat(here)
    names = dict.fromkeys([*there, *ours])
    return tuple(
        f"{name}: {there.get(name, 'nothing')} -> {ours.get(name, 'nothing')}"
        for name in names
        if there.get(name) != ours.get(name) and name != "seeds.seed"
    )


def _recorded(store: Store, attempt: Attempt) -> Mapping[str, Any]:
    """The determinants of an attempt; empty if they are not recorded or the attempt has just been moved away."""
    try:
        return read_metadata(store.get(f"{attempt.directory}/{METADATA}")).determined_by
    except (FileNotFoundError, DamagedError):
        return {}


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values by dotted names."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if key == "space" and not prefix:
            flat |= _flat(dict(value), "space.")
            flat["order of hyperparameters"] = ", ".join(name for name, _ in value)
        elif isinstance(value, Mapping) and not prefix.startswith("space."):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def mixed_results(tag: str, mixed: Sequence[Mixed]) -> UsageError:
    """The error where complete results would not be made again as they are."""
    count = sum(len(group.cells) for group in mixed)
    shown = "; ".join(_difference_text(group) for group in mixed[:3])
    more = f"; and {len(mixed) - 3} more kinds of differences" if len(mixed) > 3 else ""
    return UsageError(
        f"Tag {tag} has {count} complete results that this launch would not make again as they are: {shown}{more}.",
        "Name another --tag, give the same options and versions as before, or add --allow-mixed to keep both.",
    )


def _difference_text(group: Mixed) -> str:
    what = ", ".join(_short(text) for text in group.differences[:3])
    more = f" and {len(group.differences) - 3} more" if len(group.differences) > 3 else ""
    return f"{len(group.cells)} such as {group.cells[0]} ({what}{more})"


def _short(text: str) -> str:
    return text if len(text) <= 160 else f"{text[:157]}..."


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """A job that is to be submitted.

    Attributes:
        name: Its name.
        method: The method of its experiments.
        prefix: Where its results go, below the root.
        tasks: Its experiments.
        seconds: How long they are expected to take, one after another.
    """

    name: str
    method: str
    prefix: str
    tasks: tuple[Task, ...]
    seconds: float


def plan_jobs(tag: str, tasks: Iterable[Task], expensive: Mapping[str, bool]) -> tuple[PlannedJob, ...]:
    """The jobs of some experiments, in the order in which they are first met.

    Args:
        tag: The tag.
        tasks: The experiments.
        expensive: For each method, whether each seed is a separate job.
    """
    groups: dict[str, list[Task]] = {}
    for task in tasks:
        method, seed = task.cell.method, task.cell.seed
        groups.setdefault(job_folder(tag, method, seed, expensive=expensive[method]), []).append(task)
    return tuple(
        PlannedJob(
            folder.replace("/", "-", 1),
            members[0].cell.method,
            f"{folder}/",
            tuple(members),
            sum(task.seconds for task in members),
        )
        for folder, members in groups.items()
    )


def launch_seconds(tasks: Sequence[Task], workers: int) -> float:
    """How long a launch is expected to take.

    Args:
        tasks: Its experiments; of those that train, `MOST_TRAINING` run at a time on the machine that launches.
        workers: How many run at a time there; 0: they run elsewhere, each as soon as it is submitted.
    """
    together = makespan([task.seconds for task in tasks], workers or len(tasks))
    training = [task.seconds for task in tasks if task.cores]
    return max(together, makespan(training, MOST_TRAINING)) if workers else together
