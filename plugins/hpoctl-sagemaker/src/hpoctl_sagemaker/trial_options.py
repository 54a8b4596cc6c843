"""Options of trials on SageMaker."""

import math
import os
from dataclasses import dataclass, field

from hpoctl.core.errors import UsageError
from hpoctl_sagemaker.options import HOUR, TrainingJobOptions, check_least, check_seconds, listed, wrong

MAX_KEEP_ALIVE = HOUR


@dataclass(frozen=True, slots=True)
class SagemakerTrialOptions(TrainingJobOptions):
    """How trials run as training jobs of SageMaker."""

    image: str | None = field(
        default=None,
        metadata={
            "help": "The image, with Python 3.8 or later; none: SageMaker's own for PyTorch, for that machine",
            "runs_code": True,
        },
    )
    s3: str = field(
        default="s3://",
        metadata={"help": "Where reports and checkpoints go: s3://BUCKET/PREFIX; s3://: SageMaker's default bucket"},
    )
    instance_count: int = field(default=1, metadata={"help": "Machines of each trial, unless its configuration says"})
    instance_type_from: str = field(
        default="st_instance_type", metadata={"help": "The hyperparameter that names the machine, if there is one"}
    )
    instance_count_from: str = field(
        default="st_instance_count",
        metadata={"help": "The hyperparameter that says how many machines, if there is one"},
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
    read_logs: bool = field(
        default=True, metadata={"help": "Read reports from CloudWatch, too: they may be there before they are on S3"}
    )
    upload_interval: float = field(
        default=2.0, metadata={"help": "Seconds between two uploads of a trial's reports to S3"}
    )

    def __post_init__(self) -> None:
        TrainingJobOptions.__post_init__(self)  # super() does not work in a class with slots, before Python 3.14
        if not self.s3.startswith("s3://"):
            raise wrong("s3", self.s3, "Use s3://BUCKET/PREFIX, or s3:// for SageMaker's default bucket.")
        check_least(self, instance_count=1, keep_alive=0)
        check_seconds(self, "upload_interval")
        if self.keep_alive > MAX_KEEP_ALIVE:
            raise wrong("keep_alive", self.keep_alive, f"SageMaker keeps machines for {MAX_KEEP_ALIVE} s at most.")
        if self.keep_alive and self.use_spot:
            raise wrong("keep_alive", self.keep_alive, "SageMaker keeps no machine of spot capacity: choose one.")
        _ = self.price_values

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
                raise wrong("prices", self.prices, "Write TYPE=MONEY, as in ml.m5.large=0.115,ml.g5.xlarge=1.408.")
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
