"""The training job of one start of a trial: what is known of it, and what is kept of that beside the start's files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hpoctl.backends.scripts.starts import StartFolder
from hpoctl.backends.scripts.workers import StartBill
from hpoctl_sagemaker.trial_reports import ArrivingReports

FILE = "job.json"
Phase = Literal["queued", "sent", "over", "closed"]
"""queued: SageMaker was not asked for it yet; over: it has ended, and reports may be missing; closed: all is read."""


@dataclass(slots=True)
class TrialJob:
    """A start's training job.

    Attributes:
        key: The start: `TRIAL/START`.
        name: The name of the job.
        start: The start's folder.
        machine: The type of its machines.
        count: How many there are.
        price: What an hour of one of them costs; None: not known.
        request: What SageMaker is asked for.
        reports: What it has reported.
        phase: How far it is.
        began: Whether its script is known to run, or to have run.
        left: Whether it was told to end.
        told: Whether its end was told.
        why: Why it has ended; empty: it was told to, or has completed.
        completed: Whether it has ended well.
        announced: Whether its begin was told.
        seconds: Billed seconds of each machine; None: not known.
        kept_seconds: Billed seconds for which each machine was kept after it.
        since: When its end was first seen, or when it began, on a monotonic clock.
        billed: Whether its bill was told, and recorded.
        looked: When it was last looked at by itself, on a monotonic clock; 0: never.
    """

    key: str
    name: str
    start: StartFolder
    machine: str
    count: int
    price: float | None
    reports: ArrivingReports
    request: Mapping[str, Any] = field(default_factory=dict)
    phase: Phase = "queued"
    began: bool = False
    left: bool = False
    told: bool = False
    why: str = ""
    completed: bool = False
    announced: bool = False
    seconds: int | None = None
    kept_seconds: int = 0
    since: float = 0.0
    billed: bool = False
    looked: float = 0.0

    @property
    def trial(self) -> str:
        """The trial."""
        return self.key.partition("/")[0]

    @property
    def live(self) -> bool:
        """Whether SageMaker may still run it."""
        return self.phase in ("queued", "sent")

    @property
    def hourly(self) -> float | None:
        """What an hour of all of its machines costs."""
        return None if self.price is None else self.price * self.count

    def bill(self) -> StartBill:
        """What it is billed."""
        seconds = ((self.seconds or 0) + self.kept_seconds) * self.count
        price = 0.0 if seconds == 0 else self.price
        return StartBill(self.start, seconds, None if price is None else seconds * price / 3600.0)

    def keep(self) -> None:
        """Write down what a later controller has to know."""
        facts = {
            "name": self.name,
            "machine": self.machine,
            "count": self.count,
            "price": self.price,
            "left": self.left,
            "closed": self.phase == "closed",
            "seconds": self.seconds,
            "kept_seconds": self.kept_seconds,
            "billed": self.billed,
        }
        temporary = self.start.path / f".{FILE}"
        temporary.write_text(json.dumps(facts), encoding="utf-8")
        temporary.replace(self.start.path / FILE)


def kept_job(start: StartFolder) -> TrialJob | None:
    """What an earlier controller has written down of a start's job; None: it has not asked for one."""
    try:
        facts = json.loads((start.path / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    closed = bool(facts["closed"])
    return TrialJob(
        f"{start.path.parents[1].name}/{start.path.name}",
        facts["name"],
        start,
        facts["machine"],
        facts["count"],
        facts["price"],
        ArrivingReports(start.reports),
        phase="closed" if closed else "sent",
        began=True,
        left=facts["left"],
        told=True,
        seconds=facts["seconds"],
        kept_seconds=facts["kept_seconds"],
        billed=facts["billed"],
    )
