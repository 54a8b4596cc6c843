"""Options of trials on SageMaker."""

import math
import os
from dataclasses import dataclass, field

from hpoctl.core.errors import UsageError
from hpoctl_sagemaker.options import HOUR, listed, tag_values

MAX_KEEP_ALIVE = HOUR


@dataclass(frozen=True, slots=True)
class SagemakerTrialOptions:
    """How trials run as training jobs of SageMaker."""

    role: str | None = field(default=None, metadata={"help": "The role that jobs run with: its ARN; needed"})
    s3: str = field(
        default="s3://",
        metadata={"help": "Where reports and checkpoints go: s3://BUCKET/PREFIX; s3://: SageMaker's default bucket"},
    )
    region: str | None = field(
        default=None, metadata={"help": "The region; none: the one that AWS_DEFAULT_REGION or the profile says"}
    )
    instance_type: str = field(
        default="ml.m5.large", metadata={"help": "The machine of each trial, unless its configuration names one"}
    )
    instance_count: int = field(default=1, metadata={"help": "Machines of each trial, unless its configuration says"})
    instance_type_from: str = field(
        default="st_instance_type", metadata={"help": "The hyperparameter that names the machine, if there is one"}
    )
    instance_count_from: str = field(
        default="st_instance_count",
        metadata={"help": "The hyperparameter that says how many machines, if there is one"},
    )
    image: str | None = field(
        default=None,
        metadata={
            "help": "The image, with Python 3.8 or later; none: SageMaker's own for PyTorch, for that machine",
            "runs_code": True,
        },
    )
    requirements: str | None = field(
        default=None,
        metadata={"help": "A requirements file of pip: what to install in containers", "runs_code": True, "file": True},
    )
    environment: str | None = field(
        default=None,
        metadata={"help": "Names of environment variables that trials get from this process, separated by commas"},
    )
    prices: str | None = field(
        default=None,
        metadata={"help": "What an hour of machines costs: TYPE=MONEY, separated by commas; none: --price-per-hour"},
    )
    keep_alive: int = field(
        default=0, metadata={"help": "Seconds that a machine is kept for the next trial (warm pool); 0: it is not"}
    )
    start_jobs_without_delay: bool = field(
        default=True,
        metadata={"help": "Start a trial while the one before it is stopping, which takes up to two minutes"},
    )
    use_spot: bool = field(
        default=False, metadata={"help": "Use spot capacity: cheaper; a trial that AWS interrupts resumes by itself"}
    )
    max_run: int = field(default=24 * HOUR, metadata={"help": "Seconds after which SageMaker stops a trial"})
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
    read_logs: bool = field(
        default=True, metadata={"help": "Read reports from CloudWatch, too: they may be there before they are on S3"}
    )
    upload_interval: float = field(
        default=2.0, metadata={"help": "Seconds between two uploads of a trial's reports to S3"}
    )
    poll_interval: float = field(default=10.0, metadata={"help": "Seconds between two questions to SageMaker"})

    def __post_init__(self) -> None:
        if not self.s3.startswith("s3://"):
            raise _wrong("s3", self.s3, "Use s3://BUCKET/PREFIX, or s3:// for SageMaker's default bucket.")
        for name, least in (("instance_count", 1), ("max_run", 1), ("volume_size", 1), ("keep_alive", 0)):
            if getattr(self, name) < least:
                raise _wrong(name, getattr(self, name), f"Use a whole number >= {least}.")
        for name in ("upload_interval", "poll_interval"):
            value = getattr(self, name)
            if not (value > 0.0 and math.isfinite(value)):
                raise _wrong(name, value, "Use a positive number of seconds.")
        self._check_machines()
        _ = self.tag_values, self.price_values

    def _check_machines(self) -> None:
        """Refuse what does not go together."""
        if self.keep_alive > MAX_KEEP_ALIVE:
            raise _wrong("keep_alive", self.keep_alive, f"SageMaker keeps machines for {MAX_KEEP_ALIVE} s at most.")
        if self.keep_alive and self.use_spot:
            raise _wrong("keep_alive", self.keep_alive, "SageMaker keeps no machine of spot capacity: choose one.")
        if self.max_wait is not None and not self.use_spot:
            raise _wrong("max_wait", self.max_wait, "It is for spot capacity: add use_spot=true, or leave it out.")
        if self.max_wait is not None and self.max_wait < self.max_run:
            raise _wrong("max_wait", self.max_wait, f"Use at least max_run, which is {self.max_run}.")
        if (self.subnets is None) != (self.security_groups is None):
            raise UsageError("A VPC needs both subnets and security_groups.", "Give both of these options, or neither.")

    @property
    def longest_wait(self) -> int:
        """Seconds that a job on spot capacity may take, waiting included."""
        return 2 * self.max_run if self.max_wait is None else self.max_wait

    @property
    def tag_values(self) -> dict[str, str]:
        """The tags."""
        return tag_values(self.tags)

    @property
    def price_values(self) -> dict[str, float]:
        """What an hour of a machine costs, by its type."""
        found = {}
        for text in listed(self.prices):
            name, _, amount = (part.strip() for part in text.partition("="))
            try:
                price = float(amount)
            except ValueError:
                price = math.nan
            if not name or not (price >= 0.0 and math.isfinite(price)):
                raise _wrong("prices", self.prices, "Write TYPE=MONEY, as in ml.m5.large=0.115,ml.g5.xlarge=1.408.")
            found[name] = price
        return found

    def chosen_environment(self) -> dict[str, str]:
        """The environment variables that trials get from this process.

        Raises:
            UsageError: One is not set.
        """
        names = listed(self.environment)
        for name in names:
            if name not in os.environ:
                raise UsageError(
                    f"Option environment of sagemaker names {name}, which is not set.", "Set it, or leave it out."
                )
        return {name: os.environ[name] for name in names}


def _wrong(name: str, value: object, fix: str) -> UsageError:
    return UsageError(f"Option {name} of sagemaker is {value}.", fix)
