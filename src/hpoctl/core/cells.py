"""What an experiment is called: its cell in the study's grid, its names on disk and on S3, and filters of cells.

    <tag>/<method>[-<seed>]/<tag>-<benchmark>-<seed>-<datetime>/metadata.json
                                                               /results.parquet
                                                               /log.txt
                                                               /trials.parquet, journal    real trials only
                                                               /suggestions.parquet        measured decision times only

Names are for people. What a result is stands in its metadata.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from hpoctl.core.errors import UsageError, unknown_name

METADATA = "metadata.json"
RESULTS = "results.parquet"
TRIALS = "trials.parquet"
JOURNAL = "journal"
SUGGESTIONS = "suggestions.parquet"
LOG = "log.txt"
WORK = ".work"
"""The folder of a root on this machine in which experiments with real trials work."""

CHECKPOINTS = "checkpoints"
"""The folder, in that of a trial, in which the trial keeps its state."""

ELSEWHERE = "elsewhere"
"""The file of a working folder in which a trial backend names the address of what it keeps elsewhere."""

CONTROL = ".hpoctl"
"""The folder of a tag that holds its plans and its launches."""


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One (method, benchmark, seed) of a study.

    Attributes:
        method: The name of the method.
        benchmark: The name of the benchmark.
        seed: The seed.
    """

    method: str
    benchmark: str
    seed: int

    def __str__(self) -> str:
        return f"{self.method} {self.benchmark} seed {self.seed}"


def job_folder(tag: str, method: str, seed: int, *, expensive: bool) -> str:
    """The folder of a job's results: an expensive method has one for each seed, a cheap one has one."""
    return f"{tag}/{method}-{seed}" if expensive else f"{tag}/{method}"


def experiment_prefix(tag: str, cell: Cell, *, expensive: bool) -> str:
    """How the directory of an experiment's every attempt begins; the date of the attempt follows."""
    folder = job_folder(tag, cell.method, cell.seed, expensive=expensive)
    return f"{folder}/{tag}-{cell.benchmark}-{cell.seed}-"


def claim_key(tag: str, cell: Cell) -> str:
    """The key of the claim on an experiment."""
    return f"{tag}/{cell.method}/{cell.benchmark}/{cell.seed}"


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
