"""What there is of a tag, as `hpoctl status` and `hpoctl logs` see it: its plans, its attempts, where they stand."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from hpoctl.core.cells import Cell
from hpoctl.core.errors import IncompleteError, UsageError, unknown_name
from hpoctl.ops.studies.roots import Root
from hpoctl.ops.studies.tags import Plan, plan_names, read_plan, tags
from hpoctl.stores.ledger import DIED, Attempt, Standing, read_again, read_attempts, standings


@dataclass(frozen=True, slots=True)
class Filters:
    """Which experiments are asked for.

    Attributes:
        methods: Names of methods; none: all.
        benchmarks: Names of benchmarks; none: all.
        seeds: Seeds; None: all.
    """

    methods: tuple[str, ...] = ()
    benchmarks: tuple[str, ...] = ()
    seeds: frozenset[int] | None = None

    def match(self, cell: Cell) -> bool:
        """Whether the experiment is asked for."""
        return (
            (not self.methods or cell.method in self.methods)
            and (not self.benchmarks or cell.benchmark in self.benchmarks)
            and (self.seeds is None or cell.seed in self.seeds)
        )

    def check(self, tags: Sequence[str], cells: Collection[Cell], listing: str) -> None:
        """Refuse names of methods and benchmarks that no experiment has.

        Args:
            tags: The tags.
            cells: All experiments of the tags: those that are wanted and those that there are.
            listing: The command that shows them.

        Raises:
            UsageError: There is such a name.
        """
        where = f"Tag {tags[0]} has" if len(tags) == 1 else f"Tags {', '.join(tags)} have"
        for kind, names, known in (
            ("method", self.methods, {cell.method for cell in cells}),
            ("benchmark", self.benchmarks, {cell.benchmark for cell in cells}),
        ):
            for name in names:
                if name not in known:
                    raise UsageError(f"{where} no {kind} {name[:80]!r}.", unknown_name(kind, name, known, listing).fix)


def read_standings(
    root: Root, tag: str, wanted: Iterable[Cell], *, verify: bool = False
) -> tuple[list[Attempt], dict[Cell, Standing]]:
    """All attempts of a tag, and where its experiments stand. What ends while we look is not taken for dead."""
    attempts = read_attempts(root.store, tag, verify=verify)
    stands = standings(tag, wanted, attempts, root.claims)
    doubtful = {
        attempt.directory
        for stand in stands.values()
        if stand.reason == DIED
        for attempt in stand.attempts
        if attempt.recorded == "running"
    }
    if doubtful:
        # An experiment is recorded as complete before its claim is given up: now the record is the last word.
        attempts = [attempt for attempt in attempts if attempt.directory not in doubtful]
        attempts += read_again(root.store, sorted(doubtful), verify=verify)
        stands = standings(tag, stands, attempts, root.claims)
    return attempts, stands


def readable_plans(root: Root, tag: str) -> tuple[list[Plan], list[str]]:
    """The plans of a tag, the oldest first, and what is wrong with those that cannot be read."""
    plans, problems = [], []
    for name in plan_names(root.store, tag):
        try:
            plans.append(read_plan(root.store, tag, name))
        except IncompleteError as error:
            problems.append(error.what)
    return plans, problems


def nothing_of(root: Root, tag: str) -> IncompleteError:
    """The error for a tag that there is nothing of, with the closest tags that there are."""
    unknown = unknown_name("tag", tag, tags(root.store), root.command("status"))
    return IncompleteError(f"There is nothing of tag {tag} in {root.store.location('')}.", unknown.fix)
