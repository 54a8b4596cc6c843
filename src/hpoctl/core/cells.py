"""What an experiment is called: its cell in the study's grid, and its names on disk and on S3.

    <tag>/<method>[-<seed>]/<tag>-<benchmark>-<seed>-<datetime>/metadata.json
                                                               /results.parquet
                                                               /log.txt
                                                               /trials.parquet, journal    real trials only

Names are for people. What a result is stands in its metadata.
"""

from dataclasses import dataclass

METADATA = "metadata.json"
RESULTS = "results.parquet"
TRIALS = "trials.parquet"
JOURNAL = "journal"
LOG = "log.txt"
WORK = ".work"
"""The folder of a root on this machine in which experiments with real trials work."""

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
    """What is claimed by whoever runs an experiment."""
    return f"{tag}/{cell.method}/{cell.benchmark}/{cell.seed}"
