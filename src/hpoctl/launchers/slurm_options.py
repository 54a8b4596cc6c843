"""Options of the Slurm launcher."""

import math
import re
import shlex
from dataclasses import dataclass, field

from hpoctl.core.errors import UsageError
from hpoctl.launchers.options import LocalOptions

TIME = re.compile(r"\d+(:\d{1,2}){0,2}|\d+-\d{1,2}(:\d{1,2}){0,2}")
MEMORY = re.compile(r"\d+[KMGT]?")
OWN = frozenset({"-a", "--array", "-J", "--job-name", "-o", "--output", "-e", "--error", "--parsable", "--wrap"})
"""What the launcher itself says to sbatch."""


@dataclass(frozen=True, slots=True)
class SlurmOptions:
    """How jobs run on a cluster with Slurm. None leaves an option to the cluster."""

    partition: str | None = field(default=None, metadata={"help": "The partition"})
    account: str | None = field(default=None, metadata={"help": "The account that is charged"})
    qos: str | None = field(default=None, metadata={"help": "The quality of service"})
    constraint: str | None = field(default=None, metadata={"help": "Features that nodes must have"})
    time: str | None = field(default=None, metadata={"help": "Time limit of an array element: minutes, or 2:30:00"})
    memory: str | None = field(default=None, metadata={"help": "Memory of an array element, as in 4G"})
    cpus: int = field(default=1, metadata={"help": "CPUs of an array element"})
    sbatch: str = field(
        default="", metadata={"help": "Other options of sbatch, as they would be typed", "runs_code": True}
    )
    setup: str = field(
        default="", metadata={"help": "Shell lines before the jobs, such as module load python", "runs_code": True}
    )
    python: str | None = field(
        default=None, metadata={"help": "Python on the nodes; none: the one that launches", "runs_code": True}
    )
    requeue: bool = field(
        default=True, metadata={"help": "Whether Slurm may start an element again that was preempted"}
    )
    elements: int = field(default=200, metadata={"help": "Array elements of one launch; more jobs share them"})
    max_array_size: int = field(default=1000, metadata={"help": "Elements of one array; more make several arrays"})
    jobs: int | None = field(default=None, metadata={"help": "Experiments at a time in an element; none: its CPUs"})
    retries: int = field(default=0, metadata={"help": "How often an experiment that fails is tried again at once"})
    timeout: float | None = field(
        default=None, metadata={"help": "Seconds that an experiment may take; none: any number while it makes progress"}
    )
    poll_interval: float = field(default=2.0, metadata={"help": "Seconds between two questions to Slurm"})
    patience: float = field(default=300.0, metadata={"help": "Seconds for which Slurm may be out of reach"})

    def __post_init__(self) -> None:
        LocalOptions(self.jobs, self.retries, self.timeout)  # the same ranges, and the same words
        for name, least in (("cpus", 1), ("elements", 1), ("max_array_size", 1)):
            if getattr(self, name) < least:
                raise UsageError(f"Option {name} of launcher slurm is {getattr(self, name)}.", "Use a number >= 1.")
        for name in ("poll_interval", "patience"):
            value = getattr(self, name)
            if not (value > 0.0 and math.isfinite(value)):
                raise UsageError(f"Option {name} of launcher slurm is {value}.", "Use a positive number of seconds.")
        if self.time is not None and not TIME.fullmatch(self.time):
            raise UsageError(
                f"Option time of launcher slurm is {self.time!r}.", "Use minutes, H:MM:SS, or D-H, as in 90 or 2:30:00."
            )
        if self.memory is not None and not MEMORY.fullmatch(self.memory):
            raise UsageError(f"Option memory of launcher slurm is {self.memory!r}.", "Use megabytes, or 4G.")
        for word in self.extra_words:
            if word.partition("=")[0] in OWN:
                raise UsageError(
                    f"Option sbatch of launcher slurm has {word}, which hpoctl says itself.", "Leave it out."
                )

    @property
    def extra_words(self) -> list[str]:
        """The other options of sbatch, word by word.

        Raises:
            UsageError: They cannot be split.
        """
        try:
            return shlex.split(self.sbatch)
        except ValueError as error:
            raise UsageError(
                f"Option sbatch of launcher slurm cannot be read: {error}.", "Write it as it would be typed."
            ) from error

    @property
    def words(self) -> list[str]:
        """The options of sbatch that say what an array element needs."""
        named = {
            "--partition": self.partition,
            "--account": self.account,
            "--qos": self.qos,
            "--constraint": self.constraint,
            "--time": self.time,
            "--mem": self.memory,
        }
        words = [f"{name}={value}" for name, value in named.items() if value is not None]
        restart = "--requeue" if self.requeue else "--no-requeue"
        return [*words, "--nodes=1", "--ntasks=1", f"--cpus-per-task={self.cpus}", restart, *self.extra_words]
