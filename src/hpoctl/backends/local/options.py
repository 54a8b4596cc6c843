"""The options of the local backend."""

from dataclasses import dataclass, field

from hpoctl.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class LocalTrialOptions:
    """How trials run on this machine."""

    gpus_to_use: str = field(default="", metadata={"help": "GPUs that trials may use, such as 0,2; empty: all"})
    poll_interval: float = field(
        default=0.05, metadata={"help": "seconds between two looks at what running trials have reported"}
    )
    min_free_disk: float = field(
        default=0.2, metadata={"help": "free GB of disk below which all trials are held until there is more"}
    )

    def __post_init__(self) -> None:
        if not 0.001 <= self.poll_interval <= 60.0:
            raise UsageError(f"poll_interval is {self.poll_interval}.", "Use seconds from 0.001 to 60.")
        if not 0.0 <= self.min_free_disk < float("inf"):
            raise UsageError(f"min_free_disk is {self.min_free_disk}.", "Use a number of GB >= 0.")
