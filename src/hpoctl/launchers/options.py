"""Options of the built-in launchers."""

import math
from dataclasses import dataclass, field

from hpoctl.core.errors import UsageError
from hpoctl.core.machine import usable_cores


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """How experiments run on this machine."""

    jobs: int | None = field(default=None, metadata={"help": "Experiments at a time; none: one for each core"})
    retries: int = field(default=0, metadata={"help": "How often an experiment that fails is tried again at once"})
    timeout: float | None = field(
        default=None, metadata={"help": "Seconds that an experiment may take; none: any number while it makes progress"}
    )

    def __post_init__(self) -> None:
        if self.jobs is not None and self.jobs < 1:
            raise UsageError(
                f"{self.jobs} experiments at a time cannot be run.",
                "Give a whole number >= 1: -j 2, or jobs=2 among the options of the launcher.",
            )
        if self.retries < 0:
            raise UsageError(f"--retries is {self.retries}.", "Use a whole number >= 0.")
        if self.timeout is not None and not (self.timeout > 0.0 and math.isfinite(self.timeout)):
            raise UsageError(f"--timeout is {self.timeout}.", "Use a positive number of seconds.")

    @property
    def workers(self) -> int:
        """How many experiments run at a time."""
        return len(usable_cores()) if self.jobs is None else self.jobs
