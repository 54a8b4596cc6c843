"""Options of training jobs of SageMaker, and those of the launcher.

What jobs of launches and jobs of trials have in common is said once, in `TrainingJobOptions`; both add their own.
"""

import math
from dataclasses import dataclass, field
from typing import Any

from hpoctl.core.errors import UsageError

HOUR = 3600


@dataclass(frozen=True, slots=True)
class TrainingJobOptions:
    """How training jobs run, whatever they run."""

    role: str | None = field(default=None, metadata={"help": "The role that jobs run with: its ARN; needed"})
    region: str | None = field(
        default=None, metadata={"help": "The region; none: the one that AWS_DEFAULT_REGION or the profile says"}
    )
    instance_type: str = field(default="ml.m5.large", metadata={"help": "The machine of each job"})
    image: str | None = field(
        default=None,
        metadata={
            "help": "The image, with Python 3.11 or later; none: SageMaker's own for PyTorch, for that machine",
            "runs_code": True,
        },
    )
    requirements: str | None = field(
        default=None,
        metadata={
            "help": "A requirements file of pip: what to install in containers, besides",
            "runs_code": True,
            "file": True,
        },
    )
    use_spot: bool = field(
        default=False,
        metadata={"help": "Use spot capacity: cheaper; AWS may interrupt a job, which then resumes later"},
    )
    max_run: int = field(default=24 * HOUR, metadata={"help": "Seconds after which SageMaker stops a job"})
    max_wait: int | None = field(
        default=None,
        metadata={"help": "With use_spot: seconds for running and waiting together; none: twice max_run"},
    )
    volume_size: int = field(default=30, metadata={"help": "Gigabytes of disk of each machine"})
    subnets: str | None = field(default=None, metadata={"help": "Subnets of a VPC, with commas between them"})
    security_groups: str | None = field(
        default=None, metadata={"help": "Security groups of the VPC, with commas between them"}
    )
    volume_kms_key: str | None = field(default=None, metadata={"help": "The KMS key for the disks of machines"})
    output_kms_key: str | None = field(default=None, metadata={"help": "The KMS key for what SageMaker itself writes"})
    tags: str | None = field(default=None, metadata={"help": "Tags of jobs: key=value, with commas between them"})
    poll_interval: float = field(default=10.0, metadata={"help": "Seconds between two questions to SageMaker"})

    def __post_init__(self) -> None:
        check_least(self, max_run=1, volume_size=1)
        check_seconds(self, "poll_interval")
        if self.max_wait is not None and not self.use_spot:
            raise wrong("max_wait", self.max_wait, "It is for spot capacity: add use_spot=true, or leave it out.")
        if self.max_wait is not None and self.max_wait < self.max_run:
            raise wrong("max_wait", self.max_wait, f"Use at least max_run, which is {self.max_run}.")
        if (self.subnets is None) != (self.security_groups is None):
            raise UsageError("A VPC needs both subnets and security_groups.", "Give both of these options, or neither.")
        _ = self.tag_values

    @property
    def longest_wait(self) -> int:
        """Seconds that a job on spot capacity may take, waiting included."""
        return 2 * self.max_run if self.max_wait is None else self.max_wait

    @property
    def tag_values(self) -> dict[str, str]:
        """The tags.

        Raises:
            UsageError: They are written in another way.
        """
        found = {}
        for text in listed(self.tags):
            key, equals, value = text.partition("=")
            if not (equals and key.strip()):
                fix = "Write key=value, with commas between them, as in team=hpo,project=docs."
                raise wrong("tags", self.tags, fix)
            found[key.strip()] = value.strip()
        return found


@dataclass(frozen=True, slots=True)
class SagemakerOptions(TrainingJobOptions):
    """How jobs of launches run as training jobs of SageMaker."""

    jobs: int | None = field(
        default=None, metadata={"help": "Experiments at a time in each job; none: one for each core of its machine"}
    )
    retries: int = field(default=0, metadata={"help": "How often an experiment that fails is tried again at once"})
    timeout: float | None = field(
        default=None, metadata={"help": "Seconds that an experiment may take; none: any number while it makes progress"}
    )

    def __post_init__(self) -> None:
        TrainingJobOptions.__post_init__(self)  # super() does not work in a class with slots, before Python 3.14
        check_least(self, jobs=1, retries=0)
        check_seconds(self, "timeout")


def listed(text: str | None) -> list[str]:
    """The parts of a text with commas between them."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def check_least(options: Any, **least: int) -> None:
    """Refuse whole numbers that are too small; None is accepted.

    Raises:
        UsageError: One is.
    """
    for name, bound in least.items():
        value = getattr(options, name)
        if value is not None and value < bound:
            raise wrong(name, value, f"Use a whole number >= {bound}.")


def check_seconds(options: Any, *names: str) -> None:
    """Refuse numbers of seconds that are not positive, or not finite.

    Raises:
        UsageError: One is.
    """
    for name in names:
        value = getattr(options, name)
        if value is not None and not (value > 0.0 and math.isfinite(value)):
            raise wrong(name, value, "Use a positive number of seconds.")


def wrong(name: str, value: object, fix: str) -> UsageError:
    """The error for an option whose value cannot be used."""
    return UsageError(f"Option {name} of sagemaker is {value}.", fix)
